// SPDX-License-Identifier: MIT
#include "engine/radio/payload.h"

#include <algorithm>
#include <array>
#include <bit>

namespace hawser::radio {

namespace {

using F = RadioField;

std::size_t sample_bytes(Encoding encoding) {
    switch (encoding) {
        case Encoding::s16le:
        case Encoding::s16be:
        case Encoding::f16le:
        case Encoding::f16be: return 2;
        case Encoding::f32le:
        case Encoding::f32be: return 4;
        case Encoding::mulaw:
        case Encoding::alaw: return 1;
        case Encoding::none:
        case Encoding::opus:
        case Encoding::opus_voip:
        case Encoding::ax25: return 0;
    }
    return 0;
}

float from_s16(std::uint16_t bits) { return static_cast<float>(static_cast<std::int16_t>(bits)) / 32768.0F; }

// IEEE 754 binary16: exponent bias 15, subnormals, infinities and NaN kept.
float from_half(std::uint16_t bits) {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
    const std::uint32_t mantissa = bits & 0x3FFu;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
        return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

// ITU-T G.711: 14-bit mu-law and 13-bit A-law, scaled to 16 bits.
constexpr float from_mulaw(unsigned byte) {
    const unsigned b = ~byte & 0xFFu;
    const int magnitude = static_cast<int>((((b & 0x0Fu) << 3) + 0x84u) << ((b >> 4) & 7u)) - 0x84;
    return static_cast<float>((b & 0x80u) != 0 ? -magnitude : magnitude) / 32768.0F;
}
constexpr float from_alaw(unsigned byte) {
    const unsigned b = byte ^ 0x55u;
    const unsigned segment = (b >> 4) & 7u;
    const unsigned step = (b & 0x0Fu) << 4;
    const int magnitude = static_cast<int>(segment == 0 ? step + 8 : (step + 0x108) << (segment - 1));
    return static_cast<float>((b & 0x80u) != 0 ? magnitude : -magnitude) / 32768.0F;
}
template <float (*Value)(unsigned)>
constexpr std::array<float, 256> table_of() {
    std::array<float, 256> table{};
    for (unsigned i = 0; i < 256; ++i) table[i] = Value(i);
    return table;
}
constexpr auto mulaw_table = table_of<from_mulaw>();
constexpr auto alaw_table = table_of<from_alaw>();

std::uint16_t load_le16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] | (p[1] << 8)); }
std::uint32_t load_le32(const std::uint8_t* p) {
    return std::uint32_t{p[0]} | (std::uint32_t{p[1]} << 8) | (std::uint32_t{p[2]} << 16) | (std::uint32_t{p[3]} << 24);
}

template <std::size_t Size, class Decode>
std::size_t decode_each(Bytes payload, std::span<float> out, Decode decode) {
    const std::size_t count = std::min(payload.size() / Size, out.size());
    for (std::size_t i = 0; i < count; ++i) out[i] = decode(payload.data() + Size * i);
    return count;
}

}  // namespace

std::optional<AudioFormat> AudioFormat::of(const Status& status) {
    const AudioFormat format{status.output.encoding, status.audio_rate(), status.output.channels};
    if (is_spectrum(status.channel.demod_type) || !status.has(F::output_encoding) || format.samprate == 0)
        return std::nullopt;
    if (format.channels == 0 || format.channels > 2) return std::nullopt;
    if (!is_opus(format.encoding) && sample_bytes(format.encoding) == 0) return std::nullopt;
    return format;
}

std::size_t AudioFormat::frame_bytes() const { return sample_bytes(encoding) * channels; }

std::optional<std::uint32_t> AudioFormat::ticks_in(Bytes payload) const {
    if (is_opus(encoding)) return opus_ticks(payload);
    const std::size_t frame = frame_bytes();
    if (frame == 0 || payload.size() % frame != 0) return std::nullopt;
    return static_cast<std::uint32_t>(payload.size() / frame);
}

std::optional<std::uint32_t> opus_ticks(Bytes packet) {
    if (packet.empty()) return std::nullopt;
    const unsigned config = packet[0] >> 3;
    std::uint32_t frame = 0;
    if (config < 12) {
        constexpr std::array<std::uint32_t, 4> silk{480, 960, 1920, 2880};
        frame = silk[config & 3];
    } else if (config < 16) {
        frame = (config & 1) != 0 ? 960 : 480;
    } else {
        frame = 120u << (config & 3);
    }
    const unsigned code = packet[0] & 3u;
    if (code < 3) return frame * (code == 0 ? 1 : 2);
    if (packet.size() < 2) return std::nullopt;
    const std::uint32_t ticks = frame * (packet[1] & 0x3Fu);
    // 120 ms at most.
    if (ticks == 0 || ticks > 5760) return std::nullopt;
    return ticks;
}

std::size_t decode_samples(Encoding encoding, Bytes payload, std::span<float> out) {
    using P = const std::uint8_t*;
    switch (encoding) {
        case Encoding::s16be: return decode_each<2>(payload, out, [](P p) { return from_s16(load_be16(p)); });
        case Encoding::s16le: return decode_each<2>(payload, out, [](P p) { return from_s16(load_le16(p)); });
        case Encoding::f32be:
            return decode_each<4>(payload, out, [](P p) { return std::bit_cast<float>(load_be32(p)); });
        case Encoding::f32le:
            return decode_each<4>(payload, out, [](P p) { return std::bit_cast<float>(load_le32(p)); });
        case Encoding::f16be: return decode_each<2>(payload, out, [](P p) { return from_half(load_be16(p)); });
        case Encoding::f16le: return decode_each<2>(payload, out, [](P p) { return from_half(load_le16(p)); });
        case Encoding::mulaw: return decode_each<1>(payload, out, [](P p) { return mulaw_table[*p]; });
        case Encoding::alaw: return decode_each<1>(payload, out, [](P p) { return alaw_table[*p]; });
        case Encoding::none:
        case Encoding::opus:
        case Encoding::opus_voip:
        case Encoding::ax25: return 0;
    }
    return 0;
}

}  // namespace hawser::radio
