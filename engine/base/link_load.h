// SPDX-License-Identifier: MIT
// What every link carries now, and how much it may: the numbers that link/ keeps and select/ sweeps. They live here
// since those two do not know each other. Arrays side by side, indexed by LinkId, 0 where no link is. The accounting
// writes them at every packet; the selector only widens windows after losses. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/strong.h"

namespace hawser {

using LinkMask = std::uint32_t;  // bit i: LinkId(i)
static_assert(links_max <= 32);

[[nodiscard]] constexpr LinkMask mask_of(LinkId link) { return LinkMask{1} << link.value; }

// Window units: 1000 stand for one packet. Source: BELABOX/srtla 37862da.
inline constexpr std::int32_t window_unit = 1000;
inline constexpr std::int32_t window_max = 60 * window_unit;

struct LinkLoad {
    alignas(cache_line_bytes) std::array<std::int32_t, links_max> window{};     // window units
    alignas(cache_line_bytes) std::array<std::int32_t, links_max> in_flight{};  // packets
    // Set by the selector: an SRTLA ACK is matched on the link it came by before the others.
    bool arrival_first = false;
};

}  // namespace hawser
