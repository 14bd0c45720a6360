// SPDX-License-Identifier: MIT
// How a receiver that is named is found, as `hawser doctor` tells it: by the system's resolver, and by each uplink's
// name servers through that uplink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/control/links/interface_table.h"
#include "platform/control/links/link_policy.h"
#include "platform/control/resolver.h"
#include "platform/control/rpc/json.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

// How the receiver was found: by the system, and what each uplink's name servers say; these are asked where a name was
// to be looked up.
struct Lookups {
    control::Resolution chosen;  // the system's answer, else the first uplink's; bad: nobody knows
    std::string system_error;    // empty: it has answered
    std::vector<control::Resolution> by_link;
};

// Takes as long as the slowest server has; `policies` say which servers are whose.
[[nodiscard]] Lookups look_up(const std::string& host, std::uint16_t port, const std::vector<UplinkSpec>& uplinks,
                              const std::vector<control::Interface>& interfaces, const control::LinkPolicies& policies);

// What to say when nobody knows.
[[nodiscard]] std::string failure_text(const Lookups& lookups);
// Of one uplink's servers.
[[nodiscard]] std::string names_text(const control::Resolution& answer);
[[nodiscard]] rpc::Json names_json(const control::Resolution& answer);

}  // namespace hawser::app
