// SPDX-License-Identifier: MIT
#include "engine/sim/capacity.h"

#include <algorithm>

#include "engine/base/check.h"

namespace hawser::sim {
namespace {

constexpr std::int64_t ms_ns = 1'000'000;

}  // namespace

Capacity::Capacity(const LineShape& shape) : shape_(shape) {
    for (const LineOutage& o : shape.outages) {
        HAWSER_CHECK(o.every.ns == 0 || o.every >= o.length);
        has_pauses_ = has_pauses_ || o.kind == LineOutage::Kind::pause;
    }
    if (shape.trace_ms.empty()) return;
    HAWSER_CHECK(shape.trace_ms.back() > 0 && shape.scale > 0);
    period_ = Duration{std::int64_t{shape.trace_ms.back()} * ms_ns};
    seek(origin_);
}

void Capacity::restart(Instant now) {
    origin_ = now;
    if (!shape_.trace_ms.empty()) seek(std::max(now, done_));
}

Instant Capacity::outage_end(LineOutage::Kind kind, Instant at) const {
    const Duration t = at - origin_;
    for (const LineOutage& o : shape_.outages) {
        if (o.kind != kind || t < o.start) continue;
        const Duration since = t - o.start;
        const Duration begun = o.every.ns > 0 ? o.start + o.every * (since.ns / o.every.ns) : o.start;
        if (t < begun + o.length) return origin_ + begun + o.length;
    }
    return never;
}

Instant Capacity::cursor_time() const {
    return origin_ - shape_.offset + period_ * cycle_ + Duration{std::int64_t{shape_.trace_ms[next_]} * ms_ns};
}

void Capacity::step_cursor() {
    if (++next_ == shape_.trace_ms.size()) {
        next_ = 0;
        ++cycle_;
    }
}

// The first opportunity at or after `at`.
void Capacity::seek(Instant at) {
    const std::int64_t rel = (at - (origin_ - shape_.offset)).ns;
    cycle_ = rel >= 0 ? rel / period_.ns : -((-rel + period_.ns - 1) / period_.ns);
    const std::int64_t within_ms = (rel - cycle_ * period_.ns + ms_ns - 1) / ms_ns;  // a trace has whole milliseconds
    const auto first = shape_.trace_ms.begin();
    next_ = static_cast<std::size_t>(
        std::lower_bound(first, shape_.trace_ms.end(), static_cast<std::uint32_t>(within_ms)) - first);
    if (next_ == shape_.trace_ms.size()) {
        next_ = 0;
        ++cycle_;
    }
}

Instant Capacity::carry(std::int64_t bytes, Instant now, bool live) {
    const bool was_idle = done_ <= now;
    if (shape_.trace_ms.empty()) {
        Instant start = std::max(now, done_);
        if (live && has_pauses_)
            if (const Instant end = outage_end(LineOutage::Kind::pause, start); end != never) start = end;
        const double rate = shape_.kbit_per_second * 1000;
        const auto ns = rate > 0 ? static_cast<std::int64_t>(static_cast<double>(bytes) * 8e9 / rate) : 0;
        done_ = start + Duration{ns};
        return done_;
    }
    if (was_idle) {
        const std::int64_t used_cycle = cycle_;
        const std::size_t used_next = next_;
        seek(now);
        credit_ = 0;
        // No opportunity serves twice, not even the one of this very instant.
        if (cycle_ < used_cycle || (cycle_ == used_cycle && next_ < used_next)) {
            cycle_ = used_cycle;
            next_ = used_next;
        }
    }
    std::int64_t left = bytes;
    // What the last datagram left of its opportunity.
    const auto take = [&] {
        if (credit_ < 1) return;
        const auto n = static_cast<std::int64_t>(std::min(credit_, static_cast<double>(left)));
        left -= n;
        credit_ -= static_cast<double>(n);
    };
    take();
    while (left > 0) {
        Instant t = cursor_time();
        if (live && has_pauses_)
            if (const Instant end = outage_end(LineOutage::Kind::pause, t); end != never) {
                seek(end);
                t = cursor_time();
            }
        done_ = t;
        credit_ += static_cast<double>(opportunity_bytes) * shape_.scale;
        step_cursor();
        take();
    }
    return done_;
}

std::int64_t Capacity::opportunities_before(Instant at) const {
    const std::int64_t rel = (at - (origin_ - shape_.offset)).ns;
    const std::int64_t cycle = rel >= 0 ? rel / period_.ns : -((-rel + period_.ns - 1) / period_.ns);
    const std::int64_t within_ms = (rel - cycle * period_.ns + ms_ns - 1) / ms_ns;
    const auto first = shape_.trace_ms.begin();
    const auto in_cycle = std::lower_bound(first, shape_.trace_ms.end(), static_cast<std::uint32_t>(within_ms)) - first;
    return cycle * static_cast<std::int64_t>(shape_.trace_ms.size()) + in_cycle;
}

double Capacity::bytes_between(Instant from, Instant to) const {
    if (shape_.trace_ms.empty()) return shape_.kbit_per_second / 8e6 * static_cast<double>((to - from).ns);
    return static_cast<double>(opportunities_before(to) - opportunities_before(from)) *
           static_cast<double>(opportunity_bytes) * shape_.scale;
}

}  // namespace hawser::sim
