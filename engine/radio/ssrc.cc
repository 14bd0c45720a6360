// SPDX-License-Identifier: MIT
#include "engine/radio/ssrc.h"

#include <charconv>
#include <cmath>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/sha256.h"

namespace hawser::radio {

namespace {

// To the nearest integer, a tie to the even one, as Python's round().
std::string rounded(double value) {
    char room[400];  // the largest double has 309 digits
    const auto [end, error] =
        std::to_chars(room, room + sizeof room, std::nearbyint(value), std::chars_format::fixed, 0);
    std::string text = error == std::errc() ? std::string(room, end) : std::string("0");
    return text == "-0" ? "0" : text;
}
// One decimal, correctly rounded, as Python prints round(x, 1): 0.0, 3.1.
std::string one_decimal(double value) {
    char room[400];
    const auto [end, error] = std::to_chars(room, room + sizeof room, value, std::chars_format::fixed, 1);
    return error == std::errc() ? std::string(room, end) : std::string("0.0");
}
std::string lower(std::string_view text) {
    std::string low(text);
    for (char& c : low)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return low;
}

}  // namespace

std::uint32_t allocate_ssrc(const SsrcInputs& in) {
    std::string key = rounded(in.frequency_hz);
    key.append("|").append(lower(in.preset));
    key.append("|").append(std::to_string(in.samprate));
    key.append("|").append(in.agc ? "1" : "0");
    key.append("|").append(one_decimal(in.gain_db));
    key.append("|").append(in.destination);
    key.append("|").append(std::to_string(in.encoding));
    key.append("|").append(in.radiod_host);
    return load_be32(sha256(key).data()) & 0x7FFF'FFFF;
}

std::uint32_t group_of_client(std::string_view id, std::string_view radiod_host) {
    std::string key(id);
    if (!radiod_host.empty()) key.append(1, '\0').append(radiod_host);
    return (239u << 24) | (load_be32(sha256(key).data()) >> 8);
}

}  // namespace hawser::radio
