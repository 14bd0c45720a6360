// SPDX-License-Identifier: MIT
// A recorded trip as a scenario: `hawser send`'s flight recording says how its links were (link_estimate.h), what the
// media needed and which latency SRT kept. What a recording cannot tell stands in the scenario's `about`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "platform/app/replay/flight_log.h"
#include "platform/app/sim/scenario.h"

namespace hawser::app {

struct RecordedTrip {
    Scenario scenario;
    // Of each link the rates over time, as a trace file has them (sim/trace_file.h); the scenario has them read.
    std::vector<std::string> rates;
};

inline constexpr std::string_view recording_suffix = ".pcapng";
[[nodiscard]] bool is_recording(std::string_view path);

// `name` stands in errors and names the scenario.
[[nodiscard]] Result<RecordedTrip, std::string> replay(const FlightLog& log, const std::string& name);
// Of a file.
[[nodiscard]] Result<RecordedTrip, std::string> load_recording(const std::string& path);

}  // namespace hawser::app
