// SPDX-License-Identifier: MIT
// radiod's elements: forms of values, damage, and the table of fields.
#include "engine/wire/radio_tlv.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace golden = vectors::radiod;

namespace {

std::vector<std::uint8_t> built(const auto& put) {
    std::vector<std::uint8_t> room(300);
    RadioBuilder builder(room);
    put(builder);
    const Bytes bytes = builder.so_far();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a command of each golden packet is written again to the same bytes", "[radio]") {
    for (const golden::Packet& packet : golden::commands) {
        INFO(packet.name);
        const auto bytes = from_hex(packet.hex);
        auto reader = RadioReader::over(bytes);
        REQUIRE(reader);
        CHECK(reader->type() == RadioPacketType::command);
        std::vector<std::uint8_t> room(bytes.size());
        RadioBuilder builder(room, RadioPacketType::command);
        RadioElement element;
        while (reader->next(element)) {
            const auto field = static_cast<RadioField>(element.field);
            switch (row_of(field).type) {
                case RadioType::integer: builder.integer(field, *radio_integer(element.value)); break;
                case RadioType::float32: builder.float32(field, static_cast<float>(*radio_float(element.value))); break;
                case RadioType::float64: builder.float64(field, *radio_double(element.value)); break;
                case RadioType::text: builder.text(field, radio_text(element.value)); break;
                case RadioType::socket: builder.socket(field, *radio_socket(element.value)); break;
                default: FAIL("no command has such a field");
            }
        }
        CHECK(reader->has_end_mark());
        const auto again = builder.finish();
        REQUIRE(again);
        CHECK(std::vector<std::uint8_t>(again->begin(), again->end()) == bytes);
    }
}

TEST_CASE("zero has no bytes, and a number loses its leading zero bytes only", "[radio]") {
    using F = RadioField;
    CHECK(built([](auto& b) { b.integer(F::command_tag, 0); }) == from_hex("0100"));
    CHECK(built([](auto& b) { b.integer(F::output_samprate, 12000); }) == from_hex("14022ee0"));
    CHECK(built([](auto& b) { b.integer(F::output_samprate, 256); }) == from_hex("14020100"));
    CHECK(built([](auto& b) { b.boolean(F::envelope, true); }) == from_hex("380101"));
    CHECK(built([](auto& b) { b.boolean(F::envelope, false); }) == from_hex("3800"));
    CHECK(built([](auto& b) { b.signed_integer(F::pll_wraps, -2); }) == from_hex("6d08fffffffffffffffe"));
    CHECK(built([](auto& b) { b.float32(F::low_edge, 0.0F); }) == from_hex("2700"));
    CHECK(built([](auto& b) { b.float64(F::radio_frequency, 998500.0); }) == from_hex("2108412e78c800000000"));
    CHECK(built([](auto& b) { b.float32(F::fm_snr, -std::numeric_limits<float>::infinity()); }) ==
          from_hex("4204ff800000"));
    CHECK(built([](auto& b) { b.float32(F::gain, std::numeric_limits<float>::quiet_NaN()); }).empty());
    CHECK(built([](auto& b) { b.socket(F::output_data_dest_socket, Endpoint::from_v4(0xEF4D0102, 9999)); }) ==
          from_hex("1106ef4d0102270f"));
}

TEST_CASE("a float whose first byte is zero is padded on the left", "[radio]") {
    // 2^-127: 00 40 00 00, of which three bytes remain.
    CHECK(radio_float(from_hex("400000")) == std::ldexp(1.0, -127));
    CHECK(radio_float({}) == 0.0);
    CHECK(radio_double({}) == 0.0);
    CHECK(std::signbit(*radio_float(from_hex("80000000"))));
    CHECK(radio_float(from_hex("ff800000")) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("a double is taken for a float's field, and a float for a double's is a tiny number, as in radiod",
          "[radio]") {
    CHECK(radio_float(from_hex("4029000000000000")) == 12.5);
    CHECK(*radio_double(from_hex("49742400")) < 1e-300);
}

TEST_CASE("a value that no type can be so long as is absent", "[radio]") {
    const auto nine = from_hex("010203040506070809");
    CHECK_FALSE(radio_integer(nine));
    CHECK_FALSE(radio_signed(nine));
    CHECK_FALSE(radio_bool(nine));
    CHECK_FALSE(radio_float(nine));
    CHECK_FALSE(radio_double(nine));
    for (const std::size_t length : {0u, 5u, 7u, 17u, 19u})
        CHECK_FALSE(radio_socket(std::vector<std::uint8_t>(length)));
}

TEST_CASE("a negative number is eight bytes, or four of a 32-bit one", "[radio]") {
    CHECK(radio_signed(from_hex("fffffffffffffffd")) == -3);
    CHECK(radio_signed(from_hex("fffffffd")) == -3);
    CHECK(radio_signed(from_hex("fd")) == 253);
}

TEST_CASE("an element's bits are its value's number, wherever in the packet it is", "[radio]") {
    for (std::size_t length = 0; length <= 9; ++length)
        for (std::size_t behind = 0; behind <= 10; ++behind) {
            INFO(length << " bytes, " << behind << " behind them");
            std::vector<std::uint8_t> packet{0, 33, static_cast<std::uint8_t>(length)};
            for (std::size_t i = 0; i < length; ++i) packet.push_back(static_cast<std::uint8_t>(0xF1 + i));
            packet.resize(packet.size() + behind, 0xAA);
            auto reader = RadioReader::over(packet);
            RadioElement element;
            REQUIRE(reader->next(element));
            CHECK(element.field == 33);
            CHECK(element.value.data() == packet.data() + 3);
            REQUIRE(element.value.size() == length);
            if (length <= 8) CHECK(element.bits == radio_integer(element.value));
        }
}

TEST_CASE("a length of 128 or more is two bytes behind their count", "[radio]") {
    const std::vector<std::uint8_t> value(258, 7);
    const auto element = built([&](auto& b) { b.bytes(RadioField::bin_byte_data, value); });
    REQUIRE(element.size() == 262);
    CHECK(std::vector<std::uint8_t>(element.begin(), element.begin() + 4) == from_hex("09820102"));
    std::vector<std::uint8_t> packet(element.size() + 2);
    std::copy(element.begin(), element.end(), packet.begin() + 1);
    auto reader = RadioReader::over(packet);
    RadioElement read;
    REQUIRE(reader->next(read));
    CHECK(read.value.size() == 258);
    CHECK_FALSE(reader->next(read));
    CHECK(reader->has_end_mark());
}

TEST_CASE("a packet cut anywhere is damaged, or ends between two elements", "[radio]") {
    for (const golden::Packet& packet : golden::statuses) {
        const auto bytes = from_hex(packet.hex);
        for (std::size_t length = 1; length < bytes.size(); ++length) {
            auto reader = RadioReader::over(Bytes(bytes).first(length));
            REQUIRE(reader);
            RadioElement element;
            std::size_t end = 1;
            while (reader->next(element))
                end = static_cast<std::size_t>(element.value.data() + element.value.size() - bytes.data());
            REQUIRE(reader->is_damaged() == (end != length));
            REQUIRE_FALSE(reader->has_end_mark());
        }
    }
}

TEST_CASE("lengths that lie end the reading", "[radio]") {
    RadioElement element;
    // Longer than the packet; five bytes of length; a length that has no bytes; no length at all.
    for (const char* hex : {"00120500", "00128500000000010000", "001284ffffffff00", "001282ff", "0012"}) {
        INFO(hex);
        const auto bytes = from_hex(hex);
        auto reader = RadioReader::over(bytes);
        REQUIRE(reader);
        CHECK_FALSE(reader->next(element));
        CHECK(reader->is_damaged());
    }
    CHECK_FALSE(RadioReader::over({}));
    CHECK_FALSE(RadioReader::over(from_hex("02")));
}

TEST_CASE("what does not fit the buffer is refused as a whole", "[radio]") {
    for (std::size_t room = 0; room < 12; ++room) {
        std::vector<std::uint8_t> buffer(room);
        RadioBuilder builder(buffer, RadioPacketType::command);
        builder.integer(RadioField::command_tag, 0x11111111);
        builder.integer(RadioField::output_ssrc, 1000);
        CHECK_FALSE(builder.finish());
    }
    std::vector<std::uint8_t> buffer(12);
    RadioBuilder builder(buffer, RadioPacketType::command);
    builder.integer(RadioField::command_tag, 0x11111111);
    builder.integer(RadioField::output_ssrc, 1000);
    CHECK(builder.finish());
}

TEST_CASE("every field has a path and a name of its own, and is found by either", "[radio]") {
    std::set<std::string> seen;
    for (const RadioFieldRow& row : radio_fields) {
        CHECK(row.path.empty() == (row.type == RadioType::none));
        CHECK(seen.insert(std::string(row.name)).second);
        if (row.type == RadioType::none) continue;
        CHECK(seen.insert(std::string(row.path)).second);
        CHECK(find_radio_field(row.path) == row.field);
        CHECK(find_radio_field(row.name) == row.field);
    }
    CHECK(find_radio_field("frontend.gain") == RadioField::rf_gain);
    CHECK(find_radio_field("low_edge") == RadioField::low_edge);
    CHECK_FALSE(find_radio_field("UNUSED"));
    CHECK_FALSE(find_radio_field(""));
    CHECK_FALSE(find_radio_field("frontend"));
}
