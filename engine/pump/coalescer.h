// SPDX-License-Identifier: MIT
// How long the pump may wait for company after it has done its work. A wake-up costs more than a packet, so at rates
// where a wait of a few hundred microseconds gathers several packets it buys CPU; where packets are sparser than
// that, it would only add wake-ups. So the wait is gated by the measured rate, and bounded by the operator's limit
// and by a batch that is large enough.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/time.h"

namespace hawser {

class Coalescer {
public:
    // A limit of zero: never wait (prompt).
    explicit Coalescer(Duration limit) : limit_(limit) {}

    // Once per turn: how many packets it brought.
    void note(std::uint32_t packets, Instant now) noexcept {
        count_ += packets;
        const Duration span = now - since_;
        if (span < measure_span) [[likely]]
            return;
        const double rate = static_cast<double>(count_) * 1e9 / static_cast<double>(span.ns);
        // A pause of any length ends the memory of the rate before it; a faster stream is believed by halves.
        rate_ = span > measure_span * 8 ? rate : (rate_ + rate) / 2;
        count_ = 0;
        since_ = now;
        linger_ = compute();
    }
    [[nodiscard]] Duration linger() const noexcept { return linger_; }
    [[nodiscard]] Duration limit() const noexcept { return limit_; }
    // Measured over the last few milliseconds, whether or not there is a limit.
    [[nodiscard]] double packets_per_second() const noexcept { return rate_; }

private:
    static constexpr Duration measure_span{5'000'000};  // ten of the default waits
    // Packets that the longest wait must be likely to gather, for it to be worth the timer.
    static constexpr double gate_packets = 2.5;
    // A batch beyond which a wake-up is well shared already: two GSO sends of 16 on each of four links are in reach.
    static constexpr double batch_packets = 48;

    [[nodiscard]] Duration compute() const noexcept {
        if (limit_.ns == 0) return Duration{};
        const double expected = rate_ * static_cast<double>(limit_.ns) * 1e-9;
        if (expected < gate_packets) return Duration{};
        const double wanted_ns = batch_packets * 1e9 / rate_;
        return Duration{std::min(limit_.ns, static_cast<std::int64_t>(wanted_ns))};
    }

    Duration limit_;
    Duration linger_{};
    Instant since_{};
    std::uint64_t count_ = 0;
    double rate_ = 0;  // packets/s, SRT side and uplinks together
};

}  // namespace hawser
