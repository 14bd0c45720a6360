// SPDX-License-Identifier: MIT
// The only clock of the program: CLOCK_MONOTONIC as an Instant. The pump reads it once per turn. Beside it, for what
// others count on while this host sleeps, how long that was.
#pragma once

#include <time.h>

#include "engine/base/time.h"

namespace hawser::os {

[[nodiscard]] inline Instant now() noexcept {
    timespec t;
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return Instant{std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

// How long the host has slept since it was started: time that now() does not count.
[[nodiscard]] inline Duration slept() noexcept {
    // In this order: what passes between the two readings must not make it less than it is.
    const Instant awake = now();
    timespec t;
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return Instant{std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec} - awake;
}

// For calls that take a struct timespec; negative durations become zero.
[[nodiscard]] inline timespec to_timespec(std::int64_t ns) noexcept {
    timespec t{};
    if (ns > 0) {
        t.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
        t.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    }
    return t;
}

}  // namespace hawser::os
