// SPDX-License-Identifier: MIT
// Samples as a sender codes them, by the book and slowly: G.711's segments found by search, half floats by rounding.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/radio/enums.h"

namespace hawser::radio_tests {

// ITU-T G.711: the value of a mu-law byte, 14 bits, and of an A-law byte, 13 bits, both as 16.
inline int mulaw_value(std::uint8_t byte) {
    const int b = ~byte & 0xFF;
    const int magnitude = ((((b & 0x0F) << 3) + 0x84) << ((b >> 4) & 7)) - 0x84;
    return (b & 0x80) != 0 ? -magnitude : magnitude;
}
inline int alaw_value(std::uint8_t byte) {
    const int b = byte ^ 0x55;
    const int segment = (b >> 4) & 7;
    const int step = (b & 0x0F) << 4;
    const int magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1);
    return (b & 0x80) != 0 ? magnitude : -magnitude;
}
inline std::uint8_t nearest_byte(int (*value)(std::uint8_t), int wanted) {
    int best = 0;
    for (int i = 1; i < 256; ++i)
        if (std::abs(value(static_cast<std::uint8_t>(i)) - wanted) <
            std::abs(value(static_cast<std::uint8_t>(best)) - wanted))
            best = i;
    return static_cast<std::uint8_t>(best);
}
// Of numbers between 2^-14 and 1, and 0.
inline std::uint16_t half_bits(float x) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(x) ? 0x8000 : 0);
    int exponent = 0;
    const float fraction = std::frexp(std::abs(x), &exponent);  // 0.5 <= fraction < 1
    if (x == 0 || exponent < -13) return sign;
    auto mantissa = static_cast<int>(std::lround(fraction * 2048)) - 1024;
    if (mantissa == 1024) mantissa = 0, ++exponent;
    return static_cast<std::uint16_t>(sign | ((exponent + 14) << 10) | mantissa);
}
inline std::size_t sample_bytes(radio::Encoding encoding) {
    switch (encoding) {
        case radio::Encoding::f32le:
        case radio::Encoding::f32be: return 4;
        case radio::Encoding::mulaw:
        case radio::Encoding::alaw: return 1;
        default: return 2;
    }
}
inline void append_sample(radio::Encoding encoding, float x, std::vector<std::uint8_t>& out) {
    const auto word = [&out](std::uint32_t bits, std::size_t bytes, bool big) {
        for (std::size_t i = 0; i < bytes; ++i)
            out.push_back(static_cast<std::uint8_t>(bits >> (8 * (big ? bytes - 1 - i : i))));
    };
    const auto linear = static_cast<int>(std::lround(x * 32768.0F));
    const int clipped = linear > 32767 ? 32767 : linear < -32767 ? -32767 : linear;
    switch (encoding) {
        case radio::Encoding::s16le: word(static_cast<std::uint32_t>(clipped), 2, false); break;
        case radio::Encoding::s16be: word(static_cast<std::uint32_t>(clipped), 2, true); break;
        case radio::Encoding::f32le: word(std::bit_cast<std::uint32_t>(x), 4, false); break;
        case radio::Encoding::f32be: word(std::bit_cast<std::uint32_t>(x), 4, true); break;
        case radio::Encoding::f16le: word(half_bits(x), 2, false); break;
        case radio::Encoding::f16be: word(half_bits(x), 2, true); break;
        case radio::Encoding::mulaw: out.push_back(nearest_byte(mulaw_value, clipped)); break;
        case radio::Encoding::alaw: out.push_back(nearest_byte(alaw_value, clipped)); break;
        default: break;
    }
}

}  // namespace hawser::radio_tests
