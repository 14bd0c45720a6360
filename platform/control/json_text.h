// SPDX-License-Identifier: MIT
// JSON as text on one line, whatever the strings in it are: what is no UTF-8 (the library would throw) becomes U+FFFD,
// control characters are escaped, those of 8 bits too, so that no terminal obeys them.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace hawser::control {

[[nodiscard]] std::string text_of(const nlohmann::ordered_json& value);
[[nodiscard]] std::string text_of(const nlohmann::json& value);

}  // namespace hawser::control
