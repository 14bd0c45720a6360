// SPDX-License-Identifier: MIT
// The one door to the JSON library for what speaks JSON-RPC. What we write keeps its fields in the order they were
// said. What others wrote is held in trees: a line full of different keys costs no more than its length, and is read
// only when its nesting is bounded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/control/json_text.h"

namespace hawser::rpc {

using Json = nlohmann::ordered_json;  // ours
using Params = nlohmann::json;        // theirs

// Brackets within brackets; a client's messages need four.
inline constexpr int nesting_max = 32;

[[nodiscard]] bool is_nested_too_deep(std::string_view text);
// Absent with the reason in `complaint`.
[[nodiscard]] std::optional<Params> parse_json(std::string_view text, std::string& complaint);

using control::text_of;

}  // namespace hawser::rpc
