// SPDX-License-Identifier: MIT
#include "engine/base/secret_random.h"

namespace hawser {
namespace {

// RFC 8439 reads and writes its words little-endian.
std::uint32_t load_le32(const std::uint8_t* p) {
    return std::uint32_t{p[0]} | (std::uint32_t{p[1]} << 8) | (std::uint32_t{p[2]} << 16) | (std::uint32_t{p[3]} << 24);
}
void store_le32(std::uint8_t* p, std::uint32_t v) {
    for (std::size_t i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(v >> (8 * i));
}
std::uint32_t rotate_left(std::uint32_t v, int n) { return (v << n) | (v >> (32 - n)); }

void quarter_round(std::array<std::uint32_t, 16>& s, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 7);
}

}  // namespace

SecretRandom::SecretRandom(const Entropy& entropy) noexcept {
    // "expand 32-byte k", RFC 8439 section 2.3.
    state_[0] = 0x61707865;
    state_[1] = 0x3320646e;
    state_[2] = 0x79622d32;
    state_[3] = 0x6b206574;
    for (std::size_t i = 0; i < 8; ++i) state_[4 + i] = load_le32(entropy.data() + 4 * i);
    state_[12] = 0;
    for (std::size_t i = 0; i < 3; ++i) state_[13 + i] = load_le32(entropy.data() + 32 + 4 * i);
}

void SecretRandom::refill() noexcept {
    std::array<std::uint32_t, 16> s = state_;
    for (int round = 0; round < 10; ++round) {
        quarter_round(s, 0, 4, 8, 12);
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15);
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (std::size_t i = 0; i < 16; ++i) store_le32(block_.data() + 4 * i, s[i] + state_[i]);
    // 2^32 blocks are 256 GiB of ids: carrying into the nonce is for form's sake.
    if (++state_[12] == 0) ++state_[13];
    used_ = 0;
}

void SecretRandom::fill(MutableBytes out) noexcept {
    for (std::uint8_t& byte : out) {
        if (used_ == block_bytes) refill();
        byte = block_[used_];
        block_[used_++] = 0;  // what has been given out is not kept
    }
}

std::uint64_t SecretRandom::next() noexcept {
    std::array<std::uint8_t, 8> bytes{};
    fill(bytes);
    return load_be64(bytes.data());
}

}  // namespace hawser
