// SPDX-License-Identifier: MIT
#include "engine/wire/rtp.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

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
    CHECK(iq->ssrc() == 999);

    const auto opus_bytes = from_hex(golden::rtp_opus);
    const auto opus = RtpPacket::over(opus_bytes);
    REQUIRE(opus);
    CHECK(opus->payload_type() == 111);
    CHECK(opus->ssrc() == 998);
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
