// SPDX-License-Identifier: MIT
// The head of a WAV file: always wav_header_bytes long, so that it can be written anew while the file grows. What does
// not fit RIFF's 32 bits becomes RF64 (EBU Tech 3306), for which its place is kept by a JUNK chunk.
//
//   RIFF|RF64 size WAVE   JUNK|ds64 28 ...   fmt 16 ...   data size   samples
#pragma once

#include <array>
#include <cstdint>

namespace hawser::control {

enum class SampleFormat : std::uint8_t { s16, f32 };  // little-endian, interleaved
[[nodiscard]] constexpr std::uint32_t bytes_per_sample(SampleFormat format) {
    return format == SampleFormat::s16 ? 2 : 4;
}

inline constexpr std::size_t wav_header_bytes = 80;
// A length that is not known, as of a stream to a pipe: readers go on to the end.
inline constexpr std::uint64_t wav_bytes_unknown = ~std::uint64_t{0};

[[nodiscard]] std::array<std::uint8_t, wav_header_bytes> wav_header(SampleFormat format, std::uint32_t samprate,
                                                                    std::uint32_t channels, std::uint64_t data_bytes);

}  // namespace hawser::control
