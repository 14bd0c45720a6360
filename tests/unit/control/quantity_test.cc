// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <limits>

#include "platform/control/quantity.h"

using namespace hawser::control;

TEST_CASE("a rate is bits per second with a decimal prefix, however it is written") {
    const auto [text, bits] = GENERATE(table<const char*, std::uint64_t>({
        {"8M", 8'000'000},
        {"8 Mbit/s", 8'000'000},
        {"8mbit/s", 8'000'000},
        {" 2.5Mbps ", 2'500'000},
        {"500kbit/s", 500'000},
        {"500 Kbits/s", 500'000},
        {"1.000001M", 1'000'001},
        {"1G", 1'000'000'000},
        {"64000", 64'000},
        {"64000 bit/s", 64'000},
        {"0", 0},
    }));
    INFO(text);
    const auto rate = parse_rate(text);
    REQUIRE(rate);
    CHECK(*rate == bits);
}

TEST_CASE("an amount is bytes with a decimal or a binary prefix") {
    const auto [text, bytes] = GENERATE(table<const char*, std::uint64_t>({
        {"50GB", 50'000'000'000},
        {"50gb", 50'000'000'000},
        {"20 GiB", 20ull * 1024 * 1024 * 1024},
        {"1.5T", 1'500'000'000'000},
        {"1.5 TiB", 1'649'267'441'664},
        {"700000000", 700'000'000},
        {"100 MB", 100'000'000},
        {"1kB", 1000},
        {"1KiB", 1024},
        {"18446744073709551 kB", 18'446'744'073'709'551'000ull},
    }));
    INFO(text);
    const auto amount = parse_amount(text);
    REQUIRE(amount);
    CHECK(*amount == bytes);
}

TEST_CASE("what is no rate and no amount is refused with what was given") {
    const auto text =
        GENERATE(as<std::string>{}, "", " ", "M", ".5M", "5.M", "1.2.3M", "-1M", "+1M", "1e6", "8 Mbit / s", "8 apples",
                 "0x10", "8MB/s", "8 M M", "1.0000001M", "99999999999999999999999", "8\n");
    INFO(text);
    const auto rate = parse_rate(text);
    REQUIRE_FALSE(rate);
    CHECK(rate.error().find('\n') == std::string::npos);
    if (text != "8MB/s") CHECK_FALSE(parse_amount(text));
}

TEST_CASE("bits and bytes are not taken for each other") {
    CHECK_FALSE(parse_rate("8MB"));
    CHECK_FALSE(parse_rate("8MiB/s"));
    CHECK_FALSE(parse_amount("50Gbit"));
}

TEST_CASE("what would wrap is refused, and the last number that does not is taken") {
    CHECK(*parse_amount("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK_FALSE(parse_amount("18446744073709551616"));
    CHECK_FALSE(parse_amount("18446745 TB"));
    CHECK_FALSE(parse_rate("18446744074G"));
    CHECK(parse_rate("18446744073709551616").error() ==
          "'18446744073709551616' is no rate, as in 8M, 8 Mbit/s or 500kbit/s");
    CHECK(parse_rate("18446744074G").error() == "'18446744074G' is more than can be counted");
}

TEST_CASE("rates and amounts are told as they may be written") {
    CHECK(rate_text(8'000'000) == "8 Mbit/s");
    CHECK(rate_text(512'500) == "512.5 kbit/s");
    CHECK(rate_text(999) == "999 bit/s");
    CHECK(amount_text(0) == "0 B");
    CHECK(amount_text(50'000'000'000) == "50 GB");
    CHECK(amount_text(1'234'567'890'123) == "1.234 TB");
    CHECK(amount_text(1'000'999) == "1 MB");
    CHECK(amount_text(12'000'000'000'000'000) == "12000 TB");
    const auto value = GENERATE(1ull, 1000ull, 1'050'000ull, 12'345'000'000ull, 999'999ull);
    CHECK(*parse_amount(amount_text(value)) == value);
    CHECK(*parse_rate(rate_text(value)) == value);
}
