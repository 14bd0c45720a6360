// SPDX-License-Identifier: MIT
// The loop watches itself: how long its turns' work takes, the longest since the start, and within the last complete
// second. Waiting is not work.
#pragma once

#include <algorithm>

#include "engine/base/time.h"
#include "engine/base/time_histogram.h"

namespace hawser {

class StallWatch {
public:
    void note(Instant began, Instant ended) noexcept {
        const Duration work = ended - began;
        times_.add(work);
        longest_ = std::max(longest_, work);
        if (began - second_start_ >= Duration{1'000'000'000}) {
            recent_ = current_;
            current_ = Duration{};
            second_start_ = began;
        }
        current_ = std::max(current_, work);
    }
    [[nodiscard]] Duration longest() const noexcept { return longest_; }
    [[nodiscard]] const TurnTimes& times() const noexcept { return times_; }
    [[nodiscard]] Duration recent() const noexcept { return std::max(recent_, current_); }

private:
    Duration longest_{}, recent_{}, current_{};
    Instant second_start_{};
    TurnTimes times_;
};

}  // namespace hawser
