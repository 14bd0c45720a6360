// SPDX-License-Identifier: MIT
// The two oracles. Expected figures of the omniscient one and of the capacity were computed on 2026-11-21 by the
// recorded experiments' own script (functions oracle() and capacity_kbps()).
#include <catch2/catch.hpp>

#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::trips;

namespace {

struct Known {
    const char* name;
    std::vector<sim::TripLink> links;
    double load, latency_ms, kbps, percent;
};

// Bursts of a second with a second of nothing between them.
const std::vector<std::uint32_t>& bursty() {
    static const std::vector<std::uint32_t> trace = [] {
        std::vector<std::uint32_t> t;
        for (std::uint32_t k = 0; k < 5; ++k)
            for (std::uint32_t i = 0; i < 500; ++i) t.push_back(k * 2000 + i * 2);
        t.push_back(10'000);
        return t;
    }();
    return trace;
}

}  // namespace

TEST_CASE("the omniscient oracle and the load agree with the recorded experiments'") {
    const std::vector<Known> all{
        {"equal", equal(), 90, 1000, 10450, 100},
        {"equal", equal(), 120, 1000, 13934, 85.3476},
        {"equal", equal(), 120, 2000, 13934, 87.4311},
        {"asymmetric", asymmetric(), 99, 2000, 14369, 100},
        {"asymmetric", asymmetric(), 120, 2000, 17417, 87.4377},
        {"outage", outage(), 90, 1000, 13934, 96.4941},
        {"outage", outage(), 90, 2000, 13934, 98.9932},
        {"outage", outage(), 120, 1000, 18578, 78.8213},
        {"bloated", bloated(), 120, 1000, 15095, 85.3516},
        {"lossy", lossy(), 99, 1000, 11495, 100},
        {"lossy", lossy(), 120, 2000, 13933, 86.1871},
        {"holding", holding(), 99, 1000, 12453, 100},
        {"holding", holding(), 120, 1000, 15095, 83.2871},
        {"holding", holding(), 120, 2000, 15095, 86.0526},
    };
    for (const Known& k : all) {
        CAPTURE(k.name, k.load, k.latency_ms);
        const sim::Trip trip = trip_over(k.links, k.load, k.latency_ms);
        CHECK(trip.kbit_per_second == k.kbps);
        CHECK(100 * sim::omniscient_on_time(trip) == Approx(k.percent).margin(0.02));
    }
}

TEST_CASE("traces, losses and outages cost the oracle what the recorded experiments say") {
    sim::TripLink radio = steady(0, 30, 300, 0.02);
    radio.up.trace_ms = bursty();
    radio.up.scale = 0.8;
    radio.up.offset = ms(700);
    std::vector<sim::TripLink> links{radio, steady(1500, 45)};
    cut(links[1], sim::LineOutage::Kind::drop, 3000, 2000);
    for (const auto& [latency_ms, percent] : {std::pair{300.0, 82.8607}, {500.0, 92.5771}, {1000.0, 99.0082}}) {
        CAPTURE(latency_ms);
        const sim::Trip trip = trip_over(links, 90, latency_ms, 20);
        CHECK(trip.kbit_per_second == 3397);
        CHECK(100 * sim::omniscient_on_time(trip) == Approx(percent).margin(0.1));
    }
}

TEST_CASE("over steady links that carry the load the causal oracle loses nothing") {
    for (const auto& links : {equal(), asymmetric(), bloated()})
        CHECK(sim::causal_on_time(trip_over(links, 95, 1000, 20)) == 1);
    // Losses are repaired after a round trip.
    CHECK(sim::causal_on_time(trip_over(lossy(), 90, 1000, 20)) == 1);
    // Of what does not fit, what fits arrives, and a queue of a latency's length beside it.
    const double part = sim::causal_on_time(trip_over({steady(4000, 30)}, 125, 500, 20));
    CHECK(part > 0.80);
    CHECK(part < 0.83);
}

TEST_CASE("the causal oracle knows no more than the omniscient one") {
    for (const auto& links : {outage(), holding(), lossy()})
        for (const double load : {70.0, 90.0, 110.0})
            for (const double latency_ms : {500.0, 2000.0}) {
                const sim::Trip trip = trip_over(links, load, latency_ms, 25);
                CAPTURE(load, latency_ms);
                // Random losses are means to the one and themselves to the other.
                CHECK(sim::causal_on_time(trip) <= sim::omniscient_on_time(trip) + 0.004);
            }
}

TEST_CASE("a detour costs nothing while it is shorter than the latency leaves time for, and then all that takes it") {
    sim::TripLink link = steady(4000, 30);
    link.up.detours.push_back({ms(300), ms(5500), ms(5000), {}});
    CHECK(sim::causal_on_time(trip_over({link}, 80, 500, 20)) == 1);
    CHECK(sim::causal_on_time(trip_over({link}, 80, 320, 20)) == Approx(0.75).margin(0.02));
}

TEST_CASE("an outage costs the causal oracle what was under way in it") {
    sim::TripLink link = steady(4000, 100);
    sim::TripLink whole = link;
    cut(link, sim::LineOutage::Kind::drop, 5000, 1000);
    // What was lost is sent again when the outage begins, over the other link.
    CHECK(sim::causal_on_time(trip_over({link, whole}, 40, 1000, 20)) == 1);
    // With no other link it waits until the end, and is in time if the latency covers it.
    CHECK(sim::causal_on_time(trip_over({link}, 40, 2000, 20)) == 1);
    CHECK(sim::causal_on_time(trip_over({link}, 40, 500, 20)) < 0.98);
}
