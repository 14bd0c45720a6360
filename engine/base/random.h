// SPDX-License-Identifier: MIT
// A small seeded generator (SplitMix64, Steele et al. 2014) for jitter and exploration. Never for secrets:
// group ids come from the operating system through platform/.
#pragma once

#include <cstdint>

namespace hawser {

class Random {
public:
    constexpr explicit Random(std::uint64_t seed) : state_(seed) {}
    constexpr std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    // Uniform below bound, for bounds far under 2^32; 0 when bound is 0.
    constexpr std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
    }

private:
    std::uint64_t state_;
};

}  // namespace hawser
