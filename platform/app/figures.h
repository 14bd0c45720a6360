// SPDX-License-Identifier: MIT
// Figures shared by both ends: counters and the pump's own, as JSON; rates and durations as short text.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "engine/border/counters.h"
#include "engine/border/pump_snapshot.h"

namespace hawser::app {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json counters_json(const Counters& counters);
[[nodiscard]] Json pump_json(const PumpSnapshot& pump);
// "12.3 Mbit/s" from bytes over a time.
[[nodiscard]] std::string rate_text(std::uint64_t bytes, Duration span);
[[nodiscard]] double kbps(std::uint64_t bytes, Duration span);
// Microseconds in whole numbers for JSON, and "1.2 ms" for people.
[[nodiscard]] std::string duration_text(Duration d);
// One line about the loop: turns, packets, system calls per packet, longest turn.
[[nodiscard]] std::string pump_line(const PumpSnapshot& now, const PumpSnapshot& before);

}  // namespace hawser::app
