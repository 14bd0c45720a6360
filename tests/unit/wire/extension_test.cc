// SPDX-License-Identifier: MIT
// Offer and answer in the halves of group ids, against bytes written by hand.
#include "engine/wire/extension.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/vectors/extension.h"
#include "tests/vectors/hex.h"

using namespace hawser;
using namespace hawser::wire;
namespace golden = vectors::extension;

namespace {

using Half = std::array<std::uint8_t, group_id_receiver_bytes>;

Half noise() {
    Half half;
    for (std::size_t i = 0; i < half.size(); ++i) half[i] = static_cast<std::uint8_t>(0xA5 ^ (i * 7));
    return half;
}

Half half_with(const char* hex) {
    Half half = noise();
    const auto bytes = vectors::from_hex(hex);
    std::copy(bytes.begin(), bytes.end(), half.begin());
    return half;
}

}  // namespace

TEST_CASE("an offer is the bytes of the layout, and leaves the rest of the half as it was", "[extension]") {
    Half half = noise();
    write_offer(half, {.delivery_reports = true, .reorder_hold = true, .report_interval_us = 10'000});
    CHECK(half == half_with(golden::offer_all));
    half = noise();
    write_answer(half, {.delivery_reports = true, .reorder_hold = false, .report_interval_us = 20'000});
    CHECK(half == half_with(golden::answer_reports_only));
}

TEST_CASE("what was written is read", "[extension]") {
    const auto offer = offer_in(half_with(golden::offer_all));
    REQUIRE(offer);
    CHECK(*offer == Extension{true, true, 10'000});
    const auto answer = answer_in(half_with(golden::answer_reports_only));
    REQUIRE(answer);
    CHECK(*answer == Extension{true, false, 20'000});
}

TEST_CASE("reports by other links are a feature of their own", "[extension]") {
    for (const bool by_others : {false, true}) {
        Half half = noise();
        write_answer(half, {.delivery_reports = true, .reports_by_others = by_others});
        CHECK(half[15] == (by_others ? 5 : 1));
        CHECK(answer_in(half)->reports_by_others == by_others);
    }
}

TEST_CASE("an offer given back unchanged is no answer, nor an answer an offer", "[extension]") {
    CHECK_FALSE(answer_in(half_with(golden::offer_all)));
    CHECK_FALSE(offer_in(half_with(golden::answer_reports_only)));
}

TEST_CASE("randomness, zeros and another version are no extension", "[extension]") {
    CHECK_FALSE(offer_in(noise()));
    CHECK_FALSE(offer_in(Half{}));
    Half half = half_with(golden::offer_all);
    half[8] = 2;
    CHECK_FALSE(offer_in(half));
    half[8] = 0;
    CHECK_FALSE(offer_in(half));
    CHECK_FALSE(offer_in(Bytes(half_with(golden::offer_all)).first(127)));
    CHECK_FALSE(offer_in(Bytes()));
}

TEST_CASE("what a later version adds is skipped", "[extension]") {
    const auto offer = offer_in(half_with(golden::offer_of_the_future));
    REQUIRE(offer);
    CHECK(*offer == Extension{false, true, 1'000});
}

TEST_CASE("a malformed list of values is as if absent", "[extension]") {
    Half half = half_with(golden::offer_all);
    SECTION("longer than its room") { half[9] = 55; }
    SECTION("ends in a type without a length") { half[9] = 13; }
    SECTION("a value reaches past the list") { half[9] = 11; }
    SECTION("a known value is too short") { half[11] = 3; }
    SECTION("no features") { half[10] = 77; }
    SECTION("empty") { half[9] = 0; }
    CHECK_FALSE(offer_in(half));
}

TEST_CASE("the full length is taken to its last byte, and never reaches the bytes left free", "[extension]") {
    Half half = half_with(golden::offer_all);
    half[9] = 54;
    half[22] = 200;
    half[23] = 40;
    CHECK(offer_in(half));
    half[23] = 41;
    CHECK_FALSE(offer_in(half));
}
