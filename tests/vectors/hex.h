// SPDX-License-Identifier: MIT
// Golden packets are written as hex. Anything but pairs of hex digits is a mistake in the vector and stops the test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/check.h"

namespace hawser::vectors {

[[nodiscard]] inline std::uint8_t nibble(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
    HAWSER_CHECK(digit >= 'a' && digit <= 'f');
    return static_cast<std::uint8_t>(digit - 'a' + 10);
}

[[nodiscard]] inline std::vector<std::uint8_t> from_hex(std::string_view text) {
    HAWSER_CHECK(text.size() % 2 == 0);
    std::vector<std::uint8_t> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>((nibble(text[i]) << 4) | nibble(text[i + 1])));
    return bytes;
}

}  // namespace hawser::vectors
