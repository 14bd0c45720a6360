// SPDX-License-Identifier: MIT
// A fuzzer's bytes read as choices: small numbers, words, runs of bytes. An input that has run out answers zeros and
// empty runs, so a target reads without asking and stops its loop at empty().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser::fuzz {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    [[nodiscard]] bool empty() const { return left_.empty(); }

    std::uint8_t u8() {
        if (left_.empty()) return 0;
        const std::uint8_t value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    std::uint16_t u16() {
        const unsigned high = u8();
        return static_cast<std::uint16_t>((high << 8) | u8());
    }
    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return (high << 16) | u16();
    }
    // Below bound; 0 when bound is 0.
    std::uint32_t below(std::uint32_t bound) { return bound == 0 ? 0 : u32() % bound; }
    // Up to `count` bytes of the input itself.
    std::span<const std::uint8_t> bytes(std::size_t count) {
        const auto taken = left_.first(std::min(count, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }
    std::span<const std::uint8_t> rest() { return bytes(left_.size()); }

private:
    std::span<const std::uint8_t> left_;
};

}  // namespace hawser::fuzz
