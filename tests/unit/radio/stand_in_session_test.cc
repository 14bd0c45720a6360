// SPDX-License-Identifier: MIT
// The stand-in radiod through the real one's session: the commands that made, changed, parked, moved and ended channel
// 20001, and two spectra beside it, at the times at which they came. What it sends to the channel's group is held
// against the recorded train to its end, and each of its replies against the real one's, field by field.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "engine/radio/command.h"
#include "engine/wire/rtp.h"
#include "tests/radio/check_field.h"
#include "tests/radio/stand_in.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"
#include "tests/vectors/radiod_edges.h"
#include "tests/vectors/radiod_train.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using namespace hawser::radio_tests;
using vectors::from_hex;
using F = RadioField;
namespace golden = vectors::radiod;

namespace {

// Of the session (tests/vectors/README.md), since the train's first packet, which came at the end of a block.
struct Said {
    std::int64_t at_us;
    const char* hex;
};
constexpr Said session[] = {
    {-12'600, golden::create_usb.hex},
    {587'700, golden::restart_iq.hex},
    {1'188'000, "0101044444444512024e216b010100"},            // S16LE
    {1'588'200, "0101044444444612024e2155037573626b010a00"},  // usb, mu-law
    {1'988'400, "0101044444444712024e216b010600"},            // F16LE
    {2'388'600, "0101044444444812024e216b010800"},            // F32BE
    {2'788'900, "0101044444444912024e216b010300"},            // Opus
    {3'289'100, golden::edges.hex},
    {3'689'300, golden::park.hex},
    {4'189'700, "0101045555555612024e212108412e78c80000000000"},  // back
    {4'690'000, golden::new_dest.hex},
    {5'190'300, golden::create_spectrum.hex},
    {5'691'400, "010104666666671202753100"},  // asks it
    {5'991'600, golden::create_byte_spectrum.hex},
    {6'592'100, "010104666666691202753200"},
    {6'992'300, golden::end_soon.hex},
};
constexpr Duration block = 20_ms;
constexpr Instant start{1'000'000'000};
constexpr std::uint32_t ssrc = 20001;

struct Sent {
    Instant at;
    StandIn::Datagram datagram;
};

// The real one had given payload types from 77 on to other channels' formats. The first command changes the rate, and
// with that restart the type stays what it was.
void give_types(StandIn& radiod, Instant& now, std::span<const char* const> encodings) {
    for (const char* encoding : encodings) {
        Command c;
        REQUIRE(c.put_text("channel.preset", "iq"));
        REQUIRE(c.put_text("output.samprate", "16000"));
        REQUIRE(c.put_text("output.encoding", encoding));
        REQUIRE(c.put_text("channel.lifetime", "4"));
        std::array<std::uint8_t, command_packet_bytes_max> room;
        radiod.on_command(build_command(room, 1, 999, c.elements()), now);
        now = now + block * 2;
        radiod.run(now);
    }
    now = now + block * 10;
    radiod.run(now);
    REQUIRE(radiod.channel_count() == 0);
    static_cast<void>(radiod.take_sent());
}

// Everything that the stand-in sends, each block's at its time.
std::vector<Sent> play(const StandInOptions& options, std::span<const char* const> others,
                       std::span<const Said> commands) {
    StandIn radiod(options, start);
    Instant now = start;
    give_types(radiod, now, others);
    const Instant first = now + block;
    std::vector<Sent> sent;
    const auto run_until = [&](Instant end) {
        for (; radiod.next_deadline() <= end; radiod.run(now)) {
            for (auto& datagram : radiod.take_sent()) sent.push_back({now, std::move(datagram)});
            now = radiod.next_deadline();
        }
        for (auto& datagram : radiod.take_sent()) sent.push_back({now, std::move(datagram)});
        now = end;
    };
    for (const Said& said : commands) {
        run_until(first + Duration{said.at_us * 1000});
        radiod.on_command(from_hex(said.hex), now);
    }
    run_until(first + 12_s);
    for (Sent& s : sent) s.at = start + (s.at - first);
    CHECK(radiod.dropped_commands() == 0);
    CHECK(radiod.channel_count() == 0);  // their lifetimes are over
    return sent;
}
std::vector<Sent> play_session(const StandInOptions& options) {
    constexpr const char* others[] = {"s16be", "f32le", "s16le", "f32be", "f16le", "f16be"};  // 77 to 81
    return play(options, others, session);
}

}  // namespace

TEST_CASE("the stand-in's channel lives as the real one did, packet for packet to its end", "[stand-in]") {
    const StandInOptions options;
    const auto sent = play_session(options);
    std::size_t i = 0;
    for (const Sent& s : sent) {
        if (s.datagram.to == options.status_group) continue;
        if (s.datagram.to.port == 5004 && wire::RtpPacket::over(s.datagram.bytes)->ssrc() != ssrc) continue;
        REQUIRE(i < std::size(golden::train));
        const auto& row = golden::train[i];
        INFO("row " << i << " of the train, " << row.at_us << " us");
        // The real one's generator fills its blocks in chunks, up to 4 ms early, and its machine was late at times.
        CHECK((s.at - start).us() - std::int64_t{row.at_us} <= 4000);
        CHECK(std::int64_t{row.at_us} - (s.at - start).us() <= 13'000);
        REQUIRE((s.datagram.to.port == 5006) == (row.samprate != 0));
        CHECK(s.datagram.to.v4() == (row.at_us < 4'700'000 ? options.data_group.v4() : 0xEF4D0102));
        if (row.samprate != 0) {
            Status status;
            REQUIRE_FALSE(decode_status(s.datagram.bytes, status));
            CHECK(status.output.timesnap == row.timestamp);
            CHECK(static_cast<unsigned>(status.output.encoding) == row.payload_bytes);
            CHECK(status.output.samprate == row.samprate);
            CHECK(status.output.channels == row.channels);
            CHECK(status.output.payload_type == row.payload_type);
        } else {
            const auto packet = wire::RtpPacket::over(s.datagram.bytes);
            CHECK(packet->marker() == row.marker);
            CHECK(packet->payload_type() == row.payload_type);
            CHECK(packet->sequence().raw() == row.sequence);
            CHECK(packet->timestamp().raw() == row.timestamp);
            // What an Opus frame takes is its encoder's.
            if (row.payload_type != 111) CHECK(packet->payload().size() == row.payload_bytes);
        }
        ++i;
    }
    CHECK(i == std::size(golden::train));
}

namespace {

// What comes of the antenna, the clock or an audio encoder, and so is another figure in each.
const std::set<F> measured{F::gps_time,      F::input_samples, F::if_power,      F::noise_density, F::baseband_power,
                           F::output_level,  F::description,   F::gain,          F::bin_data,      F::bin_byte_data,
                           F::spectrum_base, F::spectrum_step, F::opus_bandwidth};

void check_reply(const golden::Packet& real, Bytes ours, const std::set<F>& not_ours = {}) {
    INFO(real.name);
    Status status;
    REQUIRE_FALSE(decode_status(ours, status));
    CHECK(numbers_of(ours) == numbers_of(from_hex(real.hex)));
    for (const golden::Field& field : real.fields) {
        const auto number = static_cast<F>(field.number);
        if (number == F::noise_bw)  // by a window's figures
            CHECK(status.spectrum.noise_bw == Approx(std::strtod(field.value, nullptr)).epsilon(1e-5));
        else if (measured.count(number) + not_ours.count(number) == 0)
            check_field(status, number, field.value);
    }
}

// On the status group, by their commands' tags.
std::map<std::uint32_t, std::vector<std::uint8_t>> replies_in(const std::vector<Sent>& sent, const Endpoint& group) {
    std::map<std::uint32_t, std::vector<std::uint8_t>> replies;
    for (const Sent& s : sent) {
        if (s.datagram.to != group) continue;
        Status status;
        REQUIRE_FALSE(decode_status(s.datagram.bytes, status));
        CHECK(replies.emplace(status.channel.tag, s.datagram.bytes).second);
    }
    return replies;
}
const std::vector<std::uint8_t>& reply_to(const std::map<std::uint32_t, std::vector<std::uint8_t>>& replies,
                                          const golden::Packet& real) {
    Status status;
    REQUIRE_FALSE(decode_status(from_hex(real.hex), status));
    REQUIRE(replies.count(status.channel.tag) == 1);
    return replies.at(status.channel.tag);
}

}  // namespace

TEST_CASE("the stand-in's replies through the session are the real one's in every field that is not measured",
          "[stand-in]") {
    const StandInOptions options;
    const auto replies = replies_in(play_session(options), options.status_group);
    REQUIRE(replies.size() == std::size(session));
    const golden::Packet real[] = {
        golden::created_usb, golden::restarted_iq,     golden::mulaw,         golden::opus,
        golden::parked,      golden::spectrum_created, golden::spectrum_bins, golden::byte_spectrum_bins,
        golden::ending};
    for (const golden::Packet& packet : real) check_reply(packet, reply_to(replies, packet));
}

TEST_CASE("the stand-in makes of edge cases what the real one made of them", "[stand-in]") {
    StandInOptions options;
    options.status_group = Endpoint::from_v4(0xEFBC0B60, 5006);
    options.data_group = Endpoint::from_v4(0xEFC2757B, 5004);
    options.source_port = 46'243;
    options.ttl = 1;
    constexpr const char* others[] = {"s16be", "f32le"};  // 77
    std::vector<Said> said;
    for (const golden::Exchange& e : golden::edges_of_600440)
        said.push_back({std::int64_t{e.block} * 20'000 - 10'000, e.command});
    const auto replies = replies_in(play(options, others, said), options.status_group);
    REQUIRE(replies.size() == std::size(golden::edges_of_600440));
    std::uint64_t commands = 0;
    for (const golden::Exchange& e : golden::edges_of_600440) {
        INFO(e.command);
        auto as_status = from_hex(e.command);
        as_status[0] = 0;
        Status command, reply;
        REQUIRE_FALSE(decode_status(as_status, command));
        REQUIRE(replies.count(command.channel.tag) == 1);
        REQUIRE_FALSE(decode_status(replies.at(command.channel.tag), reply));
        CHECK(reply.channel.commands == ++commands);
        CHECK(reply.output.payload_type == e.reply.payload_type);
        CHECK(static_cast<unsigned>(reply.output.encoding) == e.reply.encoding);
        CHECK(reply.output.samprate == e.reply.samprate);
        CHECK(reply.output.channels == e.reply.channels);
        CHECK(static_cast<unsigned>(reply.channel.demod_type) == e.reply.demod);
        CHECK(reply.output.packets == e.reply.packets);
        CHECK(reply.output.timesnap == e.reply.snapshot);
    }
    // Statuses on the data group were more there, at 0 Hz; the demodulator's figures are of what it hears.
    const std::set<F> not_ours{F::output_metadata_packets, F::freq_offset, F::peak_deviation, F::deemph_gain,
                               F::fm_snr};
    for (const golden::Packet& packet : {golden::unknown_preset, golden::usb_forced_fm, golden::agc_off})
        check_reply(packet, reply_to(replies, packet), not_ours);
}

TEST_CASE("the stand-in tells of configured channels what the real one told", "[stand-in]") {
    // As the session's radiod had them in its configuration; what is counted began long before.
    struct Configured {
        const golden::Packet& real;
        std::vector<std::pair<const char*, const char*>> settings;
    };
    const Configured configured[] = {
        {golden::am_polled, {{"channel.preset", "am"}, {"channel.frequency", "1m0"}, {"output.dest", "239.50.139.17"}}},
        {golden::iq_static,
         {{"channel.preset", "iq"},
          {"channel.frequency", "999k0"},
          {"output.samprate", "16000"},
          {"output.encoding", "f32le"},
          {"output.dest", "239.120.101.69"}}},
        {golden::opus_static,
         {{"channel.preset", "usb"},
          {"channel.frequency", "998k0"},
          {"output.samprate", "24000"},
          {"output.encoding", "opus"},
          {"output.dest", "239.130.143.130"}}},
        {golden::fm_unsolicited,
         {{"channel.preset", "fm"},
          {"channel.frequency", "800k0"},
          {"squelch.open", "-999"},
          {"squelch.close", "-1000"},
          {"output.dest", "239.0.158.112"}}},
    };
    const std::set<F> not_ours{F::command_tag,         F::cmd_cnt,        F::output_metadata_packets,
                               F::output_data_packets, F::output_samples, F::rtp_timesnap,
                               F::freq_offset,         F::peak_deviation, F::fm_snr};
    const StandInOptions options;
    StandIn radiod(options, start);
    Instant now = start;
    for (const Configured& channel : configured) {
        Status real;
        REQUIRE_FALSE(decode_status(from_hex(channel.real.hex), real));
        Command c;
        for (const auto& [field, value] : channel.settings) REQUIRE(c.put_text(field, value));
        std::array<std::uint8_t, command_packet_bytes_max> room;
        radiod.on_command(build_command(room, 1, real.channel.ssrc, c.elements()), now);
        now = now + block * 2;
        radiod.run(now);
        // A restart's reply is of before it: that to another command is of now.
        radiod.on_command(build_command(room, 2, real.channel.ssrc, Command().elements()), now);
        now = now + block * 2;
        radiod.run(now);
        std::vector<std::uint8_t> last;
        for (const auto& sent : radiod.take_sent())
            if (sent.to == options.status_group) last = sent.bytes;
        auto excepted = not_ours;
        // A channel of the configuration has its type from the beginning; here it began with a restart.
        if (real.output.samprate != 12'000) excepted.insert(F::rtp_pt);
        check_reply(channel.real, last, excepted);
    }
}
