// SPDX-License-Identifier: MIT
// SRT's 31-bit packet sequence numbers. They wrap, so they have a distance and equality but no order:
// there is no operator<, and `distance(a, b) > 0` reads "b is after a".
// Source: draft-sharabayko-srt section 3.1; the circular comparison is that of libsrt's CSeqNo (Haivision/srt
// c39196c9, common.h), which treats numbers up to half the space apart as near.
#pragma once

#include <cstdint>

namespace hawser::wire {

class Seq31 {
public:
    static constexpr std::uint32_t mask = 0x7FFF'FFFF;

    constexpr Seq31() = default;
    // Takes the low 31 bits.
    constexpr explicit Seq31(std::uint32_t raw) : raw_(raw & mask) {}

    [[nodiscard]] constexpr std::uint32_t raw() const { return raw_; }
    [[nodiscard]] constexpr Seq31 plus(std::int32_t n) const { return Seq31(raw_ + static_cast<std::uint32_t>(n)); }
    friend constexpr bool operator==(Seq31, Seq31) = default;

private:
    std::uint32_t raw_ = 0;
};

// Signed steps from a to b, in [-2^30, 2^30).
[[nodiscard]] constexpr std::int32_t distance(Seq31 a, Seq31 b) {
    // Shifting bit 30 into the sign bit and back makes the 31-bit difference signed.
    return static_cast<std::int32_t>((b.raw() - a.raw()) << 1) >> 1;
}

}  // namespace hawser::wire
