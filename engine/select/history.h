// SPDX-License-Identifier: MIT
// What one link has been through: losses, bursts of them, round trips. Answers how much a link is worth beyond its
// window (quality), and by how much its window may recover after losses. Figures: irlserver/srtla_send 86b90aa.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/time.h"
#include "engine/select/rtt_filter.h"

namespace hawser::select {

using namespace hawser::literals;

// A link younger than this is judged only by whether it ever lost anything.
inline constexpr Duration youth = 30_s;
inline constexpr float quality_clean = 1.1F;         // factor: no NAK yet
inline constexpr float quality_young_lossy = 0.98F;  // factor: a NAK in its youth
inline constexpr float nak_penalty = 0.5F;           // share taken off right after a NAK...
inline constexpr Duration nak_decay = 2000_ms;       // ...and the time in which it falls to 1/e
inline constexpr float burst_penalty = 0.7F;         // factor
inline constexpr std::uint32_t burst_min = 5;        // NAKs that make a burst
inline constexpr Duration burst_memory = 3000_ms;    // since its last NAK
inline constexpr Duration burst_gap_max = 1000_ms;   // NAKs closer than this belong together
inline constexpr float rtt_bonus_reference_ms = 200.0F;
inline constexpr float rtt_bonus_floor_ms = 50.0F;
inline constexpr float rtt_bonus_max = 1.03F;        // factor
inline constexpr Duration quality_interval = 50_ms;  // a quality is recomputed at most this often

// Window recovery, tried once a second: window units by time since the last NAK.
inline constexpr Duration recovery_interval = 1_s;
inline constexpr Duration recovery_wait = 2000_ms;      // since the last NAK
inline constexpr Duration recovery_wait_fast = 500_ms;  // the same in fast recovery
inline constexpr std::int32_t recovery_step = 30;       // doubled, halved or quartered by that time
inline constexpr std::int32_t recovery_cap = 60'000;    // the largest window there is
inline constexpr float recovery_velocity_max = 2.0F;    // ms per sample: above it, half
// Fast recovery: from a NAK that leaves the window this low until it is this high again. Window units.
inline constexpr std::int32_t fast_enter = 2000;
inline constexpr std::int32_t fast_leave = 12000;

class History {
public:
    void clear() noexcept { *this = History{}; }
    // REG3; only the first counts.
    void on_registered(Instant now) noexcept {
        if (!registered_at_) registered_at_ = now;
    }
    // `window`: what this NAK left of it.
    void on_nak(std::int32_t window, Instant now) noexcept;
    void on_rtt(Duration sample) noexcept { rtt_.add(sample); }
    // At each recovery tick: how much to add to a window of that size.
    [[nodiscard]] std::int32_t recover(std::int32_t window, Instant now) noexcept;

    [[nodiscard]] float quality(Instant now) const noexcept;
    [[nodiscard]] std::uint32_t burst() const noexcept { return burst_; }
    [[nodiscard]] bool recovers_fast() const noexcept { return fast_; }
    [[nodiscard]] const RttFilter& rtt() const noexcept { return rtt_; }

private:
    [[nodiscard]] float rtt_bonus() const noexcept;

    std::optional<Instant> registered_at_;
    std::optional<Instant> last_nak_;
    std::uint32_t burst_ = 0;  // NAKs in the current burst; 0 or at least 2
    bool fast_ = false;
    RttFilter rtt_;
};

}  // namespace hawser::select
