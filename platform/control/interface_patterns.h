// SPDX-License-Identifier: MIT
// The patterns by which interfaces are taken for uplinks, or left out, where none is named.
#pragma once

#include <string>

#include "platform/control/uplink_list.h"

namespace hawser::control {

// Whether `auto` may mean an interface of that name.
[[nodiscard]] bool may_be_automatic(const AutomaticUplinks& automatic, const std::string& interface);
// The pattern (fnmatch(3)) of that one name.
[[nodiscard]] std::string pattern_of(const std::string& interface);

}  // namespace hawser::control
