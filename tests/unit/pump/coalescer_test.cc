// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/pump/coalescer.h"
#include "engine/pump/stall.h"

using namespace hawser;
using namespace hawser::literals;

namespace {

// Feeds an even stream for a second, in the turns that the linger makes of it, and answers the linger at its end.
Duration linger_at(double packets_per_second, Duration limit) {
    Coalescer c(limit);
    Instant now{1'000'000'000'000};
    double owed = 0;
    const Instant end = now + 1_s;
    while (now < end) {
        const Duration step = std::max(c.linger(), Duration{static_cast<std::int64_t>(1e9 / packets_per_second)});
        now = now + step;
        owed += packets_per_second * static_cast<double>(step.ns) * 1e-9;
        const auto whole = static_cast<std::uint32_t>(owed);
        owed -= whole;
        c.note(whole, now);
    }
    return c.linger();
}

}  // namespace

TEST_CASE("prompt never waits, whatever the rate") {
    for (const double rate : {10.0, 1e3, 1e5, 1e6}) CHECK(linger_at(rate, Duration{}) == Duration{});
}

TEST_CASE("a wait that would gather less than two packets and a half is not made") {
    CHECK(linger_at(100, 500_us) == Duration{});
    CHECK(linger_at(1'000, 500_us) == Duration{});
    CHECK(linger_at(4'500, 500_us) == Duration{});
    CHECK(linger_at(6'000, 500_us) == 500_us);
    CHECK(linger_at(10'000, 500_us) == 500_us);
    CHECK(linger_at(50'000, 500_us) == 500_us);
}

TEST_CASE("a wait is no longer than a well-filled batch needs") {
    const Duration linger = linger_at(1e6, 500_us);
    CHECK(linger >= 40_us);
    CHECK(linger <= 60_us);
}

TEST_CASE("after a pause the wait is gone with the first packets") {
    Coalescer c(500_us);
    Instant now{1'000'000'000'000};
    for (int i = 0; i < 1000; ++i) c.note(10, now = now + 500_us);
    REQUIRE(c.linger() == 500_us);
    c.note(1, now = now + 1_s);
    CHECK(c.linger() == Duration{});
}

TEST_CASE("the longest turn is remembered, and the recent one forgotten after two seconds") {
    StallWatch w;
    Instant now{10'000'000'000};
    w.note(now, now + 3_ms);
    CHECK(w.longest() == 3_ms);
    CHECK(w.recent() == 3_ms);
    for (int i = 0; i < 30; ++i) {
        now = now + 100_ms;
        w.note(now, now + 20_us);
    }
    CHECK(w.longest() == 3_ms);
    CHECK(w.recent() == 20_us);
}
