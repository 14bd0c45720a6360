// SPDX-License-Identifier: MIT
#include "engine/wire/rtp.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "engine/wire/radio_tlv.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace golden = vectors::radiod;

TEST_CASE("radiod's RTP headers are read from their places", "[rtp]") {
    const auto first = from_hex(golden::rtp_first);
    const auto packet = RtpPacket::over(first);
    REQUIRE(packet);
    CHECK(packet->marker());
    CHECK(packet->payload_type() == 122);
    CHECK(packet->sequence() == RtpSequence(0));
    CHECK(packet->timestamp() == RtpTime(4294967056u));
    CHECK(packet->ssrc() == 20001);
    CHECK(packet->payload().size() == 480);

    const auto iq_bytes = from_hex(golden::rtp_iq);
    const auto iq = RtpPacket::over(iq_bytes);
    REQUIRE(iq);
    CHECK_FALSE(iq->marker());
    CHECK(iq->payload_type() == 77);
    CHECK(iq->sequence() == RtpSequence(18234));
    CHECK(iq->timestamp() == RtpTime(2'917'120));
    CHECK(iq->ssrc() == 999);
    CHECK(iq->payload().size() == 180 * 8);

    const auto opus_bytes = from_hex(golden::rtp_opus);
    const auto opus = RtpPacket::over(opus_bytes);
    REQUIRE(opus);
    CHECK_FALSE(opus->marker());
    CHECK(opus->payload_type() == 111);
    CHECK(opus->sequence() == RtpSequence(9116));
    CHECK(opus->timestamp() == RtpTime(8'750'880));
    CHECK(opus->ssrc() == 998);
    CHECK(opus->payload().size() == 68);
}

TEST_CASE("radiod's RTCP is no medium, whoever reads it", "[rtp]") {
    const auto bytes = from_hex(golden::rtcp_report);
    REQUIRE(bytes.size() == 104);
    // As the reference annotates it (RFC 3550 section 6.4.1): version 2, no blocks, type SR, 7 words; who; NTP time;
    // the RTP timestamp, packets and octets, which radiod leaves at 0 for a channel that has just begun.
    CHECK(load_be16(bytes.data()) == 0x80C8);
    CHECK(load_be16(bytes.data() + 2) == 6);
    CHECK(load_be32(bytes.data() + 4) == 990);
    constexpr std::uint32_t ntp_epoch_unix_s = 2'208'988'800;  // 1900 to 1970
    CHECK(load_be32(bytes.data() + 8) - ntp_epoch_unix_s == 1'795'217'541);
    CHECK(load_be32(bytes.data() + 12) == 0xBD9D5C31);  // 0.7407 s, as the capture's clock says
    for (const std::size_t at : {16u, 20u, 24u}) CHECK(load_be32(bytes.data() + at) == 0);
    // The description behind it: one source, 19 words; its name, program, mail and tool; one byte ends them, padded.
    CHECK(load_be16(bytes.data() + 28) == 0x81CA);
    CHECK(load_be16(bytes.data() + 30) == 18);
    CHECK(load_be32(bytes.data() + 32) == 990);
    std::vector<std::string> items;
    std::size_t at = 36;
    for (const int kind : {1, 2, 3, 6}) {
        REQUIRE(bytes.at(at) == kind);
        items.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                           bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2 + bytes.at(at + 1));
        at += 2 + std::size_t{bytes[at + 1]};
    }
    CHECK(items == std::vector<std::string>{"radio@vm", "KA9Q Radio Program", "karn@ka9q.net", "KA9Q Radio Program"});
    CHECK(std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), [](auto b) { return b == 0; }));

    CHECK_FALSE(RtpPacket::over(bytes));
    CHECK_FALSE(RtpPacket::over(Bytes(bytes).subspan(28)));
    CHECK_FALSE(RadioReader::over(bytes));
    // The neighbours of its types are media's.
    auto other = bytes;
    for (const int second : {199, 205, 72, 76}) {
        other[1] = static_cast<std::uint8_t>(second);
        REQUIRE(RtpPacket::over(other));
        CHECK(RtpPacket::over(other)->payload_type() == (second & 0x7F));
    }
}

TEST_CASE("a header is written as radiod writes it", "[rtp]") {
    for (const char* hex : {golden::rtp_first, golden::rtp_iq, golden::rtp_opus}) {
        const auto bytes = from_hex(hex);
        const auto written = build_rtp_header(RtpPacket::over(bytes)->header());
        CHECK(std::equal(written.begin(), written.end(), bytes.begin()));
    }
}

TEST_CASE("contributing sources, extension and padding are no payload", "[rtp]") {
    const std::string_view fixed = "7a000100000002000003e8";
    const auto payload_of = [&](std::string_view first, std::string_view rest) {
        const auto bytes = from_hex(std::string(first) + std::string(fixed) + std::string(rest));
        const auto packet = RtpPacket::over(bytes);
        return packet ? static_cast<int>(packet->payload().size()) : -1;
    };
    CHECK(payload_of("80", "aabb") == 2);
    CHECK(payload_of("80", "") == 0);
    CHECK(payload_of("82", "0000000100000002aabb") == 2);
    CHECK(payload_of("82", "00000001000000") == -1);
    CHECK(payload_of("90", "bede000100000000aabb") == 2);
    CHECK(payload_of("90", "bede0002000000") == -1);
    CHECK(payload_of("90", "bede") == -1);
    CHECK(payload_of("a0", "aabb000003") == 2);
    CHECK(payload_of("a0", "aabb0006") == -1);
    CHECK(payload_of("a0", "aabb0000") == -1);
    CHECK(payload_of("a0", "") == -1);
    CHECK(payload_of("40", "aabb") == -1);
    CHECK_FALSE(RtpPacket::over(from_hex("807a000100000002000003")));
}

TEST_CASE("sequences and media time have distances across their wraps", "[rtp]") {
    CHECK(distance(RtpSequence(65535), RtpSequence(2)) == 3);
    CHECK(distance(RtpSequence(2), RtpSequence(65535)) == -3);
    CHECK(distance(RtpSequence(0), RtpSequence(32768)) == -32768);
    CHECK(distance(RtpTime(4294967056u), RtpTime(0)) == 240);
    CHECK(distance(RtpTime(6960), RtpTime(4294966336u)) == -7920);
    CHECK(RtpTime(4294967056u).plus(240) == RtpTime(0));
    CHECK(RtpSequence(65535).plus(1) == RtpSequence(0));
}
