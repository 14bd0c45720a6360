// SPDX-License-Identifier: MIT
// Somebody's words in a complaint: their beginning, in quotes, with nothing in it that moves a cursor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hawser::control {

[[nodiscard]] inline std::string quoted(std::string_view text, std::size_t length_max = 60) {
    std::string out = "'";
    for (const char c : text.substr(0, length_max)) out += (c >= 0x20 && c < 0x7F) ? c : '?';
    return out + (text.size() > length_max ? "...'" : "'");
}

}  // namespace hawser::control
