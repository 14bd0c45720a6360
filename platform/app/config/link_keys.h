// SPDX-License-Identifier: MIT
// [[sender.link]] of the configuration file: a rule for one uplink, or for those of a pattern.
#pragma once

#include "platform/app/config/key.h"
#include "platform/control/links/link_policy.h"

namespace hawser::app {

[[nodiscard]] KeyTable link_table(control::LinkPolicies& policies);

}  // namespace hawser::app
