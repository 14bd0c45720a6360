// SPDX-License-Identifier: MIT
// A sender's flight recording (platform/app/flight/), read back from its capture file: what became of each packet and
// when, by uplink. Captures of receivers, of other programs and of nothing are refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/border/flight_recorder.h"
#include "engine/wire/srt.h"

namespace hawser::app {

struct LoggedPacket {
    std::int64_t at_ns = 0;  // since the log began; not descending
    LinkId link = no_link;   // of FlightLog::links; no_link: of the SRT side
    Decision decision = Decision::delivered;
    std::uint16_t length = 0;  // of the UDP payload, whole
    Bytes head;                // its first bytes

    [[nodiscard]] bool is_outbound() const { return row_of(decision).is_outbound; }
    // Of SRT's data, sent or given up.
    [[nodiscard]] std::optional<wire::SrtPacket> data() const {
        const auto packet = wire::SrtPacket::over(head);
        if (!packet || !packet->is_data()) return std::nullopt;
        return packet;
    }
};

struct FlightLog {
    // Of a longer recording the last of this is taken: no scenario is longer.
    static constexpr std::int64_t ns_max = 3'600'000'000'000;

    std::unique_ptr<const std::string> file;  // what the packets view
    std::vector<std::string> links;           // names; at most links_max
    std::vector<LoggedPacket> packets;
    std::optional<Duration> latency;  // of SRT
    std::string note;                 // what is to be said of the file, if anything

    [[nodiscard]] std::int64_t length_ns() const { return packets.empty() ? 0 : packets.back().at_ns; }
};

// Of a file's content; `name` stands in errors.
[[nodiscard]] Result<FlightLog, std::string> read_flight_log(std::string file, const std::string& name);

}  // namespace hawser::app
