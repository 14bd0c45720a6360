// SPDX-License-Identifier: MIT
// Small texts that every command writes alike.
#pragma once

#include <string>
#include <string_view>

namespace hawser::app {

// Now, in UTC: "2026-11-21T15:40:07.123Z".
[[nodiscard]] std::string utc_text();
// Text of elsewhere, for a terminal: what would move a cursor or change colours, control characters of 7 and of 8 bits,
// becomes '?', and so does each byte that is no UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace hawser::app
