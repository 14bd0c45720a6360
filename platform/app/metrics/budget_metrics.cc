// SPDX-License-Identifier: MIT
#include "platform/app/metrics/budget_metrics.h"

#include "platform/app/metrics/exposition.h"
#include "platform/app/plain_text.h"

namespace hawser::app {

std::string budget_metrics(const control::Budgets& budgets) {
    Exposition out;
    const auto each = [&](const char* name, const char* help, bool needs_budget, auto value) {
        out.family(name, Exposition::Type::gauge, help);
        for (const auto& [link, account] : budgets.accounts())
            if (!needs_budget || account.budget != 0) out.sample({{"uplink", printable(link)}}, value(account));
    };
    using Account = control::Budgets::Account;
    each("hawser_uplink_month_bytes", "Sent and received in the billing month, on the wire.", false,
         [](const Account& a) { return a.month.used; });
    each("hawser_uplink_budget_bytes", "The budget of a billing month; none where there is none.", true,
         [](const Account& a) { return a.budget; });
    each("hawser_uplink_budget_used_up", "1 while the budget is used up.", true,
         [](const Account& a) { return a.is_used_up(); });
    return out.take();
}

}  // namespace hawser::app
