// SPDX-License-Identifier: MIT
// A trip that is run with the flight recorder on, as the capture file that `hawser dump` would have made of it.
#pragma once

#include <catch2/catch.hpp>

#include <array>
#include <string>

#include "engine/sim/trip.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/app/replay/replay.h"

namespace hawser::test {

// Links are named "one", "two" and so on.
inline const std::array<std::string, 6> recorded_names{"one", "two", "three", "four", "five", "six"};

inline std::string capture_of(const sim::Trip& trip, const std::vector<FlightRecord>& records) {
    app::FlightCopy copy;
    copy.records = records;
    copy.at = records.empty() ? Instant{} : records.back().at;
    copy.utc_ns = 1'700'000'000'000'000'000;
    SenderSnapshot snapshot;
    snapshot.latency = trip.srt.latency;
    std::array<std::string, links_max> names;
    for (std::size_t i = 0; i < trip.links.size(); ++i) {
        names[i] = recorded_names.at(i);
        snapshot.uplinks[i].state = UplinkState::connected;
    }
    app::WayHistory history;
    for (std::size_t i = 0; i < trip.links.size(); ++i)
        history.begin(app::uplink_way(0, LinkId(static_cast<std::uint8_t>(i))), app::former_uplink(names[i]),
                      Instant{});
    copy.ways = app::flight_ways(history, snapshot, names, Endpoint{});
    std::string file;
    app::flight_capture(copy, [&file](std::string_view piece) {
        file += piece;
        return true;
    });
    return file;
}

inline app::RecordedTrip replayed(const std::string& file) {
    const auto log = app::read_flight_log(file, "trip.pcapng");
    INFO((log ? "" : log.error()));
    REQUIRE(log);
    auto trip = app::replay(*log, "trip.pcapng");
    INFO((trip ? "" : trip.error()));
    REQUIRE(trip);
    return std::move(trip).value();
}

inline std::string recorded(sim::Trip trip) {
    trip.recorded_packets = 512 * 1024;
    const sim::TripOutcome outcome = run(trip);
    REQUIRE(outcome.connected);
    REQUIRE(outcome.flight.size() < trip.recorded_packets);
    return capture_of(trip, outcome.flight);
}

}  // namespace hawser::test
