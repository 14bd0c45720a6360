// SPDX-License-Identifier: MIT
#include "engine/bond/watch.h"

#include <catch2/catch.hpp>

using namespace hawser;
using namespace hawser::literals;
using bond::Fit;
using bond::LastingState;

TEST_CASE("a state is told when it has lasted, and one that flaps is told once") {
    LastingState s;
    Instant now{};
    const auto note = [&](bool state) {
        now = now + 100_ms;
        return s.note(state, 1_s, now);
    };
    for (int i = 0; i < 100; ++i) CHECK_FALSE(note(i % 5 != 0));
    CHECK_FALSE(note(false));
    for (int i = 0; i < 11; ++i) CHECK(note(true) == (i == 10));
    CHECK(s.told());
    for (int i = 0; i < 100; ++i) CHECK_FALSE(note(i % 5 == 0));
    CHECK_FALSE(note(true));
    for (int i = 0; i < 11; ++i) CHECK(note(false) == (i == 10));
    CHECK_FALSE(s.told());
    // From where it was silent first to where it spoke first.
    CHECK(s.lasted().ms() == 100 * (11 + 100 + 1));
}

TEST_CASE("a fit of a count is told at its beginning, and at its end with what it came to") {
    Fit fit;
    Instant now{};
    const auto note = [&](std::uint64_t total) {
        now = now + 100_ms;
        return fit.note(total, 2_s, now);
    };
    CHECK(note(0) == Fit::News::none);
    CHECK(note(3) == Fit::News::begins);
    for (std::uint64_t i = 0; i < 20; ++i) CHECK(note(4 + i) == Fit::News::none);
    for (int i = 0; i < 19; ++i) CHECK(note(23) == Fit::News::none);
    CHECK(note(23) == Fit::News::ends);
    CHECK(fit.count() == 23);
    CHECK(fit.length() == 2_s);
    for (int i = 0; i < 50; ++i) CHECK(note(23) == Fit::News::none);
    CHECK(note(24) == Fit::News::begins);
    for (int i = 0; i < 19; ++i) CHECK(note(24) == Fit::News::none);
    CHECK(note(24) == Fit::News::ends);
    CHECK(fit.count() == 1);
}
