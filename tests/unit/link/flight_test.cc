// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "engine/link/flight.h"

using namespace hawser;
using namespace hawser::literals;
using link::Flight;
using wire::Seq31;

namespace {

constexpr Instant t0{1'000'000'000};

struct Carried {
    Flight flight;
    std::vector<std::uint32_t> lost;

    void send(std::uint32_t count, Instant at = t0) {
        for (std::uint32_t i = 0; i < count; ++i) static_cast<void>(flight.push(Seq31(sent++), 1000, Duration{}, at));
    }
    void settle(Instant now = t0) {
        flight.settle(now, [&](std::uint32_t position, const Flight::Sent&) { lost.push_back(position); });
    }
    std::uint32_t sent = 0;
};

}  // namespace

TEST_CASE("what a later arrival overtook is lost, once, and counts no more") {
    Carried c;
    c.send(5);
    CHECK(c.flight.bytes() == 5000);
    CHECK(c.flight.arrived(3));
    CHECK(c.flight.bytes() == 4000);
    c.settle();
    CHECK(c.lost == std::vector<std::uint32_t>{0, 1, 2});
    c.settle();
    CHECK(c.lost.size() == 3);
    CHECK(c.flight.open() == 1);
    CHECK_FALSE(c.flight.arrived(3));
    CHECK_FALSE(c.flight.arrived(1));
    CHECK(c.flight.is_consistent());
}

TEST_CASE("nothing is lost before anything arrived, nor what was sent after the newest arrival") {
    Carried c;
    c.send(10);
    c.settle();
    CHECK(c.lost.empty());
    CHECK(c.flight.arrived(0));
    c.settle();
    CHECK(c.lost.empty());
    CHECK(c.flight.open() == 9);
}

TEST_CASE("a link that was seen to reorder is given that much room, and trusted again after a while") {
    Carried c;
    c.send(20);
    CHECK(c.flight.arrived(5));
    c.settle();
    CHECK(c.lost.size() == 5);
    c.flight.belated(2, t0);  // it came after all, three places late
    CHECK(c.flight.reordering() == 3);
    CHECK(c.flight.arrived(10));
    c.settle();
    CHECK(c.lost == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 6});
    c.settle(t0 + Flight::reordering_memory + 1_ms);
    CHECK(c.flight.reordering() == 1);
    CHECK(c.lost.back() == 8);
    CHECK(c.flight.is_consistent());
}

TEST_CASE("reordering is bounded, however late a packet comes") {
    Carried c;
    c.send(500);
    CHECK(c.flight.arrived(499));
    c.settle();
    c.flight.belated(0, t0);
    CHECK(c.flight.reordering() == Flight::reordering_max);
}

TEST_CASE("a released packet is carried no more, and its fate is open still") {
    Carried c;
    c.send(3, t0);
    c.send(3, t0 + 10_ms);
    c.flight.release(t0 + 5_ms, false);
    CHECK(c.flight.bytes() == 3000);
    CHECK(c.flight.open() == 6);
    CHECK(c.flight.arrived(1));
    CHECK(c.flight.bytes() == 3000);
    c.flight.release(t0 + 5_ms, false);
    CHECK(c.flight.bytes() == 3000);
    CHECK(c.flight.is_consistent());
}

TEST_CASE("positions and sizes survive the wrap of the ring and of the counter") {
    Carried c;
    std::uint32_t arrived = 0;
    for (std::uint32_t round = 0; round < 20; ++round) {
        c.send(Flight::slots - 1);
        REQUIRE_FALSE(c.flight.full());
        c.send(1);
        REQUIRE(c.flight.full());
        for (std::uint32_t i = 0; i < Flight::slots; ++i) REQUIRE(c.flight.arrived(arrived++));
        REQUIRE(c.flight.empty());
        REQUIRE(c.flight.bytes() == 0);
        REQUIRE(c.flight.is_consistent());
    }
}

TEST_CASE("position_at finds the first packet that was sent at or after an instant") {
    Carried c;
    for (int i = 0; i < 10; ++i) c.send(1, t0 + Duration{i * 1'000'000});
    CHECK(c.flight.position_at(t0) == 0);
    CHECK(c.flight.position_at(t0 + 3_ms) == 3);
    CHECK(c.flight.position_at(t0 + 1_s) == 10);
    std::vector<std::uint32_t> lost;
    c.flight.settle_before(4, [&](std::uint32_t position, const Flight::Sent&) { lost.push_back(position); });
    CHECK(lost == std::vector<std::uint32_t>{0, 1, 2, 3});
    CHECK(c.flight.bytes() == 6000);
}
