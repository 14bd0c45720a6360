// SPDX-License-Identifier: MIT
// What `hawser doctor` finds out of each uplink: the interface, the kernel's way to the receiver, what left and came
// back. Sends a few registrations of no group by each.
#pragma once

#include <vector>

#include "engine/border/command.h"
#include "platform/app/doctor/diagnosis.h"
#include "platform/control/links/interface_table.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

// In the uplinks' order; takes two seconds where one of them is not answered.
[[nodiscard]] std::vector<UplinkFacts> gather(const std::vector<UplinkSpec>& uplinks, const Resolved& resolved,
                                              const std::vector<control::Interface>& interfaces);

}  // namespace hawser::app
