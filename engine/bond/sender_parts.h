// SPDX-License-Identifier: MIT
// What the sender's files share among themselves: links by number and as bits of a mask.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/base/link_load.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"

namespace hawser::bond {

constexpr LinkId link_at(std::size_t i) { return LinkId(static_cast<std::uint8_t>(i)); }
constexpr LinkMask bit(LinkId link) { return LinkMask{1} << link.value; }
template <class Visit>
void each_link(LinkMask mask, Visit&& visit) {
    for (; mask != 0; mask &= mask - 1) visit(link_at(static_cast<std::size_t>(std::countr_zero(mask))));
}

}  // namespace hawser::bond
