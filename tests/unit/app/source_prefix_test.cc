// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "platform/app/source_prefix.h"

using namespace hawser;

TEST_CASE("a network holds the addresses of its prefix and no others") {
    const auto v4 = app::parse_prefix("192.0.2.0/24");
    REQUIRE(v4);
    CHECK(v4->holds(Endpoint::from_v4(0xC000'0201, 5000)));
    CHECK_FALSE(v4->holds(Endpoint::from_v4(0xC000'0301, 5000)));
    const auto one = app::parse_prefix("192.0.2.7");
    REQUIRE(one);
    CHECK(one->holds(Endpoint::from_v4(0xC000'0207, 1)));
    CHECK_FALSE(one->holds(Endpoint::from_v4(0xC000'0206, 1)));
    const auto v6 = app::parse_prefix("2001:db8::/33");
    REQUIRE(v6);
    CHECK(v6->bits == 33);
    CHECK_FALSE(v6->holds(Endpoint::from_v4(0xC000'0201, 5000)));
}

TEST_CASE("every IPv4 address is in 0.0.0.0/0, and no IPv6 address is") {
    const auto all = app::parse_prefix("0.0.0.0/0");
    REQUIRE(all);
    CHECK(all->holds(Endpoint::from_v4(0xFFFF'FFFF, 0)));
    CHECK_FALSE(all->holds(Endpoint{}));
}

TEST_CASE("what is no network is refused") {
    const char* text = GENERATE("", "/", "/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8",
                                "10.0.0/24", "::/129", "example.org", "example.org/24", "10.0.0.0/8/8");
    CHECK_FALSE(app::parse_prefix(text));
}
