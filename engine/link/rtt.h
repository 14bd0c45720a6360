// SPDX-License-Identifier: MIT
// A link's round-trip time from keepalive echoes: smoothed as RFC 6298 section 2 has it, and the least of late.
// The least forgets: each of two half-windows keeps its own, so an improved path and a worsened one both show
// within one window.
#pragma once

#include <algorithm>

#include "engine/base/time.h"

namespace hawser::link {

class Rtt {
public:
    // RFC 6298: gains 1/8 and 1/4.
    void sample(Duration rtt, Instant now) {
        if (!has_sample_) {
            smoothed_ = rtt;
            variation_ = rtt / 2;
            has_sample_ = true;
            window_start_ = now;
            minimum_ = previous_minimum_ = rtt;
            return;
        }
        const Duration error{std::abs((smoothed_ - rtt).ns)};
        variation_ = (variation_ * 3 + error) / 4;
        smoothed_ = (smoothed_ * 7 + rtt) / 8;
        if (now - window_start_ >= half_window) {
            previous_minimum_ = minimum_;
            minimum_ = rtt;
            window_start_ = now;
        }
        minimum_ = std::min(minimum_, rtt);
    }
    void reset() { *this = Rtt{}; }

    [[nodiscard]] bool has_sample() const { return has_sample_; }
    // Zero before the first sample.
    [[nodiscard]] Duration smoothed() const { return smoothed_; }
    [[nodiscard]] Duration variation() const { return variation_; }
    [[nodiscard]] Duration minimum() const { return std::min(minimum_, previous_minimum_); }

private:
    static constexpr Duration half_window{30'000'000'000};  // untuned: a minute's memory at most

    Duration smoothed_, variation_, minimum_, previous_minimum_;
    Instant window_start_;
    bool has_sample_ = false;
};

}  // namespace hawser::link
