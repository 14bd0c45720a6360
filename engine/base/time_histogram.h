// SPDX-License-Identifier: MIT
// How often a time was how long: counts in buckets that double in width, from a first bound on. Adding is a division by
// a constant, a bit scan and two additions; copied as a value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/base/time.h"

namespace hawser {

// Bucket i counts what is not longer than first_ns * 2^i and longer than the bucket before allows; the last one counts
// all that is longer than the last bound.
template <std::int64_t first_ns, std::size_t bounds>
class TimeHistogram {
public:
    static constexpr std::size_t bucket_count = bounds + 1;

    void add(Duration time) noexcept {
        const auto above = static_cast<std::uint64_t>(std::max<std::int64_t>(time.ns - 1, 0) / first_ns);
        ++counts_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above)), bounds)];
        sum_ = sum_ + time;
    }
    // The longest time that bucket i < bounds counts.
    [[nodiscard]] static constexpr Duration bound(std::size_t i) { return {first_ns << i}; }
    [[nodiscard]] const std::array<std::uint64_t, bucket_count>& counts() const noexcept { return counts_; }
    [[nodiscard]] Duration sum() const noexcept { return sum_; }

private:
    std::array<std::uint64_t, bucket_count> counts_{};
    Duration sum_{};
};

// Of the pump's turns: 1 us to 33 ms. Of round trips: 1 ms to 4 s.
using TurnTimes = TimeHistogram<1'000, 16>;
using RoundTrips = TimeHistogram<1'000'000, 13>;

}  // namespace hawser
