// SPDX-License-Identifier: MIT
// Capacity of a radio link made up from physics, where no recording is at hand: delivery opportunities arrive by chance
// (Poisson) at a rate that wanders, as Winstein, Sivaraman and Balakrishnan describe cellular links (Sprout, NSDI
// 2013), with deep fades now and then. A function of the model and the seed; no recording went into it.
#pragma once

#include <cstdint>
#include <vector>

namespace hawser::sim {

struct RadioModel {
    double kbit_per_second = 4000;  // the middle of its rates (their median outside fades)
    double spread = 0.4;            // standard deviation of the rate's logarithm: 0.4 is a factor of 1.5 up or down
    double fades_per_minute = 3;    // each lasts 0.8 s on average and leaves a twentieth of the rate
    double seconds = 180;           // until it repeats
};

// In the form of LineShape::trace_ms: never empty, the last above zero.
[[nodiscard]] std::vector<std::uint32_t> radio_trace(const RadioModel& model, std::uint64_t seed);

}  // namespace hawser::sim
