// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "engine/link/keepalive.h"
#include "engine/link/rtt.h"

using namespace hawser;
using namespace hawser::literals;
using link::Keepalive;
using link::KeepaliveForm;

namespace {

constexpr Instant t0{5'000'000'000};

std::vector<std::uint8_t> copy(Bytes b) { return {b.begin(), b.end()}; }

Keepalive fresh(KeepaliveForm form = KeepaliveForm::extended) {
    Keepalive k;
    k.reset(form, t0);
    return k;
}

}  // namespace

TEST_CASE("an echo of ours gives the round trip, once") {
    Keepalive k = fresh();
    const auto sent = copy(k.next({}, t0));
    CHECK(sent.size() == wire::keepalive_extended_bytes);
    CHECK(k.on_echo(sent, t0 + 80_ms) == 80_ms);
    CHECK_FALSE(k.on_echo(sent, t0 + 90_ms));
}

TEST_CASE("an echo padded to 32 bytes or cut to the first ten counts by its stamp") {
    Keepalive k = fresh(KeepaliveForm::timestamped);
    auto sent = copy(k.next({}, t0));
    CHECK(sent.size() == wire::keepalive_timestamped_bytes);
    sent.resize(32);
    CHECK(k.on_echo(sent, t0 + 30_ms) == 30_ms);
}

TEST_CASE("a receiver's own keepalive gives no round trip and leaves ours outstanding") {
    Keepalive k = fresh();
    const auto sent = copy(k.next({}, t0));
    const std::vector<std::uint8_t> own = {0x90, 0x00};
    CHECK_FALSE(k.on_echo(own, t0 + 10_ms));
    CHECK_FALSE(k.on_echo(copy(wire::build_padded(wire::SrtlaType::keepalive)), t0 + 10_ms));
    CHECK(k.on_echo(sent, t0 + 60_ms) == 60_ms);
}

TEST_CASE("a stamp from the future or from nowhere is not believed") {
    Keepalive k = fresh();
    static_cast<void>(k.next({}, t0));
    CHECK_FALSE(k.on_echo(wire::build_keepalive(static_cast<std::uint64_t>(t0.ms()) + 12345), t0 + 10_ms));
    CHECK_FALSE(k.on_echo(wire::build_keepalive(~std::uint64_t{0}), t0 + 10_ms));
}

TEST_CASE("two keepalives in one millisecond have different stamps") {
    Keepalive k = fresh();
    const auto first = copy(k.next({}, t0));
    const auto second = copy(k.next({}, t0));
    CHECK(k.on_echo(second, t0 + 20_ms) == 20_ms);
    CHECK(k.on_echo(first, t0 + 30_ms) == 30_ms);
}

TEST_CASE("a form that is never answered gives way to the next, and an answered one stays") {
    Keepalive k = fresh();
    Instant now = t0;
    for (std::size_t size : {38u, 38u, 38u, 10u, 10u, 10u, 2u}) {
        CHECK(k.next({}, now).size() == size);
        now = now + 1_s;
    }
    // srtla-rs echoes two bytes only.
    const std::vector<std::uint8_t> bare = {0x90, 0x00};
    CHECK(k.on_echo(bare, now) == 1_s);
    for (int i = 0; i < 10; ++i) {
        CHECK(k.next({}, now).size() == 2);
        now = now + 1_s;
    }
}

TEST_CASE("time without an answer counts from the registration and from each answer") {
    Keepalive k = fresh();
    CHECK(k.unanswered(t0 + 700_ms) == 700_ms);
    const auto sent = copy(k.next({}, t0 + 1_s));
    static_cast<void>(k.on_echo(sent, t0 + 1100_ms));
    CHECK(k.unanswered(t0 + 1500_ms) == 400_ms);
}

TEST_CASE("an echo later than sixteen keepalives is forgotten") {
    Keepalive k = fresh();
    const auto old = copy(k.next({}, t0));
    for (int i = 0; i < 16; ++i) static_cast<void>(k.next({}, t0 + 1_s * i));
    CHECK_FALSE(k.on_echo(old, t0 + 20_s));
}

TEST_CASE("smoothed round trips follow RFC 6298") {
    link::Rtt rtt;
    CHECK_FALSE(rtt.has_sample());
    rtt.sample(100_ms, t0);
    CHECK(rtt.smoothed() == 100_ms);
    CHECK(rtt.variation() == 50_ms);
    rtt.sample(180_ms, t0 + 1_s);
    CHECK(rtt.smoothed() == 110_ms);                 // 7/8 * 100 + 1/8 * 180
    CHECK(rtt.variation() == Duration{57'500'000});  // 3/4 * 50 + 1/4 * 80
}

TEST_CASE("the least round trip forgets within a minute") {
    link::Rtt rtt;
    rtt.sample(20_ms, t0);
    for (int s = 1; s <= 29; ++s) rtt.sample(90_ms, t0 + 1_s * s);
    CHECK(rtt.minimum() == 20_ms);
    for (int s = 30; s <= 61; ++s) rtt.sample(90_ms, t0 + 1_s * s);
    CHECK(rtt.minimum() == 90_ms);
    rtt.sample(40_ms, t0 + 62_s);
    CHECK(rtt.minimum() == 40_ms);
}
