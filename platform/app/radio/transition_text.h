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
// The same as an event of a program that does something else: its kind, "radio_active", and what is said beside it.
[[nodiscard]] std::string event_name(const control::Transition& transition);
[[nodiscard]] nlohmann::ordered_json transition_fields(const control::Transition& transition);

}  // namespace hawser::app
