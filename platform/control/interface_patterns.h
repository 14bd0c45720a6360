// SPDX-License-Identifier: MIT
// The patterns (fnmatch(3)) by which interfaces are taken for uplinks, or left out, where none is named: of a name, or,
// where a colon is in them, of a MAC address in whatever case, which a modem keeps when the kernel names it anew.
#pragma once

#include <string>

#include "platform/control/uplink_list.h"

namespace hawser::control {

// Whether `auto` may mean an interface of that name and MAC address (aa:bb:cc:dd:ee:ff; empty: it has none).
[[nodiscard]] bool may_be_automatic(const AutomaticUplinks& automatic, const std::string& interface,
                                    const std::string& mac);
// The pattern of that one name or address.
[[nodiscard]] std::string pattern_of(const std::string& text);

}  // namespace hawser::control
