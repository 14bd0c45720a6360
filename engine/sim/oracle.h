// SPDX-License-Identifier: MIT
// Delivery opportunities of a trip's upward lines, one per payload: the ground that both oracles stand on.
#pragma once

#include <vector>

#include "engine/sim/trip.h"

namespace hawser::sim {

// A link can deliver one payload: milliseconds from the first payload.
struct Opportunity {
    double leaves_ms;  // the bottleneck
    double arrives_ms;
};
// Of one line over the media's time and four seconds; random loss is taken off as capacity, in the mean.
[[nodiscard]] std::vector<Opportunity> opportunities(const LineShape& shape, double seconds, Duration lead,
                                                     bool with_losses, bool with_outages);

}  // namespace hawser::sim
