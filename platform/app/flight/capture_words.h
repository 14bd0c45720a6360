// SPDX-License-Identifier: MIT
// The words of a recording: who made it, what stands beside each packet, the name of an uplink's way. Written when the
// recorder is dumped and read when a recording is replayed, both here, so that the two cannot drift apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/border/flight_recorder.h"

namespace hawser::app {

// A receiver's record, of an address that is no link's.
[[nodiscard]] bool is_of_stranger(const FlightRecord& record, bool is_sender);

// What stands beside a packet: "uplink wwan0; sent first, seq 1234; adaptive: there in 43 ms; 12 in flight".
[[nodiscard]] std::string flight_comment(const FlightRecord& record, const std::string& way, bool is_sender);
// What such a comment says became of the packet, of a sender's recording; absent where it is no such comment of `way`.
[[nodiscard]] std::optional<Decision> decision_in(std::string_view comment, std::string_view way);

// Of the file as a whole: the program, and which end's recording it is.
[[nodiscard]] std::string capture_application();
[[nodiscard]] std::string capture_comment(bool is_sender);
[[nodiscard]] bool is_application(std::string_view application);
// Absent where it is no such comment.
[[nodiscard]] std::optional<bool> is_of_sender(std::string_view comment);

// Of the sender's SRT side, with the latency that its session keeps.
[[nodiscard]] std::string caller_description(Duration latency);
[[nodiscard]] std::optional<Duration> latency_in(std::string_view caller_description);

}  // namespace hawser::app
