// SPDX-License-Identifier: MIT
// Commands by field and text; names and numbers of channels and groups.
#include "engine/radio/command.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/sha256.h"
#include "engine/radio/address.h"
#include "engine/radio/channel_spec.h"
#include "engine/radio/frequency.h"
#include "engine/radio/ssrc.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

using namespace hawser;
using namespace hawser::radio;
using vectors::from_hex;
using F = RadioField;
namespace golden = vectors::radiod;

namespace {

std::vector<std::uint8_t> packet_of(const Command& command, std::uint32_t tag, std::uint32_t ssrc) {
    std::array<std::uint8_t, command_packet_bytes_max> room;
    const Bytes bytes = build_command(room, tag, ssrc, command.elements());
    return {bytes.begin(), bytes.end()};
}
FieldFault fault_of(std::string_view path, std::string_view text) {
    Command command;
    const auto result = command.put_text(path, text);
    REQUIRE_FALSE(result);
    REQUIRE(command.empty());
    return result.error();
}

}  // namespace

TEST_CASE("commands given as text are the golden packets", "[command]") {
    Command create;
    REQUIRE(create.put_text("channel.preset", "usb"));
    REQUIRE(create.put_text("channel.frequency", "998k5"));
    REQUIRE(create.put_text("LIFETIME", "500"));
    CHECK(packet_of(create, 0x33333333, 20001) == from_hex(golden::create_usb.hex));

    Command restart;
    REQUIRE(restart.put_text("channel.preset", "iq"));
    REQUIRE(restart.put_text("output.samprate", "48k"));
    REQUIRE(restart.put_text("output.encoding", "f32le"));
    CHECK(packet_of(restart, 0x44444444, 20001) == from_hex(golden::restart_iq.hex));

    Command dest;
    REQUIRE(dest.put_text("output.dest", "239.77.1.2:9999"));
    CHECK(packet_of(dest, 0x55555557, 20001) == from_hex(golden::new_dest.hex));
    Command named, computed;
    REQUIRE(named.put_text("output.dest", "wspr-pcm.local"));
    REQUIRE(computed.put_text("output.dest", "239.107.139.201"));
    CHECK(packet_of(named, 1, 20001) == packet_of(computed, 1, 20001));

    Command spectrum;
    REQUIRE(spectrum.put_text("demod_type", "spectrum"));
    REQUIRE(spectrum.put_text("channel.frequency", "1m0"));
    REQUIRE(spectrum.put_text("spectrum.bin_count", "64"));
    REQUIRE(spectrum.put_text("spectrum.resolution_bw", "1k"));
    REQUIRE(spectrum.put_text("spectrum.avg", "4"));
    REQUIRE(spectrum.put_text("lifetime", "100"));
    CHECK(packet_of(spectrum, 0x66666666, 30001) == from_hex(golden::create_spectrum.hex));

    CHECK(packet_of(Command(), 0x11111111, poll_all_ssrc) == from_hex(golden::poll_all.hex));
}

TEST_CASE("what radiod would ignore or misread is refused with its reason", "[command]") {
    CHECK(fault_of("channel.colour", "red") == FieldFault::unknown);
    CHECK(fault_of("output.level", "-10") == FieldFault::not_settable);
    CHECK(fault_of("channel.tag", "1") == FieldFault::not_settable);
    CHECK(fault_of("channel.ssrc", "1") == FieldFault::not_settable);
    CHECK(fault_of("channel.frequency", "loud") == FieldFault::bad_value);
    CHECK(fault_of("channel.frequency", "inf") == FieldFault::bad_value);
    CHECK(fault_of("agc.gain", "1e39") == FieldFault::bad_value);
    for (const char* none : {"nan", "-nan", "NAN", "nan(1)", "inf", "-inf", "infinity", "1e400", "1e-400"})
        for (const char* field : {"agc.gain", "channel.frequency", "output.samprate", "spectrum.resolution_bw"}) {
            INFO(field << ' ' << none);
            CHECK(fault_of(field, none) == FieldFault::bad_value);
        }
    CHECK(fault_of("agc.enable", "2") == FieldFault::bad_value);
    CHECK(fault_of("output.samprate", "12000.5") == FieldFault::bad_value);
    CHECK(fault_of("output.encoding", "mp3") == FieldFault::bad_value);
    CHECK(fault_of("channel.preset", "a preset's name may be thirty-one bytes") == FieldFault::bad_value);
    CHECK(fault_of("output.dest", "239.1.2") == FieldFault::bad_value);
    CHECK(fault_of("output.dest", "239.1.2.3:5004:x") == FieldFault::bad_value);
    CHECK(fault_of("output.dest", "239.1.2.3O") == FieldFault::bad_value);
    CHECK(fault_of("output.dest", "239.1.2x.3") == FieldFault::bad_value);
    Command beginning_with_digits;
    CHECK(beginning_with_digits.put_text("output.dest", "40m-pcm.radio.example.local"));
    Command command;
    for (const double none : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        CHECK(command.put(F::gain, none).error() == FieldFault::bad_value);
        CHECK(command.put(F::radio_frequency, none).error() == FieldFault::bad_value);
        CHECK(command.put(F::output_samprate, none).error() == FieldFault::bad_value);
    }
    CHECK(command.put(F::output_samprate, -1.0).error() == FieldFault::bad_value);
    CHECK(command.put(F::agc_enable, std::string_view("on")).error() == FieldFault::bad_value);
    CHECK(command.put(static_cast<F>(200), true).error() == FieldFault::unknown);
}

TEST_CASE("the smallest numbers come to radiod as they were told", "[command]") {
    Command command;
    REQUIRE(command.put_text("agc.gain", "1e-45"));               // the smallest float
    REQUIRE(command.put_text("agc.headroom", "-1e-40"));          // another that is not normal
    REQUIRE(command.put_text("channel.doppler_rate", "5e-324"));  // the smallest double
    const auto wanted = wanted_by(command);
    REQUIRE(wanted);
    CHECK(wanted->agc.gain == std::numeric_limits<float>::denorm_min());
    CHECK(wanted->agc.headroom == -1e-40F);
    CHECK(wanted->channel.doppler_rate == std::numeric_limits<double>::denorm_min());
}

TEST_CASE("Opus for voice is asked for as radiod sends it", "[command]") {
    Command text;
    REQUIRE(text.put_text("output.encoding", "opus-voip"));
    ChannelSpec spec;
    spec.frequency = 7e6;
    spec.encoding = Encoding::opus_voip;
    for (const Command& command : {text, command_for(spec)}) {
        const auto wanted = wanted_by(command);
        REQUIRE(wanted);
        CHECK(wanted->output.encoding == Encoding::opus);
        CHECK(wanted->opus.application == 2048);
    }
    // Held against what is there.
    auto is = wanted_by(command_for(spec));
    REQUIRE(is);
    CHECK_FALSE(first_difference(spec, *is));
    is->opus.application = 2049;
    CHECK(first_difference(spec, *is) == F::opus_application);
    // Both or none.
    Command full;
    bool was_refused = false;
    do {
        Command more = full;
        const bool done = bool(more.put_text("output.encoding", "opus-voip"));
        CHECK(more.elements().size() == full.elements().size() + (done ? 3 + 4 : 0));
        was_refused = was_refused || !done;
    } while (full.put(F::lifetime, std::uint64_t{1}));
    CHECK(was_refused);
}

TEST_CASE("a command has room for every field that can be set, and says when it is full", "[command]") {
    Command all;
    for (const wire::RadioFieldRow& row : wire::radio_fields) {
        if (!row.settable || row.field == F::command_tag) continue;
        INFO(row.name);
        if (row.type == wire::RadioType::text)
            REQUIRE(all.put(row.field, std::string_view("0123456789012345678901234567890")));
        else if (row.type == wire::RadioType::socket)
            REQUIRE(all.put(row.field, Endpoint{}));
        else if (row.type == wire::RadioType::boolean)
            REQUIRE(all.put(row.field, true));
        else if (row.type == wire::RadioType::integer)
            REQUIRE(all.put(row.field, std::numeric_limits<std::uint64_t>::max()));
        else
            REQUIRE(all.put(row.field, 1.25));
    }
    Result<Unit, FieldFault> result = Unit{};
    for (int i = 0; i < 200 && result; ++i) result = all.put(F::radio_frequency, 1e6);
    REQUIRE_FALSE(result);
    CHECK(result.error() == FieldFault::too_much);
    CHECK(packet_of(all, 0xFFFFFFFF, 0xFFFFFFFE).size() <= command_packet_bytes_max);
}

TEST_CASE("what the front end moves by itself is no new difference, and under its AGC none", "[channel_spec]") {
    const auto with = [](std::string_view gain, std::string_view first_lo) {
        Command command;
        CHECK(bool(command.put_text("frontend.gain", gain)));
        CHECK(bool(command.put_text("frontend.atten", gain)));
        CHECK(bool(command.put_text("frontend.first_lo", first_lo)));
        return command;
    };
    ChannelSpec spec;
    spec.others = with("20", "100m0");
    const auto told = [&with](std::string_view gain, std::string_view first_lo) {
        Status status = *wanted_by(with(gain, first_lo));
        status.present[static_cast<std::size_t>(RadioField::rf_agc)] = true;
        return status;
    };
    Status status = told("18", "101m0");
    CHECK(first_difference(spec, status) == RadioField::first_lo_frequency);
    CHECK(differences(spec, status).mark == differences(spec, told("17", "102m0")).mark);
    CHECK(differences(spec, status).mark != differences(spec, told("20", "101m0")).mark);
    CHECK_FALSE(differences(spec, told("20", "100m0")).first);
    status.frontend.agc = true;
    CHECK(differences(spec, status).mark == differences(spec, told("20", "101m0")).mark);
}

TEST_CASE("a channel is newborn by the packets that may have made it, and by their time", "[channel_spec]") {
    Status s = *wanted_by(Command());
    const auto tell = [&s](std::uint64_t commands, std::uint64_t statuses, double blocks) {
        s.present[static_cast<std::size_t>(RadioField::cmd_cnt)] = true;
        s.output.samprate = 12'000;
        s.channel.status_interval = 25;
        s.channel.commands = commands;
        s.channel.status_packets = statuses;
        s.output.timesnap = static_cast<std::uint32_t>(static_cast<std::int64_t>(blocks * 240));
    };
    constexpr Duration block{20'000'000};
    tell(1, 1, -1);
    CHECK(is_newborn(s, 1, block));
    tell(1, 1, 9);
    CHECK_FALSE(is_newborn(s, 1, block * 8));  // of radiod's configuration
    CHECK(is_newborn(s, 2, block * 8));
    CHECK_FALSE(is_newborn(s, 2, block * 5));
    tell(2, 3, 9);
    CHECK(is_newborn(s, 2, block * 8));
    CHECK_FALSE(is_newborn(s, 1, block * 8));
    tell(3, 3, 9);
    CHECK_FALSE(is_newborn(s, 2, block * 8));  // somebody else has tuned it
    tell(1, 5, 9);
    CHECK_FALSE(is_newborn(s, 2, block * 8));  // it has told of itself before
    tell(1, 5, 29);
    CHECK(is_newborn(s, 2, block * 27));
}

TEST_CASE("frequencies are read as operators write them", "[frequency]") {
    CHECK(parse_frequency("147m435") == 147'435'000.0);
    CHECK(parse_frequency("10m0") == 10'000'000.0);
    CHECK(parse_frequency("760k0") == 760'000.0);
    CHECK(parse_frequency("14.074e6") == 14'074'000.0);
    CHECK(parse_frequency("7.1M") == 7'100'000.0);
    CHECK(parse_frequency("1g2965") == 1'296'500'000.0);
    CHECK(parse_frequency("7040000") == 7'040'000.0);
    CHECK(parse_frequency("50.0000001m") == 50'000'000.1);
    CHECK(parse_frequency("0") == 0.0);
    for (const char* bad : {"", "m", "-1", "1m2m3", "1.5m5", "1e400", "nan", "inf", "12q", "1 m", "k5", "1m-5", "1e3m",
                            "1111111111111111111111111111111111111111111"}) {
        INFO(bad);
        CHECK_FALSE(parse_frequency(bad));
    }
}

TEST_CASE("numbers are printed so that they read back the same", "[frequency]") {
    CHECK(format_number(14.074e6) == "14074000");
    CHECK(format_number(1.1F) == "1.1");
    CHECK(format_number(500e3) == "500000");
    CHECK(format_number(3e5F) == "300000");
    CHECK(format_number(-99e6) == "-99000000");
    CHECK(format_number(0.0) == "0");
    CHECK(format_number(7.5e-05F) == "0.000075");
    CHECK(format_number(1e300) == "1e+300");
    CHECK(format_number(1e-30F) == "1e-30");
    CHECK(format_number(-std::numeric_limits<float>::infinity()) == "-inf");
    CHECK(parse_number(format_number(1 / 3e4)) == 1 / 3e4);
    CHECK(parse_number(format_number(0.1 + 0.2)) == 0.1 + 0.2);
}

TEST_CASE("a name's group is the one that radiod computes", "[address]") {
    const auto group = [](std::string_view name) { return Endpoint::from_v4(group_of_name(name), 0); };
    CHECK(group("hf.local") == parse_group("239.135.38.120"));
    CHECK(group("radiod.local") == parse_group("239.58.195.13"));
    CHECK(group("test.local") == parse_group("239.221.39.234"));
    CHECK(group("test-pcm.local") == parse_group("239.235.37.17"));
    CHECK(group("siglo.local") == parse_group("239.108.155.32"));
    CHECK(group("siglo-pcm.local") == parse_group("239.210.211.187"));
    CHECK(group("siglo-fm.local") == parse_group("239.0.158.112"));
    CHECK(group("wspr-pcm.local") == parse_group("239.107.139.201"));
    CHECK(group("239.1.2.3.local") == parse_group("239.100.76.168"));
    CHECK(group("239.4.5.6") == parse_group("239.204.151.112"));
    CHECK(group_of_name("") == 0);
    CHECK(status_group_of_name("siglo") == group_of_name("siglo.local"));
    CHECK(status_group_of_name("siglo.local") == group_of_name("siglo.local"));
}

TEST_CASE("no name's group shares an Ethernet address with the routing protocols'", "[address]") {
    for (int i = 0; i < 200'000; ++i) REQUIRE((group_of_name(std::to_string(i)) & 0x007F'FF00) != 0);
}

TEST_CASE("a radio's name may carry port and interface", "[address]") {
    const auto plain = parse_radio_name("hf");
    REQUIRE(plain);
    CHECK(plain->host == "hf.local");
    CHECK(plain->port == 0);
    const auto full = parse_radio_name("hf.example.org:5106,eth1");
    REQUIRE(full);
    CHECK(full->host == "hf.example.org");
    CHECK(full->port == 5106);
    CHECK(full->interface == "eth1");
    const auto literal = parse_radio_name("239.1.2.3,lo");
    REQUIRE(literal);
    CHECK(literal->literal == parse_group("239.1.2.3"));
    for (const char* bad : {"", ",lo", ":5006", "hf:", "hf:0", "hf:70000", "hf:x"}) {
        INFO(bad);
        CHECK_FALSE(parse_radio_name(bad));
    }
}

TEST_CASE("channel numbers are those that ka9q-python derives", "[ssrc]") {
    CHECK(allocate_ssrc({10.0e6, "iq", 16000, false, 0, "", 0, ""}) == 859028527);
    CHECK(allocate_ssrc({14.074e6, "usb", 12000, false, 0, "", 0, ""}) == 799668327);
    CHECK(allocate_ssrc({14.074e6, "USB", 12000, true, 3.14159, "239.1.2.3", 4, "radiod.local"}) == 561682680);
    CHECK(allocate_ssrc({0.997e6, "iq", 16000, false, 0, "", 4, "239.108.155.32"}) == 1857452879);
}

TEST_CASE("a client's group is the one that ka9q-python derives", "[ssrc]") {
    const auto group = [](std::string_view id, std::string_view host) {
        return Endpoint::from_v4(group_of_client(id, host), 0);
    };
    CHECK(group("my-weather-app", "") == parse_group("239.122.139.209"));
    CHECK(group("hf-timestd", "sdr1.local") == parse_group("239.251.37.31"));
    CHECK(group("hf-timestd", "sdr2.local") == parse_group("239.162.214.64"));
}

TEST_CASE("SHA-256 agrees with the standard's examples", "[sha256]") {
    const auto hex = [](std::string_view message) {
        const auto digest = sha256(message);
        return std::vector<std::uint8_t>(digest.begin(), digest.end());
    };
    CHECK(hex("abc") == from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(hex("") == from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          from_hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    CHECK(hex(std::string(1'000'000, 'a')) ==
          from_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}
