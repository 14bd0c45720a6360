// SPDX-License-Identifier: MIT
// What the keeper and the watcher tell, as lines for people and as JSON for scripts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/app/log.h"
#include "platform/control/radio/keeper.h"

namespace hawser::app {

struct TransitionLine {
    Level level = Level::info;
    std::string text;  // "hf: 14074 (ft8 20m) active, created in 31 ms"
};
[[nodiscard]] TransitionLine describe(const control::Transition& transition);
[[nodiscard]] nlohmann::ordered_json transition_json(const control::Transition& transition);

// Now, in UTC: "2026-11-21T15:40:07.123Z".
[[nodiscard]] std::string utc_text();
// Text of the network may hold anything: control characters become '?'.
[[nodiscard]] std::string printable(std::string text);

}  // namespace hawser::app
