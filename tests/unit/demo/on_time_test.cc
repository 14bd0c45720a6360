// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "platform/app/demo/on_time.h"

using namespace hawser;
using namespace hawser::literals;
using demo::OnTime;

namespace {
constexpr Instant begin{0};
}

TEST_CASE("a payload is on time within the budget and late a nanosecond after it") {
    OnTime books(1300_ms);
    books.sent(1, 11, begin);
    books.sent(2, 22, begin);
    books.received(1, 11, begin + 1300_ms);
    books.received(2, 22, begin + 1300_ms + 1_ns);
    const auto f = books.figures(begin + 2_s);
    CHECK(f.received == 2);
    CHECK(f.on_time == 1);
    CHECK(f.late == 1);
    CHECK(f.on_time_share() == 0.5);
    CHECK(f.longest_gap == 1_ns);
}

TEST_CASE("a payload that may still come counts neither way until its time is up") {
    OnTime books(1_s);
    books.sent(1, 11, begin);
    CHECK(books.figures(begin + 1_s).waiting == 1);
    CHECK(books.figures(begin + 1_s).on_time_share() == 1.0);
    CHECK(books.figures(begin + 1001_ms).waiting == 0);
    CHECK(books.figures(begin + 1001_ms).on_time_share() == 0.0);
}

TEST_CASE("other bytes, a second copy and what was never sent are each called what they are") {
    OnTime books(1_s);
    books.sent(1, 11, begin);
    books.sent(2, 22, begin);
    books.received(1, 12, begin + 1_ms);
    books.received(2, 22, begin + 2_ms);
    books.received(2, 22, begin + 3_ms);
    books.received(9, 99, begin + 4_ms);
    const auto f = books.figures(begin + 2_s);
    CHECK(f.damaged == 1);
    CHECK(f.unknown == 2);
    CHECK(f.received == 1);
    CHECK(f.on_time_share() == 0.5);
}

TEST_CASE("a refused payload is one that the viewer lacks") {
    OnTime books(1_s);
    books.refused();
    books.sent(5, 55, begin);
    books.received(5, 55, begin + 1_ms);
    CHECK(books.figures(begin + 2_s).sent == 2);
    CHECK(books.figures(begin + 2_s).on_time_share() == 0.5);
}

TEST_CASE("what is long past is forgotten") {
    OnTime books(1_s);
    books.sent(1, 11, begin);
    books.sent(2, 22, begin + 12_s);
    books.received(1, 11, begin + 12_s);
    CHECK(books.figures(begin + 12_s).unknown == 1);
}

TEST_CASE("payloads that differ in one bit have different hashes") {
    std::array<std::uint8_t, 1316> a{};
    const auto before = demo::payload_hash(a);
    for (const std::size_t at : {0u, 657u, 1315u}) {
        a[at] ^= 0x10;
        CHECK(demo::payload_hash(a) != before);
        a[at] ^= 0x10;
    }
    CHECK(demo::payload_hash(a) == before);
}
