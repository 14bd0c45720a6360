// SPDX-License-Identifier: MIT
// The modes: pure functions from candidates to a choice, one sweep over all links without a branch on their values.
// A further mode is a function of this shape and a row where the selector resolves modes.
#pragma once

#include "engine/select/candidate.h"

namespace hawser::select {

// window / (in_flight + 1), whole part; the greatest wins, the last added among equals. Float division gives the same
// whole part as integer division for every window up to 2^23 (see the test over all of them).
// Source: BELABOX/srtla 37862da.
[[nodiscard]] inline IntLanes classic_scores(const Candidates& all, std::size_t first) noexcept {
    const FloatLanes window = to_float(load_lanes(all.window + first));
    const FloatLanes share = to_float(load_lanes(all.in_flight + first) + 1);
    return to_int(window / share);
}

// The classic score times the link's weight, a product in single precision cut to whole parts; smaller differences
// are ties.
[[nodiscard]] inline IntLanes weighted_scores(const Candidates& all, std::size_t first) noexcept {
    return to_int(to_float(classic_scores(all, first)) * load_lanes(all.weight.data() + first));
}

// Scores as keys that compare by score, then rank; negative for barred links.
[[nodiscard]] inline IntLanes keys_of(const Candidates& all, IntLanes scores, std::size_t first) noexcept {
    return (scores << rank_bits) | load_lanes(all.tie.data() + first);
}

// Classic's keys are below 2^24, so single precision holds and orders them exactly.
static_assert((std::int64_t{window_max} << rank_bits) + rank_mask < std::int64_t{1} << 24);
[[nodiscard]] inline Choice choose_classic(const Candidates& all) noexcept {
    FloatLanes best = to_float(all_lanes(-1));
    for (std::size_t g = 0; g < all.groups; ++g)
        best = max_lanes(best, to_float(keys_of(all, classic_scores(all, g * lanes), g * lanes)));
    return {static_cast<std::int32_t>(largest_of(best))};
}

// Leaving the previous link takes a score of 11/10 of its own: irlserver/srtla_send 86b90aa.
inline constexpr std::int64_t hysteresis_numerator = 11;
inline constexpr std::int64_t hysteresis_denominator = 10;

struct EnhancedChoice {
    Choice best;    // by score alone
    Choice chosen;  // `previous` while it is good enough
};
[[nodiscard]] inline EnhancedChoice choose_enhanced(const Candidates& all, LinkId previous) noexcept {
    // One place more than there are links, so that "none before" is a barred link like any other.
    alignas(cache_line_bytes) std::array<std::int32_t, links_max + lanes> keys;
    const std::size_t before = previous.index() < links_max ? previous.index() : links_max;
    keys[before] = -1;
    IntLanes best = all_lanes(-1);
    for (std::size_t g = 0; g < all.groups; ++g) {
        const IntLanes group = keys_of(all, weighted_scores(all, g * lanes), g * lanes);
        store_lanes(keys.data() + g * lanes, group);
        best = max_lanes(best, group);
    }
    const Choice first{largest_of(best)};
    const Choice last{keys[before]};
    // A barred link's key is -1 and its score too, so it never holds on.
    const bool stay = first.score() * hysteresis_denominator < last.score() * hysteresis_numerator;
    return {first, stay ? last : first};
}

}  // namespace hawser::select
