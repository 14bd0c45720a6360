// SPDX-License-Identifier: MIT
#include "engine/sim/radio_trace.h"

#include <algorithm>
#include <cmath>

#include "engine/base/random.h"
#include "engine/sim/line.h"

namespace hawser::sim {
namespace {

constexpr double step_s = 0.02;  // the rate holds this long, as in Sprout's model
// Untuned: how long the rate remembers (cells and shadows; scheduling and fast fading), and how the spread divides.
constexpr double slow_memory_s = 6, fast_memory_s = 0.25;
constexpr double slow_part = 0.8, fast_part = 0.6;  // 0.8^2 + 0.6^2 = 1
constexpr double fade_s = 0.8, fade_factor = 0.05;

class Chance {
public:
    explicit Chance(std::uint64_t seed) : random_(seed) {}
    double uniform() { return (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1.0p-53; }
    // The sum of twelve: bounded at six deviations, which suits a radio.
    double normal() {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }
    double exponential(double mean) { return -mean * std::log(uniform()); }

private:
    Random random_;
};

// One step of a wandering value with unit deviation.
double wander(double value, double memory_s, Chance& chance) {
    const double kept = std::exp(-step_s / memory_s);
    return value * kept + chance.normal() * std::sqrt(1 - kept * kept);
}

}  // namespace

std::vector<std::uint32_t> radio_trace(const RadioModel& model, std::uint64_t seed) {
    Chance chance(seed);
    std::vector<std::uint32_t> out;
    const double spread = std::clamp(model.spread, 0.0, 2.0);
    double slow = chance.normal(), fast = chance.normal();
    double fade_until = -1;
    double wanted = chance.exponential(1);  // opportunities until the next one, in the mean
    for (double t = 0; t < model.seconds; t += step_s) {
        slow = wander(slow, slow_memory_s, chance);
        fast = wander(fast, fast_memory_s, chance);
        if (chance.uniform() < model.fades_per_minute / 60 * step_s) fade_until = t + chance.exponential(fade_s);
        double bps = model.kbit_per_second * 1000 * std::exp(spread * (slow_part * slow + fast_part * fast));
        if (t < fade_until) bps *= fade_factor;
        const double per_second = bps / 8 / static_cast<double>(opportunity_bytes);
        double at = 0;
        while (wanted < (step_s - at) * per_second) {
            at += wanted / per_second;
            out.push_back(static_cast<std::uint32_t>((t + at) * 1000));
            wanted = chance.exponential(1);
        }
        wanted -= (step_s - at) * per_second;
    }
    // The period is whole, whatever came last.
    const auto end = static_cast<std::uint32_t>(std::max(model.seconds, step_s) * 1000);
    if (out.empty() || out.back() < end) out.push_back(end);
    return out;
}

}  // namespace hawser::sim
