// SPDX-License-Identifier: MIT
// Trips for tests: links as the recorded experiments describe them, and a load in percent.
#pragma once

#include <cmath>
#include <vector>

#include "engine/sim/trip.h"

namespace hawser::trips {

inline Duration ms(double value) { return Duration{static_cast<std::int64_t>(value * 1e6)}; }

// A steady link, with the way back that the experiments give every link.
inline sim::TripLink steady(double kbps, double delay_ms, double queue_ms = 300, double loss = 0) {
    sim::TripLink link;
    link.up.kbit_per_second = kbps;
    link.up.delay = ms(delay_ms);
    link.up.queue = ms(queue_ms);
    link.up.loss = loss;
    link.down.kbit_per_second = 20'000;
    link.down.delay = ms(delay_ms);
    link.down.queue = ms(300);
    return link;
}

// Of both directions; times count from the first payload, as in the experiments.
inline void cut(sim::TripLink& link, sim::LineOutage::Kind kind, double start_ms, double length_ms,
                double every_ms = 0) {
    const sim::LineOutage outage{kind, ms(start_ms + 500), ms(length_ms), ms(every_ms)};
    link.up.outages.push_back(outage);
    link.down.outages.push_back(outage);
}

// The experiments' SRT receiver tolerates 40 packets of reordering.
inline sim::Trip trip_over(std::vector<sim::TripLink> links, double load_percent, double latency_ms = 2000,
                           double seconds = 40) {
    sim::Trip trip;
    trip.links = std::move(links);
    trip.seconds = seconds;
    trip.srt.latency = ms(latency_ms);
    trip.srt.loss_max_ttl = 40;
    trip.kbit_per_second =
        std::round(sim::capacity_kbps(trip) * load_percent / 100 * static_cast<double>(sim::payload_bytes) /
                   static_cast<double>(sim::payload_wire_bytes));
    return trip;
}

// What the recorded experiments call a-equal, b-asym, e-outage and g-bloat, and two more in their manner.
inline std::vector<sim::TripLink> equal() { return {4, steady(3000, 30)}; }
inline std::vector<sim::TripLink> asymmetric() {
    return {steady(8000, 20), steady(4000, 30), steady(2000, 45), steady(1000, 75)};
}
inline std::vector<sim::TripLink> outage() {
    std::vector<sim::TripLink> links{steady(5000, 25), steady(4000, 30), steady(4000, 40), steady(3000, 40)};
    cut(links[0], sim::LineOutage::Kind::drop, 10'000, 10'000);
    return links;
}
inline std::vector<sim::TripLink> bloated() { return {steady(6000, 25), steady(4000, 30, 2000), steady(3000, 40)}; }
inline std::vector<sim::TripLink> lossy() {
    return {steady(4000, 25, 300, 0.02), steady(3000, 40, 300, 0.01), steady(3000, 30), steady(2000, 60, 300, 0.03)};
}
inline std::vector<sim::TripLink> holding() {
    std::vector<sim::TripLink> links{steady(5000, 30, 400), steady(4000, 35, 600), steady(4000, 45, 600)};
    cut(links[0], sim::LineOutage::Kind::hold, 5000, 1000, 15'000);
    return links;
}

}  // namespace hawser::trips
