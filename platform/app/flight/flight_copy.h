// SPDX-License-Identifier: MIT
// The flight recorder's content, copied out while it was held, with what only the control thread knows: names and
// addresses, and the wall clock. A thread that may block makes a file of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/border/flight_recorder.h"
#include "platform/app/flight/flight_ways.h"

namespace hawser::app {

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

// Only while the recorder is held, or when its pump has ended. Answers with is_sender, records and payload. May throw
// std::bad_alloc: a recording is as large as its operator made it.
[[nodiscard]] FlightCopy copy_flight(const FlightRecorder& recorder, bool is_sender);

// The whole as a capture file, handed to `take` in pieces of some 64 KiB until it answers false, so that it takes no
// memory of its size. Answers how many packets it has.
using TakePiece = std::function<bool(std::string_view piece)>;
std::uint64_t flight_capture(const FlightCopy& copy, const TakePiece& take);

}  // namespace hawser::app
