// SPDX-License-Identifier: MIT
// An encoder that follows the sender's safe rate, looking once a second, beside one that keeps its rate. What the
// viewer never gets is lost.
#include <catch2/catch.hpp>

#include <numeric>

#include "engine/sim/radio_trace.h"
#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::trips;

namespace {

constexpr std::uint64_t seeds = 5;
constexpr double seconds = 60;
constexpr double begins_kbps = 2000;

struct Road {
    std::vector<std::vector<std::uint32_t>> traces;
    std::vector<sim::TripLink> links;
    double encoder_kbps = 0;
    double mean_kbps = 0;  // of media, that the links could carry on average
};

// Four links of 3 Mbit/s, each of which carries a third of that from the twentieth second to the fortieth.
Road third() {
    Road road;
    for (int i = 0; i < 4; ++i) {
        auto& trace = road.traces.emplace_back();
        double at = 0;
        while (at < (seconds + 1) * 1000) {
            trace.push_back(static_cast<std::uint32_t>(at) + 1);
            const bool is_weak = at > 20'500 && at < 40'500;
            at += 1500 * 8 / (is_weak ? 1000.0 : 3000.0);
        }
        road.links.push_back(steady(3000, 30));
    }
    road.encoder_kbps = 10'000;
    return road;
}

// Four radio links that wander and fade.
Road cellular(std::uint64_t seed) {
    Road road;
    for (std::uint64_t i = 0; i < 4; ++i) {
        sim::RadioModel model;
        model.kbit_per_second = 3000;
        road.traces.push_back(sim::radio_trace(model, seed * 10 + i));
        road.links.push_back(steady(3000, 30 + 10 * static_cast<double>(i), 600));
    }
    return road;
}

struct Both {
    sim::TripOutcome follows;
    sim::TripOutcome keeps;
    double mean_kbps = 0;  // that the follower sent
    double capacity_kbps = 0;
};

Both drive(Road road, select::Mode mode, sim::TripReceiver receiver, std::uint64_t seed) {
    for (std::size_t i = 0; i < road.links.size(); ++i) road.links[i].up.trace_ms = road.traces[i];
    sim::Trip trip = trip_over(road.links, 100, 2000, seconds);
    Both both;
    both.capacity_kbps = trip.kbit_per_second;
    const double greatest = road.encoder_kbps > 0 ? road.encoder_kbps : 1.1 * both.capacity_kbps;
    trip.seed = seed;
    trip.selection.mode = mode;
    trip.receiver = receiver;
    trip.kbit_per_second = greatest;
    both.keeps = sim::run(trip);
    trip.kbit_per_second = begins_kbps;
    trip.encoder.follows = true;
    trip.encoder.kbit_per_second_max = greatest;
    both.follows = sim::run(trip);
    const auto& looks = both.follows.encoder_kbps;
    both.mean_kbps = std::accumulate(looks.begin(), looks.end(), 0.0) / static_cast<double>(looks.size());
    return both;
}

double lost_percent(const sim::TripOutcome& outcome) { return 100 * (1 - outcome.delivered); }

}  // namespace

TEST_CASE("an encoder that follows the safe rate loses under 1 % where one that does not collapses") {
    const auto mode = GENERATE(select::Mode::classic, select::Mode::adaptive);
    const auto receiver = GENERATE(sim::TripReceiver::plain, sim::TripReceiver::hawser);
    const bool is_cellular = GENERATE(false, true);
    double lost = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Both both = drive(is_cellular ? cellular(seed) : third(), mode, receiver, seed);
        CAPTURE(seed, is_cellular, select::name_of(mode), int(receiver), both.mean_kbps, both.capacity_kbps);
        lost += lost_percent(both.follows) / static_cast<double>(seeds);
        CHECK(lost_percent(both.follows) < 2);
        CHECK(lost_percent(both.keeps) > 5);
        // And not by sending next to nothing: classic's own repairs take half of its links.
        const double least = mode == select::Mode::adaptive ? 0.2 : 0.1;
        CHECK(both.mean_kbps > least * both.capacity_kbps);
    }
    CAPTURE(is_cellular, select::name_of(mode), int(receiver));
    CHECK(lost < 1);
}

TEST_CASE("a trip whose encoder follows is a function of its description") {
    Road road = third();
    for (std::size_t i = 0; i < road.links.size(); ++i) road.links[i].up.trace_ms = road.traces[i];
    sim::Trip trip = trip_over(road.links, 50, 1000, 10);
    trip.encoder.follows = true;
    const sim::TripOutcome first = sim::run(trip), again = sim::run(trip);
    CHECK(first.digest == again.digest);
    CHECK(first.encoder_kbps == again.encoder_kbps);
    REQUIRE(first.encoder_kbps.size() == 9);
}
