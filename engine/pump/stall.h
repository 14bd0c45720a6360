// SPDX-License-Identifier: MIT
// The loop watches itself: the longest turn's work since the start, and within the last complete second. Waiting is
// not work.
#pragma once

#include <algorithm>

#include "engine/base/time.h"

namespace hawser {

class StallWatch {
public:
    void note(Instant began, Instant ended) noexcept {
        const Duration work = ended - began;
        longest_ = std::max(longest_, work);
        if (began - second_start_ >= Duration{1'000'000'000}) {
            recent_ = current_;
            current_ = Duration{};
            second_start_ = began;
        }
        current_ = std::max(current_, work);
    }
    [[nodiscard]] Duration longest() const noexcept { return longest_; }
    [[nodiscard]] Duration recent() const noexcept { return std::max(recent_, current_); }

private:
    Duration longest_{}, recent_{}, current_{};
    Instant second_start_{};
};

}  // namespace hawser
