// SPDX-License-Identifier: MIT
// A short text inside its owner: no heap, trivially copied. Longer input is cut at the capacity.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawser::radio {

template <std::size_t Capacity>
class Text {
    static_assert(Capacity < 256);

public:
    constexpr Text() = default;
    constexpr Text(std::string_view text) { assign(text); }
    constexpr Text(const char* text) { assign(text); }
    constexpr void assign(std::string_view text) {
        size_ = static_cast<std::uint8_t>(std::min(text.size(), Capacity));
        std::copy_n(text.begin(), size_, bytes_.begin());
    }
    [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    friend constexpr bool operator==(const Text& a, const Text& b) { return a.view() == b.view(); }

private:
    std::array<char, Capacity> bytes_{};
    std::uint8_t size_ = 0;
};

}  // namespace hawser::radio
