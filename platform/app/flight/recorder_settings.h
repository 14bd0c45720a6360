// SPDX-License-Identifier: MIT
// What an operator may choose about the flight recorder.
#pragma once

#include <cstdint>
#include <string>

#include "engine/border/flight_recorder.h"

namespace hawser::app {

inline constexpr std::uint32_t recorder_packets_bound = 4 * 1024 * 1024;
inline constexpr std::uint32_t recorder_payload_bound = 1500;
// Of memory: the usual number of packets with all of their payload, or as many as there may be without. A recording
// takes as much again for its copy, and its file's size, some 250 bytes a packet more.
inline constexpr std::size_t recorder_bytes_bound = std::size_t{256} * 1024 * 1024;
// In the folder: an operator who wants more of them takes some away first.
inline constexpr std::size_t recordings_bound = 32;

struct RecorderSettings {
    std::uint32_t packets = 64 * 1024;  // the last so many; 0: off. 4 MiB, a minute at 10 Mbit/s
    std::uint32_t payload_bytes = 0;    // of each data packet
    std::string folder;                 // for recordings; empty: the state folder's own

    [[nodiscard]] std::size_t memory_bytes() const { return packets * FlightRecorder::stride(payload_bytes); }
};

}  // namespace hawser::app
