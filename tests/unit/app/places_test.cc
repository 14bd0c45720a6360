// SPDX-License-Identifier: MIT
// Places for channels that nobody named: who gets one, who keeps his, and what a crowd of inventions can do.
#include "platform/app/radio/places.h"

#include <catch2/catch.hpp>

#include "engine/base/random.h"

using namespace hawser;
using namespace hawser::app;
using Answer = Places::Answer;

namespace {

constexpr Instant begin{1'000'000'000};
Endpoint host(std::uint32_t number, std::uint16_t port = 4000) { return Endpoint::from_v4(0x0A00'0000 + number, port); }

// All places taken by inventions of one host, from so many ports.
Places crowded(std::size_t places, std::uint32_t by) {
    Places p(places);
    for (std::uint32_t i = 0; i < places; ++i)
        REQUIRE(p.announce(100'000 + i, host(by, static_cast<std::uint16_t>(1 + i)), begin) == Answer::place);
    return p;
}

}  // namespace

TEST_CASE("as long as there is a place, whoever is announced has one", "[places]") {
    Places p(2);
    CHECK(p.announce(1, host(1), begin) == Answer::place);
    CHECK(p.announce(1, host(2), begin) == Answer::place);
    CHECK(p.announce(2, host(1), begin) == Answer::place);
    CHECK(p.announce(3, host(1), begin) == Answer::trial);
    CHECK(p.has_place(1));
    CHECK_FALSE(p.has_place(3));
    CHECK(p.knows(3));
    CHECK(p.is_consistent());
}

TEST_CASE("a channel that is heard takes the place of one whose address never was, whatever its ports", "[places]") {
    Places p = crowded(10, 66);
    for (std::uint32_t ssrc = 1; ssrc <= 10; ++ssrc) {
        REQUIRE(p.announce(ssrc, host(1), begin) == Answer::trial);
        const auto heard = p.on_heard(ssrc, host(1));
        CHECK(heard.has_place);
        REQUIRE(heard.given_up);
        CHECK(*heard.given_up >= 100'000);
        CHECK_FALSE(p.knows(*heard.given_up));
    }
    // Everybody who has a place has been heard.
    REQUIRE(p.announce(11, host(2), begin) == Answer::trial);
    const auto late = p.on_heard(11, host(2));
    CHECK_FALSE(late.has_place);
    CHECK_FALSE(late.given_up);
    CHECK_FALSE(p.knows(11));
    CHECK(p.is_consistent());
}

TEST_CASE("of a radiod that was heard its silent channels stay", "[places]") {
    Places p(4);
    for (std::uint32_t ssrc = 1; ssrc <= 3; ++ssrc) REQUIRE(p.announce(ssrc, host(1), begin) == Answer::place);
    CHECK(p.on_heard(2, host(1)).has_place);
    REQUIRE(p.announce(100'000, host(66), begin) == Answer::place);
    REQUIRE(p.announce(5, host(2), begin) == Answer::trial);
    CHECK(p.on_heard(5, host(2)).given_up == 100'000);
    REQUIRE(p.announce(6, host(2), begin) == Answer::trial);
    CHECK_FALSE(p.on_heard(6, host(2)).has_place);
    for (std::uint32_t ssrc = 1; ssrc <= 3; ++ssrc) CHECK(p.has_place(ssrc));
}

TEST_CASE("announcements alone take nobody's place, though they come from ever new addresses", "[places]") {
    Places p(50);
    for (std::uint32_t ssrc = 1; ssrc <= 50; ++ssrc) REQUIRE(p.announce(ssrc, host(1), begin) == Answer::place);
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const Instant now = begin + Duration{i * 10'000'000};
        const auto over = p.end_trials(now);
        CHECK(p.announce(1000 + i, host(100 + i), now) != Answer::place);
    }
    for (std::uint32_t ssrc = 1; ssrc <= 50; ++ssrc) CHECK(p.has_place(ssrc));
    CHECK(p.is_consistent());
}

TEST_CASE("one address has few trials, and leaves some to others; a trial ends", "[places]") {
    Places p = crowded(5, 66);
    std::size_t trials = 0;
    for (std::uint32_t i = 0; i < 100; ++i)
        trials += p.announce(1000 + i, host(66, static_cast<std::uint16_t>(9 + i)), begin) == Answer::trial ? 1 : 0;
    CHECK(trials == Places::trials_of_one);
    CHECK(p.announce(1, host(1), begin) == Answer::trial);
    CHECK(p.end_trials(begin + Places::trial_time - Duration{1}).empty());
    CHECK(p.end_trials(begin + Places::trial_time).size() == trials + 1);
    CHECK_FALSE(p.knows(1));
    CHECK(p.announce(1, host(1), begin) == Answer::trial);
    CHECK(p.is_consistent());
}

TEST_CASE("four strangers that hold every trial cede one to a fifth address", "[places]") {
    Places p = crowded(5, 66);
    for (std::uint32_t i = 0; i < Places::trials_max; ++i)
        REQUIRE(p.announce(1000 + i, host(70 + i % 4), begin) == Answer::trial);
    for (std::uint32_t ssrc = 1; ssrc <= 5; ++ssrc) {
        REQUIRE(p.announce(ssrc, host(1), begin) == Answer::trial);
        CHECK(p.on_heard(ssrc, host(1)).has_place);
    }
    CHECK(p.is_consistent());
    // Each time the latest of whoever had the most; and what was ceded is told once.
    auto over = p.end_trials(begin);
    CHECK(over.size() == 1);
    CHECK(over[0] >= 1000);
    CHECK_FALSE(p.knows(over[0]));
    CHECK(p.end_trials(begin).empty());
}

TEST_CASE("trials end up shared evenly, and a radiod that is heard does not keep another from them", "[places]") {
    Places p(1);
    REQUIRE(p.announce(1, host(1), begin) == Answer::place);
    CHECK(p.on_heard(1, host(1)).has_place);
    // Silent channels without end.
    for (std::uint32_t i = 0; i < Places::trials_max; ++i)
        REQUIRE(p.announce(1000 + i, host(1), begin) == Answer::trial);
    CHECK(p.announce(2000, host(1), begin) == Answer::none);
    for (std::uint32_t i = 0; i < 100; ++i)
        CHECK(p.announce(3000 + i, host(2), begin) == (i < Places::trials_of_one ? Answer::trial : Answer::none));
    CHECK(p.end_trials(begin).size() == Places::trials_of_one);
    CHECK(p.is_consistent());
}

TEST_CASE("as many strangers as there are trials keep one each for a while, and no longer from a newcomer",
          "[places]") {
    Places p = crowded(5, 66);
    for (std::uint32_t i = 0; i < Places::trials_max; ++i)
        REQUIRE(p.announce(1000 + i, host(100 + i), begin) == Answer::trial);
    CHECK(p.announce(1, host(1), begin + Places::trial_sure - Duration{1}) == Answer::none);
    CHECK(p.announce(1, host(1), begin + Places::trial_sure) == Answer::trial);
    CHECK_FALSE(p.knows(1000));  // the oldest
    CHECK(p.announce(2, host(1), begin + Places::trial_sure) == Answer::none);
    CHECK(p.on_heard(1, host(1)).has_place);
    // One that was heard may try further channels of its own at their cost.
    for (std::uint32_t ssrc = 2; ssrc <= 5; ++ssrc)
        CHECK(p.announce(ssrc, host(1), begin + Places::trial_sure) == Answer::trial);
    CHECK(p.is_consistent());
}

TEST_CASE("the place that gives way is of the address with the most", "[places]") {
    Places p(6);
    for (std::uint32_t ssrc = 1; ssrc <= 2; ++ssrc) REQUIRE(p.announce(ssrc, host(1), begin) == Answer::place);
    for (std::uint32_t ssrc = 11; ssrc <= 14; ++ssrc) REQUIRE(p.announce(ssrc, host(66), begin) == Answer::place);
    for (const std::uint32_t gives : {14u, 13u}) {
        REQUIRE(p.announce(100 + gives, host(2), begin) == Answer::trial);
        CHECK(p.on_heard(100 + gives, host(2)).given_up == gives);
    }
}

TEST_CASE("a channel is its sender's, whoever announced it", "[places]") {
    Places p = crowded(3, 66);
    CHECK(p.on_heard(100'000, host(1)).has_place);  // a real one under an invented number
    REQUIRE(p.announce(1, host(1), begin) == Answer::trial);
    CHECK(p.on_heard(1, host(1)).given_up == 100'002);
    REQUIRE(p.announce(2, host(1), begin) == Answer::trial);
    CHECK(p.on_heard(2, host(1)).given_up == 100'001);
    CHECK(p.has_place(100'000));
    CHECK(p.is_consistent());
}

TEST_CASE("whatever is announced and heard, the counts are those of a recount", "[places]") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        Places p(8);
        Instant now = begin;
        for (int i = 0; i < 2000; ++i) {
            const auto ssrc = static_cast<std::uint32_t>(random.below(40));
            const Endpoint from = host(static_cast<std::uint32_t>(random.below(5)));
            now = now + Duration{static_cast<std::int64_t>(random.below(300)) * 1'000'000};
            switch (random.below(3)) {
                case 0: static_cast<void>(p.announce(ssrc, from, now)); break;
                case 1: static_cast<void>(p.on_heard(ssrc, from)); break;
                default: static_cast<void>(p.end_trials(now)); break;
            }
            REQUIRE(p.is_consistent());
        }
    }
}
