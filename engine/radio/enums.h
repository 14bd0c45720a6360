// SPDX-License-Identifier: MIT
// radiod's enumerations, with the names that operators write and read. Numbers: ka9q-radio 4e0033b4 (radio.h, rtp.h,
// window.h). A number from the wire that is none of these stays a number: nothing here is indexed by it unchecked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hawser::radio {

enum class Demod : std::uint8_t { linear, fm, wfm, spectrum, byte_spectrum, idle };
enum class Encoding : std::uint8_t {
    none,
    s16le,
    s16be,
    opus,
    f32le,
    ax25,
    f16le,
    opus_voip,
    f32be,
    f16be,
    mulaw,
    alaw,
};
enum class Window : std::uint8_t {
    kaiser,
    rectangular,
    blackman,
    exact_blackman,
    gaussian,
    hann,
    hamming,
    blackman_harris,
    hp5ft,
};
enum class OpusApplication : std::uint16_t { voip = 2048, audio = 2049, low_delay = 2051 };

struct EnumName {
    std::string_view name;
    std::uint16_t value;
};
// The first name of a value is the one that is printed.
inline constexpr auto demod_names =
    std::to_array<EnumName>({{"linear", 0}, {"fm", 1}, {"wfm", 2}, {"spectrum", 3}, {"spectrum2", 4}, {"idle", 5}});
inline constexpr auto encoding_names = std::to_array<EnumName>(
    {{"none", 0},  {"s16le", 1},  {"s16be", 2}, {"s16", 2},   {"int", 2},   {"opus", 3},      {"f32le", 4},
     {"f32", 4},   {"float", 4},  {"ax25", 5},  {"f16le", 6}, {"f16", 6},   {"opus-voip", 7}, {"f32be", 8},
     {"f16be", 9}, {"mulaw", 10}, {"ulaw", 10}, {"pcmu", 10}, {"alaw", 11}, {"pcma", 11}});
inline constexpr auto window_names = std::to_array<EnumName>({{"kaiser", 0},
                                                              {"rectangular", 1},
                                                              {"blackman", 2},
                                                              {"exact-blackman", 3},
                                                              {"gaussian", 4},
                                                              {"hann", 5},
                                                              {"hamming", 6},
                                                              {"blackman-harris", 7},
                                                              {"hp5ft", 8}});
inline constexpr auto opus_application_names =
    std::to_array<EnumName>({{"voip", 2048}, {"audio", 2049}, {"lowdelay", 2051}});

[[nodiscard]] constexpr std::optional<std::uint16_t> value_of(std::span<const EnumName> names, std::string_view name) {
    for (const EnumName& row : names)
        if (row.name == name) return row.value;
    return std::nullopt;
}
// Empty for a number without a name.
[[nodiscard]] constexpr std::string_view name_of(std::span<const EnumName> names, std::uint64_t value) {
    for (const EnumName& row : names)
        if (row.value == value) return row.name;
    return {};
}

[[nodiscard]] constexpr bool is_opus(Encoding encoding) {
    return encoding == Encoding::opus || encoding == Encoding::opus_voip;
}
[[nodiscard]] constexpr bool is_spectrum(Demod demod) {
    return demod == Demod::spectrum || demod == Demod::byte_spectrum;
}

}  // namespace hawser::radio
