// SPDX-License-Identifier: MIT
// Views of the SRT headers that a bond looks into; the payload is never touched.
// Source: draft-sharabayko-srt-01 section 3; handshake constants from Haivision/srt c39196c9 (handshake.h).
//
//   data      0|        sequence (31)          control  1|   type (15)   |  subtype (16)
//             PP|O|KK|R|   message (26)                  |     type-specific information
//             |      timestamp, us (32)                  |      timestamp, us (32)
//             |   destination socket id                  |   destination socket id
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/wire/seq.h"

namespace hawser::wire {

inline constexpr std::size_t srt_header_bytes = 16;
// Largest UDP payload under libsrt's default MSS of 1500 over IPv4: 1500 - 20 - 8.
inline constexpr std::size_t srt_datagram_bytes_max = 1472;
// What every SRTLA peer's receive buffer holds; longer datagrams are cut by them and refused by us.
inline constexpr std::size_t datagram_bytes_max = 1500;

// The 16-bit type word of a control packet, control bit included.
enum class SrtControl : std::uint16_t {
    handshake = 0x8000,
    keepalive = 0x8001,
    ack = 0x8002,
    nak = 0x8003,
    congestion_warning = 0x8004,
    shutdown = 0x8005,
    ackack = 0x8006,
    drop_request = 0x8007,
    peer_error = 0x8008,
    user = 0xFFFF,
};

// Any SRT packet: at least the 16-byte header is there.
class SrtPacket {
public:
    [[nodiscard]] static std::optional<SrtPacket> over(Bytes bytes) {
        const auto header = Fixed<srt_header_bytes>::over(bytes);
        if (!header) return std::nullopt;
        return SrtPacket(*header, bytes);
    }
    [[nodiscard]] bool is_data() const { return (header_.u8<0>() & 0x80) == 0; }
    [[nodiscard]] SrtControl control_type() const { return static_cast<SrtControl>(header_.u16<0>()); }
    [[nodiscard]] std::uint32_t timestamp_us() const { return header_.u32<8>(); }
    [[nodiscard]] std::uint32_t destination() const { return header_.u32<12>(); }
    // Data packets.
    [[nodiscard]] Seq31 sequence() const { return Seq31(header_.u32<0>()); }
    [[nodiscard]] bool is_retransmission() const { return (header_.u8<4>() & 0x04) != 0; }
    [[nodiscard]] std::uint32_t message_number() const { return header_.u32<4>() & 0x03FF'FFFF; }
    // Control packets.
    [[nodiscard]] std::uint32_t control_info() const { return header_.u32<4>(); }

    [[nodiscard]] Bytes body() const { return bytes_.subspan(srt_header_bytes); }
    [[nodiscard]] Bytes bytes() const { return bytes_; }

private:
    SrtPacket(Fixed<srt_header_bytes> header, Bytes bytes) : header_(header), bytes_(bytes) {}
    Fixed<srt_header_bytes> header_;
    Bytes bytes_;
};

// The next sequence that an SRT ACK's sender expects: all earlier ones have arrived or were given up.
// Absent when the packet is too short to say (20 bytes: header and one word).
[[nodiscard]] inline std::optional<Seq31> ack_next_expected(const SrtPacket& ack) {
    const auto body = Fixed<4>::over(ack.body());
    if (!body) return std::nullopt;
    return Seq31(body->u32<0>());
}

// What an SRT receiver last measured as the round trip to its sender, microseconds; not in a light ACK (20 bytes).
// draft-sharabayko-srt-01, 3.2.4: the second word of the ACK's body.
[[nodiscard]] inline std::optional<std::uint32_t> ack_round_trip_us(const SrtPacket& ack) {
    const auto body = Fixed<8>::over(ack.body());
    if (!body) return std::nullopt;
    return body->u32<4>();
}

// Handshake request types (signed on the wire). 1000 and above refuse: 1000 + reason.
inline constexpr std::int32_t handshake_induction = 1;
inline constexpr std::int32_t handshake_wave_a_hand = 0;
inline constexpr std::int32_t handshake_conclusion = -1;
inline constexpr std::int32_t handshake_agreement = -2;
inline constexpr std::int32_t handshake_rejection_min = 1000;
// "Conflict": the resource is already in use by somebody else. libsrt's SRT_REJX_CONFLICT (1409) on the wire.
inline constexpr std::int32_t handshake_reject_conflict = 2409;

inline constexpr std::size_t handshake_body_bytes = 48;
inline constexpr std::size_t handshake_bytes_min = srt_header_bytes + handshake_body_bytes;

// Body offsets: 0 version, 4 encryption, 6 extension, 8 ISN, 12 MSS, 16 flow window, 20 request type,
// 24 sender's socket id, 28 cookie, 32 peer address.
class Handshake {
public:
    [[nodiscard]] static std::optional<Handshake> over(const SrtPacket& packet) {
        if (packet.is_data() || packet.control_type() != SrtControl::handshake) return std::nullopt;
        const auto body = Fixed<handshake_body_bytes>::over(packet.body());
        if (!body) return std::nullopt;
        return Handshake(*body);
    }
    [[nodiscard]] std::uint32_t version() const { return body_.u32<0>(); }
    [[nodiscard]] std::uint16_t extension_field() const { return body_.u16<6>(); }
    [[nodiscard]] Seq31 initial_sequence() const { return Seq31(body_.u32<8>()); }
    [[nodiscard]] std::int32_t request_type() const { return static_cast<std::int32_t>(body_.u32<20>()); }
    [[nodiscard]] std::uint32_t socket_id() const { return body_.u32<24>(); }

private:
    explicit Handshake(Fixed<handshake_body_bytes> body) : body_(body) {}
    Fixed<handshake_body_bytes> body_;
};

}  // namespace hawser::wire
