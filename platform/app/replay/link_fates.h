// SPDX-License-Identifier: MIT
// What a recording tells of each link: which copies it was given, which of them arrived and when, and what came back.
//
// Delivery reports (engine/wire/report.h) say it best. A recording has a report's header and its four oldest entries;
// as each entry is said twice and a link keeps the order, `arrived` tells of those between two such entries how many
// came. Receivers that send none are taken by their SRTLA ACKs: the last of the ten sequences in one has just come, and
// the time on "the receiver's clock" is then the ACK's arrival here. Ours also sends an ACK of fewer, up to 15 ms after
// the first of them came: as long as the link is busy, its last has just come, too.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/app/replay/flight_log.h"
#include "platform/app/replay/sent_index.h"

namespace hawser::app {

// A keepalive, or a registration, and its answer.
struct KeepaliveRound {
    std::int64_t sent_ns = 0;
    std::optional<std::int64_t> answered_ns;
};

struct ReportSeen {
    std::int64_t received_ns = 0;
    std::int64_t clock_ns = 0;  // the receiver's
};

struct LinkHistory {
    SentIndex sends;
    std::vector<KeepaliveRound> keepalives;
    std::vector<std::int64_t> heard_ns;  // when anything came from it
    bool is_reported = false;            // by delivery reports; else times are those of SRTLA ACKs
    bool has_partial_acks = false;       // SRTLA ACKs of fewer than ten
    std::vector<ReportSeen> reports;     // its own
    // The shortest round trip of its keepalives; zero: none came back.
    std::int64_t round_trip_ns = 0;
};

// One for each link of the log. All reports' clocks count from the same, unknown beginning.
[[nodiscard]] std::vector<LinkHistory> link_histories(const FlightLog& log);

}  // namespace hawser::app
