// SPDX-License-Identifier: MIT
// What RTP payloads of radiod hold, as its STATUS tells: never as the payload type does, which radiod leaves stale
// after a restart of the demodulator. Opus packets are measured here and decoded in platform/control.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/bytes.h"
#include "engine/radio/status.h"

namespace hawser::radio {

struct AudioFormat {
    Encoding encoding = Encoding::none;
    std::uint32_t samprate = 0;
    std::uint32_t channels = 0;

    // Absent when the status tells of no stream: a spectrum, or a rate, count or encoding that is none.
    [[nodiscard]] static std::optional<AudioFormat> of(const Status& status);
    // 0 for Opus, whose packets have no fixed size.
    [[nodiscard]] std::size_t frame_bytes() const;
    // Of the RTP timestamp.
    [[nodiscard]] std::uint32_t tick_rate() const { return is_opus(encoding) ? 48'000 : samprate; }
    // What a payload advances the timestamp by; absent when the payload cannot be of this format.
    [[nodiscard]] std::optional<std::uint32_t> ticks_in(Bytes payload) const;
    friend bool operator==(const AudioFormat&, const AudioFormat&) = default;
};

// Duration of an Opus packet at 48 kHz, by its first bytes (RFC 6716 section 3.1); absent when it is none.
[[nodiscard]] std::optional<std::uint32_t> opus_ticks(Bytes packet);

// Samples of all channels as they are interleaved, full scale 1; the count written, which is the smaller of what is
// there and what fits. 0 for Opus.
[[nodiscard]] std::size_t decode_samples(Encoding encoding, Bytes payload, std::span<float> out);

}  // namespace hawser::radio
