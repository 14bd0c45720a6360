// SPDX-License-Identifier: MIT
#include "engine/sim/oracle.h"

#include <algorithm>
#include <deque>

#include "engine/sim/trip_metrics.h"

namespace hawser::sim {
namespace {

constexpr double tail_ms = 4000;  // opportunities beyond the last payload

double to_ms(Duration d) { return static_cast<double>(d.ns) / 1e6; }

// Detours aside: it is an upper bound.
double mean_delay_ms(const LineShape& shape) { return to_ms(shape.delay) + to_ms(shape.jitter) / 2; }

double mean_loss(const LineShape& shape) {
    double loss = shape.loss;
    if (shape.bursts) {
        const GilbertElliott& g = *shape.bursts;
        const double turns = g.good_to_bad + g.bad_to_good;
        const double bad = turns > 0 ? g.good_to_bad / turns : 0;
        loss = 1 - (1 - loss) * (1 - (bad * g.loss_bad + (1 - bad) * g.loss_good));
    }
    return loss;
}

// When the outage that covers t ends; below zero where none does. Milliseconds from the first payload.
double outage_end(const LineOutage& o, Duration lead, double t) {
    const double start = to_ms(o.start - lead), length = to_ms(o.length), every = to_ms(o.every);
    if (t < start) return -1;
    const double begun =
        every > 0 ? start + static_cast<double>(static_cast<std::int64_t>((t - start) / every)) * every : start;
    return t < begun + length ? begun + length : -1;
}

void add_trace(const LineShape& shape, double end_ms, Duration lead, double kept, std::vector<Opportunity>& out) {
    const double period = shape.trace_ms.back();
    const double start = to_ms(shape.offset + lead), delay = mean_delay_ms(shape);
    double credit = 0;
    for (auto cycle = static_cast<std::int64_t>(start / period);; ++cycle) {
        const double base = static_cast<double>(cycle) * period - start;
        for (const std::uint32_t ms : shape.trace_ms) {
            const double t = base + ms;
            if (t < 0) continue;
            if (t > end_ms) return;
            credit += static_cast<double>(opportunity_bytes) * shape.scale * kept;
            for (; credit >= static_cast<double>(payload_wire_bytes); credit -= static_cast<double>(payload_wire_bytes))
                out.push_back({t, t + delay});
        }
    }
}

}  // namespace

std::vector<Opportunity> opportunities(const LineShape& shape, double seconds, Duration lead, bool with_losses,
                                       bool with_outages) {
    std::vector<Opportunity> all;
    const double end_ms = seconds * 1000 + tail_ms, delay = mean_delay_ms(shape);
    const double kept = with_losses ? 1 - mean_loss(shape) : 1;
    if (!shape.trace_ms.empty()) {
        add_trace(shape, end_ms, lead, kept, all);
    } else if (shape.kbit_per_second > 0) {
        const double gap = static_cast<double>(payload_wire_bytes) * 8 / shape.kbit_per_second / kept;
        for (double n = 1; n * gap <= end_ms; ++n) all.push_back({n * gap, n * gap + delay});
    }
    if (!with_outages) return all;
    for (const LineOutage& o : shape.outages) {
        std::vector<Opportunity> left;
        for (const Opportunity& a : all) {
            double end = outage_end(o, lead, a.arrives_ms);
            const bool before = o.kind != LineOutage::Kind::hold && outage_end(o, lead, a.leaves_ms) >= 0;
            if (o.kind == LineOutage::Kind::pause) end = -1;
            if (!before && end < 0)
                left.push_back(a);
            else if (o.kind == LineOutage::Kind::hold)
                left.push_back({a.leaves_ms, end});
        }
        all = std::move(left);
    }
    return all;
}

double capacity_kbps(const Trip& trip) {
    double sum = 0;
    for (const TripLink& link : trip.links) {
        const auto all = opportunities(link.up, trip.seconds, trip.lead, false, false);
        const auto count = std::count_if(all.begin(), all.end(),
                                         [&](const Opportunity& o) { return o.leaves_ms < trip.seconds * 1000; });
        sum += static_cast<double>(count) * static_cast<double>(payload_wire_bytes) * 8 / trip.seconds / 1000;
    }
    return sum;
}

double omniscient_on_time(const Trip& trip) {
    std::vector<Opportunity> pool;
    double least_delay = 1e12;
    for (const TripLink& link : trip.links) {
        const auto all = opportunities(link.up, trip.seconds, trip.lead, true, true);
        pool.insert(pool.end(), all.begin(), all.end());
        least_delay = std::min(least_delay, mean_delay_ms(link.up));
    }
    std::sort(pool.begin(), pool.end(), [](const Opportunity& a, const Opportunity& b) {
        return a.leaves_ms != b.leaves_ms ? a.leaves_ms < b.leaves_ms : a.arrives_ms < b.arrives_ms;
    });
    const Media media = media_of(trip, Instant{});
    const double gap = media.gap_ns / 1e6, latency = to_ms(trip.srt.latency);
    constexpr std::size_t look = 200;  // payloads ahead of the most urgent one
    std::deque<double> waiting;        // when they were made
    std::uint64_t made = 0, done = 0;
    for (const Opportunity& o : pool) {
        for (; made < media.count && static_cast<double>(made) * gap <= o.leaves_ms; ++made)
            waiting.push_back(static_cast<double>(made) * gap);
        while (!waiting.empty() && waiting.front() + latency < o.leaves_ms + least_delay) waiting.pop_front();
        for (std::size_t k = 0; k < waiting.size() && k <= look + 1; ++k) {
            if (waiting[k] + latency < o.arrives_ms) continue;
            waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(k));
            ++done;
            break;
        }
    }
    return media.count > 0 ? static_cast<double>(done) / static_cast<double>(media.count) : 0;
}

}  // namespace hawser::sim
