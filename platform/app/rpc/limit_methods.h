// SPDX-License-Identifier: MIT
// Classes, caps and budgets over a sender's control socket: links.set, and what the months' counts are and become.
#pragma once

#include "platform/app/link_limits.h"
#include "platform/app/rpc/sender_methods.h"

namespace hawser::app {

// One object for each account.
[[nodiscard]] Json budgets_json(const control::Budgets& budgets);
void add_limit_methods(rpc::Methods& methods, SenderSteering& sender);

}  // namespace hawser::app
