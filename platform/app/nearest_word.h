// SPDX-License-Identifier: MIT
// Of a few known words the one that somebody who wrote another may have meant, for a complaint.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hawser::app {

// Empty: none is near. Near is an edit (a letter more, less, other, or two exchanged) for every three letters begun.
[[nodiscard]] std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace hawser::app
