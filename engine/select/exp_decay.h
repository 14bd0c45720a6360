// SPDX-License-Identifier: MIT
// exp(-x) for x >= 0 without a call into the maths library.
// exp(-x) = 2^-(n + f) with n whole and 0 <= f < 1; 2^-f by a polynomial of degree four (interpolated at Chebyshev's
// points), 2^-n written into the exponent. Greatest relative error 8e-6 up to x = 80; beyond that the answer is 0, off
// by less than 2e-35.
#pragma once

#include <bit>
#include <cstdint>

namespace hawser::select {

inline constexpr float exp_decay_relative_error_max = 8e-6F;
inline constexpr float exp_decay_reach = 80.0F;

[[nodiscard]] constexpr float exp_decay(float x) noexcept {
    if (!(x < exp_decay_reach)) return 0.0F;
    constexpr float log2_e = 1.44269504F;
    const float y = x * log2_e;
    const std::int32_t n = static_cast<std::int32_t>(y);
    const float f = y - static_cast<float>(n);
    const float fraction =
        0.99999804F + f * (-0.693048934F + f * (0.239430604F + f * (-0.0532131178F + f * 0.00683515473F)));
    return fraction * std::bit_cast<float>((127 - n) << 23);
}

}  // namespace hawser::select
