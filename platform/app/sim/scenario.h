// SPDX-License-Identifier: MIT
// A scenario of `hawser sim`: links, load and SRT's settings as a TOML file describes them, and how it becomes a Trip.
// The format is explained where users look for it: README.md and `hawser sim --show NAME`. Reading stops at the first
// thing that is wrong and says file, line and key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/sim/radio_trace.h"
#include "engine/sim/trip.h"

namespace hawser::app {

using Trace = std::shared_ptr<const std::vector<std::uint32_t>>;

// One direction of a link.
struct LinePlan {
    sim::LineShape shape;  // all but the trace and its offset
    Trace trace;           // a recording; absent otherwise
    std::optional<sim::RadioModel> radio;
    std::vector<double> offsets_s{0};  // where in the trace a trip begins; seed n takes the n-th, round and round
    bool is_offset_by_seed = false;    // instead: anywhere, by the seed

    [[nodiscard]] bool has_trace() const { return trace != nullptr || radio.has_value(); }
};

struct LinkPlan {
    std::string name;
    LinePlan up;
    LinePlan down;
    bool metered = false;
    bool has_up_offset = false;  // down begins where up does, unless it says otherwise
    bool has_down_offset = false;
};

struct Scenario {
    std::string name;
    std::string about;
    std::vector<LinkPlan> links;
    double seconds = 40;
    double load_percent = 90;    // of the links' mean capacity over the trip
    std::optional<double> kbps;  // instead: of media
    sim::SrtSettings srt;
};

// What one trip of a scenario is asked for.
struct Terms {
    std::uint64_t seed = 1;
    std::uint64_t repeat = 0;
    std::optional<double> load_percent;  // instead of the scenario's load or kbps
};

// A trip, and what it views.
struct Route {
    sim::Trip trip;
    std::vector<Trace> traces;
};
[[nodiscard]] Route lay_out(const Scenario& scenario, const Terms& terms);

// `name` stands in messages; traces are read relative to `folder`, and refused when it is absent.
[[nodiscard]] Result<Scenario, std::string> parse_scenario(std::string_view text, const std::string& name,
                                                           const std::optional<std::string>& folder);
// A file, or one of the built-in ones by its name or the beginning of it.
[[nodiscard]] Result<Scenario, std::string> load_scenario(const std::string& name_or_path);

struct BuiltInScenario {
    std::string_view name;
    std::string_view text;
};
[[nodiscard]] const std::vector<BuiltInScenario>& built_in_scenarios();

}  // namespace hawser::app
