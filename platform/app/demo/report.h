// SPDX-License-Identifier: MIT
// What the demonstration shows: a table per second while it runs, the outcome at the end in words or as one JSON line.
// Values in, text out; nothing here knows where the values come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/app/demo/link_emulator.h"
#include "platform/app/demo/on_time.h"
#include "platform/app/demo/options.h"

namespace hawser::demo {

// One uplink as the sender sees it.
struct LinkRow {
    std::string source;
    std::string state;
    std::uint64_t rate_bps = 0;    // payload bits per second, lately
    std::optional<double> rtt_ms;  // none measured yet
    std::uint32_t in_flight = 0;   // packets
    std::uint32_t window = 0;      // packets
    std::uint64_t naks = 0;        // lost packets laid at this link's door
    bool dark = false;             // by the emulator's scenario
};

struct Summary {
    double seconds = 0;  // of picture
    bool interrupted = false;
    bool picture = false;  // else the built-in pattern
    std::string io;        // the backend that the sender chose
    std::uint64_t srt_retransmissions = 0;
    std::uint32_t srt_connections = 0;
    Figures figures;
    std::vector<LinkRow> links;
    std::vector<LinkCounts> emulated;
};

// Lines end with a newline; the count of lines depends on the number of links alone.
[[nodiscard]] std::string table(double seconds, const std::vector<LinkRow>& links, const Figures& figures);
[[nodiscard]] std::string in_words(const Options& options, const Summary& summary);
// Without the newline.
[[nodiscard]] std::string as_json(const Options& options, const Summary& summary);

}  // namespace hawser::demo
