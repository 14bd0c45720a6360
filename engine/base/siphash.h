// SPDX-License-Identifier: MIT
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a keyed function whose values a stranger cannot
// tell from random ones, fast on short input. For what must be recognised as our own when it comes back.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "engine/base/bytes.h"

namespace hawser {

class SipHash {
public:
    using Value = std::array<std::uint64_t, 2>;

    SipHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

    [[nodiscard]] Value of(Bytes bytes) const noexcept {
        // The constants spell "somepseudorandomlygeneratedbytes"; 0xEE and 0xDD belong to the 128-bit form.
        State s{{key0_ ^ 0x736F'6D65'7073'6575, key1_ ^ 0x646F'7261'6E64'6F6D ^ 0xEE, key0_ ^ 0x6C79'6765'6E65'7261,
                 key1_ ^ 0x7465'6462'7974'6573}};
        std::size_t at = 0;
        for (; at + 8 <= bytes.size(); at += 8) s.absorb(load_le(bytes.data() + at, 8));
        s.absorb(load_le(bytes.data() + at, bytes.size() - at) | (std::uint64_t{bytes.size()} << 56));
        Value value;
        s.v[2] ^= 0xEE;
        value[0] = s.squeeze();
        s.v[1] ^= 0xDD;
        value[1] = s.squeeze();
        return value;
    }

private:
    struct State {
        std::uint64_t v[4];

        void round() {
            v[0] += v[1];
            v[2] += v[3];
            v[1] = std::rotl(v[1], 13) ^ v[0];
            v[3] = std::rotl(v[3], 16) ^ v[2];
            v[0] = std::rotl(v[0], 32) + v[3];
            v[2] += v[1];
            v[3] = std::rotl(v[3], 21) ^ v[0];
            v[1] = std::rotl(v[1], 17) ^ v[2];
            v[2] = std::rotl(v[2], 32);
        }
        void absorb(std::uint64_t word) {
            v[3] ^= word;
            round();
            round();
            v[0] ^= word;
        }
        std::uint64_t squeeze() {
            for (int i = 0; i < 4; ++i) round();
            return v[0] ^ v[1] ^ v[2] ^ v[3];
        }
    };
    static std::uint64_t load_le(const std::uint8_t* p, std::size_t n) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < n; ++i) word |= std::uint64_t{p[i]} << (8 * i);
        return word;
    }

    std::uint64_t key0_;
    std::uint64_t key1_;
};

}  // namespace hawser
