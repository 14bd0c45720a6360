// SPDX-License-Identifier: MIT
// A link's round-trip time and its trend, from keepalive samples: a Kalman filter with state (value, velocity per
// sample). The trend tells a queue that is building from one that is merely long.
// Model and noise figures: irlserver/srtla_send 86b90aa. Values in milliseconds, velocity in ms per sample.
#pragma once

#include "engine/base/time.h"

namespace hawser::select {

class RttFilter {
public:
    void add(Duration sample) noexcept;
    void clear() noexcept { *this = RttFilter{}; }

    [[nodiscard]] bool empty() const noexcept { return !has_value_; }
    [[nodiscard]] float value_ms() const noexcept { return value_ > 0.0F ? value_ : 0.0F; }  // 0 when empty
    [[nodiscard]] float velocity_ms() const noexcept { return velocity_; }
    [[nodiscard]] Duration value() const noexcept {
        return Duration{static_cast<std::int64_t>(value_ms() * 1'000'000.0F)};
    }

private:
    static constexpr float noise_value = 0.5F;        // ms^2 per sample
    static constexpr float noise_velocity = 0.1F;     // (ms per sample)^2 per sample
    static constexpr float noise_measurement = 2.0F;  // ms^2
    static constexpr float variance_start = 2.0F;     // ms^2, and (ms per sample)^2

    float value_ = 0.0F;
    float velocity_ = 0.0F;
    float p00_ = variance_start;  // covariance, symmetric
    float p01_ = 0.0F;
    float p11_ = variance_start;
    bool has_value_ = false;
};

}  // namespace hawser::select
