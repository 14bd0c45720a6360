// SPDX-License-Identifier: MIT
// SRT packets as the models of its endpoints send them, and a payload that tells who made it and when, so that a
// receiving model can say of any packet: sent, unchanged, and this old.
// Layouts: engine/wire/srt.h. For models and tests; not on the data path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/wire/loss_list.h"
#include "engine/wire/srt.h"

namespace hawser::sim {

using Packet = std::vector<std::uint8_t>;

// Where a packet goes and when it was made; the header's last two words.
struct SrtStamp {
    std::uint32_t timestamp_us = 0;
    std::uint32_t destination = 0;
};

// Header and a body of zeros.
[[nodiscard]] Packet make_control(wire::SrtControl type, std::uint32_t info, SrtStamp stamp, std::size_t body_bytes);
[[nodiscard]] Packet make_data(wire::Seq31 sequence, bool retransmission, SrtStamp stamp, Bytes payload);

struct HandshakeFields {
    std::uint32_t version = 5;
    std::uint16_t extension_field = 0;
    wire::Seq31 initial_sequence;
    std::int32_t request_type = wire::handshake_induction;
    std::uint32_t socket_id = 0;
    std::uint32_t cookie = 0;
};
[[nodiscard]] Packet make_handshake(const HandshakeFields& fields, SrtStamp stamp);
[[nodiscard]] std::uint32_t handshake_cookie(const wire::SrtPacket& handshake);

// The handshake extension that carries versions, flags and latencies (HSREQ of a caller, HSRSP of a listener).
struct HandshakeLatency {
    bool is_request = true;
    std::uint32_t flags = 0;
    std::uint16_t receiver_ms = 0;
    std::uint16_t sender_ms = 0;
};
[[nodiscard]] Packet with_latency(Packet handshake, const HandshakeLatency& latency);
// All zeros when there is no such extension first.
[[nodiscard]] HandshakeLatency latency_of(const wire::SrtPacket& handshake);

// A full ACK: 44 bytes.
[[nodiscard]] Packet make_ack(std::uint32_t number, wire::Seq31 next_expected, SrtStamp stamp);
[[nodiscard]] Packet make_nak(const std::vector<wire::LossRange>& losses, SrtStamp stamp);
// A NAK of words that need not make sense.
[[nodiscard]] Packet make_nak_of_words(const std::vector<std::uint32_t>& words, SrtStamp stamp);

// 0 u64 made at, ns | 8 u32 index in the session | 12 u32 seed | then bytes that follow from both.
inline constexpr std::size_t payload_bytes_min = 16;
[[nodiscard]] Packet make_payload(std::uint32_t seed, std::uint32_t index, Instant made_at, std::size_t bytes);

struct PayloadFacts {
    Instant made_at;
    std::uint32_t index = 0;
};
// Absent when a byte is not as `make_payload` with this seed makes it.
[[nodiscard]] std::optional<PayloadFacts> read_payload(std::uint32_t seed, Bytes payload);

// FNV-1a, 64 bits.
[[nodiscard]] std::uint64_t hash_of(Bytes bytes);

}  // namespace hawser::sim
