// SPDX-License-Identifier: MIT
// A recorded trip as files that users edit: the scenario as TOML, which `hawser sim` reads to the same values, and one
// trace for each link.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "platform/app/replay/replay.h"

namespace hawser::app {

// `traces` are the names of the links' traces.
[[nodiscard]] std::string scenario_text(const Scenario& scenario, const std::vector<std::string>& traces);

// Into the folder, which is made if it is not there; no file that is there is overwritten. Answers the scenario's path,
// or a sentence that names the file and the reason.
[[nodiscard]] Result<std::string, std::string> write_trip(const RecordedTrip& trip, const std::string& folder);

}  // namespace hawser::app
