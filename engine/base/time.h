// SPDX-License-Identifier: MIT
// Instants and durations in whole nanoseconds. There is no clock here: time is an argument.
// An Instant counts from an origin that only its maker knows (CLOCK_MONOTONIC's, or a simulation's zero).
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace hawser {

struct Duration {
    std::int64_t ns = 0;

    friend constexpr bool operator==(Duration, Duration) = default;
    friend constexpr auto operator<=>(Duration, Duration) = default;
    friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
    friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
    friend constexpr Duration operator*(Duration a, std::int64_t k) { return {a.ns * k}; }
    friend constexpr Duration operator/(Duration a, std::int64_t k) { return {a.ns / k}; }

    [[nodiscard]] constexpr std::int64_t us() const { return ns / 1'000; }
    [[nodiscard]] constexpr std::int64_t ms() const { return ns / 1'000'000; }
};

struct Instant {
    std::int64_t ns = 0;

    friend constexpr bool operator==(Instant, Instant) = default;
    friend constexpr auto operator<=>(Instant, Instant) = default;
    friend constexpr Instant operator+(Instant t, Duration d) { return {t.ns + d.ns}; }
    friend constexpr Instant operator-(Instant t, Duration d) { return {t.ns - d.ns}; }
    friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }

    [[nodiscard]] constexpr std::int64_t ms() const { return ns / 1'000'000; }
};

// Later than any real instant: "no deadline".
inline constexpr Instant never{std::numeric_limits<std::int64_t>::max()};

namespace literals {
constexpr Duration operator""_ns(unsigned long long v) { return {static_cast<std::int64_t>(v)}; }
constexpr Duration operator""_us(unsigned long long v) { return {static_cast<std::int64_t>(v) * 1'000}; }
constexpr Duration operator""_ms(unsigned long long v) { return {static_cast<std::int64_t>(v) * 1'000'000}; }
constexpr Duration operator""_s(unsigned long long v) { return {static_cast<std::int64_t>(v) * 1'000'000'000}; }
}  // namespace literals

}  // namespace hawser
