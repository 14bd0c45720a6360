// SPDX-License-Identifier: MIT
#include "engine/select/rtt_filter.h"

namespace hawser::select {

void RttFilter::add(Duration sample) noexcept {
    const float measured = static_cast<float>(sample.ns) / 1'000'000.0F;
    if (!has_value_) {
        clear();
        value_ = measured;
        has_value_ = true;
        return;
    }
    // Predict: the value moves by one velocity; P = F P F' + Q with F = [1 1; 0 1].
    value_ += velocity_;
    p00_ += 2.0F * p01_ + p11_ + noise_value;
    p01_ += p11_;
    p11_ += noise_velocity;
    // Correct: only the value is measured.
    const float spread = p00_ + noise_measurement;
    const float gain_value = p00_ / spread;
    const float gain_velocity = p01_ / spread;
    const float surprise = measured - value_;
    value_ += gain_value * surprise;
    velocity_ += gain_velocity * surprise;
    p11_ -= gain_velocity * p01_;
    p01_ -= gain_value * p01_;
    p00_ -= gain_value * p00_;
}

}  // namespace hawser::select
