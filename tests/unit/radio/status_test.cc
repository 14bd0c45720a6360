// SPDX-License-Identifier: MIT
// The typed status against packets of a real radiod, field by field.
#include "engine/radio/status.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/radio/channel_spec.h"
#include "engine/radio/command.h"
#include "engine/radio/payload.h"
#include "engine/radio/spectrum.h"
#include "engine/wire/radio_tlv.h"
#include "tests/radio/check_field.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

using namespace hawser;
using namespace hawser::radio;
using radio_tests::check_field;
using radio_tests::field_count;
using vectors::from_hex;
using F = RadioField;
namespace golden = vectors::radiod;

namespace {

Status decoded(const golden::Packet& packet) {
    static std::vector<std::uint8_t> bytes;  // what the views look at
    bytes = from_hex(packet.hex);
    Status status;
    REQUIRE_FALSE(decode_status(bytes, status));
    return status;
}

}  // namespace

TEST_CASE("every field of a real radiod's statuses has its value, and no other is there", "[status]") {
    for (const golden::Packet& packet : golden::statuses) {
        INFO(packet.name);
        const Status status = decoded(packet);
        CHECK(field_count(status) == packet.fields.size());
        for (const golden::Field& field : packet.fields) check_field(status, static_cast<F>(field.number), field.value);
    }
}

TEST_CASE("every field of the real session's commands has its value, and no other is there", "[status]") {
    for (const golden::Packet& packet : golden::commands) {
        INFO(packet.name);
        auto bytes = from_hex(packet.hex);
        bytes[0] = 0;  // read as a status, which has the same elements
        Status status;
        REQUIRE_FALSE(decode_status(bytes, status));
        CHECK(field_count(status) == packet.fields.size());
        for (const golden::Field& field : packet.fields) check_field(status, static_cast<F>(field.number), field.value);
    }
}

TEST_CASE("groups are filled as their names say", "[status]") {
    const Status usb = decoded(golden::created_usb);
    CHECK(usb.channel.ssrc == 20001);
    CHECK(usb.channel.tag == 0x33333333);
    CHECK(usb.channel.preset == Text<31>("usb"));
    CHECK(usb.channel.frequency == 998500.0);
    CHECK(usb.channel.lifetime == 499);
    CHECK(usb.channel.demod_type == Demod::linear);
    CHECK(usb.frontend.description == Text<127>("siggen lo test"));
    CHECK(usb.frontend.input_samprate == 2'048'000);
    CHECK(usb.filter.low_edge == 50.0F);
    CHECK(usb.agc.enable);
    CHECK(usb.agc.hangtime == 1.1F);
    CHECK(usb.squelch.open == 8.0F);
    CHECK(usb.output.encoding == Encoding::s16be);
    CHECK(usb.output.dest == Endpoint::from_v4(0xEFD2D3BB, 5004));
    CHECK_FALSE(usb.has(F::opus_bit_rate));
    CHECK(usb.block_time() == Duration{20'000'000});
    CHECK(usb.tick_rate() == 12'000);

    const Status fm = decoded(golden::fm_unsolicited);
    CHECK(fm.channel.demod_type == Demod::fm);
    CHECK(std::isinf(fm.fm.snr));
    CHECK(fm.fm.peak_deviation == Approx(12049.3));

    const Status opus = decoded(golden::opus);
    CHECK(opus.opus.application == 2049);
    CHECK(opus.opus.bandwidth == 1101);
    CHECK(opus.tick_rate() == 48'000);

    const Status bins = decoded(golden::spectrum_bins);
    CHECK(bins.channel.demod_type == Demod::spectrum);
    CHECK(wire::radio_bin_count(bins.spectrum.bins) == 64);
    CHECK_FALSE(bins.snr_db());
}

TEST_CASE("what is derived follows the reference", "[status]") {
    const Status usb = decoded(golden::created_usb);
    // -20.0104 dB over -130.362 dB/Hz in 2950 Hz.
    REQUIRE(usb.snr_db());
    CHECK(*usb.snr_db() == Approx(-20.0104 + 130.362 - 10 * std::log10(2950.0)).margin(0.01));
    CHECK_FALSE(usb.input_dbm());
    Status calibrated = usb;
    calibrated.present[static_cast<std::size_t>(F::rf_level_cal)] = true;
    calibrated.frontend.level_cal = -5;
    calibrated.frontend.lna_gain = 10;
    CHECK(*calibrated.input_dbm() == Approx(-20 - 5 - 10).margin(0.01));
    // Of whoever sends the largest numbers there are.
    calibrated.frontend.lna_gain = calibrated.frontend.mixer_gain = std::numeric_limits<std::int64_t>::max();
    CHECK(*calibrated.input_dbm() == Approx(-2 * std::ldexp(1.0, 63)));
}

TEST_CASE("a WFM channel's audio has 48 kHz whatever rate the reply to its command tells", "[status]") {
    Status status = decoded(golden::created_usb);
    CHECK(status.audio_rate() == 12'000);
    status.channel.demod_type = Demod::wfm;
    status.output.samprate = 384'000;  // the preset's, in the reply that comes before the demodulator's restart
    CHECK(status.audio_rate() == 48'000);
    CHECK(status.tick_rate() == 48'000);
    REQUIRE(AudioFormat::of(status));
    CHECK(AudioFormat::of(status)->samprate == 48'000);
    ChannelSpec spec;
    spec.frequency = status.channel.frequency;
    spec.samprate = 48'000;
    CHECK_FALSE(first_difference(spec, status));
}

TEST_CASE("a status is never partly the one before", "[status]") {
    const auto opus = from_hex(golden::opus.hex);
    const auto fm = from_hex(golden::fm_unsolicited.hex);
    Status status;
    REQUIRE_FALSE(decode_status(opus, status));
    REQUIRE_FALSE(decode_status(fm, status));
    CHECK_FALSE(status.has(F::opus_application));
    CHECK(status.opus.application == 0);
    CHECK(std::holds_alternative<std::monostate>(value_of(status, F::opus_application)));
}

TEST_CASE("commands, damaged packets and statuses of nobody are faults", "[status]") {
    Status status;
    CHECK(decode_status(from_hex(golden::create_usb.hex), status) == StatusFault::not_status);
    CHECK(decode_status({}, status) == StatusFault::not_status);
    CHECK(decode_status(from_hex("00120500"), status) == StatusFault::damaged);
    CHECK(decode_status(from_hex("0001040000000100"), status) == StatusFault::no_ssrc);
    CHECK(decode_status(from_hex("00120000"), status) == StatusFault::no_ssrc);
    // Without the end mark, an unknown field, a duplicate of which the last counts, a value that is too long.
    CHECK_FALSE(decode_status(from_hex("00120101"
                                       "ff0101"
                                       "120103"
                                       "1409010203040506070809"),
                              status));
    CHECK(status.channel.ssrc == 3);
    CHECK_FALSE(status.has(F::output_samprate));
}

TEST_CASE("an enumeration's number beyond a byte is not another one's", "[status]") {
    Status status;
    CHECK_FALSE(decode_status(from_hex("001201016b02010200"), status));
    CHECK_FALSE(status.has(F::output_encoding));
    CHECK_FALSE(decode_status(from_hex("001201016b010200"), status));
    CHECK(status.output.encoding == Encoding::s16be);
}

TEST_CASE("texts longer than their room are cut", "[status]") {
    std::vector<std::uint8_t> bytes{0, 0x12, 1, 1, 4, 0x81, 200};
    bytes.insert(bytes.end(), 200, 'x');
    bytes.push_back(0);
    Status status;
    REQUIRE_FALSE(decode_status(bytes, status));
    CHECK(status.frontend.description.view() == std::string(127, 'x'));
}

namespace {

// A sweep around 1 MHz in steps of 100 Hz, with more elements behind what every one has.
template <class Put>
std::optional<Spectrum> swept(Put put) {
    static std::array<std::uint8_t, 256> room;
    wire::RadioBuilder b(room, wire::RadioPacketType::status);
    b.integer(F::output_ssrc, 7);
    b.float64(F::radio_frequency, 1e6);
    b.float32(F::resolution_bw, 100);
    put(b);
    Status status;
    REQUIRE_FALSE(decode_status(*b.finish(), status));
    return spectrum_of(status);
}
std::optional<Spectrum> of_floats(const std::vector<std::uint32_t>& bits) {
    std::vector<std::uint8_t> bins(bits.size() * 4);
    for (std::size_t i = 0; i < bits.size(); ++i) store_be32(bins.data() + 4 * i, bits[i]);
    return swept([&](auto& b) { b.bytes(F::bin_data, bins); });
}
std::optional<Spectrum> of_bytes(std::uint32_t base_bits, std::uint32_t step_bits, std::uint32_t width_bits) {
    const std::vector<std::uint8_t> bins{0, 255};
    return swept([&](auto& b) {
        b.integer(F::spectrum_base, base_bits);
        b.integer(F::spectrum_step, step_bits);
        b.integer(F::resolution_bw, width_bits);
        b.bytes(F::bin_byte_data, bins);
    });
}

}  // namespace

TEST_CASE("a sweep is of numbers: powers down to the smallest float, and nothing that is none", "[spectrum]") {
    // 1, 2^-149, 0, -0: in the order of an FFT.
    const auto least = of_floats({0x3F80'0000, 1, 0, 0x8000'0000});
    REQUIRE(least);
    CHECK(least->first_hz == 1e6 - 200);
    CHECK(least->db[2] == 0);
    CHECK(least->db[3] == Approx(-448.53).margin(0.01));
    CHECK(least->db[0] == least->db[3]);  // nothing at all is the least that was something
    CHECK(least->db[1] == least->db[3]);
    REQUIRE(of_floats({0, 0}));
    CHECK(of_floats({0, 0})->db == std::vector<double>{0, 0});
    // NaN of either kind and sign, infinities, and less than nothing, wherever they are.
    const std::uint32_t bad =
        GENERATE(0x7FC0'0000u, 0x7F80'0001u, 0xFFC0'0000u, 0x7F80'0000u, 0xFF80'0000u, 0xBF80'0000u, 0x8000'0001u);
    INFO(bad);
    for (std::size_t at = 0; at < 4; ++at) {
        std::vector<std::uint32_t> bits(4, 0x3F80'0000);
        bits[at] = bad;
        CHECK_FALSE(of_floats(bits));
    }
}

TEST_CASE("a sweep of bytes has a base, a step and a width that are numbers", "[spectrum]") {
    const auto good = of_bytes(0xC2C8'0000, 0x3E80'0000, 1);  // -100 dB, 0.25 dB, the smallest float
    REQUIRE(good);
    CHECK(good->db == std::vector<double>{-100, -36.25});
    CHECK(good->bin_hz > 0);
    for (const std::uint32_t bad : {0x7FC0'0000u, 0x7F80'0001u, 0x7F80'0000u, 0xFF80'0000u}) {
        INFO(bad);
        CHECK_FALSE(of_bytes(bad, 0x3E80'0000, 0x42C8'0000));
        CHECK_FALSE(of_bytes(0xC2C8'0000, bad, 0x42C8'0000));
        CHECK_FALSE(of_bytes(0xC2C8'0000, 0x3E80'0000, bad));
    }
}

TEST_CASE("bins can be let go before their packet goes", "[status]") {
    Status status = decoded(golden::byte_spectrum_bins);
    CHECK(status.spectrum.byte_bins.size() == 512);
    status.drop_views();
    CHECK(status.spectrum.byte_bins.empty());
    CHECK_FALSE(status.has(F::bin_byte_data));
    CHECK(status.has(F::bin_count));
}
