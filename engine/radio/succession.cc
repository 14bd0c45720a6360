// SPDX-License-Identifier: MIT
#include "engine/radio/succession.h"

#include <cmath>
#include <limits>

namespace hawser::radio {

namespace {

// A block's time between the sample that a status counts and the clock that it tells, and hosts' clocks that differ.
constexpr Duration slack{200'000'000};  // untuned
// The front end's clock against the host's, at 100 ppm for the hours in which a silent channel may tell nothing.
constexpr Duration drift_max{2'000'000'000};

}  // namespace

std::optional<RadiodLife> life_of(const Status& s) {
    if (!s.has(RadioField::gps_time) || !s.has(RadioField::input_samples) || s.frontend.input_samprate == 0)
        return std::nullopt;
    const double ran_ns = static_cast<double>(s.frontend.input_samples) * 1e9 / s.frontend.input_samprate;
    constexpr std::uint64_t latest = std::numeric_limits<std::int64_t>::max() / 2;  // what follows subtracts
    if (s.channel.gps_time > latest || ran_ns > static_cast<double>(s.channel.gps_time)) return std::nullopt;
    const auto told = static_cast<std::int64_t>(s.channel.gps_time);
    return RadiodLife{told - static_cast<std::int64_t>(ran_ns), told};
}

bool may_follow(const RadiodLife& before, Duration heard_after, const RadiodLife& next) {
    return next.begun - before.told >= heard_after.ns - slack.ns;
}

bool is_same_run(const RadiodLife& a, const RadiodLife& b) {
    return std::abs(static_cast<double>(a.begun) - static_cast<double>(b.begun)) <= static_cast<double>(drift_max.ns);
}

}  // namespace hawser::radio
