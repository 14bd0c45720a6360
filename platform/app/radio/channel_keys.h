// SPDX-License-Identifier: MIT
// A wanted channel's keys, as its file and the control socket have them: short names of what is set most, and any field
// that can be set by its path.
#pragma once

#include <string>
#include <string_view>

#include "engine/radio/command.h"

namespace hawser::app {

// Keys that say which channel it is, and set nothing.
[[nodiscard]] bool is_own_key(std::string_view key);
// "low" is "filter.low_edge"; what is no short name is a path already.
[[nodiscard]] std::string path_of_key(std::string_view key);
// Why a field could not be set: "there is no such field; 'preset' is one".
[[nodiscard]] std::string complaint_of_key(std::string_view key, radio::FieldFault fault);

}  // namespace hawser::app
