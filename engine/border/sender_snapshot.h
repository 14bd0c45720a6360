// SPDX-License-Identifier: MIT
// What the sender's pump publishes a few times a second: one value, copied whole, so that a reader sees one moment.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/endpoint.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/base/time_histogram.h"
#include "engine/border/command.h"
#include "engine/border/counters.h"
#include "engine/border/pump_snapshot.h"
#include "engine/border/safe_rate.h"
#include "engine/border/selection.h"

namespace hawser {

enum class UplinkState : std::uint8_t {
    absent,     // the slot is free
    closed,     // no socket: opening failed, or the link's device or address went away
    joining,    // registering
    connected,  // registered and heard
    silent,     // registered once, nothing heard for too long; registering again
};

struct UplinkSnapshot {
    UplinkState state = UplinkState::absent;
    bool gated = false;  // the selector keeps data off it
    bool metered = false;
    std::uint8_t priority = priority_first;  // its class now, a used-up budget's work included
    std::uint64_t rate_cap = 0;              // bit/s on the wire; 0: none
    Endpoint local;
    Duration rtt;  // smoothed; zero: none yet
    Duration rtt_min;
    RoundTrips round_trips;         // each that a keepalive measured
    std::int32_t window = 0;        // 1000 = one packet
    std::int32_t in_flight = 0;     // packets
    float quality = 1.0F;           // the selector's multiplier
    std::uint64_t packets_out = 0;  // SRT packets routed to it
    std::uint64_t bytes_out = 0;    // their UDP payload bytes
    std::uint64_t packets_in = 0;
    std::uint64_t bytes_in = 0;
    // All that went over the wire by this slot, whoever had it: IP and UDP headers, SRTLA's own packets. Falls only by
    // what the kernel has refused since.
    std::uint64_t wire_bytes_out = 0;
    std::uint64_t wire_bytes_in = 0;
    std::uint32_t tenancy = 0;           // how many uplinks have had the slot, this one included
    std::uint32_t bytes_per_second = 0;  // of bytes_out, in the last whole second
    std::uint64_t naks = 0;              // sequences lost on it as far as NAKs told
    std::uint64_t deferred = 0;          // sends that its full socket buffer refused
    std::uint64_t too_large = 0;         // sends refused as too large
    std::uint64_t failures = 0;          // times it went silent or lost its socket
    // Selector adaptive, else zero.
    std::uint32_t path_rate = 0;  // estimated delivery rate, bytes/s on the wire
    Duration queue_delay;         // of the last answer, above the least
    Duration base_rtt;
    std::uint64_t lost = 0;             // packets that later ones overtook for good
    std::uint32_t window_bytes = 0;     // what it may carry at most
    std::uint32_t in_flight_bytes = 0;  // what it carries
    std::uint64_t copies = 0;           // sent on it beside others that were not known to be lost
    bool silent = false;                // it carries something and answers nothing: others go first
};

struct SenderSnapshot {
    Instant at;
    Counters counters;
    PumpSnapshot pump;
    select::Settings selection;
    bool group_joined = false;
    std::array<std::uint8_t, 256> group{};  // its id, then
    bool reports = false;                   // the receiver reports each delivery
    std::uint32_t waiting = 0;              // packets in the adaptive selector's queue
    Duration latency;                       // that adaptive works to
    SafeRate safe_rate;                     // of media, for the encoder
    bool has_caller = false;
    Endpoint caller;
    Endpoint receiver;
    std::array<UplinkSnapshot, links_max> uplinks{};
};

}  // namespace hawser
