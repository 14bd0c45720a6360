// SPDX-License-Identifier: MIT
// A trip as a picture (SVG): what the viewer got each second, and for each link its capacity, what it carried, how long
// its queue was, and what it lost, over time. One below the other for each run given.
#pragma once

#include <string>
#include <vector>

#include "platform/app/sim/matrix.h"

namespace hawser::app {

// The runs were made with MatrixPlan::series.
[[nodiscard]] std::string plot_svg(const MatrixPlan& plan, const std::vector<MatrixRun>& runs);

}  // namespace hawser::app
