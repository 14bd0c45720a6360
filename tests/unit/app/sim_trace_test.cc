// SPDX-License-Identifier: MIT
// Recordings of capacity: both forms, and what is said of bad ones.
#include <catch2/catch.hpp>

#include "platform/app/sim/trace_file.h"

using namespace hawser;
using app::parse_trace;
using Catch::StartsWith;
using Trace = std::vector<std::uint32_t>;

TEST_CASE("milliseconds of opportunities are taken as they are") {
    CHECK(*parse_trace("0\n3\n3\n10\n") == Trace{0, 3, 3, 10});
    CHECK(*parse_trace("# saturator, up\r\n\r\n1 # first\r\n  2\t\r\n5") == Trace{1, 2, 5});
}

TEST_CASE("rates become opportunities of 1500 bytes, whatever the lines' spacing") {
    // 1200 kbit/s are 100 opportunities a second.
    const auto steady = parse_trace("0 1200\n2 1200\n3, 0\n");
    REQUIRE(steady);
    CHECK(steady->size() == 300);
    CHECK(steady->front() == 10);
    CHECK(steady->back() == 3000);
    // What a slow second left over counts in the next.
    const auto slow = parse_trace("0;6\n1;6\n2;6\n3;6\n4;0\n");
    REQUIRE(slow);
    CHECK(*slow == Trace{2000, 4000});
    // A silence in the middle, and a period that ends in one.
    const auto gap = parse_trace("0 12\n1 0\n9 12\n10 0\n20 0");
    REQUIRE(gap);
    CHECK(*gap == Trace{1000, 10000, 20000});
}

TEST_CASE("a bad recording is refused with the line and the reason") {
    const std::vector<std::pair<const char*, const char*>> all{
        {"", "1: there are no figures"},
        {"# nothing\n\n", "1: there are no figures"},
        {"1\nx\n", "2: 'x' is no number"},
        {"1\n2 3\n", "2: one number a line"},
        {"0 3\n5\n", "2: two numbers"},
        {"0 1 2\n", "1: '2' is a number too many"},
        {"5\n4\n", "2: the time is before"},
        {"-1\n", "1: the time is not between"},
        {"1.5\n", "1: a whole number"},
        {"nan\n", "1: 'nan' is no number"},
        {"0\n", "1: it ends at 0 ms"},
        {"0 100\n0 0\n", "2: it carries nothing"},
        {"1 100\n2 0\n", "1: the first time must be 0"},
        {"0 -5\n2 0\n", "1: the rate is not between"},
        {"0 1e7\n90000 0\n", "2: that is too much"},
    };
    for (const auto& [text, expected] : all) {
        CAPTURE(text);
        const auto trace = parse_trace(text);
        REQUIRE_FALSE(trace);
        CHECK_THAT(trace.error(), StartsWith(expected));
    }
}

TEST_CASE("a complaint holds nothing that moves a cursor") {
    const auto trace = parse_trace("\x1b[2J\n");
    REQUIRE_FALSE(trace);
    for (const char c : trace.error()) CHECK((c >= ' ' && c < 0x7F));
}
