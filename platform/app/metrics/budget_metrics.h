// SPDX-License-Identifier: MIT
// Data budgets for Prometheus, by the account's name: families of their own, behind a sender's others.
#pragma once

#include <string>

#include "platform/control/links/budgets.h"

namespace hawser::app {

[[nodiscard]] std::string budget_metrics(const control::Budgets& budgets);

}  // namespace hawser::app
