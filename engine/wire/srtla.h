// SPDX-License-Identifier: MIT
// SRTLA version 2: the control packets that travel beside unchanged SRT packets on every uplink.
// Source: BELABOX/srtla 37862da (origin); extended keepalive: irlserver/srtla_send 86b90aa; padding to 32 bytes:
// irlserver/srtla 39e324a.
//
//   KEEPALIVE 9000  2, 10 (+ u64 timestamp), 38 (extended), any of them padded; the receiver echoes it verbatim
//   ACK       9100  91 00 00 00, then raw sequences in order of arrival (ten of them: 44 bytes)
//   REG1      9200  + 256-byte id: asks for a group; the receiver keeps the first half and answers
//   REG2      9201  + 256-byte id: the group's id, and from the sender: join this address to it
//   REG3      9202  joined           REG_ERR 9210  refused
//   REG_NGP   9211  no such group    REG_NAK 9212  refused for good
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/wire/seq.h"

namespace hawser::wire {

enum class SrtlaType : std::uint16_t {
    keepalive = 0x9000,
    ack = 0x9100,
    reg1 = 0x9200,
    reg2 = 0x9201,
    reg3 = 0x9202,
    reg_err = 0x9210,
    reg_ngp = 0x9211,
    reg_nak = 0x9212,
};

inline constexpr std::size_t group_id_bytes = 256;
// The half that the sender chooses and checks in the answer; the receiver replaces the rest.
inline constexpr std::size_t group_id_sender_bytes = 128;
using GroupKey = std::array<std::uint8_t, group_id_bytes>;

inline constexpr std::size_t registration_bytes = 2 + group_id_bytes;
// Some carriers' NATs drop tiny datagrams (irlserver/srtla 629d241); every peer accepts short replies padded to this.
inline constexpr std::size_t padded_bytes = 32;
// Sequences that a receiver collects for one link before it acknowledges them.
inline constexpr std::size_t srtla_ack_entries = 10;
inline constexpr std::size_t srtla_ack_bytes = 4 + 4 * srtla_ack_entries;

// True for the 16-bit types that belong to SRTLA or its relatives (0x9xxx, 0xAxxx): never SRT, never to be forwarded.
[[nodiscard]] constexpr bool is_srtla_space(std::uint16_t type) {
    return (type & 0xF000) == 0x9000 || (type & 0xF000) == 0xA000;
}

// The first 16 bits; absent for a datagram of fewer than two bytes.
[[nodiscard]] inline std::optional<std::uint16_t> packet_type(Bytes bytes) {
    const auto head = Fixed<2>::over(bytes);
    if (!head) return std::nullopt;
    return head->u16<0>();
}

// The sequences of an SRTLA ACK: any count of whole words after the first four bytes.
class SrtlaAck {
public:
    // Absent when shorter than one entry, or when the length is no multiple of four.
    [[nodiscard]] static std::optional<SrtlaAck> over(Bytes bytes) {
        if (bytes.size() < 8 || bytes.size() % 4 != 0) return std::nullopt;
        return SrtlaAck(bytes.subspan(4));
    }
    [[nodiscard]] std::size_t count() const { return words_.size() / 4; }
    // Entry i as it is on the wire. No sequence has its top bit set.
    [[nodiscard]] std::uint32_t word(std::size_t i) const { return load_be32(words_.data() + 4 * i); }
    // Entry i; absent where the top bit is set.
    [[nodiscard]] std::optional<Seq31> at(std::size_t i) const {
        const std::uint32_t word = this->word(i);
        if ((word & ~Seq31::mask) != 0) return std::nullopt;
        return Seq31(word);
    }

private:
    explicit SrtlaAck(Bytes words) : words_(words) {}
    Bytes words_;
};

// What a sender tells in a keepalive beyond its being alive.
struct Telemetry {
    std::uint32_t connection = 0;  // the sender's own number for the link
    std::int32_t window = 0;       // 1000 = one packet
    std::int32_t in_flight = 0;    // packets
    std::uint32_t rtt_ms = 0;      // 0: none yet
    std::uint32_t naks = 0;        // since the link exists
    std::uint32_t bytes_per_second = 0;
};

// 0 type | 2 u64 timestamp | 10 magic | 12 version | 14 connection | 18 window | 22 in flight | 26 RTT | 30 NAKs |
// 34 rate
inline constexpr std::size_t keepalive_bare_bytes = 2;
inline constexpr std::size_t keepalive_timestamped_bytes = 10;
inline constexpr std::size_t keepalive_extended_bytes = 38;
inline constexpr std::uint16_t keepalive_magic = 0xC01F;
inline constexpr std::uint16_t keepalive_version = 1;

// The sender's timestamp in a keepalive's echo; absent where the packet has none.
[[nodiscard]] inline std::optional<std::uint64_t> keepalive_timestamp(Bytes bytes) {
    const auto packet = Fixed<keepalive_timestamped_bytes>::over(bytes);
    if (!packet) return std::nullopt;
    return packet->u64<2>();
}
// Telemetry of an extended keepalive; absent for any other form.
[[nodiscard]] std::optional<Telemetry> keepalive_telemetry(Bytes bytes);

[[nodiscard]] std::array<std::uint8_t, keepalive_timestamped_bytes> build_keepalive(std::uint64_t timestamp_ms);
[[nodiscard]] std::array<std::uint8_t, keepalive_extended_bytes> build_keepalive(std::uint64_t timestamp_ms,
                                                                                 const Telemetry& telemetry);
// REG1 or REG2.
[[nodiscard]] std::array<std::uint8_t, registration_bytes> build_registration(SrtlaType type, const GroupKey& key);
// A short reply (REG3, REG_ERR, REG_NGP, own keepalive), zero-filled to 32 bytes.
[[nodiscard]] std::array<std::uint8_t, padded_bytes> build_padded(SrtlaType type);

// Written in place by the receiver as packets arrive: header and up to ten sequences.
class SrtlaAckBuilder {
public:
    SrtlaAckBuilder() { store_be16(bytes_.data(), static_cast<std::uint16_t>(SrtlaType::ack)); }
    void add(Seq31 sequence) {
        store_be32(bytes_.data() + 4 + 4 * count_, sequence.raw());
        ++count_;
    }
    [[nodiscard]] bool full() const { return count_ == srtla_ack_entries; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(4 + 4 * std::size_t{count_}); }
    void clear() { count_ = 0; }

private:
    std::array<std::uint8_t, srtla_ack_bytes> bytes_{};
    std::uint32_t count_ = 0;
};

}  // namespace hawser::wire
