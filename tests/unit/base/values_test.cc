// SPDX-License-Identifier: MIT
// The small value types: tagged numbers, time, endpoints, the seeded generator, the two checks.
#include <catch2/catch.hpp>
#include <set>
#include <type_traits>

#include "engine/base/check.h"
#include "engine/base/endpoint.h"
#include "engine/base/random.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "tests/unit/base/aborts.h"

using namespace hawser;
using namespace hawser::literals;

TEST_CASE("ids of different kinds do not mix", "[strong]") {
    STATIC_REQUIRE_FALSE(std::is_convertible_v<LinkId, BufferId>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<int, LinkId>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<GroupId, LinkId>);
    CHECK(LinkId(3) == LinkId(3));
    CHECK(LinkId(2) < LinkId(3));
    CHECK(LinkId(31).index() == 31);
    CHECK(no_link.index() >= links_max);
}

TEST_CASE("durations add, compare and convert towards zero", "[time]") {
    CHECK(1_s == 1000_ms);
    CHECK(2_ms + 500_us == 2500_us);
    CHECK(1_ms - 2_ms < 0_ns);
    CHECK((1999_us).ms() == 1);
    CHECK((3_s / 2) == 1500_ms);
    CHECK((20_ms * 3).us() == 60'000);
}

TEST_CASE("an instant moves by durations, and two differ by one", "[time]") {
    const Instant start{5'000'000};
    CHECK((start + 3_ms) - start == 3_ms);
    CHECK(start - (start + 1_ms) == 0_ms - 1_ms);
    CHECK((start - 5_ms).ns == 0);
    CHECK(start < never);
}

TEST_CASE("an IPv4 endpoint is the mapped IPv6 one", "[endpoint]") {
    const Endpoint e = Endpoint::from_v4(0xC0A80801, 5000);
    CHECK(e.is_v4());
    CHECK(e.v4() == 0xC0A80801);
    CHECK(e.port == 5000);
    CHECK(e.address[12] == 192);
    CHECK(e.address[15] == 1);
    Endpoint other = e;
    CHECK(other == e);
    other.port = 5001;
    CHECK_FALSE(other == e);
}

TEST_CASE("any and loopback are known in both families", "[endpoint]") {
    CHECK(Endpoint{}.is_any());
    CHECK_FALSE(Endpoint{}.is_v4());
    CHECK(Endpoint::from_v4(0, 80).is_any());
    CHECK(Endpoint::from_v4(0x7F000001, 0).is_loopback());
    CHECK(Endpoint::from_v4(0x7FFFFFFF, 0).is_loopback());
    CHECK_FALSE(Endpoint::from_v4(0x80000001, 0).is_loopback());
    Endpoint one;
    one.address[15] = 1;
    CHECK(one.is_loopback());
    CHECK_FALSE(one.is_any());
    one.address[0] = 0x20;
    CHECK_FALSE(one.is_loopback());
}

TEST_CASE("endpoints that differ in one place hash differently", "[endpoint]") {
    // Ports and last bytes are what a hash table of senders sees vary.
    std::set<std::uint64_t> hashes;
    for (std::uint32_t host = 0; host < 64; ++host)
        for (std::uint16_t port = 1; port <= 64; ++port)
            hashes.insert(Endpoint::from_v4(0x0A000000 + host, port).hash());
    CHECK(hashes.size() == 64 * 64);
    CHECK(Endpoint::from_v4(1, 2).hash() == Endpoint::from_v4(1, 2).hash());
}

TEST_CASE("the same seed gives the same numbers, below their bound", "[random]") {
    Random a(42), b(42), c(43);
    bool differs = false;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = a.next();
        CHECK(value == b.next());
        differs |= value != c.next();
    }
    CHECK(differs);
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(a.below(10));
    CHECK(seen.size() == 10);
    CHECK(*seen.rbegin() == 9);
    CHECK(a.below(0) == 0);
    CHECK(a.below(1) == 0);
}

TEST_CASE("the generator is SplitMix64", "[random]") {
    // First outputs for seed 0, from the reference implementation's published test (Vigna, splitmix64.c).
    Random random(0);
    CHECK(random.next() == 0xE220A8397B1DCDAF);
    CHECK(random.next() == 0x6E789E6AA1B965F4);
    CHECK(random.next() == 0x06C45D188009454F);
}

TEST_CASE("a false check stops the program, in every build", "[check]") {
    CHECK(unit::aborts([] { HAWSER_CHECK(1 + 1 == 3); }));
    CHECK_FALSE(unit::aborts([] { HAWSER_CHECK(1 + 1 == 2); }));
}

TEST_CASE("an audit runs in verify builds and nowhere else", "[check]") {
    int evaluated = 0;
    HAWSER_VERIFY(++evaluated > 0);
#ifdef HAWSER_VERIFY_ENABLED
    CHECK(evaluated == 1);
#else
    CHECK(evaluated == 0);
#endif
}
