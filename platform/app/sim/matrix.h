// SPDX-License-Identifier: MIT
// Many trips: every scenario at every load, latency, receiver and selector, over seeds and repeats, on as many
// processors as allowed. The outcome depends on the plan alone, not on how many worked on it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/app/sim/scenario.h"

namespace hawser::app {

struct MatrixPlan {
    std::vector<Scenario> scenarios;
    std::vector<double> loads;      // percent; empty: each scenario's own load or kbps
    std::vector<double> latencies;  // ms; empty: each scenario's own
    std::vector<sim::TripReceiver> receivers{sim::TripReceiver::hawser};
    std::vector<select::Settings> selections;
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 1;
    std::uint64_t repeats = 1;
    std::optional<double> seconds;
    std::optional<std::int32_t> loss_max_ttl;
    std::optional<bool> patched_receiver;
    std::optional<Duration> coalesce;
    bool series = false;  // for a plot
    unsigned workers = 1;
};

// The same scenario, load, latency and receiver.
struct MatrixCell {
    std::size_t scenario = 0;
    std::optional<double> load;
    double latency_ms = 0;
    sim::TripReceiver receiver = sim::TripReceiver::hawser;

    friend bool operator==(const MatrixCell&, const MatrixCell&) = default;
};

struct MatrixRun {
    MatrixCell cell;
    std::size_t selection = 0;
    std::uint64_t seed = 0;
    std::uint64_t repeat = 0;
    double kbps = 0;
    double capacity_kbps = 0;
    double omniscient = 0;
    double causal = 0;
    sim::TripOutcome outcome;
};

// In order: cell by cell, in each by seed, repeat, selection. `done` is told after each trip how many there are, from
// one thread at a time; it may be empty.
[[nodiscard]] std::vector<MatrixRun> run_matrix(const MatrixPlan& plan,
                                                const std::function<void(std::size_t, std::size_t)>& done);

}  // namespace hawser::app
