// SPDX-License-Identifier: MIT
// Opus packets to samples, by libopus: 16 bits at 48 kHz, interleaved. One decoder per stream, on one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/bytes.h"

struct OpusDecoder;

namespace hawser::control {

inline constexpr std::uint32_t opus_rate = 48'000;

class OpusAudio {
public:
    // Absent for another count than 1 or 2.
    [[nodiscard]] static std::optional<OpusAudio> open(std::uint32_t channels);
    // Valid until the next call; empty when the packet is none.
    [[nodiscard]] std::span<const std::int16_t> decode(Bytes packet);
    // What the decoder makes of lost packets: at most 120 ms.
    [[nodiscard]] std::span<const std::int16_t> conceal(std::uint32_t frames);

private:
    struct Destroy {
        void operator()(::OpusDecoder* decoder) const;
    };
    OpusAudio() = default;
    std::unique_ptr<::OpusDecoder, Destroy> decoder_;
    std::uint32_t channels_ = 0;
    std::vector<std::int16_t> room_;
};

}  // namespace hawser::control
