// SPDX-License-Identifier: MIT
// The one door to the JSON library for what speaks JSON-RPC. What we write keeps its fields in the order they were
// said. What others wrote is held in trees: a line full of different keys costs no more than its length, and is read
// only when its nesting is bounded.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace hawser::rpc {

using Json = nlohmann::ordered_json;  // ours
using Params = nlohmann::json;        // theirs

// Brackets within brackets; a client's messages need four.
inline constexpr int nesting_max = 32;

[[nodiscard]] bool is_nested_too_deep(std::string_view text);
// Absent with the reason in `complaint`.
[[nodiscard]] std::optional<Params> parse_json(std::string_view text, std::string& complaint);

// On one line. Bytes that are no UTF-8 (file names may hold them) become U+FFFD.
[[nodiscard]] std::string text_of(const Json& value);
[[nodiscard]] std::string text_of(const Params& value);

}  // namespace hawser::rpc
