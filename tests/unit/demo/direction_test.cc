// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <array>
#include <vector>

#include "platform/app/demo/link_emulator.h"

using namespace hawser;
using namespace hawser::literals;
using demo::Direction;
using demo::LinkShape;

namespace {

constexpr Instant t0{1'000'000'000};
constexpr std::array<std::uint8_t, 1472> packet{};  // 1500 bytes with headers: 12000 bits

// Takes out all that is due by `now` and counts it.
int take_due(Direction& d, Instant now) {
    int count = 0;
    for (; d.due(now) != nullptr; ++count) d.drop_first(true);
    return count;
}

}  // namespace

TEST_CASE("a packet leaves after its time on the wire and the delay, not before") {
    Direction d({.rate_kbps = 1200, .delay = 40_ms, .queue = 1_s, .loss = 0}, 1);  // 10 ms for each packet
    d.accept(packet.data(), packet.size(), false, t0);
    d.accept(packet.data(), packet.size(), false, t0);
    CHECK(d.next_release() == t0 + 50_ms);
    CHECK(d.due(t0 + 50_ms - 1_ns) == nullptr);
    CHECK(take_due(d, t0 + 50_ms) == 1);
    CHECK(d.next_release() == t0 + 60_ms);
    CHECK(take_due(d, t0 + 60_ms) == 1);
    CHECK(d.next_release() == never);
}

TEST_CASE("what would wait longer than the queue is dropped and counted") {
    Direction d({.rate_kbps = 1200, .delay = {}, .queue = 100_ms, .loss = 0}, 1);
    for (int i = 0; i < 50; ++i) d.accept(packet.data(), packet.size(), false, t0);
    // One on the wire, ten that wait up to 100 ms.
    CHECK(d.counts().lost_queue == 39);
    CHECK(take_due(d, t0 + 10_s) == 11);
    d.accept(packet.data(), packet.size(), false, t0 + 10_s);
    CHECK(d.counts().lost_queue == 39);
}

TEST_CASE("a long run carries the asked rate and loses the asked share, the same for the same seed") {
    std::vector<std::uint64_t> lost;
    for (const std::uint64_t seed : {7u, 7u, 8u}) {
        Direction d({.rate_kbps = 0, .delay = 5_ms, .queue = {}, .loss = 0.05}, seed);
        int out = 0;
        for (int i = 0; i < 20'000; ++i) {
            d.accept(packet.data(), packet.size(), false, t0 + 1_ms * i);
            out += take_due(d, t0 + 1_ms * i);
        }
        out += take_due(d, t0 + 60_s);
        lost.push_back(d.counts().lost_random);
        CHECK(static_cast<std::uint64_t>(out) + d.counts().lost_random == 20'000);
        CHECK(d.counts().lost_random > 850);
        CHECK(d.counts().lost_random < 1150);
    }
    CHECK(lost[0] == lost[1]);
    CHECK(lost[0] != lost[2]);
}

TEST_CASE("the dark swallows what arrives and what comes out") {
    Direction d({.rate_kbps = 0, .delay = 10_ms, .queue = {}, .loss = 0}, 1);
    d.accept(packet.data(), packet.size(), true, t0);
    CHECK(d.next_release() == never);
    d.accept(packet.data(), packet.size(), false, t0);
    REQUIRE(d.due(t0 + 10_ms) != nullptr);
    d.drop_first(false);
    CHECK(d.counts().lost_dark == 2);
    CHECK(d.counts().packets_out == 0);
}

TEST_CASE("memory is bounded even where nothing is ever taken out") {
    Direction d({.rate_kbps = 0, .delay = 1_s, .queue = {}, .loss = 0}, 1);
    for (int i = 0; i < 20'000; ++i) d.accept(packet.data(), packet.size(), false, t0);
    CHECK(d.counts().lost_queue == 20'000 - 16'384);
    CHECK(take_due(d, t0 + 1_s) == 16'384);
}
