// SPDX-License-Identifier: MIT
// Classes of links and rate caps on whole trips: what a later class carries, and that it costs no packet.
#include <catch2/catch.hpp>

#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::trips;
using select::Mode;
using sim::TripReceiver;

namespace {

sim::TripLink in_class(sim::TripLink link, std::uint8_t priority) {
    link.settings.priority = priority;
    return link;
}

// Two links of 4 and 3 Mbit/s, and a third one of 5 in that class.
std::vector<sim::TripLink> links_with(std::uint8_t priority) {
    return {steady(4000, 25), steady(3000, 40), in_class(steady(5000, 35), priority)};
}

sim::Trip trip_at(std::vector<sim::TripLink> links, double load_percent, Mode mode, TripReceiver receiver) {
    sim::Trip trip = trip_over(std::move(links), load_percent, 1000, 24);
    trip.selection.mode = mode;
    trip.receiver = receiver;
    return trip;
}

struct Kind {
    Mode mode;
    TripReceiver receiver;
};
Kind kinds() {
    return GENERATE(Kind{Mode::adaptive, TripReceiver::hawser}, Kind{Mode::adaptive, TripReceiver::plain},
                    Kind{Mode::enhanced, TripReceiver::plain}, Kind{Mode::classic, TripReceiver::plain});
}

}  // namespace

TEST_CASE("what the first class can carry stays in it") {
    const Kind kind = kinds();
    CAPTURE(select::name_of(kind.mode), int(kind.receiver));
    const auto outcome = sim::run(trip_at(links_with(2), 40, kind.mode, kind.receiver));
    CHECK(outcome.on_time > 0.999);
    CHECK(outcome.links[2].share < 0.02);
    CHECK(outcome.sender.uplinks[2].state == UplinkState::connected);
}

TEST_CASE("adaptive fills the first class, and what overflows into the second costs no packet") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    CAPTURE(int(receiver));
    // 9.6 of 12 Mbit/s: 2.6 more than the first class has.
    const auto alike = sim::run(trip_at(links_with(1), 80, Mode::adaptive, receiver));
    const auto classed = sim::run(trip_at(links_with(2), 80, Mode::adaptive, receiver));
    CHECK(classed.on_time > alike.on_time - 0.0005);
    CHECK(classed.links[0].use > 0.88);
    CHECK(classed.links[1].use > 0.88);
    CHECK(classed.links[2].share < 0.30);
    CHECK(classed.wire_overhead < 0.01);
    CHECK(classed.sender.counters[Counter::class_overflows] > 1000);
    // What the second class has left is the encoder's.
    CHECK(classed.sender.safe_rate.bits_per_second > 9'600'000);
}

TEST_CASE("the other selectors overflow into the second class in time") {
    const Mode mode = GENERATE(Mode::enhanced, Mode::classic);
    CAPTURE(select::name_of(mode));
    const auto outcome = sim::run(trip_at(links_with(2), 62, mode, TripReceiver::plain));
    CHECK(outcome.on_time > 0.995);
    CHECK(outcome.links[2].share > 0.03);
}

TEST_CASE("a first class that goes dark leaves its packets to the second") {
    const Kind kind = kinds();
    CAPTURE(select::name_of(kind.mode), int(kind.receiver));
    const auto links = [](std::uint8_t priority) {
        std::vector<sim::TripLink> all{steady(6000, 25), in_class(steady(6000, 40), priority)};
        cut(all[0], sim::LineOutage::Kind::drop, 8000, 8000);
        return all;
    };
    const auto alike = sim::run(trip_at(links(1), 30, kind.mode, kind.receiver));
    const auto classed = sim::run(trip_at(links(2), 30, kind.mode, kind.receiver));
    CHECK(classed.on_time > alike.on_time - 0.01);
    CHECK(classed.links[1].share > 0.30);  // of 24 s, those 8 and what it took to notice
    CHECK(classed.links[1].share < 0.42);
}

TEST_CASE("a link with a cap stays below it, and the others carry the rest in time") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    CAPTURE(int(receiver));
    auto links = links_with(1);
    links[2].settings.rate_cap = 2'000'000;
    const auto outcome = sim::run(trip_at(links, 65, Mode::adaptive, receiver));
    CHECK(outcome.on_time > 0.999);
    CHECK(outcome.links[2].use < 0.4);
    CHECK(outcome.links[2].use > 0.1);
}

TEST_CASE("caps that leave less than is offered are told to the encoder, which then loses nothing") {
    auto links = links_with(1);
    for (sim::TripLink& link : links) link.settings.rate_cap = 1'500'000;
    sim::Trip trip = trip_at(links, 60, Mode::adaptive, TripReceiver::hawser);
    trip.encoder.follows = true;
    trip.kbit_per_second = 3000;
    const auto outcome = sim::run(trip);
    CHECK(outcome.sender.safe_rate.bits_per_second < 4'500'000);
    CHECK(outcome.sender.safe_rate.bits_per_second > 3'000'000);
    CHECK(outcome.on_time > 0.995);
}
