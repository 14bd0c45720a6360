// SPDX-License-Identifier: MIT
// SRTLA's packets against the bytes of the public peers.
#include "engine/wire/srtla.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/vectors/hex.h"
#include "tests/vectors/srtla.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace golden = vectors::srtla;

namespace {

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Telemetry sample() {
    Telemetry t;
    t.connection = 42;
    t.window = 25000;
    t.in_flight = 8;
    t.rtt_ms = 120;
    t.naks = 5;
    t.bytes_per_second = 2'500'000;
    return t;
}

}  // namespace

TEST_CASE("a type takes two bytes", "[srtla]") {
    CHECK_FALSE(packet_type(Bytes()));
    const std::uint8_t one[] = {0x90};
    CHECK_FALSE(packet_type(one));
    CHECK(packet_type(from_hex(golden::keepalive_bare)) == static_cast<std::uint16_t>(SrtlaType::keepalive));
    CHECK(packet_type(from_hex(golden::reg3)) == static_cast<std::uint16_t>(SrtlaType::reg3));
    CHECK(packet_type(from_hex(golden::reg_err)) == static_cast<std::uint16_t>(SrtlaType::reg_err));
    CHECK(packet_type(from_hex(golden::reg_ngp)) == static_cast<std::uint16_t>(SrtlaType::reg_ngp));
}

TEST_CASE("only 9xxx and Axxx are SRTLA's space", "[srtla]") {
    CHECK(is_srtla_space(0x9000));
    CHECK(is_srtla_space(0x9FFF));
    CHECK(is_srtla_space(0xA001));
    CHECK_FALSE(is_srtla_space(0x8000));
    CHECK_FALSE(is_srtla_space(0x8FFF));
    CHECK_FALSE(is_srtla_space(0xB000));
    CHECK_FALSE(is_srtla_space(0xFFFF));
    CHECK_FALSE(is_srtla_space(0x1000));
}

TEST_CASE("an ACK of ten sequences is the peers' 44 bytes", "[srtla]") {
    SrtlaAckBuilder builder;
    CHECK(builder.empty());
    for (std::uint32_t i = 0; i < srtla_ack_entries; ++i) {
        CHECK_FALSE(builder.full());
        builder.add(Seq31(1000 + i));
    }
    CHECK(builder.full());
    CHECK(builder.bytes().size() == srtla_ack_bytes);
    CHECK(copy(builder.bytes()) == from_hex(golden::ack_1000_to_1009));
    builder.clear();
    builder.add(Seq31(0x7FFF'FFFF));
    CHECK(copy(builder.bytes()) == from_hex("910000007fffffff"));
}

TEST_CASE("an ACK of any count of whole entries is read", "[srtla]") {
    const auto bytes = from_hex(golden::ack_1000_to_1009);
    for (std::size_t entries = 1; entries <= srtla_ack_entries; ++entries) {
        const auto ack = SrtlaAck::over(Bytes(bytes).first(4 + 4 * entries));
        REQUIRE(ack);
        REQUIRE(ack->count() == entries);
        for (std::size_t i = 0; i < entries; ++i) CHECK(ack->at(i) == Seq31(static_cast<std::uint32_t>(1000 + i)));
    }
    CHECK_FALSE(SrtlaAck::over(Bytes(bytes).first(4)));
    CHECK_FALSE(SrtlaAck::over(Bytes(bytes).first(7)));
    CHECK_FALSE(SrtlaAck::over(Bytes(bytes).first(9)));
    CHECK_FALSE(SrtlaAck::over(Bytes(bytes).first(43)));
}

TEST_CASE("an ACK's entry with its top bit set is no sequence", "[srtla]") {
    const auto bytes = from_hex("91000000800000017fffffffffffffff");
    const auto ack = SrtlaAck::over(bytes);
    REQUIRE(ack);
    CHECK_FALSE(ack->at(0));
    CHECK(ack->at(1) == Seq31(0x7FFF'FFFF));
    CHECK_FALSE(ack->at(2));
}

TEST_CASE("an extended keepalive is the Rust peer's 38 bytes", "[srtla]") {
    const auto built = build_keepalive(123456, sample());
    CHECK(copy(built) == from_hex(golden::keepalive_extended));
}

TEST_CASE("an extended keepalive's telemetry is read back", "[srtla]") {
    const auto bytes = from_hex(golden::keepalive_extended);
    CHECK(keepalive_timestamp(bytes) == 123456);
    const auto read = keepalive_telemetry(bytes);
    REQUIRE(read);
    CHECK(read->connection == 42);
    CHECK(read->window == 25000);
    CHECK(read->in_flight == 8);
    CHECK(read->rtt_ms == 120);
    CHECK(read->naks == 5);
    CHECK(read->bytes_per_second == 2'500'000);
    // A later version appends fields.
    auto longer = bytes;
    longer.resize(60);
    CHECK(keepalive_telemetry(longer));
}

TEST_CASE("a keepalive without the magic, the version or the length has no telemetry", "[srtla]") {
    const auto good = from_hex(golden::keepalive_extended);
    CHECK_FALSE(keepalive_telemetry(Bytes(good).first(37)));
    auto bad = good;
    bad[10] ^= 1;
    CHECK_FALSE(keepalive_telemetry(bad));
    bad = good;
    bad[13] ^= 2;
    CHECK_FALSE(keepalive_telemetry(bad));
    CHECK_FALSE(keepalive_telemetry(from_hex(golden::keepalive_bare)));
}

TEST_CASE("a timestamp takes ten bytes, and a receiver's own keepalive reads as zero", "[srtla]") {
    const auto built = build_keepalive(0x0102030405060708);
    CHECK(copy(built) == from_hex("90000102030405060708"));
    CHECK(keepalive_timestamp(built) == 0x0102030405060708);
    CHECK_FALSE(keepalive_timestamp(Bytes(built).first(9)));
    CHECK_FALSE(keepalive_timestamp(from_hex(golden::keepalive_bare)));
    CHECK(keepalive_timestamp(build_padded(SrtlaType::keepalive)) == 0);
}

TEST_CASE("a registration is its type and the whole key", "[srtla]") {
    GroupKey key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i ^ 0x5A);
    for (const SrtlaType type : {SrtlaType::reg1, SrtlaType::reg2}) {
        const auto built = build_registration(type, key);
        REQUIRE(built.size() == 258);
        CHECK(packet_type(built) == static_cast<std::uint16_t>(type));
        CHECK(std::equal(key.begin(), key.end(), built.begin() + 2));
    }
}

TEST_CASE("a short reply is filled with zeros to 32 bytes", "[srtla]") {
    CHECK(copy(build_padded(SrtlaType::reg_ngp)) == from_hex(golden::reg_ngp_padded));
    CHECK(build_padded(SrtlaType::reg3).size() == 32);
}
