// SPDX-License-Identifier: MIT
// Unpredictable bytes from 64 bytes of the operating system's entropy: the ChaCha20 key stream (RFC 8439, 2.3).
// For what a stranger must not guess: group ids, the keys of hash tables. Deterministic for a given entropy, so that a
// simulation replays. Whoever constructs it erases the entropy it passed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.h"

namespace hawser {

using Entropy = std::array<std::uint8_t, 64>;

class SecretRandom {
public:
    static constexpr std::size_t block_bytes = 64;

    // Bytes 0..31 are the key, 32..43 the nonce; the other 20 are not needed.
    explicit SecretRandom(const Entropy& entropy) noexcept;

    void fill(MutableBytes out) noexcept;
    [[nodiscard]] std::uint64_t next() noexcept;

private:
    void refill() noexcept;

    std::array<std::uint32_t, 16> state_{};
    std::array<std::uint8_t, block_bytes> block_{};
    std::size_t used_ = block_bytes;
};

}  // namespace hawser
