// SPDX-License-Identifier: MIT
// The SRT packets that a bench needs, as a caller and a listener would put them on the wire: both halves of a
// handshake, data, ACK. Layouts: draft-sharabayko-srt sections 3.1, 3.2.1 and 3.2.4.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/wire/srt.h"

namespace hawser::perf {

inline constexpr std::uint32_t caller_id = 0x1234'0001;
inline constexpr std::uint32_t listener_id = 0x0765'4321;
// libsrt's live payload: seven transport stream packets.
inline constexpr std::size_t payload_bytes = 1316;
inline constexpr std::size_t data_bytes = wire::srt_header_bytes + payload_bytes;
inline constexpr std::size_t srt_ack_bytes = 44;
inline constexpr std::size_t conclusion_bytes = wire::handshake_bytes_min + 16;  // with one HSREQ or HSRSP

inline void put_header(std::uint8_t* p, std::uint32_t word0, std::uint32_t word1, std::uint32_t timestamp_us,
                       std::uint32_t destination) {
    store_be32(p, word0);
    store_be32(p + 4, word1);
    store_be32(p + 8, timestamp_us);
    store_be32(p + 12, destination);
}

struct HandshakeFields {
    std::uint32_t version = 4;
    std::uint16_t extension_field = 2;
    std::uint32_t initial_sequence = 0;
    std::int32_t request = wire::handshake_induction;
    std::uint32_t socket_id = 0;
    std::uint32_t cookie = 0;
    std::uint32_t destination = 0;
    std::uint16_t extension_type = 0;  // 1 HSREQ, 2 HSRSP, 0 none
};

struct HandshakePacket {
    std::array<std::uint8_t, conclusion_bytes> storage{};
    std::size_t length = 0;
    [[nodiscard]] Bytes bytes() const { return Bytes(storage).first(length); }
};

[[nodiscard]] inline HandshakePacket build_handshake(const HandshakeFields& f) {
    HandshakePacket packet;
    std::uint8_t* p = packet.storage.data();
    put_header(p, 0x8000'0000, 0, 0, f.destination);
    store_be32(p + 16, f.version);
    store_be16(p + 22, f.extension_field);
    store_be32(p + 24, f.initial_sequence);
    store_be32(p + 28, 1500);  // MSS
    store_be32(p + 32, 8192);  // flow window, libsrt's default
    store_be32(p + 36, static_cast<std::uint32_t>(f.request));
    store_be32(p + 40, f.socket_id);
    store_be32(p + 44, f.cookie);
    store_be32(p + 48, 0x0100'007F);  // peer address, in libsrt's byte order
    packet.length = wire::handshake_bytes_min;
    if (f.extension_type == 0) return packet;
    store_be16(p + 64, f.extension_type);
    store_be16(p + 66, 3);            // words
    store_be32(p + 68, 0x0001'0501);  // SRT 1.5.1
    store_be32(p + 72, 0x0000'00BF);  // flags: libsrt's default set for live mode
    store_be32(p + 76, 0x07D0'07D0);  // receive and send latency, 2000 ms
    packet.length = conclusion_bytes;
    return packet;
}

// What a listener answers to a caller's induction or conclusion; the latter makes `listener` its socket.
[[nodiscard]] inline HandshakeFields listener_answer(const wire::Handshake& asked, std::uint32_t listener) {
    HandshakeFields fields;
    fields.version = 5;
    fields.initial_sequence = asked.initial_sequence().raw();
    fields.cookie = 0x00C0'0C1E;
    fields.destination = asked.socket_id();
    if (asked.request_type() == wire::handshake_induction) {
        fields.extension_field = 0x4A17;  // libsrt's mark of a version 5 listener
        return fields;
    }
    fields.request = wire::handshake_conclusion;
    fields.extension_field = 1;
    fields.extension_type = 2;
    fields.socket_id = listener;
    return fields;
}

// A full acknowledgement: all before next_expected have arrived.
[[nodiscard]] inline std::array<std::uint8_t, srt_ack_bytes> build_srt_ack(std::uint32_t number,
                                                                           std::uint32_t next_expected,
                                                                           std::uint32_t timestamp_us) {
    std::array<std::uint8_t, srt_ack_bytes> packet{};
    std::uint8_t* p = packet.data();
    put_header(p, 0x8002'0000, number, timestamp_us, caller_id);
    store_be32(p + 16, next_expected & wire::Seq31::mask);
    store_be32(p + 20, 20'000);   // RTT, us
    store_be32(p + 24, 2'000);    // its variance, us
    store_be32(p + 28, 8'000);    // free buffer, packets
    store_be32(p + 32, 1'000);    // packets/s
    store_be32(p + 36, 100'000);  // link capacity, packets/s
    store_be32(p + 40, 1'332'000);
    return packet;
}

}  // namespace hawser::perf
