// SPDX-License-Identifier: MIT
// How often something may happen: so many times at once, and once more each interval.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/base/time.h"

namespace hawser::bond {

// A token bucket as one instant: when it would be full again (the generic cell rate algorithm, ITU-T I.371).
class TokenBucket {
public:
    [[nodiscard]] bool has_token(Instant now, Duration interval, std::uint32_t burst) const {
        return full_at_ <= now + interval * (std::int64_t{burst} - 1);
    }
    void take(Instant now, Duration interval) { full_at_ = (full_at_ < now ? now : full_at_) + interval; }

private:
    Instant full_at_{std::numeric_limits<std::int64_t>::min() / 2};
};

}  // namespace hawser::bond
