// SPDX-License-Identifier: MIT
// Four 32-bit numbers side by side, for sweeps over all links without a branch that depends on their values.
// These are the compilers' own vector types: SSE2 on x86-64 and NEON on aarch64, the baseline of both, so no build
// needs a flag and every machine computes the same bits. Arrays that are swept are padded to whole lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/strong.h"

namespace hawser {

inline constexpr std::size_t lanes = 4;
static_assert(links_max % lanes == 0);

using IntLanes = std::int32_t __attribute__((vector_size(16)));
using FloatLanes = float __attribute__((vector_size(16)));

[[nodiscard]] inline IntLanes load_lanes(const std::int32_t* from) noexcept {
    IntLanes v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
[[nodiscard]] inline FloatLanes load_lanes(const float* from) noexcept {
    FloatLanes v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
inline void store_lanes(std::int32_t* to, IntLanes v) noexcept { std::memcpy(to, &v, sizeof v); }

[[nodiscard]] inline IntLanes all_lanes(std::int32_t x) noexcept { return IntLanes{x, x, x, x}; }

[[nodiscard]] inline FloatLanes to_float(IntLanes v) noexcept { return __builtin_convertvector(v, FloatLanes); }
// Towards zero.
[[nodiscard]] inline IntLanes to_int(FloatLanes v) noexcept { return __builtin_convertvector(v, IntLanes); }

[[nodiscard]] inline IntLanes max_lanes(IntLanes a, IntLanes b) noexcept { return a > b ? a : b; }
// On x86-64 one instruction, where the one for whole numbers takes four.
[[nodiscard]] inline FloatLanes max_lanes(FloatLanes a, FloatLanes b) noexcept { return a > b ? a : b; }
[[nodiscard]] inline IntLanes min_lanes(IntLanes a, IntLanes b) noexcept { return a < b ? a : b; }

[[nodiscard]] inline std::int32_t largest_of(IntLanes v) noexcept {
    v = max_lanes(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
    v = max_lanes(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
    return v[0];
}

[[nodiscard]] inline float largest_of(FloatLanes v) noexcept {
    v = max_lanes(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
    v = max_lanes(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
    return v[0];
}

// All ones in the lanes whose link is in the mask; `first` is the link of lane 0.
[[nodiscard]] inline IntLanes lanes_in_mask(std::uint32_t mask, std::size_t first) noexcept {
    const IntLanes bits = {1, 2, 4, 8};
    return (all_lanes(static_cast<std::int32_t>((mask >> first) & 0xF)) & bits) == bits;
}

}  // namespace hawser
