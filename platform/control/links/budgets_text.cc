// SPDX-License-Identifier: MIT
#include "platform/control/links/budgets_text.h"

#include <algorithm>

#include "platform/control/rpc/json.h"

namespace hawser::control {

namespace {

using rpc::Json;
using rpc::Params;

constexpr std::string_view format_name = "hawser budgets";
constexpr std::uint64_t format_version = 1;

Json date_json(const std::optional<Date>& date) { return date ? Json(date_text(*date)) : Json(nullptr); }

Json month_json(const Budgets::Month& m) {
    return Json{{"from", date_json(m.from)}, {"used_bytes", m.used}, {"told_percent", m.told}};
}

Json account_json(const Budgets::Account& a) {
    Json out = month_json(a.month);
    out["billing_day"] = a.billing_day;
    out["counted_bytes"] = a.counted;
    for (const Budgets::LeftMonth& left : a.left) {
        Json one = month_json(left.month);
        one["counted_bytes"] = left.counted;
        one["day"] = date_text(left.day);
        out["left"].push_back(std::move(one));
    }
    return out;
}

const Params* member(const Params& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found != object.end() ? &*found : nullptr;
}

// A whole number up to that.
std::optional<std::uint64_t> number_in(const Params& object, const char* name, std::uint64_t most) {
    const Params* const value = member(object, name);
    if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
    const auto number = value->get<std::uint64_t>();
    return number <= most ? std::optional(number) : std::nullopt;
}

std::optional<Date> date_in(const Params& object, const char* name) {
    const Params* const value = member(object, name);
    return value != nullptr && value->is_string() ? parse_date(value->get<std::string>()) : std::nullopt;
}

std::optional<Budgets::Month> month_of(const Params& object) {
    const Params* const from = member(object, "from");
    const auto used = number_in(object, "used_bytes", Budgets::used_max);
    const auto told = number_in(object, "told_percent", 100);
    if (from == nullptr || !used || !told) return std::nullopt;
    if (*told != 0 && *told != 75 && *told != 95 && *told != 100) return std::nullopt;
    Budgets::Month m{std::nullopt, *used, static_cast<std::uint8_t>(*told)};
    if (from->is_null()) return m;
    m.from = date_in(object, "from");
    return m.from ? std::optional(m) : std::nullopt;
}

std::optional<Budgets::LeftMonth> left_of(const Params& object, std::uint64_t counted_max) {
    const auto month = month_of(object);
    const auto counted = number_in(object, "counted_bytes", counted_max);
    const auto day = date_in(object, "day");
    if (!month || !month->from || !counted || !day) return std::nullopt;
    return Budgets::LeftMonth{*month, *counted, *day};
}

std::optional<Budgets::Account> account_of(const Params& object) {
    const auto month = month_of(object);
    const auto billing_day = number_in(object, "billing_day", 31);
    if (!month || !billing_day || *billing_day == 0) return std::nullopt;
    Budgets::Account account;
    account.month = *month;
    account.billing_day = static_cast<std::uint8_t>(*billing_day);
    if (member(object, "counted_bytes") == nullptr) return account;
    const auto counted = number_in(object, "counted_bytes", Budgets::used_max);
    if (!counted) return std::nullopt;
    account.counted = *counted;
    const Params* const left = member(object, "left");
    if (left == nullptr) return account;
    if (!left->is_array() || left->size() > Budgets::left_max) return std::nullopt;
    for (const Params& one : *left) {
        const auto parsed = left_of(one, account.counted);
        if (!parsed) return std::nullopt;
        account.left.push_back(*parsed);
    }
    return account;
}

}  // namespace

Result<BudgetsText, std::string> parse_budgets(std::string_view text) {
    std::string complaint;
    const auto value = rpc::parse_json(text, complaint);
    if (!value) return Failure{complaint.empty() ? std::string("it is no JSON") : complaint};
    const Params* const format = member(*value, "format");
    const Params* const version = member(*value, "version");
    if (format == nullptr || *format != format_name || version == nullptr || !version->is_number_unsigned())
        return Failure{std::string("it does not begin as a file of budgets")};
    if (version->get<std::uint64_t>() > format_version)
        return Failure{"it is of version " + std::to_string(version->get<std::uint64_t>()) +
                       ", which a later hawser wrote"};
    const Params* const links = member(*value, "links");
    if (links == nullptr || !links->is_object()) return Failure{std::string("it has no links")};
    if (links->size() > Budgets::links_known_max) return Failure{std::string("it has too many links")};
    BudgetsText out;
    out.day = date_in(*value, "day");
    for (const auto& [name, object] : links->items()) {
        const auto account = account_of(object);
        if (!account || name.empty() || name.size() > 64)
            return Failure{"its link '" + name.substr(0, 64) + "' cannot be understood"};
        out.accounts[name] = *account;
    }
    return out;
}

std::string budgets_text(const Budgets::Accounts& accounts, const std::optional<Date>& day) {
    Json links = Json::object();
    for (const auto& [link, account] : accounts) links[link] = account_json(account);
    return text_of(Json{{"format", format_name},
                        {"version", format_version},
                        {"day", date_json(day)},
                        {"links", std::move(links)}}) +
           "\n";
}

}  // namespace hawser::control
