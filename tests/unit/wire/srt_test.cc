// SPDX-License-Identifier: MIT
// The views of SRT headers against packets that libsrt wrote.
#include "engine/wire/srt.h"

#include <catch2/catch.hpp>

#include "engine/wire/srtla.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/libsrt.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace libsrt = vectors::libsrt;

namespace {

constexpr std::uint32_t caller_id = 0x3D575F15;
constexpr std::uint32_t listener_id = 0x1394966E;
constexpr std::uint32_t initial = 0x1214CFDA;

}  // namespace

TEST_CASE("fifteen bytes are no SRT packet, sixteen are", "[srt]") {
    const auto bytes = from_hex(libsrt::ackack);
    CHECK_FALSE(SrtPacket::over(Bytes()));
    CHECK_FALSE(SrtPacket::over(Bytes(bytes).first(15)));
    REQUIRE(SrtPacket::over(Bytes(bytes).first(16)));
    CHECK(SrtPacket::over(Bytes(bytes).first(16))->body().empty());
}

TEST_CASE("libsrt's data packets show sequence, message and whether they are sent again", "[srt]") {
    const auto first_bytes = from_hex(libsrt::data_first);
    const auto first = SrtPacket::over(first_bytes);
    REQUIRE(first);
    CHECK(first->is_data());
    CHECK(first->sequence() == Seq31(initial));
    CHECK(first->message_number() == 1);
    CHECK_FALSE(first->is_retransmission());
    CHECK(first->destination() == listener_id);
    CHECK(first->timestamp_us() == 0x000F4082);
    CHECK(first->body()[0] == 0x47);

    const auto again_bytes = from_hex(libsrt::data_retransmitted);
    const auto again = SrtPacket::over(again_bytes);
    REQUIRE(again);
    CHECK(again->is_data());
    CHECK(again->sequence() == Seq31(initial).plus(49));
    CHECK(again->message_number() == 50);
    CHECK(again->is_retransmission());
}

TEST_CASE("libsrt's control packets are known by type and are no data", "[srt]") {
    const auto [text, type] = GENERATE(table<const char*, SrtControl>({
        {libsrt::induction_request, SrtControl::handshake},
        {libsrt::keepalive, SrtControl::keepalive},
        {libsrt::ack_full, SrtControl::ack},
        {libsrt::nak_single, SrtControl::nak},
        {libsrt::ackack, SrtControl::ackack},
        {libsrt::shutdown, SrtControl::shutdown},
    }));
    const auto bytes = from_hex(text);
    const auto packet = SrtPacket::over(bytes);
    REQUIRE(packet);
    CHECK_FALSE(packet->is_data());
    CHECK(packet->control_type() == type);
    CHECK_FALSE(is_srtla_space(*packet_type(bytes)));
}

TEST_CASE("an SRT ACK tells the next sequence its sender expects", "[srt]") {
    const auto bytes = from_hex(libsrt::ack_full);
    const auto ack = SrtPacket::over(bytes);
    REQUIRE(ack);
    CHECK(ack->control_info() == 1);
    CHECK(ack->destination() == caller_id);
    CHECK(ack_next_expected(*ack) == Seq31(initial).plus(2));
    // A light ACK has one word, less is none.
    CHECK(ack_next_expected(*SrtPacket::over(Bytes(bytes).first(20))));
    CHECK_FALSE(ack_next_expected(*SrtPacket::over(Bytes(bytes).first(19))));
    CHECK_FALSE(ack_next_expected(*SrtPacket::over(Bytes(bytes).first(16))));
}

TEST_CASE("libsrt's handshakes show version, request, first sequence and socket", "[srt]") {
    struct Expected {
        const char* text;
        std::uint32_t version;
        std::uint16_t extension;
        std::int32_t request;
        std::uint32_t socket;
        std::uint32_t destination;
    };
    const auto expected = GENERATE(values<Expected>({
        {libsrt::induction_request, 4, 2, handshake_induction, caller_id, 0},
        {libsrt::induction_reply, 5, 0x4A17, handshake_induction, caller_id, caller_id},
        {libsrt::conclusion_request, 5, 5, handshake_conclusion, caller_id, 0},
        {libsrt::conclusion_reply, 5, 1, handshake_conclusion, listener_id, caller_id},
    }));
    const auto bytes = from_hex(expected.text);
    const auto packet = SrtPacket::over(bytes);
    REQUIRE(packet);
    CHECK(packet->destination() == expected.destination);
    const auto handshake = Handshake::over(*packet);
    REQUIRE(handshake);
    CHECK(handshake->version() == expected.version);
    CHECK(handshake->extension_field() == expected.extension);
    CHECK(handshake->request_type() == expected.request);
    CHECK(handshake->initial_sequence() == Seq31(initial));
    CHECK(handshake->socket_id() == expected.socket);
}

TEST_CASE("what is short or no handshake has no handshake's fields", "[srt]") {
    const auto whole = from_hex(libsrt::induction_request);
    REQUIRE(whole.size() == handshake_bytes_min);
    CHECK_FALSE(Handshake::over(*SrtPacket::over(Bytes(whole).first(handshake_bytes_min - 1))));
    auto other = whole;
    other[1] = 0x01;  // a keepalive of the same length
    CHECK_FALSE(Handshake::over(*SrtPacket::over(other)));
    other[0] = 0x00;  // data
    other[1] = 0x00;
    CHECK_FALSE(Handshake::over(*SrtPacket::over(other)));
}
