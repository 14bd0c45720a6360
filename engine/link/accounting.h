// SPDX-License-Identifier: MIT
// Which link holds which SRT sequence, and what the answers mean for each link's in-flight count and window.
// All links together, since one answer concerns several of them.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"
#include "engine/wire/srtla.h"

namespace hawser::link {

// Window units: 1000 stand for one packet. Source: BELABOX/srtla 37862da.
inline constexpr std::int32_t window_unit = 1000;
inline constexpr std::int32_t window_min = 1 * window_unit;
inline constexpr std::int32_t window_default = 20 * window_unit;
inline constexpr std::int32_t window_max = 60 * window_unit;
inline constexpr std::int32_t window_loss_step = 100;
inline constexpr std::int32_t window_growth_step = 30;

using LinkMask = std::uint32_t;  // bit i: LinkId(i)
static_assert(links_max <= 32);

}  // namespace hawser::link
