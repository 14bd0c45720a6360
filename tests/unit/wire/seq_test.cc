// SPDX-License-Identifier: MIT
#include "engine/wire/seq.h"

#include <catch2/catch.hpp>
#include <type_traits>

using hawser::wire::distance;
using hawser::wire::Seq31;

namespace {

constexpr std::uint32_t last = 0x7FFF'FFFF;
constexpr std::int32_t half = 0x4000'0000;

template <class T>
concept Ordered = requires(T a, T b) {
    a < b;
};

}  // namespace

TEST_CASE("what wraps has no order", "[seq]") { STATIC_REQUIRE_FALSE(Ordered<Seq31>); }

TEST_CASE("a sequence number has 31 bits", "[seq]") {
    CHECK(Seq31(0x8000'0005).raw() == 5);
    CHECK(Seq31(0xFFFF'FFFF) == Seq31(last));
}

TEST_CASE("zero follows the last number", "[seq]") {
    CHECK(Seq31(last).plus(1) == Seq31(0));
    CHECK(Seq31(0).plus(-1) == Seq31(last));
    CHECK(distance(Seq31(last), Seq31(0)) == 1);
    CHECK(distance(Seq31(0), Seq31(last)) == -1);
    CHECK(distance(Seq31(last - 9), Seq31(10)) == 20);
}

TEST_CASE("distance is signed and shortest, up to half the space", "[seq]") {
    const auto from = GENERATE(0u, 1u, 12345u, 0x3FFF'FFFFu, 0x4000'0000u, last - 1, last);
    const Seq31 a(from);
    CHECK(distance(a, a) == 0);
    CHECK(distance(a, a.plus(1)) == 1);
    CHECK(distance(a, a.plus(-1)) == -1);
    CHECK(distance(a, a.plus(half - 1)) == half - 1);
    CHECK(distance(a, a.plus(-(half - 1))) == -(half - 1));
    // Exactly half the space apart, both ways are equally long; it counts as behind.
    CHECK(distance(a, Seq31(a.raw() + 0x4000'0000u)) == -half);
}
