// SPDX-License-Identifier: MIT
// Budgets as text: JSON of one version, in which members that are not known are passed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "platform/control/links/budgets.h"

namespace hawser::control {

struct BudgetsText {
    Budgets::Accounts accounts;  // without policies
    std::optional<Date> day;     // that was today when it was written; absent: none was known
};

// The error says what is wrong, as in "line 3: ...".
[[nodiscard]] Result<BudgetsText, std::string> parse_budgets(std::string_view text);
[[nodiscard]] std::string budgets_text(const Budgets::Accounts& accounts, const std::optional<Date>& day);

}  // namespace hawser::control
