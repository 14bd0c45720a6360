// SPDX-License-Identifier: MIT
#include "platform/control/radio/opus_decoder.h"

#include <opus/opus.h>

#include <algorithm>

namespace hawser::control {

namespace {

constexpr std::uint32_t frames_max = opus_rate * 120 / 1000;   // of the longest packet (RFC 6716 section 2.1.4)
constexpr std::uint32_t frames_unit = opus_rate * 25 / 10000;  // concealment goes by 2.5 ms

}  // namespace

void OpusAudio::Destroy::operator()(::OpusDecoder* decoder) const { ::opus_decoder_destroy(decoder); }

std::optional<OpusAudio> OpusAudio::open(std::uint32_t channels) {
    if (channels != 1 && channels != 2) return std::nullopt;
    OpusAudio a;
    int error = 0;
    a.decoder_.reset(::opus_decoder_create(opus_rate, static_cast<int>(channels), &error));
    if (a.decoder_ == nullptr) return std::nullopt;
    a.channels_ = channels;
    a.room_.resize(std::size_t{frames_max} * channels);
    return a;
}

std::span<const std::int16_t> OpusAudio::decode(Bytes packet) {
    if (packet.empty()) return {};
    const int frames = ::opus_decode(decoder_.get(), packet.data(), static_cast<opus_int32>(packet.size()),
                                     room_.data(), static_cast<int>(frames_max), 0);
    if (frames <= 0) return {};
    return std::span<const std::int16_t>(room_).first(static_cast<std::size_t>(frames) * channels_);
}

std::span<const std::int16_t> OpusAudio::conceal(std::uint32_t frames) {
    const std::uint32_t whole = std::min(frames, frames_max) / frames_unit * frames_unit;
    if (whole == 0) return {};
    const int made = ::opus_decode(decoder_.get(), nullptr, 0, room_.data(), static_cast<int>(whole), 0);
    if (made <= 0) return {};
    return std::span<const std::int16_t>(room_).first(static_cast<std::size_t>(made) * channels_);
}

}  // namespace hawser::control
