// SPDX-License-Identifier: MIT
// The flight recorder: what stays of which packets, and of a packet's bytes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "engine/bond/recording.h"
#include "engine/sim/srt_packets.h"
#include "engine/wire/report.h"
#include "engine/wire/srtla.h"

using namespace hawser;
using namespace hawser::literals;

namespace {

constexpr LinkId uplink{3};
constexpr Fate sent{Decision::sent, 7, 43'000'000};

// `places` records, each with so much room for payload.
class Memory {
public:
    Memory(std::size_t places, std::size_t payload_bytes)
        : cells_(places * FlightRecorder::stride(payload_bytes) / sizeof(FlightRecord)) {
        recorder.attach({reinterpret_cast<std::uint8_t*>(cells_.data()), cells_.size() * sizeof(FlightRecord)},
                        payload_bytes);
    }
    FlightRecorder recorder;

private:
    std::vector<FlightRecord> cells_;
};

std::vector<std::uint8_t> data_packet(std::uint32_t sequence, std::size_t payload) {
    std::vector<std::uint8_t> packet(wire::srt_header_bytes + payload, 0xEE);
    std::fill_n(packet.begin(), wire::srt_header_bytes, std::uint8_t{0});
    store_be32(packet.data(), sequence);
    return packet;
}
std::vector<std::uint32_t> sequences(const FlightRecorder& recorder) {
    std::vector<std::uint32_t> out;
    recorder.each([&](const FlightRecord& r, Bytes) { out.push_back(load_be32(r.head.data())); });
    return out;
}
std::vector<std::uint8_t> typed(std::uint16_t type, std::size_t size) {
    std::vector<std::uint8_t> packet(size, 0xEE);
    store_be16(packet.data(), type);
    return packet;
}

}  // namespace

TEST_CASE("without memory nothing is recorded", "[recorder]") {
    FlightRecorder recorder;
    CHECK_FALSE(recorder.is_on());
    bond::record_data(recorder, sent, uplink, data_packet(1, 10), Instant{});
    bond::record(recorder, sent, uplink, data_packet(1, 10), Instant{});
    recorder.hold();
    CHECK(sequences(recorder).empty());
    CHECK_FALSE(recorder.is_held());
    recorder.resume();
    CHECK_FALSE(recorder.is_on());
}

TEST_CASE("a record says when, where, what and why, and keeps the header alone", "[recorder]") {
    Memory memory(4, 0);
    memory.recorder.set_mode(2);
    bond::record_data(memory.recorder, sent, uplink, data_packet(77, 1316), Instant{123});
    memory.recorder.hold();
    int seen = 0;
    memory.recorder.each([&](const FlightRecord& r, Bytes payload) {
        ++seen;
        CHECK(r.at == Instant{123});
        CHECK(r.decision == Decision::sent);
        CHECK(r.mode == 2);
        CHECK(r.link == uplink);
        CHECK(r.length == 1332);
        CHECK(r.number == 7);
        CHECK(r.detail == 43'000'000);
        CHECK(r.head_kept().size() == wire::srt_header_bytes);
        CHECK(payload.empty());
    });
    CHECK(seen == 1);
}

TEST_CASE("the oldest record gives its place, whenever it is looked at", "[recorder]") {
    const std::uint32_t count = GENERATE(0u, 1u, 3u, 4u, 5u, 8u, 9u);
    Memory memory(4, 0);
    for (std::uint32_t i = 0; i < count; ++i)
        bond::record_data(memory.recorder, sent, uplink, data_packet(i, 0), Instant{});
    memory.recorder.hold();
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = count > 4 ? count - 4 : 0; i < count; ++i) expected.push_back(i);
    CHECK(sequences(memory.recorder) == expected);
    // And after the pump has ended, without being held.
    memory.recorder.resume();
    CHECK(sequences(memory.recorder) == expected);
}

TEST_CASE("what happens while it is held is not recorded, and it goes on where it was", "[recorder]") {
    Memory memory(4, 0);
    bond::record_data(memory.recorder, sent, uplink, data_packet(1, 0), Instant{});
    memory.recorder.hold();
    memory.recorder.hold();
    CHECK(memory.recorder.is_held());
    bond::record_data(memory.recorder, sent, uplink, data_packet(2, 0), Instant{});
    bond::record(memory.recorder, sent, uplink, data_packet(2, 0), Instant{});
    CHECK(sequences(memory.recorder) == std::vector<std::uint32_t>{1});
    memory.recorder.resume();
    memory.recorder.resume();
    bond::record_data(memory.recorder, sent, uplink, data_packet(3, 0), Instant{});
    CHECK(sequences(memory.recorder) == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("payload that was asked for is kept as far as it was, of data alone", "[recorder]") {
    const std::size_t room = GENERATE(1u, 64u, 100u, 1500u);
    Memory memory(2, room);
    for (int i = 0; i < 3; ++i) bond::record_data(memory.recorder, sent, uplink, data_packet(1, 1316), Instant{});
    bond::record(memory.recorder, sent, uplink, typed(0x8000, 200), Instant{});
    memory.recorder.hold();
    std::vector<std::size_t> kept;
    memory.recorder.each([&](const FlightRecord&, Bytes payload) {
        kept.push_back(payload.size());
        for (const std::uint8_t byte : payload) CHECK(byte == 0xEE);
    });
    CHECK(kept == std::vector<std::size_t>{std::min<std::size_t>(room, 1316), 0});
    CHECK(memory.recorder.capacity() == 2);
}

TEST_CASE("of a packet nothing is kept that lets anybody in or read along", "[recorder]") {
    using wire::SrtlaType;
    const auto kept = [](std::uint16_t type, std::size_t size) { return bond::recorded_bytes(typed(type, size)); };
    constexpr std::size_t whole = FlightRecord::head_bytes_max;
    // Data: the payload.
    CHECK(bond::recorded_bytes(data_packet(5, 1316)) == wire::srt_header_bytes);
    // Handshakes: cookie, stream id, key material.
    CHECK(kept(0x8000, 300) == wire::srt_header_bytes + 28);
    // User-defined: new keys.
    CHECK(kept(0xFFFF, 100) == wire::srt_header_bytes);
    // Registrations: the group's id.
    for (const SrtlaType type : {SrtlaType::reg1, SrtlaType::reg2, SrtlaType::reg3, SrtlaType::reg_ngp})
        CHECK(kept(static_cast<std::uint16_t>(type), wire::registration_bytes) == 2);
    CHECK(kept(0x9999, 100) == 2);
    CHECK(kept(0xA000, 100) == 2);
    // What a bond's decisions are made of is there.
    for (const auto type : {std::uint16_t{0x8002}, std::uint16_t{0x8003}, std::uint16_t{0x9000}, std::uint16_t{0x9100},
                            wire::report_type})
        CHECK(kept(type, 100) == whole);
    CHECK(bond::recorded_bytes(Bytes{}) == 0);
    CHECK(kept(0x8002, 4) == 2);
}
