// SPDX-License-Identifier: MIT
// Who may come after whom, by the clocks that radiods tell.
#include "engine/radio/succession.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using F = RadioField;

namespace {

constexpr std::uint64_t at_zero = 1'479'252'561'000'000'000;

// Of a radiod that began at `begun` s, told `told` s into the test.
Status status_at(double begun, double told) {
    Status s;
    for (const F field : {F::gps_time, F::input_samples, F::input_samprate})
        s.present[static_cast<std::size_t>(field)] = true;
    s.frontend.input_samprate = 2'048'000;
    s.frontend.input_samples = static_cast<std::uint64_t>((told - begun) * 2'048'000);
    s.channel.gps_time = at_zero + static_cast<std::uint64_t>(told * 1e9);
    return s;
}
RadiodLife life_at(double begun, double told) { return life_of(status_at(begun, told)).value(); }

}  // namespace

TEST_CASE("a radiod follows another when it began after that one was last heard", "[succession]") {
    const RadiodLife before = life_at(0, 100);
    CHECK(may_follow(before, {}, life_at(101, 105)));
    CHECK(may_follow(before, {}, life_at(99.9, 105)));  // a block's time, and a little
    CHECK_FALSE(may_follow(before, {}, life_at(50, 105)));
    CHECK_FALSE(may_follow(before, {}, life_at(-1000, 105)));
    CHECK_FALSE(may_follow(before, {}, life_at(0, 105)));
    // Its packets were heard after its last status.
    CHECK_FALSE(may_follow(before, 30_s, life_at(110, 135)));
    CHECK(may_follow(before, 30_s, life_at(131, 135)));
}

TEST_CASE("two statuses are of one run of a radiod when its samples count from one moment", "[succession]") {
    CHECK(is_same_run(life_at(0, 100), life_at(0, 4000)));
    CHECK_FALSE(is_same_run(life_at(0, 100), life_at(10, 100)));
}

TEST_CASE("a radiod that tells no clock, or one that none can have, has no life to go by", "[succession]") {
    for (const F field : {F::gps_time, F::input_samples}) {
        Status s = status_at(0, 100);
        s.present[static_cast<std::size_t>(field)] = false;
        CHECK_FALSE(life_of(s));
    }
    Status none = status_at(0, 100);
    none.frontend.input_samprate = 0;
    CHECK_FALSE(life_of(none));
    Status far = status_at(0, 100);
    far.channel.gps_time = std::numeric_limits<std::uint64_t>::max();
    CHECK_FALSE(life_of(far));
    Status old = status_at(0, 100);
    old.frontend.input_samples = std::numeric_limits<std::uint64_t>::max();
    CHECK_FALSE(life_of(old));
}
