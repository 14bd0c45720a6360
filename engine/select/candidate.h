// SPDX-License-Identifier: MIT
// What a selector may see of the links: arrays side by side, indexed by LinkId and padded to whole lanes.
// Window and in-flight counts are read where the accounting keeps them; everything else changes when a link changes
// or when quality is due, not per packet. Modes are pure functions over this and never write to a link.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/lanes.h"
#include "engine/base/link_load.h"
#include "engine/base/strong.h"

namespace hawser::select {

// Scores carry this many parts per whole in modes that weigh them, so that one integer key orders them.
// 60000 (largest window) * 1.133 (best quality) * 512 * 32 (ranks) stays below 2^31.
inline constexpr std::int32_t score_parts = 512;
inline constexpr std::int32_t rank_bits = 5;
inline constexpr std::int32_t rank_mask = (1 << rank_bits) - 1;
static_assert(links_max <= std::size_t{1} << rank_bits);

struct Candidates {
    const std::int32_t* window = nullptr;                                 // window units, links_max of them
    const std::int32_t* in_flight = nullptr;                              // packets, links_max of them
    alignas(cache_line_bytes) std::array<std::int32_t, links_max> tie{};  // the rank; -1: may not be picked
    alignas(cache_line_bytes) std::array<float, links_max> weight{};      // quality * score_parts
    std::array<std::int32_t, links_max> rank{};                           // greater wins a tie: last added first
    std::array<LinkId, links_max> by_rank{};
    std::size_t groups = 0;  // of four links, that cover all candidates
};

// The outcome of one sweep. The key is score << rank_bits | rank, and negative where no link may be picked.
struct Choice {
    std::int32_t key = -1;

    [[nodiscard]] bool none() const noexcept { return key < 0; }
    [[nodiscard]] std::int32_t score() const noexcept { return key >> rank_bits; }
    [[nodiscard]] LinkId link(const Candidates& all) const noexcept {
        return none() ? no_link : all.by_rank[static_cast<std::size_t>(key & rank_mask)];
    }
};

}  // namespace hawser::select
