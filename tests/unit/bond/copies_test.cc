// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "engine/bond/copy_filter.h"
#include "engine/bond/loss_reports.h"

using namespace hawser;
using namespace hawser::literals;
using bond::CopyFilter;
using wire::Seq31;

namespace {

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr LinkId c{2};
constexpr Instant t0{1'000'000'000};

}  // namespace

TEST_CASE("a packet is first once, and a packet that differs in one bit is another") {
    CopyFilter filter;
    std::vector<std::uint8_t> packet(44, 7);
    CHECK(filter.is_first(packet, a, t0));
    CHECK_FALSE(filter.is_first(packet, a, t0));
    CHECK_FALSE(filter.is_first(packet, a, t0));
    for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
        packet[bit / 8] = static_cast<std::uint8_t>(packet[bit / 8] ^ (1u << (bit % 8)));
        CHECK(filter.is_first(packet, a, t0));
        packet[bit / 8] = static_cast<std::uint8_t>(packet[bit / 8] ^ (1u << (bit % 8)));
    }
    CHECK(filter.is_first(Bytes(packet).first(43), a, t0));
}

TEST_CASE("copies that come a hundred packets late are still recognised") {
    CopyFilter filter;
    std::vector<std::uint8_t> packet(20);
    int wrong = 0;
    for (std::uint32_t i = 0; i < 20000; ++i) {
        store_be32(packet.data(), i);
        if (!filter.is_first(packet, a, t0)) ++wrong;
        if (i >= 100) {
            store_be32(packet.data(), i - 100);
            if (filter.is_first(packet, a, t0)) ++wrong;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("equal bytes by another link are a copy whenever they come, by the same link a repeat unless at once") {
    CopyFilter filter;
    const std::vector<std::uint8_t> nak(20, 7);
    CHECK(filter.is_first(nak, a, t0));
    CHECK_FALSE(filter.is_first(nak, b, t0 + 30_ms));
    CHECK_FALSE(filter.is_first(nak, a, t0 + 49_ms));  // doubled by the network
    CHECK_FALSE(filter.is_first(nak, c, t0 + 800_ms));
    CHECK_FALSE(filter.is_first(nak, c, t0 + 801_ms));  // so is the copy of a slow link
    CHECK(filter.is_first(nak, b, t0 + 901_ms));
    CHECK_FALSE(filter.is_first(nak, b, t0 + 902_ms));
    CHECK_FALSE(filter.is_first(nak, a, t0 + 950_ms));
    CHECK(filter.is_first(nak, a, t0 + 951_ms));
}

TEST_CASE("a sequence that was reported is known until another takes its place, or a session begins") {
    bond::LossReports reports;
    CHECK_FALSE(reports.note(Seq31(0)));
    CHECK_FALSE(reports.note(Seq31(0x7FFF'FFFF)));
    CHECK(reports.note(Seq31(0)));
    CHECK(reports.note(Seq31(0x7FFF'FFFF)));
    CHECK_FALSE(reports.note(Seq31(4096)));
    CHECK_FALSE(reports.note(Seq31(0)));
    reports.clear();
    CHECK_FALSE(reports.note(Seq31(0)));
    CHECK_FALSE(reports.note(Seq31(0x7FFF'FFFF)));
}
