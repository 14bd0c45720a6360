// SPDX-License-Identifier: MIT
#include "platform/app/plain_text.h"

#include <time.h>

#include <fmt/format.h>

#include <algorithm>

namespace hawser::app {

namespace {

// Bytes of the character there; 0 when it is none that a terminal should get: no UTF-8 (RFC 3629), or a control
// character of 7 or 8 bits.
std::size_t character_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned first = byte(at);
    if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    unsigned value = first & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
        value = value << 6 | (byte(at + i) & 0x3F);
    }
    const bool is_longer_than_needed = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool is_no_character = value < 0xA0 || (value >= 0xD800 && value < 0xE000) || value > 0x10FFFF;
    return is_longer_than_needed || is_no_character ? 0 : length;
}

}  // namespace

std::string utc_text() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1'000'000);
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t length = character_at(out, at);
        if (length == 0) out[at] = '?';
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

}  // namespace hawser::app
