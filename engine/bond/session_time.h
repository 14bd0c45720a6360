// SPDX-License-Identifier: MIT
// When the SRT server hands over a packet: its timestamp, on our clock, plus the latency that caller and listener
// agreed on. A listener takes the arrival of the caller's conclusion, less that packet's timestamp, as the session's
// beginning (Haivision/srt c39196c9, TsbPd time base), and stands beside us, so what passes here is what it sees.
//
// It errs on the early side: of several conclusions the earliest beginning counts. The caller's clock may run fast or
// slow; the server follows it (drift tracer), and so do we, by the least delay of the last minute against that of the
// session's first seconds. What makes deadlines later is believed as far as a clock can drift, since ways get longer
// too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "engine/base/time.h"

namespace hawser::bond {

class SessionTime {
public:
    // A conclusion of this caller's passed by.
    void on_conclusion(std::uint32_t caller, std::uint32_t timestamp_us, Instant now) noexcept {
        const Instant begun = now - Duration{std::int64_t{timestamp_us} * 1'000};
        if (!has_begun_ || caller != caller_) {
            *this = SessionTime{};
            begun_ = begun;
            caller_ = caller;
            has_begun_ = true;
        }
        begun_ = std::min(begun_, begun);
    }
    // The listener's answer: what it will keep.
    void on_latency(Duration latency) noexcept { latency_ = latency; }

    [[nodiscard]] std::optional<Duration> latency() const noexcept { return latency_; }

    // When a data packet that came now is to be handed over; absent when the handshake passed unseen. Timestamps wrap
    // after 71 minutes; one is taken for the nearest moment to now that it can mean. For each packet of a session,
    // since it learns from them.
    [[nodiscard]] std::optional<Instant> deadline(std::uint32_t timestamp_us, Instant now) noexcept {
        if (!has_begun_ || !latency_) return std::nullopt;
        const std::int64_t elapsed_us = (now - begun_).us();
        const auto behind_us = static_cast<std::int32_t>(static_cast<std::uint32_t>(elapsed_us) - timestamp_us);
        const Duration delay{std::int64_t{behind_us} * 1'000};  // beyond that of the handshake
        if (!first_data_at_) first_data_at_ = window_at_ = now;
        if (now - window_at_ >= window) {
            least_before_ = least_;
            least_ = unknown;
            window_at_ = now;
        }
        least_ = std::min(least_, delay);
        const Duration least = std::min(least_, least_before_);
        if (now - *first_data_at_ < settling) usual_ = least;
        const Duration drift = std::min(least - usual_, (now - *first_data_at_) / drift_share);
        return now - delay + *latency_ + drift;
    }

private:
    // The way's own delay is known after so long; how it changes later is the caller's clock. Untuned.
    static constexpr Duration settling{10'000'000'000};
    // In so long some packet meets no queue on one of the links. Untuned.
    static constexpr Duration window{30'000'000'000};
    // 100 ppm: twice what crystals of phones and encoders are specified for.
    static constexpr std::int64_t drift_share = 10'000;
    static constexpr Duration unknown{std::numeric_limits<std::int64_t>::max()};

    Instant begun_;
    std::uint32_t caller_ = 0;
    bool has_begun_ = false;
    std::optional<Duration> latency_;
    std::optional<Instant> first_data_at_;
    Instant window_at_;
    Duration least_ = unknown;  // delay in this window, and in the one before
    Duration least_before_ = unknown;
    Duration usual_{};
};

}  // namespace hawser::bond
