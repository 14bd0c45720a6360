// SPDX-License-Identifier: MIT
#include "engine/radio/frequency.h"

#include <array>
#include <charconv>
#include <cmath>

namespace hawser::radio {

namespace {

// Longer is nobody's frequency.
constexpr std::size_t digits_max = 40;

template <class T>
std::optional<T> parse_whole(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}
// The exponent's form is for what nobody reads as a row of digits.
template <class T>
std::string format_whole(T value) {
    std::array<char, 40> room;
    const double size = std::abs(double{value});
    const bool is_plain = size == 0 || (size >= 1e-5 && size < 1e15);
    const auto form = is_plain ? std::chars_format::fixed : std::chars_format::general;
    const auto [end, error] = std::to_chars(room.data(), room.data() + room.size(), value, form);
    return error == std::errc() ? std::string(room.data(), end) : std::string("?");
}
std::string_view exponent_of(char letter) {
    switch (letter) {
        case 'k':
        case 'K': return "e3";
        case 'm':
        case 'M': return "e6";
        case 'g':
        case 'G': return "e9";
        default: return {};
    }
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
    const auto value = parse_whole<double>(text);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_integer(std::string_view text) { return parse_whole<std::uint64_t>(text); }

std::optional<double> parse_frequency(std::string_view text) {
    if (text.empty() || text.size() > digits_max || text.front() == '-') return std::nullopt;
    const std::size_t letter = text.find_first_of("kKmMgG");
    if (letter == text.npos) return parse_number(text);
    // Written anew with a point and an exponent, so that it is rounded once.
    std::string decimal(text.substr(0, letter));
    const std::string_view fraction = text.substr(letter + 1);
    const bool has_point = decimal.find('.') != decimal.npos;
    if (decimal.empty() || (has_point && !fraction.empty()) ||
        fraction.find_first_not_of("0123456789") != fraction.npos ||
        decimal.find_first_not_of("0123456789.") != decimal.npos)
        return std::nullopt;
    if (!fraction.empty()) decimal.append(".").append(fraction);
    return parse_number(decimal.append(exponent_of(text[letter])));
}

std::string format_number(double value) { return format_whole(value); }
std::string format_number(float value) { return format_whole(value); }

}  // namespace hawser::radio
