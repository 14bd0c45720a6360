// SPDX-License-Identifier: MIT
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a keyed function whose values a stranger cannot
// tell from random ones, fast on short input. For what must be recognised as our own when it comes back.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace hawser {

class SipHash {
public:
    using Value = std::array<std::uint64_t, 2>;

    SipHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

    // The value of what is added piece by piece. A copy goes its own way, so what many inputs begin with costs once.
    class Stream {
    public:
        // Whole words only: a multiple of 8 bytes.
        void add(Bytes words) noexcept {
            HAWSER_CHECK(words.size() % 8 == 0);
            for (std::size_t at = 0; at < words.size(); at += 8) absorb(load_le64(words.data() + at));
            bytes_ += words.size();
        }
        // The word's bytes, the lowest first.
        void add(std::uint64_t word) noexcept {
            absorb(word);
            bytes_ += 8;
        }
        // With up to 7 bytes after the last word. Ends the stream.
        [[nodiscard]] Value end(Bytes rest = {}) noexcept {
            HAWSER_CHECK(rest.size() < 8);
            std::uint64_t last = std::uint64_t{bytes_ + rest.size()} << 56;
            for (std::size_t i = 0; i < rest.size(); ++i) last |= std::uint64_t{rest[i]} << (8 * i);
            absorb(last);
            Value value;
            v_[2] ^= 0xEE;
            value[0] = squeeze();
            v_[1] ^= 0xDD;
            value[1] = squeeze();
            return value;
        }

    private:
        friend class SipHash;
        // The constants spell "somepseudorandomlygeneratedbytes"; 0xEE and 0xDD belong to the 128-bit form.
        Stream(std::uint64_t key0, std::uint64_t key1)
            : v_{key0 ^ 0x736F'6D65'7073'6575, key1 ^ 0x646F'7261'6E64'6F6D ^ 0xEE, key0 ^ 0x6C79'6765'6E65'7261,
                 key1 ^ 0x7465'6462'7974'6573} {}

        void round() {
            v_[0] += v_[1];
            v_[2] += v_[3];
            v_[1] = std::rotl(v_[1], 13) ^ v_[0];
            v_[3] = std::rotl(v_[3], 16) ^ v_[2];
            v_[0] = std::rotl(v_[0], 32) + v_[3];
            v_[2] += v_[1];
            v_[3] = std::rotl(v_[3], 21) ^ v_[0];
            v_[1] = std::rotl(v_[1], 17) ^ v_[2];
            v_[2] = std::rotl(v_[2], 32);
        }
        void absorb(std::uint64_t word) {
            v_[3] ^= word;
            round();
            round();
            v_[0] ^= word;
        }
        std::uint64_t squeeze() {
            for (int i = 0; i < 4; ++i) round();
            return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
        }
        static std::uint64_t load_le64(const std::uint8_t* p) {
            return std::uint64_t{p[0]} | std::uint64_t{p[1]} << 8 | std::uint64_t{p[2]} << 16 |
                   std::uint64_t{p[3]} << 24 | std::uint64_t{p[4]} << 32 | std::uint64_t{p[5]} << 40 |
                   std::uint64_t{p[6]} << 48 | std::uint64_t{p[7]} << 56;
        }

        std::uint64_t v_[4];
        std::size_t bytes_ = 0;
    };

    [[nodiscard]] Stream stream() const noexcept { return Stream(key0_, key1_); }
    [[nodiscard]] Value of(Bytes bytes) const noexcept {
        Stream s = stream();
        const std::size_t whole = bytes.size() - bytes.size() % 8;
        s.add(bytes.first(whole));
        return s.end(bytes.subspan(whole));
    }

private:
    std::uint64_t key0_;
    std::uint64_t key1_;
};

}  // namespace hawser
