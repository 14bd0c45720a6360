// SPDX-License-Identifier: MIT
// When a sample of a stream left radiod, in UTC: each STATUS gives its sender's clock (GPS_TIME) and the timestamp that
// the next packet has (RTP_TIMESNAP). radiod reads the clock when it writes the packet, up to some milliseconds after
// the block was due, never before: so of the last statuses the earliest counts.
// Not corrected: radiod's own delay between antenna and output.
// RTCP is no second source: radiod sends it on request only and for channels of its configuration alone, and what its
// sender reports give as the RTP timestamp is the seconds since the channel began (ka9q-radio 4e0033b4, seen on the
// wire). Nobody here listens to port 5005.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/time.h"
#include "engine/wire/rtp.h"

namespace hawser::radio {

// GPS time runs without leap seconds: UTC is behind it by so many, 18 since 2017.
inline constexpr std::int64_t leap_seconds_default = 18;
inline constexpr std::int64_t gps_epoch_unix_s = 315'964'800;  // 1980-01-06
// Radiod's count goes up to 1.5e18 in 2026; a greater one than this, a century later, is none.
inline constexpr std::uint64_t gps_ns_max = std::uint64_t{1} << 62;
[[nodiscard]] constexpr std::int64_t unix_ns_of_gps(std::uint64_t gps_ns,
                                                    std::int64_t leap_seconds = leap_seconds_default) {
    return static_cast<std::int64_t>(std::min(gps_ns, gps_ns_max)) + (gps_epoch_unix_s - leap_seconds) * 1'000'000'000;
}

class RtpClock {
public:
    // A status that is further from the others than this contradicts them: a restart that was not seen.
    static constexpr Duration contradiction{100'000'000};

    explicit RtpClock(std::int64_t leap_seconds = leap_seconds_default) : leap_seconds_(leap_seconds) {}

    void reset() { count_ = 0; }
    void on_status(std::uint64_t gps_ns, wire::RtpTime snap, std::uint32_t tick_rate);
    // Within 2^31 ticks of the last status; absent before the first.
    [[nodiscard]] std::optional<std::int64_t> unix_ns_at(wire::RtpTime timestamp) const;
    [[nodiscard]] std::uint64_t contradictions() const { return contradictions_; }

private:
    static constexpr std::size_t kept = 16;  // 8 s at radiod's usual two a second

    // Ticks to ns without overflow over days.
    [[nodiscard]] std::int64_t ns_of(std::int64_t ticks) const {
        const auto rate = static_cast<std::int64_t>(tick_rate_);
        return ticks / rate * 1'000'000'000 + ticks % rate * 1'000'000'000 / rate;
    }
    [[nodiscard]] std::int64_t earliest() const;

    std::int64_t leap_seconds_;
    std::uint32_t tick_rate_ = 0;
    wire::RtpTime anchor_;           // of the last status
    std::int64_t anchor_ticks_ = 0;  // its unwrapped count
    std::array<std::int64_t, kept>
        origins_{};  // Unix ns at which tick 0 of the count was, by each of the last statuses
    std::size_t count_ = 0;
    std::uint64_t contradictions_ = 0;
};

}  // namespace hawser::radio
