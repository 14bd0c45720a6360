// SPDX-License-Identifier: MIT
// The machine behind a LineShape. First come, first served, and the capacity to come is known: so what will happen to a
// datagram is settled when it enters, and the only event that it costs is its arrival.
//
// `Item` is whatever the line carries; copied, so small. Random losses are drawn once per datagram that crosses the
// bottleneck, in order, from the line's own generator: the n-th meets the same fate in every run.
// Three instants matter to a datagram: when it enters, when it has crossed the bottleneck (until then it fills the
// queue), when it leaves. Times of the shape are on the scenario's clock, which begin() starts; before it, traces run
// from their offset, and outages and detours do not count.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/random.h"
#include "engine/sim/capacity.h"
#include "engine/sim/fate.h"
#include "engine/sim/line.h"
#include "engine/sim/ring.h"

namespace hawser::sim {

template <class Item>
class LineMachine {
public:
    LineMachine(const LineShape& shape, std::uint64_t seed, Duration bucket)
        : shape_(shape), capacity_(shape), fate_(shape, seed), jitter_(~seed), bucket_(bucket) {
        if (shape.queue_bytes) queue_max_ = *shape.queue_bytes;
        if (shape.queue && shape.mean_rate() > 0) {
            const double bytes = shape.mean_rate() / 8e9 * static_cast<double>(shape.queue->ns);
            queue_max_ = std::max<std::int64_t>(static_cast<std::int64_t>(bytes), 2 * opportunity_bytes);
        }
    }

    // The scenario's clock and the counters begin.
    void begin(Instant now) {
        settle(now);
        origin_ = now;
        is_live_ = true;
        figures_ = LineFigures{};
        wait_ns_sum_ = 0;
        capacity_.restart(now);
    }

    // False: dropped at once. A payload of `bytes`.
    bool push(const Item& item, std::int64_t bytes, Instant now) {
        const std::int64_t size = bytes + wire_overhead_bytes;
        settle(now);
        ++figures_.packets_in;
        figures_.bytes_in += static_cast<std::uint64_t>(size);
        if (LinkSample* s = sample(now)) s->bytes_in += static_cast<std::uint32_t>(size);
        if (is_out(LineOutage::Kind::drop, now)) {
            ++figures_.dropped_outage;
            if (LinkSample* s = sample(now)) ++s->dropped_outage;
            return false;
        }
        if (queue_max_ >= 0 && queued_ + size > queue_max_) {
            ++figures_.dropped_queue;
            if (LinkSample* s = sample(now)) ++s->dropped_queue;
            return false;
        }
        queued_ += size;
        figures_.queue_bytes_max = std::max(figures_.queue_bytes_max, queued_);
        Entry e;
        e.item = item;
        e.entered = now;
        e.size = size;
        e.crossed = capacity_.carry(size, now, is_live_);
        e.end = fate_.draw_lost() ? End::lost : End::arrives;
        const Duration detour = is_live_ ? shape_.detour(e.crossed - origin_) : Duration{};
        e.leaves = std::max(e.crossed + shape_.delay + detour + draw_jitter(), last_leaves_);
        if (is_live_) {
            if (const Instant end = capacity_.outage_end(LineOutage::Kind::hold, e.leaves); end != never)
                e.leaves = end;
            if (e.end == End::arrives && is_out(LineOutage::Kind::drop, e.leaves)) e.end = End::dark;
        }
        last_leaves_ = e.leaves;
        entries_.push_back(e);
        return true;
    }

    // When the next datagram leaves, or is known not to.
    [[nodiscard]] Instant next() const { return entries_.empty() ? never : entries_.front().leaves; }
    // The next that is due; false when there is none. `lost` is told of each one that came to nothing on the way.
    template <class Lost>
    bool pop(Instant now, Item& out, Lost&& lost) {
        while (!entries_.empty() && entries_.front().leaves <= now) {
            settle(entries_.front().crossed);
            const Entry e = entries_.front();
            entries_.pop_front();
            --crossed_;
            if (e.end == End::arrives) {
                ++figures_.packets_out;
                figures_.bytes_out += static_cast<std::uint64_t>(e.size);
                if (LinkSample* s = sample(e.leaves)) s->bytes_out += static_cast<std::uint32_t>(e.size);
                out = e.item;
                return true;
            }
            if (e.end == End::dark) {
                ++figures_.dropped_outage;
                if (LinkSample* s = sample(e.leaves)) ++s->dropped_outage;
            }
            lost(e.item);
        }
        return false;
    }

    // On-wire bytes before the bottleneck.
    [[nodiscard]] std::int64_t queued(Instant now) {
        settle(now);
        return queued_;
    }
    // The figures as of now, series included. For the end of a run.
    [[nodiscard]] LineFigures figures(Instant now) {
        settle(now);
        while (sample(now) != nullptr && filled_ < figures_.series.size()) {
            figures_.series[filled_].queue_bytes = static_cast<std::uint32_t>(queued_);
            ++filled_;
        }
        LineFigures f = figures_;
        f.waiting = entries_.size();
        f.wait_ms_mean = f.packets_in > 0 ? wait_ns_sum_ / 1e6 / static_cast<double>(f.packets_in) : 0;
        const double seconds = static_cast<double>((now - origin_).ns) / 1e9;
        if (seconds > 0) f.capacity_bps = capacity_.bytes_between(origin_, now) * 8 / seconds;
        for (std::size_t i = 0; i < f.series.size(); ++i) {
            const Instant from = origin_ + bucket_ * static_cast<std::int64_t>(i);
            f.series[i].capacity_bytes = static_cast<std::uint32_t>(capacity_.bytes_between(from, from + bucket_));
        }
        return f;
    }
    // For whoever keeps books on items: visits what is still on the way.
    template <class Visit>
    void each(Visit&& visit) const {
        for (std::size_t i = 0; i < entries_.size(); ++i) visit(entries_[i].item);
    }

private:
    enum class End : std::uint8_t { arrives, lost, dark };
    struct Entry {
        Item item{};
        Instant entered;
        Instant crossed;
        Instant leaves;
        std::int64_t size = 0;
        End end = End::arrives;
    };

    // As a radio's layers do it: what is delayed delays what follows, and overtakes nothing.
    [[nodiscard]] Duration draw_jitter() {
        if (shape_.jitter.ns <= 0) return Duration{};
        const double part = static_cast<double>(jitter_.next() >> 11) * 0x1.0p-53;
        return Duration{static_cast<std::int64_t>(part * static_cast<double>(shape_.jitter.ns))};
    }
    [[nodiscard]] bool is_out(LineOutage::Kind kind, Instant at) const {
        return is_live_ && capacity_.outage_end(kind, at) != never;
    }
    // What has crossed the bottleneck by `now` fills the queue no more.
    void settle(Instant now) {
        while (crossed_ < entries_.size() && entries_[crossed_].crossed <= now) {
            const Entry& e = entries_[crossed_];
            const double wait_ns = static_cast<double>((e.crossed - e.entered).ns);
            wait_ns_sum_ += wait_ns;
            figures_.wait_ms_max = std::max(figures_.wait_ms_max, wait_ns / 1e6);
            note_queue(e.crossed);
            queued_ -= e.size;
            if (e.end == End::lost) {
                ++figures_.dropped_loss;
                if (LinkSample* s = sample(e.crossed)) ++s->dropped_loss;
            }
            ++crossed_;
        }
        note_queue(now);
    }
    // Buckets that have ended by `at` ended with the queue as it is.
    void note_queue(Instant at) {
        if (bucket_.ns == 0 || !is_live_ || at < origin_) return;
        const auto index = static_cast<std::size_t>((at - origin_).ns / bucket_.ns);
        if (index <= filled_) return;
        if (figures_.series.size() < index) figures_.series.resize(index);
        for (; filled_ < index; ++filled_) figures_.series[filled_].queue_bytes = static_cast<std::uint32_t>(queued_);
    }
    [[nodiscard]] LinkSample* sample(Instant at) {
        if (bucket_.ns == 0 || !is_live_ || at < origin_) return nullptr;
        const auto index = static_cast<std::size_t>((at - origin_).ns / bucket_.ns);
        if (figures_.series.size() <= index) figures_.series.resize(index + 1);
        return &figures_.series[index];
    }
    LineShape shape_;
    Capacity capacity_;
    sim::Fate fate_;
    Random jitter_;
    Duration bucket_;
    std::int64_t queue_max_ = -1;  // bytes; below zero: no bound
    Instant last_leaves_{};
    Instant origin_{};
    bool is_live_ = false;
    GrowingRing<Entry> entries_;
    std::size_t crossed_ = 0;  // of entries_, from the front
    std::int64_t queued_ = 0;
    std::size_t filled_ = 0;  // buckets whose queue is noted
    double wait_ns_sum_ = 0;
    LineFigures figures_;
};

}  // namespace hawser::sim
