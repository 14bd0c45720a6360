// SPDX-License-Identifier: MIT
// RTP data packets: a view of what came, and the header that a sender writes. Source: RFC 3550 section 5.1; RTCP's
// reports (section 6), of the same version, are told apart by their second byte and are none.
//
//   V=2|P|X| CC |M|     PT      |          sequence             |
//   |                        timestamp                          |
//   |                          SSRC                             |
//   | CC contributing sources, 4 bytes each | X: 2 bytes, u16 words, so many words | payload | P: ..., u8 padding |
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"

namespace hawser::wire {

inline constexpr std::size_t rtp_header_bytes = 12;

// 16-bit sequence number: wraps, so it has a distance and no order.
class RtpSequence {
public:
    constexpr RtpSequence() = default;
    constexpr explicit RtpSequence(std::uint16_t raw) : raw_(raw) {}
    [[nodiscard]] constexpr std::uint16_t raw() const { return raw_; }
    [[nodiscard]] constexpr RtpSequence plus(int steps) const {
        return RtpSequence(static_cast<std::uint16_t>(raw_ + steps));
    }
    friend constexpr bool operator==(RtpSequence, RtpSequence) = default;
    // Steps from a to b, -32768 to 32767.
    friend constexpr int distance(RtpSequence a, RtpSequence b) {
        return static_cast<std::int16_t>(static_cast<std::uint16_t>(b.raw_ - a.raw_));
    }

private:
    std::uint16_t raw_ = 0;
};

// 32-bit media clock: as the sequence, in ticks.
class RtpTime {
public:
    constexpr RtpTime() = default;
    constexpr explicit RtpTime(std::uint32_t raw) : raw_(raw) {}
    [[nodiscard]] constexpr std::uint32_t raw() const { return raw_; }
    [[nodiscard]] constexpr RtpTime plus(std::int64_t ticks) const {
        return RtpTime(static_cast<std::uint32_t>(raw_ + static_cast<std::uint64_t>(ticks)));
    }
    friend constexpr bool operator==(RtpTime, RtpTime) = default;
    // Ticks from a to b, -2^31 to 2^31 - 1.
    friend constexpr std::int32_t distance(RtpTime a, RtpTime b) { return static_cast<std::int32_t>(b.raw_ - a.raw_); }

private:
    std::uint32_t raw_ = 0;
};

struct RtpHeader {
    bool marker = false;
    std::uint8_t payload_type = 0;
    RtpSequence sequence;
    RtpTime timestamp;
    std::uint32_t ssrc = 0;
};

class RtpPacket {
public:
    // Absent for another version, for RTCP, or when contributing sources, extension or padding do not fit the bytes.
    [[nodiscard]] static std::optional<RtpPacket> over(Bytes bytes) {
        const auto fixed = Fixed<rtp_header_bytes>::over(bytes);
        if (!fixed || (fixed->u8<0>() >> 6) != 2) return std::nullopt;
        // Sender report to application: types 72 to 76 with the marker, which no medium has (RFC 3551 section 6).
        if (fixed->u8<1>() >= 200 && fixed->u8<1>() <= 204) return std::nullopt;
        const std::uint8_t flags = fixed->u8<0>();
        std::size_t begin = rtp_header_bytes + std::size_t{4} * (flags & 0x0Fu);
        std::size_t end = bytes.size();
        if ((flags & 0x10) != 0) {
            if (begin + 4 > end) return std::nullopt;
            begin += 4 + std::size_t{4} * load_be16(bytes.data() + begin + 2);
        }
        if (begin > end) return std::nullopt;
        if ((flags & 0x20) != 0) {
            // The last byte counts itself.
            const std::size_t padding = begin < end ? bytes[end - 1] : 0;
            if (padding == 0 || padding > end - begin) return std::nullopt;
            end -= padding;
        }
        return RtpPacket(*fixed, bytes.subspan(begin, end - begin));
    }
    [[nodiscard]] bool marker() const { return (fixed_.u8<1>() & 0x80) != 0; }
    [[nodiscard]] std::uint8_t payload_type() const { return fixed_.u8<1>() & 0x7F; }
    [[nodiscard]] RtpSequence sequence() const { return RtpSequence(fixed_.u16<2>()); }
    [[nodiscard]] RtpTime timestamp() const { return RtpTime(fixed_.u32<4>()); }
    [[nodiscard]] std::uint32_t ssrc() const { return fixed_.u32<8>(); }
    [[nodiscard]] Bytes payload() const { return payload_; }
    [[nodiscard]] RtpHeader header() const { return {marker(), payload_type(), sequence(), timestamp(), ssrc()}; }

private:
    RtpPacket(Fixed<rtp_header_bytes> fixed, Bytes payload) : fixed_(fixed), payload_(payload) {}
    Fixed<rtp_header_bytes> fixed_;
    Bytes payload_;
};

[[nodiscard]] constexpr std::array<std::uint8_t, rtp_header_bytes> build_rtp_header(const RtpHeader& header) {
    std::array<std::uint8_t, rtp_header_bytes> bytes{};
    bytes[0] = 0x80;
    bytes[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7F));
    store_be16(bytes.data() + 2, header.sequence.raw());
    store_be32(bytes.data() + 4, header.timestamp.raw());
    store_be32(bytes.data() + 8, header.ssrc);
    return bytes;
}

}  // namespace hawser::wire
