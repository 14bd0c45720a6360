// SPDX-License-Identifier: MIT
#include "engine/sim/srt_packets.h"

#include <algorithm>

#include "engine/base/random.h"

namespace hawser::sim {
namespace {

void put16(Packet& packet, std::size_t at, std::uint16_t v) { store_be16(packet.data() + at, v); }
void put32(Packet& packet, std::size_t at, std::uint32_t v) { store_be32(packet.data() + at, v); }

void put_stamp(Packet& packet, SrtStamp stamp) {
    put32(packet, 8, stamp.timestamp_us);
    put32(packet, 12, stamp.destination);
}

}  // namespace

Packet make_control(wire::SrtControl type, std::uint32_t info, SrtStamp stamp, std::size_t body_bytes) {
    Packet packet(wire::srt_header_bytes + body_bytes);
    put16(packet, 0, static_cast<std::uint16_t>(type));
    put32(packet, 4, info);
    put_stamp(packet, stamp);
    return packet;
}

Packet make_data(wire::Seq31 sequence, bool retransmission, SrtStamp stamp, Bytes payload) {
    constexpr std::uint32_t solo = 0xC000'0000;
    constexpr std::uint32_t again = 0x0400'0000;
    Packet packet(wire::srt_header_bytes + payload.size());
    put32(packet, 0, sequence.raw());
    // Message numbers begin with 1 and leave 0 out.
    put32(packet, 4, solo | (retransmission ? again : 0) | (1 + sequence.raw() % 0x03FF'FFFF));
    put_stamp(packet, stamp);
    std::copy(payload.begin(), payload.end(), packet.begin() + wire::srt_header_bytes);
    return packet;
}

Packet make_handshake(const HandshakeFields& fields, SrtStamp stamp) {
    Packet packet = make_control(wire::SrtControl::handshake, 0, stamp, wire::handshake_body_bytes);
    put32(packet, 16, fields.version);
    put16(packet, 22, fields.extension_field);
    put32(packet, 24, fields.initial_sequence.raw());
    put32(packet, 28, 1500);
    put32(packet, 32, 8192);
    put32(packet, 36, static_cast<std::uint32_t>(fields.request_type));
    put32(packet, 40, fields.socket_id);
    put32(packet, 44, fields.cookie);
    return packet;
}

// Type and length in words, then version, flags, and the latencies of the two directions.
Packet with_latency(Packet handshake, const HandshakeLatency& latency) {
    constexpr std::uint32_t version = 0x0001'0501;  // 1.5.1
    const std::size_t at = handshake.size();
    handshake.resize(at + 16);
    put16(handshake, at, latency.is_request ? 1 : 2);
    put16(handshake, at + 2, 3);
    put32(handshake, at + 4, version);
    put32(handshake, at + 8, latency.flags);
    put16(handshake, at + 12, latency.receiver_ms);
    put16(handshake, at + 14, latency.sender_ms);
    return handshake;
}

HandshakeLatency latency_of(const wire::SrtPacket& handshake) {
    const Bytes bytes = handshake.bytes();
    constexpr std::size_t at = wire::handshake_bytes_min;
    if (bytes.size() < at + 16 || load_be16(bytes.data() + at + 2) < 3) return {};
    const std::uint16_t type = load_be16(bytes.data() + at);
    if (type != 1 && type != 2) return {};
    return {type == 1, load_be32(bytes.data() + at + 8), load_be16(bytes.data() + at + 12),
            load_be16(bytes.data() + at + 14)};
}

std::uint32_t handshake_cookie(const wire::SrtPacket& handshake) { return load_be32(handshake.bytes().data() + 44); }

Packet make_ack(std::uint32_t number, wire::Seq31 next_expected, SrtStamp stamp) {
    Packet packet = make_control(wire::SrtControl::ack, number, stamp, 28);
    put32(packet, 16, next_expected.raw());
    put32(packet, 20, 100'000);  // RTT and its variance, us: libsrt's first guesses
    put32(packet, 24, 50'000);
    put32(packet, 28, 8192);
    return packet;
}

Packet make_nak(const std::vector<wire::LossRange>& losses, SrtStamp stamp) {
    std::vector<std::uint32_t> words;
    for (const wire::LossRange& r : losses) {
        if (r.first == r.last) {
            words.push_back(r.first.raw());
            continue;
        }
        words.push_back(0x8000'0000 | r.first.raw());
        words.push_back(r.last.raw());
    }
    return make_nak_of_words(words, stamp);
}

Packet make_nak_of_words(const std::vector<std::uint32_t>& words, SrtStamp stamp) {
    Packet packet = make_control(wire::SrtControl::nak, 0, stamp, words.size() * 4);
    for (std::size_t i = 0; i < words.size(); ++i) put32(packet, 16 + 4 * i, words[i]);
    return packet;
}

Packet make_payload(std::uint32_t seed, std::uint32_t index, Instant made_at, std::size_t bytes) {
    Packet payload(std::max(bytes, payload_bytes_min));
    store_be64(payload.data(), static_cast<std::uint64_t>(made_at.ns));
    put32(payload, 8, index);
    put32(payload, 12, seed);
    Random fill((std::uint64_t{seed} << 32) | index);
    for (std::size_t i = payload_bytes_min; i < payload.size(); i += 8) {
        const std::uint64_t word = fill.next();
        for (std::size_t k = i; k < std::min(i + 8, payload.size()); ++k)
            payload[k] = static_cast<std::uint8_t>(word >> (8 * (k - i)));
    }
    return payload;
}

std::optional<PayloadFacts> read_payload(std::uint32_t seed, Bytes payload) {
    const auto head = Fixed<payload_bytes_min>::over(payload);
    if (!head || head->u32<12>() != seed) return std::nullopt;
    const PayloadFacts facts{Instant{static_cast<std::int64_t>(head->u64<0>())}, head->u32<8>()};
    const Packet expected = make_payload(seed, facts.index, facts.made_at, payload.size());
    if (!std::equal(expected.begin(), expected.end(), payload.begin(), payload.end())) return std::nullopt;
    return facts;
}

std::uint64_t hash_of(Bytes bytes) {
    std::uint64_t h = 14695981039346656037u;
    for (const std::uint8_t b : bytes) h = (h ^ b) * 1099511628211u;
    return h;
}

}  // namespace hawser::sim
