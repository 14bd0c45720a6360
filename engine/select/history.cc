// SPDX-License-Identifier: MIT
#include "engine/select/history.h"

#include <algorithm>
#include <limits>

#include "engine/select/exp_decay.h"

namespace hawser::select {

void History::on_nak(std::int32_t window, Instant now) noexcept {
    // A burst shows at its second loss, hence a count that starts at two.
    const bool close = last_nak_ && now - *last_nak_ < burst_gap_max;
    burst_ = close ? std::max(burst_ + 1, std::uint32_t{2}) : 0;
    last_nak_ = now;
    if (window <= fast_enter) fast_ = true;
}

std::int32_t History::recover(std::int32_t window, Instant now) noexcept {
    if (window >= fast_leave) fast_ = false;
    constexpr Duration for_ever{std::numeric_limits<std::int64_t>::max()};
    const Duration calm = last_nak_ ? now - *last_nak_ : for_ever;
    if (calm >= burst_gap_max) burst_ = 0;
    if (calm <= (fast_ ? recovery_wait_fast : recovery_wait)) return 0;
    constexpr std::int32_t base = recovery_step;
    std::int32_t amount = base / 4;
    if (calm > 10_s) {
        amount = base * 2;
    } else if (calm > 7_s) {
        amount = base;
    } else if (calm > 5_s) {
        amount = base / 2;
    }
    if (fast_) amount = amount * 2;
    // A round trip that keeps growing is a queue that builds: do not push into it.
    if (rtt_.velocity_ms() > recovery_velocity_max) amount /= 2;
    return amount;
}

float History::quality(Instant now) const noexcept {
    if (!registered_at_ || now - *registered_at_ < youth) return last_nak_ ? quality_young_lossy : quality_clean;
    if (!last_nak_) return quality_clean * rtt_bonus();
    const Duration age = now - *last_nak_;
    const float decayed = exp_decay(static_cast<float>(age.ns) / static_cast<float>(nak_decay.ns));
    float quality = 1.0F - nak_penalty * decayed;
    if (burst_ >= burst_min && age < burst_memory) quality *= burst_penalty;
    return quality * rtt_bonus();
}

float History::rtt_bonus() const noexcept {
    if (rtt_.empty()) return 1.0F;
    return std::clamp(rtt_bonus_reference_ms / std::max(rtt_.value_ms(), rtt_bonus_floor_ms), 1.0F, rtt_bonus_max);
}

}  // namespace hawser::select
