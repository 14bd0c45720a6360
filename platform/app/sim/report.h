// SPDX-License-Identifier: MIT
// What the trips of a matrix came to: a table for people, JSON for programs. Both are functions of the runs.
#pragma once

#include <string>
#include <vector>

#include "platform/app/figures.h"
#include "platform/app/sim/matrix.h"

namespace hawser::app {

// A mean and half the width of its 95 % interval (Student's t); the width is zero for a single value.
struct Estimate {
    double mean = 0;
    double half_width = 0;
};
[[nodiscard]] Estimate estimate(const std::vector<double>& values);

[[nodiscard]] std::string matrix_table(const MatrixPlan& plan, const std::vector<MatrixRun>& runs);
[[nodiscard]] std::string matrix_json(const MatrixPlan& plan, const std::vector<MatrixRun>& runs);

// What a viewer got and what it cost on the way, of a simulated trip or a real one. `links` gives the names.
[[nodiscard]] Json outcome_json(const sim::TripOutcome& outcome, const std::vector<LinkPlan>& links);

[[nodiscard]] const char* receiver_name(sim::TripReceiver receiver);

}  // namespace hawser::app
