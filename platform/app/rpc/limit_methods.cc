// SPDX-License-Identifier: MIT
#include "platform/app/rpc/limit_methods.h"

#include <algorithm>
#include <array>

#include "platform/app/log.h"
#include "platform/control/quantity.h"
#include "platform/control/rpc/arguments.h"

namespace hawser::app {

namespace {

using rpc::Caller;
using rpc::Code;
using rpc::Outcome;
using rpc::Params;
using rpc::Role;

// As parameters are called, and as set_policy() calls the same.
constexpr std::array<std::array<const char*, 2>, 7> settable{{{"priority", "priority"},
                                                              {"cap", "cap"},
                                                              {"budget", "budget"},
                                                              {"billing_day", "billing-day"},
                                                              {"at_limit", "at-limit"},
                                                              {"metered", "metered"},
                                                              {"dns", "dns"}}};

// As it would be written on a command line: 8000000 and "8M" are both a rate.
std::string written(const Params& value) { return value.is_string() ? value.get<std::string>() : rpc::text_of(value); }

// The same of a list of words, as the answer has it, with blanks between.
std::string written_list(const Params& value) {
    if (!value.is_array()) return written(value);
    std::string out;
    for (const Params& word : value) out += (out.empty() ? "" : " ") + written(word);
    return out;
}

Json policy_json(const control::LinkPolicy& p) {
    Json dns = Json::array();
    for (const Endpoint& server : p.dns) dns.push_back(control::name_server_text(server));
    return Json{{"priority", p.priority},
                {"cap_bits_per_second", p.rate_cap != 0 ? Json(p.rate_cap) : Json(nullptr)},
                {"budget_bytes", p.budget_bytes != 0 ? Json(p.budget_bytes) : Json(nullptr)},
                {"billing_day", p.billing_day},
                {"at_limit", control::name_of(p.at_limit)},
                {"metered", p.metered},
                {"dns", dns}};
}

Outcome set_link(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto name = rpc::text_argument(params, "name", "an uplink's name, as links.list tells it");
    if (!name) return Failure{name.error()};
    const auto words = sender.words_of(*name);
    if (!words) return Failure{rpc::Error{Code::refused, "there is no uplink " + *name, Json{{"parameter", "name"}}}};
    control::LinkPolicy policy = sender.limits().policy_of(*words);
    std::string said;
    for (const auto& [parameter, setting] : settable) {
        const Params* const given = rpc::find_argument(params, parameter);
        if (given == nullptr) continue;
        const bool is_list = std::string_view(parameter) == "dns";
        const std::string value = is_list ? written_list(*given) : written(*given);
        if (const auto set = control::set_policy(policy, setting, value); !set)
            return Failure{rpc::bad_argument(parameter, set.error(), given)};
        said += std::string(said.empty() ? "" : ", ") + setting + " " + value;
    }
    if (said.empty())
        return Failure{rpc::bad_argument("priority", "or cap, budget, billing_day, at_limit, metered, dns", nullptr)};
    sender.limits().set_by_hand(*name, policy);
    sender.limits_changed();
    log(Level::info, "uplink {}: {} ({})", *name, said, caller.who);
    return Json{{"name", *name}, {"policy", policy_json(policy)}};
}

Outcome set_used(SenderSteering& sender, const std::string& link, std::uint64_t bytes, const Caller& caller) {
    if (!sender.limits().budgets().set_used(link, bytes))
        return Failure{rpc::Error{Code::refused, "nothing has been counted of a link " + link,
                                  Json{{"parameter", "link"}, {"expected", "as budgets.list tells it"}}}};
    sender.limits_changed();
    log(Level::info, "the month's count of {} is {} now ({})", link, control::amount_text(bytes), caller.who);
    return Json{{"link", link}, {"used_bytes", bytes}};
}

Outcome reset_budget(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto link = rpc::text_argument(params, "link", "a link, as budgets.list tells it");
    if (!link) return Failure{link.error()};
    return set_used(sender, *link, 0, caller);
}

Outcome set_budget_used(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto link = rpc::text_argument(params, "link", "a link, as budgets.list tells it");
    if (!link) return Failure{link.error()};
    const Params* const used = rpc::find_argument(params, "used");
    if (used == nullptr) return Failure{rpc::bad_argument("used", "bytes, or text as in \"12GB\"", used)};
    const auto bytes = control::parse_amount(written(*used));
    if (!bytes) return Failure{rpc::bad_argument("used", bytes.error(), used)};
    return set_used(sender, *link, *bytes, caller);
}

}  // namespace

Json budgets_json(const control::Budgets& budgets) {
    Json out = Json::array();
    for (const auto& [link, a] : budgets.accounts()) {
        const bool has_budget = a.budget != 0;
        Json one{{"link", link},
                 {"used_bytes", a.month.used},
                 {"budget_bytes", has_budget ? Json(a.budget) : Json(nullptr)},
                 {"used_percent", nullptr},
                 {"month", nullptr},
                 {"next_month", nullptr},
                 {"billing_day", a.billing_day},
                 {"at_limit", control::name_of(a.at_limit)},
                 {"state", !a.is_used_up()                        ? "within"
                           : a.at_limit == control::AtLimit::stop ? "stopped"
                                                                  : "demoted"}};
        if (has_budget) {
            const std::uint64_t tenths = a.month.used * 10 / std::max<std::uint64_t>(a.budget / 100, 1);
            one["used_percent"] = static_cast<double>(tenths) / 10;
        }
        if (a.month.from) {
            one["month"] = control::date_text(*a.month.from);
            one["next_month"] = control::date_text(control::next_billing_month(*a.month.from, a.billing_day));
        }
        out.push_back(std::move(one));
    }
    return out;
}

void add_limit_methods(rpc::Methods& methods, SenderSteering& s) {
    const auto row = [&](const char* name, Role role, auto run, const char* help) {
        methods.add(
            {name, role, [&s, run](const Params& p, const Caller& c) -> Outcome { return run(s, p, c); }, help});
    };
    row("links.set", Role::operate, set_link,
        "name, and of priority, cap, budget, billing_day, at_limit, metered, dns what is to change; until the next "
        "reload");
    row(
        "budgets.list", Role::observe,
        [](auto& e, auto&, auto&) {
            return Json{{"budgets", budgets_json(e.limits().budgets())}};
        },
        "what each link has used of its month");
    row("budgets.reset", Role::operate, reset_budget, "link: it has used nothing of this month");
    row("budgets.set", Role::operate, set_budget_used, "link, used: bytes, or as in \"12GB\": as its provider counts");
}

}  // namespace hawser::app
