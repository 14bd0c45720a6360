// SPDX-License-Identifier: MIT
// A file of budgets of any content: read whole or not at all, within its bounds, and what is written of it reads back
// as it. Counting goes on behind it.
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "platform/control/links/budgets.h"

using namespace hawser;
using control::Budgets;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    Budgets budgets;
    if (!budgets.read(text)) {
        HAWSER_CHECK(budgets.accounts().empty());
        return 0;
    }
    HAWSER_CHECK(budgets.accounts().size() <= Budgets::links_known_max);
    const std::string written = budgets.text();
    Budgets again;
    HAWSER_CHECK(again.read(written));
    HAWSER_CHECK(again.text() == written);
    budgets.set_policy("wwan0", {.budget_bytes = 1'000'000, .billing_day = 31});
    for (const std::int32_t day : {1, 28, 15}) {
        budgets.set_today({2028, 2, day});
        budgets.count("wwan0", 400'000);
        static_cast<void>(budgets.take_news());
    }
    HAWSER_CHECK(budgets.find("wwan0")->month.used <= Budgets::used_max);
    return 0;
}
