// SPDX-License-Identifier: MIT
// What the bond tells an encoder: how many bits of media a second it can carry now and shortly. Part of each snapshot
// of the sender's, and of an event when it has changed much. How it comes about: engine/bond/safe_rate.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/time.h"

namespace hawser {

// Why the figure is what it is.
enum class SafeRateCause : std::uint8_t {
    unknown,      // no media yet, or less than a second of them
    no_uplink,    // none carries anything
    offered,      // nothing stands in the way: what is offered, and a bounded share more
    probing,      // rises while nothing stands in the way
    held,         // neither rises nor falls
    queue,        // fell: packets need ever longer to arrive
    given_up,     // fell: packets could not arrive in time
    uplink_lost,  // fell: an uplink carries nothing any more
};

// As programs read them.
inline constexpr std::array<std::string_view, 8> safe_rate_cause_names{
    "unknown", "no uplink", "offered", "probing", "held", "queue", "packets given up", "uplink lost"};
[[nodiscard]] constexpr std::string_view name_of(SafeRateCause cause) {
    return safe_rate_cause_names[static_cast<std::size_t>(cause)];
}

struct SafeRate {
    bool is_known = false;
    SafeRateCause cause = SafeRateCause::unknown;
    std::uint64_t bits_per_second = 0;  // of media: SRT's payload
    std::uint64_t offered = 0;          // that the caller sent in the last second, of media
    Duration lag;                       // age of the oldest packet that SRT's receiver has not acknowledged
    Duration excess;                    // of it, beyond what the uplinks' distance explains
};

}  // namespace hawser
