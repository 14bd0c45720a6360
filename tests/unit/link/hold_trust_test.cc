// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/link/hold_trust.h"

using namespace hawser;
using namespace hawser::literals;
using link::HoldTrust;

namespace {

constexpr float rate = 1e-3F;  // bytes per ns: 8 Mbit/s
constexpr std::int64_t packet = 1360;

// A link that goes silent and speaks again, by hand; the receiver's clock wraps soon.
struct Line {
    HoldTrust trust;
    Instant now{50'000'000'000};
    std::uint32_t clock_offset_us = 4'294'900'000u;

    bool fall_silent(float recent = rate) {
        trust.on_silence(recent, rate);
        return trust.is_likely();
    }
    // So many packets arrive in so long after the first.
    void speak(int packets, Duration over, std::int64_t in_flight = 100 * packet) {
        now = now + 1_s;
        trust.on_heard(in_flight, 60_ms, now);
        for (int i = 0; i < packets; ++i) {
            const auto at = static_cast<std::uint32_t>((now.ns + over.ns * i / packets) / 1000);
            trust.on_arrivals(packet, at + clock_offset_us, now + over * i / packets);
        }
    }
};

}  // namespace

TEST_CASE("a link that has not been silent before is trusted once, if it stopped at full rate") {
    Line sudden;
    CHECK(sudden.fall_silent());
    sudden.speak(40, 60_ms);  // at its rate
    CHECK_FALSE(sudden.fall_silent());
    Line fading;
    CHECK_FALSE(fading.fall_silent(rate / 2));
}

TEST_CASE("a link that ends a silence with a burst is trusted for the next ones") {
    Line line;
    line.fall_silent(rate / 2);
    line.speak(90, 10_ms);  // 122 ms worth
    CHECK(line.fall_silent(rate / 2));
    for (int i = 0; i < 2; ++i) {
        line.speak(10, 100_ms);
        CHECK(line.fall_silent(rate / 2));
    }
    line.speak(10, 100_ms);
    CHECK_FALSE(line.fall_silent(rate / 2));
    line.speak(10, 100_ms);
    CHECK_FALSE(line.fall_silent());
    line.speak(90, 10_ms);
    CHECK(line.fall_silent(rate / 2));
}

TEST_CASE("what drains at twice the rate is no burst, nor is what comes long after the first word") {
    Line line;
    line.fall_silent();
    line.speak(200, 136_ms);
    CHECK_FALSE(line.fall_silent());
    line.now = line.now + 1_s;
    line.trust.on_heard(100 * packet, 60_ms, line.now);
    line.now = line.now + 300_ms;
    for (std::uint32_t i = 0; i < 90; ++i) line.trust.on_arrivals(packet, 1000 + i, line.now);
    CHECK_FALSE(line.fall_silent());
}

TEST_CASE("where words are held too, the burst comes a round trip after the first") {
    Line line;
    line.fall_silent(rate / 2);
    line.now = line.now + 1_s;
    line.trust.on_heard(100 * packet, 600_ms, line.now);
    line.trust.on_arrivals(packet, 1000, line.now);
    line.now = line.now + 600_ms;
    for (std::uint32_t i = 0; i < 90; ++i) line.trust.on_arrivals(packet, 601'000 + i, line.now);
    CHECK(line.fall_silent(rate / 2));
}

TEST_CASE("a link whose rate is not known, or that carried little, is not judged") {
    Line line;
    line.trust.on_silence(0, 0);
    line.speak(5, 100_ms);
    CHECK(line.fall_silent());
    line.speak(5, 100_ms, 30 * packet);
    CHECK(line.fall_silent());
    line.speak(5, 100_ms);
    CHECK_FALSE(line.fall_silent());
}

TEST_CASE("a link that does not come back has held nothing") {
    Line line;
    line.fall_silent();
    line.trust.on_down();
    CHECK_FALSE(line.fall_silent());
}

TEST_CASE("a clock that goes back makes no burst") {
    Line line;
    line.fall_silent();
    line.now = line.now + 1_s;
    line.trust.on_heard(100 * packet, 60_ms, line.now);
    for (std::uint32_t i = 0; i < 5; ++i) line.trust.on_arrivals(packet, 200'000 - 40'000 * i, line.now);
    CHECK_FALSE(line.fall_silent());
}
