// SPDX-License-Identifier: MIT
// The flight recorder's content, copied out while it was held, with what only the control thread knows: names and
// addresses, and the wall clock. A thread that may block makes a file of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/border/flight_recorder.h"
#include "engine/border/receiver_snapshot.h"
#include "engine/border/sender_snapshot.h"

namespace hawser::app {

// The ends of one of the ways that packets take, ours first.
struct FlightWay {
    std::string name;
    std::string description;
    Endpoint local;
    Endpoint remote;
};

// Which way a record is of: the sender's uplinks by number, the receiver's by group and number; the SRT side of either.
using FlightWays = std::map<std::uint32_t, FlightWay>;
[[nodiscard]] constexpr std::uint32_t uplink_way(std::uint16_t group, LinkId link) {
    return std::uint32_t{group} << 8 | link.value;
}
inline constexpr std::uint32_t local_way_bit = std::uint32_t{1} << 31;
[[nodiscard]] constexpr std::uint32_t local_way(std::uint16_t group) { return local_way_bit | group; }

struct FlightCopy {
    bool is_sender = true;
    std::vector<FlightRecord> records;         // from the oldest on
    std::vector<std::uint8_t> payload;         // of each in turn, where it was asked for
    std::vector<std::uint16_t> payload_bytes;  // how much of it is whose; empty: nothing
    FlightWays ways;
    // What the two clocks said at one moment. A wall clock that was set meanwhile moves all stamps alike.
    Instant at;
    std::int64_t utc_ns = 0;
};

// Only while the recorder is held. Answers with is_sender, records and payload.
[[nodiscard]] FlightCopy copy_flight(const FlightRecorder& recorder, bool is_sender);

[[nodiscard]] FlightWays flight_ways(const SenderSnapshot& snapshot, const std::array<std::string, links_max>& names,
                                     const Endpoint& listen);
[[nodiscard]] FlightWays flight_ways(const ReceiverSnapshot& snapshot, const Endpoint& listen);

// What stands beside a packet: "uplink wwan0; sent first, seq 1234; adaptive: there in 43 ms; 12 in flight".
[[nodiscard]] std::string flight_comment(const FlightRecord& record, const std::string& way, bool is_sender);

// The whole as a capture file, and how many packets it has.
struct FlightCapture {
    std::string bytes;
    std::uint64_t packets = 0;
};
[[nodiscard]] FlightCapture flight_capture(const FlightCopy& copy);

}  // namespace hawser::app
