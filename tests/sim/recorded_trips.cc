// SPDX-License-Identifier: MIT
// Trips over known links, recorded by the sender and replayed: the links come out as they were, and so does which
// selector does better over them.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>

#include "tests/sim/recorded.h"
#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::test;
using select::Mode;
using sim::TripReceiver;
using Kind = sim::LineOutage::Kind;

namespace {

constexpr double latency_ms = 2000;
constexpr double seconds = 30;

double in_ms(Duration d) { return static_cast<double>(d.ns) / 1e6; }

// Mean kbit/s of a replayed link between two moments of the scenario's clock.
double kbps_between(const app::LinkPlan& link, double from_s, double to_s) {
    double bits = 0;
    for (const std::uint32_t ms : *link.up.trace)
        if (ms >= from_s * 1e3 && ms < to_s * 1e3) bits += 8.0 * sim::opportunity_bytes;
    return bits / (to_s - from_s) / 1e3;
}

sim::Trip trip_of(const std::vector<sim::TripLink>& links, double load, Mode mode, TripReceiver receiver) {
    sim::Trip trip = trips::trip_over(links, load, latency_ms, seconds);
    trip.selection.mode = mode;
    trip.receiver = receiver;
    return trip;
}

void compare_outages(const std::vector<sim::LineOutage>& found, const std::vector<sim::LineOutage>& had) {
    std::size_t all = 0;
    for (const sim::LineOutage& o : had)
        for (double start = in_ms(o.start); start < seconds * 1e3; start += in_ms(o.every)) {
            REQUIRE(found.size() > all);
            CHECK(found[all].kind == o.kind);
            CHECK(in_ms(found[all].start) == Approx(start).margin(100));
            CHECK(in_ms(found[all].start + found[all].length) == Approx(start + in_ms(o.length)).margin(300));
            ++all;
            if (o.every.ns == 0) break;
        }
    CHECK(found.size() == all);
}

// Of steady links.
void compare(const app::RecordedTrip& made, const sim::Trip& trip) {
    const app::Scenario& s = made.scenario;
    CHECK(*s.kbps == Approx(trip.kbit_per_second).epsilon(0.02));
    CHECK(s.seconds == Approx(trip.seconds).margin(0.2));
    CHECK(s.srt.latency == trip.srt.latency);
    REQUIRE(s.links.size() == trip.links.size());
    for (std::size_t i = 0; i < s.links.size(); ++i) {
        const app::LinkPlan& link = s.links[i];
        const sim::TripLink& was = trip.links[i];
        CAPTURE(link.name);
        CHECK(link.name == recorded_names.at(i));
        CHECK(kbps_between(link, 1, seconds) == Approx(was.up.kbit_per_second).epsilon(0.08));
        CHECK(in_ms(link.up.shape.delay) == Approx(in_ms(was.up.delay)).margin(1));
        CHECK(in_ms(link.down.shape.delay) == Approx(in_ms(was.down.delay)).margin(1));
        CHECK(link.up.shape.loss == Approx(was.up.loss).margin(0.01));
        compare_outages(link.up.shape.outages, was.up.outages);
        compare_outages(link.down.shape.outages, was.down.outages);
    }
}

double on_time(sim::Trip trip, Mode mode) {
    trip.selection.mode = mode;
    return run(trip).on_time;
}
// By how much adaptive does better.
double advantage(const sim::Trip& trip) { return on_time(trip, Mode::adaptive) - on_time(trip, Mode::classic); }
double advantage(const app::RecordedTrip& made) {
    app::Route route = app::lay_out(made.scenario, {});
    route.trip.receiver = TripReceiver::hawser;
    return advantage(route.trip);
}

struct Case {
    const char* name;
    std::vector<sim::TripLink> links;
    double load;
};
const std::vector<Case>& cases() {
    static const std::vector<Case> all{{"asymmetric", trips::asymmetric(), 90},
                                       {"outage", trips::outage(), 80},
                                       {"bloated", trips::bloated(), 90},
                                       {"lossy", trips::lossy(), 90},
                                       {"holding", trips::holding(), 80}};
    return all;
}

}  // namespace

TEST_CASE("a recorded trip's links come out as they were, whoever sent and whoever received") {
    const Case c = GENERATE(from_range(cases()));
    const Mode mode = GENERATE(Mode::classic, Mode::adaptive);
    const TripReceiver receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    CAPTURE(c.name, select::name_of(mode), receiver == TripReceiver::plain);
    const sim::Trip trip = trip_of(c.links, c.load, mode, receiver);
    compare(replayed(recorded(trip)), trip);
}

TEST_CASE("a replayed trip ranks classic and adaptive as the trip itself does") {
    std::size_t decided = 0;
    for (const Case& c : cases()) {
        const double truth = advantage(trip_of(c.links, c.load, Mode::classic, TripReceiver::hawser));
        for (const Mode mode : {Mode::classic, Mode::adaptive}) {
            CAPTURE(c.name, select::name_of(mode), truth);
            const double found = advantage(replayed(recorded(trip_of(c.links, c.load, mode, TripReceiver::hawser))));
            // A draw is one of a few payloads.
            CHECK(found > -0.005);
            if (truth < 0.02) continue;
            ++decided;
            // What only a queue does that adaptive never fills, its recording cannot tell.
            const bool is_hidden = mode == Mode::adaptive && std::string_view(c.name) == "holding";
            if (!is_hidden) CHECK(found > 0.02);
        }
    }
    CHECK(decided >= 6);
}

TEST_CASE("a fade is where it was, as deep and as long") {
    const Mode mode = GENERATE(Mode::classic, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    // 4000 kbit/s, and 1500 from 10 s to 20 s.
    std::vector<std::uint32_t> opportunities;
    for (double ms = 0; ms < 40'000; ms += ms >= 10'000 && ms < 20'000 ? 8.0 : 3.0)
        opportunities.push_back(static_cast<std::uint32_t>(ms));
    std::vector<sim::TripLink> links(2, trips::steady(4000, 30));
    links[0].up.kbit_per_second = 0;
    links[0].up.trace_ms = opportunities;
    const sim::Trip trip = trip_of(links, 85, mode, TripReceiver::hawser);
    const app::RecordedTrip made = replayed(recorded(trip));
    REQUIRE(made.scenario.links.size() == 2);
    const app::LinkPlan& link = made.scenario.links[0];
    CHECK(kbps_between(link, 2, 9.5) == Approx(4000).epsilon(0.15));
    CHECK(kbps_between(link, 10.5, 19.5) == Approx(1500).epsilon(0.15));
    CHECK(kbps_between(link, 20.5, 29) == Approx(4000).epsilon(0.15));
    CHECK(kbps_between(made.scenario.links[1], 1, 29) == Approx(4000).epsilon(0.1));
}

TEST_CASE("a way back that was dark alone is told from a link that was") {
    std::vector<sim::TripLink> links = trips::equal();
    links[1].down.outages.push_back({Kind::drop, trips::ms(8000), trips::ms(5000), {}});
    links[2].up.outages.push_back({Kind::drop, trips::ms(15'000), trips::ms(1000), {}});
    const sim::Trip trip = trip_of(links, 70, Mode::adaptive, TripReceiver::hawser);
    compare(replayed(recorded(trip)), trip);
}

TEST_CASE("an outage that the recording ends in goes on") {
    std::vector<sim::TripLink> links = trips::equal();
    trips::cut(links[0], Kind::drop, 20'000, 100'000);
    const Mode mode = GENERATE(Mode::classic, Mode::adaptive);
    const app::RecordedTrip made = replayed(recorded(trip_of(links, 60, mode, TripReceiver::hawser)));
    const auto& outages = made.scenario.links.at(0).up.shape.outages;
    REQUIRE(outages.size() == 1);
    CHECK(in_ms(outages[0].start) == Approx(20'500).margin(100));
    CHECK(in_ms(outages[0].start + outages[0].length) > seconds * 1e3 + latency_ms);
}

TEST_CASE("links that were never full are said to be guessed, and are no narrower than what they brought") {
    const sim::Trip trip = trip_of(trips::asymmetric(), 15, Mode::classic, TripReceiver::hawser);
    const app::RecordedTrip made = replayed(recorded(trip));
    CHECK_THAT(made.scenario.about, Catch::Contains("of a guessed rate: one"));
    double all = 0;
    for (const app::LinkPlan& link : made.scenario.links) all += kbps_between(link, 1, seconds);
    CHECK(all > trip.kbit_per_second);
}
