// SPDX-License-Identifier: MIT
// Statuses and channels as operators and their scripts read them: lines of text, and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/radio/roster.h"

namespace hawser::app {

// By groups (`frontend`, `channel`, ...), what the packet holds alone; infinities are text, as JSON has none.
[[nodiscard]] nlohmann::ordered_json status_json(const radio::Status& status);
// `path  value unit`, a line for each field that the packet holds.
[[nodiscard]] std::string status_text(const radio::Status& status);
// A table, by group and frequency.
[[nodiscard]] std::string channel_table(std::vector<const radio::OnAir*> channels);
[[nodiscard]] nlohmann::ordered_json channels_json(std::vector<const radio::OnAir*> channels);

}  // namespace hawser::app
