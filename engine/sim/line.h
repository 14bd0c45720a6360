// SPDX-License-Identifier: MIT
// One direction of an emulated link, as the recorded experiments shape it. In this order a datagram meets
//   [drop outage] -> drop-tail queue -> bottleneck (trace or steady rate, [pause outage]) -> random loss
//   -> delay with its detours and jitter, order kept -> [hold or drop outage]
// LineShape says how, in values; the machine is in line_machine.h. Traces are data: reading files is the caller's part.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/time.h"

namespace hawser::sim {

// What a line of a trace carries: mahimahi's mm-link (ravinet/mahimahi, ae477d4).
inline constexpr std::int64_t opportunity_bytes = 1500;
// What a UDP payload of an IPv4 datagram occupies beside itself: 20 + 8 bytes. Queues and rates count it.
inline constexpr std::int64_t wire_overhead_bytes = 28;

struct LineOutage {
    enum class Kind : std::uint8_t {
        drop,   // loses what arrives, and what would come out, meanwhile
        hold,   // keeps what would come out and lets it all go at the end: a handover, then a burst
        pause,  // stops the bottleneck, so that the queue fills and drains at the link's rate afterwards
    };
    Kind kind = Kind::drop;
    Duration start{};  // on the scenario's clock
    Duration length{};
    Duration every{};  // from start to start; zero: once
};

// A longer way for a while: a handover between cells or satellites, order kept.
struct Detour {
    Duration delay{};  // beside the line's own
    Duration start{};  // on the scenario's clock
    Duration length{};
    Duration every{};  // from start to start; zero: once
};

// Two states, drawn for each packet that leaves the bottleneck.
struct GilbertElliott {
    double good_to_bad = 0;
    double bad_to_good = 1;
    double loss_good = 0;
    double loss_bad = 1;
};

struct LineShape {
    // Milliseconds of delivery opportunities, not descending, the last above zero and the period; looped. Empty: a
    // steady rate. The caller keeps what it views alive.
    std::span<const std::uint32_t> trace_ms;
    Duration offset{};           // where in the trace the scenario's clock begins
    double scale = 1;            // what part of each opportunity counts
    double kbit_per_second = 0;  // without a trace; 0: no limit
    Duration delay{};
    Duration jitter{};                        // added to the delay: uniform from none to this, drawn for each packet
    std::optional<std::int64_t> queue_bytes;  // on-wire bytes
    std::optional<Duration> queue;            // instead, at the mean rate; neither: no bound
    double loss = 0;
    std::optional<GilbertElliott> bursts;
    std::vector<LineOutage> outages;
    std::vector<Detour> detours;

    // By how much the way is longer, so long after the scenario's clock began.
    [[nodiscard]] Duration detour(Duration at) const {
        Duration sum{};
        for (const Detour& d : detours) {
            if (at < d.start) continue;
            const std::int64_t since = (at - d.start).ns;
            if ((d.every.ns > 0 ? since % d.every.ns : since) < d.length.ns) sum = sum + d.delay;
        }
        return sum;
    }
    // Bits per second; 0: no limit.
    [[nodiscard]] double mean_rate() const {
        if (trace_ms.empty()) return kbit_per_second * 1000;
        return static_cast<double>(trace_ms.size()) * static_cast<double>(opportunity_bytes) * 8e3 * scale /
               static_cast<double>(trace_ms.back());
    }
};

// One bucket of one direction of one link.
struct LinkSample {
    std::uint32_t capacity_bytes = 0;  // what the bottleneck could have carried
    std::uint32_t bytes_in = 0;        // on the wire, accepted or not
    std::uint32_t bytes_out = 0;       // left the link
    std::uint32_t queue_bytes = 0;     // at the bucket's end
    std::uint16_t dropped_queue = 0;   // datagrams
    std::uint16_t dropped_loss = 0;
    std::uint16_t dropped_outage = 0;
};

struct LineFigures {
    std::uint64_t packets_in = 0, bytes_in = 0;  // on the wire
    std::uint64_t packets_out = 0, bytes_out = 0;
    std::uint64_t dropped_queue = 0, dropped_loss = 0, dropped_outage = 0;
    std::uint64_t waiting = 0;  // still in it at the end, of those that came since the scenario's clock began
    double capacity_bps = 0;    // over the trip
    double wait_ms_mean = 0;    // in the queue, over packets_in
    double wait_ms_max = 0;
    std::int64_t queue_bytes_max = 0;
    std::vector<LinkSample> series;
};

}  // namespace hawser::sim
