// SPDX-License-Identifier: MIT
// A status's field against its value as the vectors write it (tests/vectors): whole numbers and switches as decimals,
// floats with enough digits, sockets as address:port, bins as their count and some of them.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/radio/command.h"
#include "engine/radio/status.h"
#include "engine/wire/radio_tlv.h"

namespace hawser::radio_tests {

// Of a packet's elements, in its order.
inline std::vector<int> numbers_of(Bytes packet) {
    std::vector<int> numbers;
    auto reader = wire::RadioReader::over(packet);
    REQUIRE(reader);
    wire::RadioElement element;
    while (reader->next(element)) numbers.push_back(element.field);
    return numbers;
}

inline std::size_t field_count(const radio::Status& status) {
    return static_cast<std::size_t>(std::count(status.present.begin(), status.present.end(), true));
}

// "64 bins: first A, second B, last C", and where it is told ", highest D of bin N".
inline void check_bins(radio::RadioField field, Bytes bins, const char* expected) {
    unsigned count = 0, highest_at = 0;
    float first = 0, second = 0, last = 0, highest = 0;
    const int told = std::sscanf(expected, "%u bins%*1[:,] first %f, second %f, last %f, highest %f of bin %u", &count,
                                 &first, &second, &last, &highest, &highest_at);
    REQUIRE((told == 4 || told == 6));
    const bool is_vector = field == radio::RadioField::bin_data;
    REQUIRE((is_vector ? wire::radio_bin_count(bins) : bins.size()) == count);
    const auto bin = [&](std::size_t i) { return is_vector ? wire::radio_bin(bins, i) : static_cast<float>(bins[i]); };
    CHECK(bin(0) == first);
    CHECK(bin(1) == second);
    CHECK(bin(count - 1) == last);
    if (told != 6) return;
    CHECK(bin(highest_at) == highest);
    for (std::size_t i = 0; i < count; ++i) CHECK(bin(i) <= highest);
}

inline void check_field(const radio::Status& status, radio::RadioField field, const char* expected) {
    INFO("field " << wire::row_of(field).name << " = " << expected);
    REQUIRE(status.has(field));
    const radio::FieldValue value = radio::value_of(status, field);
    if (const auto* f = std::get_if<float>(&value))
        CHECK(*f == std::strtof(expected, nullptr));
    else if (const auto* d = std::get_if<double>(&value))
        CHECK(*d == std::strtod(expected, nullptr));
    else if (const auto* b = std::get_if<bool>(&value))
        CHECK((*b ? "1" : "0") == std::string(expected));
    else if (const auto* u = std::get_if<std::uint64_t>(&value))
        CHECK(std::to_string(*u) == expected);
    else if (const auto* i = std::get_if<std::int64_t>(&value))
        CHECK(std::to_string(*i) == expected);
    else if (const auto* bins = std::get_if<Bytes>(&value))
        check_bins(field, *bins, expected);
    else
        CHECK(radio::format_value(field, value) == expected);
}

}  // namespace hawser::radio_tests
