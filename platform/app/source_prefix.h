// SPDX-License-Identifier: MIT
// A source network as the operator writes it: what --allow takes.
#pragma once

#include <optional>
#include <string_view>

#include "engine/bond/receiver_options.h"

namespace hawser::app {

// "192.0.2.0/24", "2001:db8::/32" or one address. Bits beyond the prefix do not count.
[[nodiscard]] std::optional<bond::SourcePrefix> parse_prefix(std::string_view text);

}  // namespace hawser::app
