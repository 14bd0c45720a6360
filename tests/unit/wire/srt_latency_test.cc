// SPDX-License-Identifier: MIT
// The latency in handshakes that libsrt wrote.
#include "engine/wire/srt_latency.h"

#include <catch2/catch.hpp>

#include "tests/vectors/hex.h"
#include "tests/vectors/libsrt.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace golden = vectors::libsrt;

namespace {

std::optional<SrtLatency> latency_of(Bytes bytes) { return handshake_latency(*SrtPacket::over(bytes)); }

}  // namespace

TEST_CASE("conclusions tell the latency asked for and kept", "[latency]") {
    for (const char* hex : {golden::conclusion_request, golden::conclusion_reply}) {
        const auto latency = latency_of(from_hex(hex));
        REQUIRE(latency);
        CHECK(latency->receiving_ms == 300);
        CHECK(latency->sending_ms == 300);
        CHECK(latency->delivers_by_time);
        CHECK(latency->drops_late);
    }
}

TEST_CASE("the receiver's delay is the first half of its word, the flag one bit", "[latency]") {
    auto bytes = from_hex(golden::conclusion_reply);
    bytes[76] = 0x01;
    bytes[77] = 0x02;
    bytes[75] &= 0xFD;
    const auto latency = latency_of(bytes);
    REQUIRE(latency);
    CHECK(latency->receiving_ms == 0x0102);
    CHECK(latency->sending_ms == 300);
    CHECK_FALSE(latency->delivers_by_time);
    CHECK(latency->drops_late);
    bytes[75] &= 0xF7;
    CHECK_FALSE(latency_of(bytes)->drops_late);
}

TEST_CASE("inductions and other packets tell none", "[latency]") {
    for (const char* hex :
         {golden::induction_request, golden::induction_reply, golden::ack_full, golden::keepalive, golden::data_first})
        CHECK_FALSE(latency_of(from_hex(hex)));
}

TEST_CASE("a block may stand behind others, and a cut or short one is none", "[latency]") {
    const auto bytes = from_hex(golden::conclusion_reply);
    for (std::size_t length = handshake_bytes_min; length < bytes.size(); ++length)
        CHECK_FALSE(latency_of(Bytes(bytes).first(length)));
    auto later = from_hex(golden::conclusion_reply);
    const auto stream_id = from_hex("000500016162636400060000");
    later.insert(later.begin() + handshake_bytes_min, stream_id.begin(), stream_id.end());
    CHECK(latency_of(later));
    auto short_block = bytes;
    short_block[67] = 2;  // two words where three are needed
    CHECK_FALSE(latency_of(Bytes(short_block).first(76)));
    auto refused = bytes;
    refused[36] = 0;
    refused[37] = 0;
    refused[38] = 0x03;
    refused[39] = 0xEA;
    CHECK_FALSE(latency_of(refused));
}
