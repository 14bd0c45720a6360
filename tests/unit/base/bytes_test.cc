// SPDX-License-Identifier: MIT
#include "engine/base/bytes.h"

#include <array>
#include <catch2/catch.hpp>

using namespace hawser;

TEST_CASE("the first byte on the wire is the most significant", "[bytes]") {
    const std::array<std::uint8_t, 8> wire{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    CHECK(load_be16(wire.data()) == 0x0123);
    CHECK(load_be32(wire.data()) == 0x01234567);
    CHECK(load_be64(wire.data()) == 0x0123456789ABCDEF);
    CHECK(load_be32(wire.data() + 4) == 0x89ABCDEF);
}

TEST_CASE("what is stored loads again, and its neighbours stay", "[bytes]") {
    std::array<std::uint8_t, 12> wire;
    wire.fill(0x5A);
    store_be16(wire.data() + 1, 0xFFFE);
    CHECK(load_be16(wire.data() + 1) == 0xFFFE);
    store_be32(wire.data() + 1, 0x80000001);
    CHECK(load_be32(wire.data() + 1) == 0x80000001);
    store_be64(wire.data() + 1, 0xFEDCBA9876543210);
    CHECK(load_be64(wire.data() + 1) == 0xFEDCBA9876543210);
    CHECK(wire[0] == 0x5A);
    CHECK(wire[9] == 0x5A);
}

TEST_CASE("a fixed header exists only where all its bytes do", "[bytes]") {
    const std::array<std::uint8_t, 4> wire{0xDE, 0xAD, 0xBE, 0xEF};
    CHECK_FALSE(Fixed<4>::over(Bytes(wire).first(3)));
    CHECK_FALSE(Fixed<1>::over(Bytes()));
    const auto header = Fixed<4>::over(wire);
    REQUIRE(header);
    CHECK(header->u8<0>() == 0xDE);
    CHECK(header->u8<3>() == 0xEF);
    CHECK(header->u16<2>() == 0xBEEF);
    CHECK(header->u32<0>() == 0xDEADBEEF);
}
