// SPDX-License-Identifier: MIT
// The stand-in radiod held against what the real one answered to the same commands.
#include "tests/radio/stand_in.h"

#include <catch2/catch.hpp>
#include <set>

#include "engine/radio/command.h"
#include "engine/wire/radio_tlv.h"
#include "engine/wire/rtp.h"
#include "tests/radio/check_field.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"
#include "tests/vectors/radiod_train.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using namespace hawser::radio_tests;
using vectors::from_hex;
using F = RadioField;
namespace golden = vectors::radiod;

namespace {

constexpr Instant start{1'000'000'000};

bool is_status(const StandIn::Datagram& sent) { return sent.to.port == 5006; }

struct Rig {
    explicit Rig(StandInOptions with = {}) : options(std::move(with)), radiod(options, start) {}
    StandInOptions options;
    StandIn radiod;
    Instant now = start;

    // Everything sent within the time.
    std::vector<StandIn::Datagram> pass(Duration time) {
        now = now + time;
        radiod.run(now);
        return radiod.take_sent();
    }
    void command(const char* hex) { radiod.on_command(from_hex(hex), now); }
    void command(std::uint32_t tag, std::uint32_t ssrc, const Command& c) {
        std::array<std::uint8_t, command_packet_bytes_max> room;
        radiod.on_command(build_command(room, tag, ssrc, c.elements()), now);
    }
    // The replies on the status group.
    std::vector<std::vector<std::uint8_t>> replies(Duration time) {
        std::vector<std::vector<std::uint8_t>> found;
        for (auto& sent : pass(time))
            if (sent.to == options.status_group) found.push_back(std::move(sent.bytes));
        return found;
    }
};

// What the real radiod's reply and the stand-in's must agree in: everything but what is measured or counted.
void check_alike(const golden::Packet& real, Bytes ours) {
    INFO(real.name);
    const auto real_bytes = from_hex(real.hex);
    CHECK(numbers_of(ours) == numbers_of(real_bytes));
    Status a, b;
    REQUIRE_FALSE(decode_status(real_bytes, a));
    REQUIRE_FALSE(decode_status(ours, b));
    const std::set<F> measured{F::gps_time,
                               F::second_lo_frequency,
                               F::input_samples,
                               F::if_power,
                               F::noise_density,
                               F::baseband_power,
                               F::output_level,
                               F::description,
                               F::noise_bw,
                               F::bin_data,
                               F::bin_byte_data,
                               F::spectrum_base,
                               F::spectrum_step,
                               F::spectrum_fft_n,
                               F::cmd_cnt,
                               F::output_metadata_packets,
                               F::output_data_packets,
                               F::output_samples,
                               F::output_data_dest_socket,
                               F::rtp_timesnap,
                               F::gain,
                               F::freq_offset,
                               F::peak_deviation,
                               F::rtp_pt,
                               F::opus_bandwidth,
                               F::low_edge,
                               F::high_edge,
                               F::output_samprate,
                               F::output_channels};
    for (const wire::RadioFieldRow& row : wire::radio_fields) {
        if (measured.count(row.field) != 0) continue;
        INFO(row.name);
        CHECK(format_value(row.field, value_of(a, row.field)) == format_value(row.field, value_of(b, row.field)));
    }
    if (!is_spectrum(a.channel.demod_type)) {
        CHECK(a.filter.low_edge == b.filter.low_edge);
        CHECK(a.output.samprate == b.output.samprate);
        CHECK(a.output.payload_type == b.output.payload_type);
    }
}

}  // namespace

TEST_CASE("the stand-in's replies are the real one's, field by field and in their order", "[stand-in]") {
    Rig rig;
    rig.pass(7300_us);
    const auto reply_to = [&](const char* command) {
        rig.command(command);
        auto found = rig.replies(40_ms);
        REQUIRE_FALSE(found.empty());
        return found[0];
    };
    check_alike(golden::created_usb, reply_to(golden::create_usb.hex));
    check_alike(golden::restarted_iq, reply_to(golden::restart_iq.hex));
    // usb, mu-law; Opus: as the session's commands had them.
    Command mulaw, opus;
    REQUIRE(mulaw.put_text("preset", "usb"));
    REQUIRE(mulaw.put_text("output.encoding", "mulaw"));
    rig.command(0x44444446, 20001, mulaw);
    const auto mulaw_reply = rig.replies(40_ms).at(0);
    Status status;
    REQUIRE_FALSE(decode_status(mulaw_reply, status));
    CHECK(status.output.encoding == Encoding::mulaw);
    CHECK(status.channel.lifetime == 500);
    REQUIRE(opus.put_text("output.encoding", "opus"));
    rig.command(0x44444449, 20001, opus);
    check_alike(golden::opus, rig.replies(40_ms).at(0));
    check_alike(golden::spectrum_created, reply_to(golden::create_spectrum.hex));
}

TEST_CASE("a reply comes 20 to 40 ms after its command, a new channel's within a block", "[stand-in]") {
    for (const int phase_ms : {1, 7, 13, 19}) {
        Rig rig;
        rig.pass(Duration{phase_ms * 1'000'000});
        rig.command(golden::create_usb.hex);
        CHECK(rig.replies(Duration{(20 - phase_ms) * 1'000'000 - 1}).empty());
        REQUIRE(rig.replies(1_ns).size() == 1);
        rig.pass(Duration{phase_ms * 1'000'000});
        rig.command(1, 20001, Command());
        CHECK(rig.replies(Duration{(40 - phase_ms) * 1'000'000 - 1}).empty());
        CHECK(rig.replies(1_ns).size() == 1);
    }
}

TEST_CASE("of six commands in one block two are executed, the others leave no trace", "[stand-in]") {
    Rig rig;
    rig.command(golden::create_usb.hex);
    rig.pass(100_ms);
    for (std::uint32_t i = 0; i < 6; ++i) rig.command(0x100 + i, 20001, Command());
    const auto found = rig.replies(200_ms);
    REQUIRE(found.size() == 2);
    Status status;
    REQUIRE_FALSE(decode_status(found[1], status));
    CHECK(status.channel.tag == 0x101);
    CHECK(status.channel.commands == 3);
    CHECK(rig.radiod.dropped_commands() == 4);
}

TEST_CASE("a poll of all is answered four channels a block, with each one's last tag", "[stand-in]") {
    Rig rig({.media = false});
    for (std::uint32_t i = 1; i <= 9; ++i) rig.command(i, 1000 + i, Command());
    rig.pass(100_ms);
    rig.command(golden::poll_all.hex);
    CHECK(rig.replies(20_ms).size() == 4);
    CHECK(rig.replies(20_ms).size() == 4);
    const auto last = rig.replies(20_ms);
    REQUIRE(last.size() == 1);
    Status status;
    REQUIRE_FALSE(decode_status(last[0], status));
    CHECK(status.channel.tag == 9);
    CHECK(status.channel.commands == 1);
}

TEST_CASE("SSRC 0 and none are nobody; without the end mark the last element is lost", "[stand-in]") {
    Rig rig;
    rig.command("01010105120000");
    rig.command("0101010600");
    rig.command("0101045ff11c83120203e8");  // the SSRC is the last element
    CHECK(rig.radiod.channel_count() == 0);
    rig.command("01120203e801044b7775ee");  // the tag is
    const auto found = rig.replies(40_ms);
    REQUIRE(found.size() == 1);
    Status status;
    REQUIRE_FALSE(decode_status(found[0], status));
    CHECK(status.channel.ssrc == 1000);
    CHECK(status.channel.tag == 0);
    CHECK(status.channel.frequency == 0);
}

TEST_CASE("a lifetime counts blocks, starts again with each command, and ends without a word", "[stand-in]") {
    Rig rig;
    Command brief;
    REQUIRE(brief.put_text("lifetime", "10"));
    rig.command(1, 7, brief);
    rig.pass(160_ms);
    REQUIRE(rig.radiod.has(7));
    rig.command(2, 7, Command());
    rig.pass(200_ms);
    CHECK(rig.radiod.has(7));
    rig.pass(40_ms);
    CHECK_FALSE(rig.radiod.has(7));
    CHECK(rig.replies(200_ms).empty());
}

TEST_CASE("the stand-in's stream through a restart has the real one's headers", "[stand-in]") {
    Rig rig({.lifetime = 0});
    std::vector<wire::RtpHeader> ours;
    std::vector<std::size_t> sizes;
    const auto collect = [&](Duration time) {
        for (const auto& sent : rig.pass(time)) {
            if (is_status(sent)) continue;
            const auto packet = wire::RtpPacket::over(sent.bytes);
            ours.push_back(packet->header());
            sizes.push_back(packet->payload().size());
        }
    };
    rig.command(golden::create_usb.hex);
    collect(600_ms);  // and the block that ends with the command makes 31 packets, as in the real session
    rig.command(golden::restart_iq.hex);
    collect(200_ms);
    std::size_t i = 0;
    for (const auto& row : golden::train) {
        if (row.samprate != 0) continue;
        if (i == 31 + 12) break;
        REQUIRE(i < ours.size());
        INFO("packet " << i);
        CHECK(ours[i].marker == row.marker);
        CHECK(ours[i].sequence.raw() == row.sequence);
        CHECK(ours[i].payload_type == row.payload_type);
        CHECK(ours[i].timestamp.raw() == row.timestamp);
        CHECK(sizes[i] == row.payload_bytes);
        ++i;
    }
    CHECK(i == 43);
}

TEST_CASE("what a squelch mutes is not sent, and the first packet after it is marked", "[stand-in]") {
    Rig rig;
    rig.command(golden::create_usb.hex);
    rig.pass(100_ms);
    rig.radiod.set_muted(true);
    std::size_t media = 0;
    for (const auto& sent : rig.pass(400_ms)) media += is_status(sent) ? 0 : 1;
    CHECK(media == 0);
    rig.radiod.set_muted(false);
    const auto sent = rig.pass(20_ms);
    REQUIRE_FALSE(sent.empty());
    const auto packet = wire::RtpPacket::over(sent[0].bytes);
    REQUIRE(packet);
    CHECK(packet->marker());
    CHECK(packet->sequence().raw() == 5);
    CHECK(packet->timestamp().raw() == 0u - 240 + 25 * 240);
}
