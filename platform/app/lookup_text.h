// SPDX-License-Identifier: MIT
// Lookups of the receiver's name in words: how they are to be done, and how one was.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/control/name_lookup.h"

namespace hawser::app {

// As the configuration and --lookups have it: auto, system, links.
[[nodiscard]] std::string_view name_of(control::NameLookup::By by);
[[nodiscard]] std::optional<control::NameLookup::By> parse_lookups(std::string_view word);

// Of an answer that came by an uplink: "relay.example was found by uplink wwan0: 10.64.0.1 answered in 34 ms".
[[nodiscard]] std::string found_text(const control::Resolution& resolution);

}  // namespace hawser::app
