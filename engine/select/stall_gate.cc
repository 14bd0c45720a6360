// SPDX-License-Identifier: MIT
#include "engine/select/stall_gate.h"

#include <algorithm>
#include <bit>

namespace hawser::select {

void StallGate::forget(LinkId link) noexcept {
    const LinkMask others = ~mask_of(link);
    proven_ &= others;
    latched_ &= others;
    pulled_ &= others;
    gated_ &= others;
    fresh_since_[link.index()].reset();
}

void StallGate::note_proof(LinkMask links, Instant now) noexcept {
    proven_ |= links;
    for (LinkMask rest = links; rest != 0; rest &= rest - 1)
        proof_at_[static_cast<std::size_t>(std::countr_zero(rest))] = now;
}

void StallGate::judge(LinkId link, std::int32_t in_flight, const RttFilter& rtt, const Settings& settings,
                      Instant now) noexcept {
    const LinkMask bit = mask_of(link);
    const std::size_t i = link.index();
    if (in_flight == 0) empty_at_[i] = now;
    if ((proven_ & bit) == 0) return;
    const Duration stale_max = settings.stall_ack_stale;
    const Duration stale_time =
        rtt.empty() ? stale_max
                    : std::max(std::min(rtt.value() * stale_round_trips, stale_max), std::min(stale_min, stale_max));
    const Duration silence_time = std::min(std::max(rtt.value() * silence_round_trips, silence_min), stale_time);
    const bool loaded = in_flight >= static_cast<std::int32_t>(settings.stall_min_in_flight);
    const bool stale = now - std::max(proof_at_[i], empty_at_[i]) > stale_time;
    const bool silent = now - std::max(heard_at_[i], empty_at_[i]) > silence_time;

    if (loaded && silent) pulled_ |= bit;
    if ((loaded || (pulled_ & bit) != 0) && stale) latched_ |= bit;
    if ((latched_ & bit) == 0) return;
    // Emptiness excuses, but only proof releases.
    if (now - proof_at_[i] > stale_time) {
        fresh_since_[i].reset();
    } else if (!fresh_since_[i]) {
        fresh_since_[i] = proof_at_[i];
    } else if (now - *fresh_since_[i] >= stale_time * release_stale_times) {
        latched_ &= ~bit;
        fresh_since_[i].reset();
    }
}

bool StallGate::draw(LinkMask usable, bool enabled) noexcept {
    const LinkMask stalled_now = stalled() & usable;
    const LinkMask drawn = enabled && stalled_now != usable ? stalled_now : 0;
    events_ += static_cast<std::uint64_t>(std::popcount(drawn & ~gated_));
    const bool changed = drawn != gated_;
    gated_ = drawn;
    return changed;
}

}  // namespace hawser::select
