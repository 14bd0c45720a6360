// SPDX-License-Identifier: MIT
// Delivery reports against bytes written by hand.
#include "engine/wire/report.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/vectors/extension.h"
#include "tests/vectors/hex.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace golden = vectors::extension;

namespace {

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("a report is the bytes of the layout", "[report]") {
    ReportBuilder three({.number = 7, .clock_us = 0x123, .next_expected = Seq31(1), .arrived = 21});
    three.add(Seq31(0x7FFF'FFFF), 1'000);
    three.add(Seq31(0), 305);
    three.add(Seq31(5), -40);  // the clock stood still: not before it came
    CHECK(copy(three.bytes()) == from_hex(golden::report_three));

    ReportBuilder one({.number = 1, .clock_us = 0xFFFF'FFFF, .next_expected = std::nullopt, .arrived = 1});
    one.add(Seq31(100), 10'000'000'000);
    CHECK(copy(one.bytes()) == from_hex(golden::report_one_padded));
}

TEST_CASE("a report's fields are read from their places", "[report]") {
    const auto bytes = from_hex(golden::report_three);
    const auto report = DeliveryReport::over(bytes);
    REQUIRE(report);
    CHECK(report->number() == 7);
    CHECK(report->clock_us() == 0x123);
    CHECK(report->next_expected() == Seq31(1));
    CHECK(report->arrived() == 21);
    REQUIRE(report->count() == 3);
    CHECK(report->at(0) == ReportEntry{Seq31(0x7FFF'FFFF), 100});
    CHECK(report->at(0)->age_us() == 1'000);
    CHECK(report->at(1) == ReportEntry{Seq31(0), 30});
    CHECK(report->at(2) == ReportEntry{Seq31(5), 0});
    CHECK(report->ordinal(0) == 19);
    CHECK(report->ordinal(2) == 21);
}

TEST_CASE("a report that another link carries names its own behind the entries", "[report]") {
    for (const int entries : {0, 1, 2, 3}) {
        ReportBuilder builder({.number = 7, .clock_us = 0x123, .next_expected = Seq31(1), .arrived = 21});
        for (int i = 0; i < entries; ++i) builder.add(Seq31(9), 1'000);
        CHECK_FALSE(DeliveryReport::over(builder.bytes())->link());
        const auto bytes = copy(builder.bytes_by_another(0x0102'0304));
        const std::size_t at = 20 + static_cast<std::size_t>(entries) * 6;
        CHECK(bytes.size() == std::max<std::size_t>(32, at + 4));
        CHECK(bytes[2] == 2);
        CHECK(bytes[at] == 1);
        CHECK(bytes[at + 3] == 4);
        const auto report = DeliveryReport::over(bytes);
        REQUIRE(report);
        CHECK(report->link() == 0x0102'0304u);
        CHECK(report->count() == static_cast<std::size_t>(entries));
        CHECK(report->arrived() == 21);
        CHECK_FALSE(DeliveryReport::over(Bytes(bytes).first(at + 3)));
    }
}

TEST_CASE("padding after the entries is not read", "[report]") {
    const auto bytes = from_hex(golden::report_one_padded);
    const auto report = DeliveryReport::over(bytes);
    REQUIRE(report);
    REQUIRE(report->count() == 1);
    CHECK_FALSE(report->next_expected());
    CHECK_FALSE(report->at(0)->has_time());
}

TEST_CASE("a report that is cut, of another type or of another version is none", "[report]") {
    auto bytes = from_hex(golden::report_three);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        CHECK_FALSE(DeliveryReport::over(Bytes(bytes).first(length)));
    bytes[2] = 2;
    CHECK_FALSE(DeliveryReport::over(bytes));
    bytes[2] = 1;
    bytes[1] = 1;
    CHECK_FALSE(DeliveryReport::over(bytes));
}

TEST_CASE("an entry whose sequence has its top bit set is no entry", "[report]") {
    auto bytes = from_hex(golden::report_three);
    bytes[20] = 0xFF;
    const auto report = DeliveryReport::over(bytes);
    REQUIRE(report);
    CHECK_FALSE(report->at(0));
    CHECK(report->at(1));
}

TEST_CASE("a report holds what two intervals bring, and counts itself", "[report]") {
    ReportBuilder full({.number = 1, .clock_us = 0, .next_expected = std::nullopt, .arrived = 1});
    for (std::uint32_t i = 0; i < report_entries_max; ++i) full.add(Seq31(i), 655'349 + i);
    CHECK(full.bytes().size() == ReportBuilder::report_bytes(report_entries_max));
    const auto report = DeliveryReport::over(full.bytes());
    REQUIRE(report);
    CHECK(report->count() == report_entries_max);
    CHECK(report->at(0)->age == report_age_max - 1);
    CHECK(report->at(1)->age == report_age_max);
    CHECK(report->ordinal(0) == 0xFFFF'FF82);
}
