// SPDX-License-Identifier: MIT
#include "engine/base/fixed_ring.h"

#include <catch2/catch.hpp>
#include <deque>

#include "engine/base/random.h"
#include "tests/unit/base/aborts.h"

using namespace hawser;

TEST_CASE("a ring gives back in order, and refuses when full", "[fixed_ring]") {
    FixedRing<int, 4> ring;
    CHECK(ring.empty());
    for (int i = 0; i < 4; ++i) CHECK(ring.push(i));
    CHECK(ring.full());
    CHECK_FALSE(ring.push(99));
    for (int i = 0; i < 4; ++i) {
        CHECK(ring.front() == i);
        ring.pop();
    }
    CHECK(ring.empty());
}

TEST_CASE("a cleared ring is empty and usable", "[fixed_ring]") {
    FixedRing<int, 2> ring;
    CHECK(ring.push(1));
    ring.clear();
    CHECK(ring.empty());
    CHECK(ring.push(2));
    CHECK(ring.front() == 2);
}

TEST_CASE("taking from an empty ring stops the program", "[fixed_ring]") {
    CHECK(unit::aborts([] { FixedRing<int, 2>().pop(); }));
    CHECK(unit::aborts([] { (void)FixedRing<int, 2>().front(); }));
}

TEST_CASE("a ring behaves like a bounded deque over any sequence of operations", "[fixed_ring]") {
    const auto seed = GENERATE(1u, 2u, 3u, 4u);
    Random random(seed);
    FixedRing<std::uint64_t, 8> ring;
    std::deque<std::uint64_t> model;
    for (int step = 0; step < 2000; ++step) {
        if (random.below(100) < 55) {
            const std::uint64_t value = random.next();
            const bool fits = model.size() < ring.capacity();
            if (fits) model.push_back(value);
            REQUIRE(ring.push(value) == fits);
        } else if (!model.empty()) {
            REQUIRE(ring.front() == model.front());
            ring.pop();
            model.pop_front();
        }
        REQUIRE(ring.size() == model.size());
    }
}
