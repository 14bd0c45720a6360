// SPDX-License-Identifier: MIT
#include "platform/control/links/budgets.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/control/rpc/json.h"

namespace hawser::control {

namespace {

constexpr std::string_view format_name = "hawser budgets";
constexpr std::uint64_t format_version = 1;
constexpr std::array<std::uint8_t, 3> levels{75, 95, 100};  // percent
// Sent and received in a month by no modem, so that sums cannot wrap.
constexpr std::uint64_t used_max = 1'000'000'000'000'000'000;

std::int32_t days_in(std::int32_t year, std::int32_t month) {
    static constexpr std::array<std::int32_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

Date billing_date(std::int32_t year, std::int32_t month, std::uint8_t billing_day) {
    if (month == 0) return billing_date(year - 1, 12, billing_day);
    if (month == 13) return billing_date(year + 1, 1, billing_day);
    return {year, month, std::min<std::int32_t>(billing_day, days_in(year, month))};
}

std::optional<Date> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    Date date;
    const auto number = [&](std::size_t at, std::size_t size, std::int32_t& out) {
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, out);
        return error == std::errc() && end == text.data() + at + size;
    };
    if (!number(0, 4, date.year) || !number(5, 2, date.month) || !number(8, 2, date.day)) return std::nullopt;
    if (date.year < 2000 || date.month < 1 || date.month > 12) return std::nullopt;
    if (date.day < 1 || date.day > days_in(date.year, date.month)) return std::nullopt;
    return date;
}

std::uint8_t level_of(const Budgets::Account& a) {
    std::uint8_t level = 0;
    for (const std::uint8_t percent : levels) {
        const std::uint64_t bound = a.budget / 100 * percent + a.budget % 100 * percent / 100;
        if (a.budget != 0 && a.month.used >= bound) level = percent;
    }
    return level;
}

rpc::Json month_json(const Budgets::Month& m) {
    return rpc::Json{{"from", m.from ? rpc::Json(date_text(*m.from)) : rpc::Json(nullptr)},
                     {"used_bytes", m.used},
                     {"told_percent", m.told}};
}

const rpc::Params* member(const rpc::Params& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found != object.end() ? &*found : nullptr;
}

std::optional<Budgets::Month> month_of(const rpc::Params& object) {
    const rpc::Params* const from = member(object, "from");
    const rpc::Params* const used = member(object, "used_bytes");
    const rpc::Params* const told = member(object, "told_percent");
    if (from == nullptr || used == nullptr || told == nullptr) return std::nullopt;
    if (!used->is_number_unsigned() || !told->is_number_unsigned()) return std::nullopt;
    Budgets::Month m;
    m.used = used->get<std::uint64_t>();
    const auto percent = told->get<std::uint64_t>();
    const bool is_level = percent == 0 || std::find(levels.begin(), levels.end(), percent) != levels.end();
    if (m.used > used_max || !is_level) return std::nullopt;
    m.told = static_cast<std::uint8_t>(percent);
    if (from->is_null()) return m;
    if (!from->is_string()) return std::nullopt;
    m.from = parse_date(from->get<std::string>());
    if (!m.from) return std::nullopt;
    return m;
}

std::optional<Budgets::Account> account_of(const rpc::Params& object) {
    const auto month = month_of(object);
    const rpc::Params* const day = member(object, "billing_day");
    if (!month || day == nullptr || !day->is_number_unsigned()) return std::nullopt;
    const auto billing_day = day->get<std::uint64_t>();
    if (billing_day < 1 || billing_day > 31) return std::nullopt;
    Budgets::Account account;
    account.month = *month;
    account.billing_day = static_cast<std::uint8_t>(billing_day);
    if (const rpc::Params* const before = member(object, "before"); before != nullptr) {
        account.before = month_of(*before);
        if (!account.before) return std::nullopt;
    }
    return account;
}

}  // namespace

Date billing_month(const Date& today, std::uint8_t billing_day) {
    const Date own = billing_date(today.year, today.month, billing_day);
    return own <= today ? own : billing_date(today.year, today.month - 1, billing_day);
}

Date next_billing_month(const Date& month, std::uint8_t billing_day) {
    return billing_date(month.year, month.month + 1, billing_day);
}

std::string date_text(const Date& d) {
    const auto two = [](std::int32_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    return std::to_string(d.year) + "-" + two(d.month) + "-" + two(d.day);
}

Budgets::Account* Budgets::open(const std::string& link) {
    const auto found = accounts_.find(link);
    if (found != accounts_.end()) return &found->second;
    if (accounts_.size() == links_known_max || link.empty()) return nullptr;
    is_changed_ = true;
    Account& account = accounts_[link];
    enter_month(link, account);
    return &account;
}

void Budgets::set_policy(const std::string& link, const LinkPolicy& policy) {
    Account* const account = open(link);
    if (account == nullptr) return;
    account->has_policy = true;
    account->budget = policy.budget_bytes;
    account->at_limit = policy.at_limit;
    if (account->billing_day == policy.billing_day) return;
    account->billing_day = policy.billing_day;
    account->before.reset();
    if (today_) account->month.from = billing_month(*today_, policy.billing_day);
    is_changed_ = true;
}

void Budgets::count(const std::string& link, std::uint64_t bytes) {
    if (bytes == 0) return;
    Account* const account = open(link);
    if (account == nullptr) return;
    account->month.used = std::min(account->month.used + std::min(bytes, used_max), used_max);
    is_changed_ = true;
}

void Budgets::set_today(const Date& today) {
    if (today_ == today) return;
    today_ = today;
    for (auto& [link, account] : accounts_) enter_month(link, account);
}

void Budgets::enter_month(const std::string& link, Account& a) {
    if (!today_) return;
    const Date from = billing_month(*today_, a.billing_day);
    if (a.month.from == from) return;
    is_changed_ = true;
    if (!a.month.from) {
        a.month.from = from;
    } else if (*a.month.from < from) {
        if (a.budget != 0 && a.month.told != 0) news_.push_back({NewsKind::renewed, link, 0, 0, a.is_used_up()});
        a.before = a.month;
        a.month = Month{from, 0, 0};
    } else if (a.before && a.before->from == from) {
        // The clock had jumped ahead: what was used under the wrong month is of this one.
        a.month = Month{from, std::min(a.before->used + a.month.used, used_max), a.before->told};
        a.before.reset();
    }
    // Else the clock stands before all that is known: the month goes on.
}

bool Budgets::set_used(const std::string& link, std::uint64_t bytes) {
    const auto found = accounts_.find(link);
    if (found == accounts_.end()) return false;
    found->second.month.used = std::min(bytes, used_max);
    is_changed_ = true;
    return true;
}

std::vector<Budgets::News> Budgets::take_news() {
    for (auto& [link, a] : accounts_) {
        const std::uint8_t level = level_of(a);
        if (!a.has_policy || level == a.month.told) continue;
        if (level > a.month.told)
            news_.push_back({level == 100 ? NewsKind::used_up : NewsKind::warning, link, a.month.used, level, false});
        else if (a.month.told == 100)
            news_.push_back({NewsKind::renewed, link, a.month.used, 0, true});
        a.month.told = level;
        is_changed_ = true;
    }
    return std::exchange(news_, {});
}

const Budgets::Account* Budgets::find(const std::string& link) const {
    const auto found = accounts_.find(link);
    return found != accounts_.end() ? &found->second : nullptr;
}

bool Budgets::is_used_up(const std::string& link) const {
    const Account* const account = find(link);
    return account != nullptr && account->is_used_up();
}

Result<Unit, std::string> Budgets::read(std::string_view text) {
    std::string complaint;
    const auto value = rpc::parse_json(text, complaint);
    if (!value) return Failure{complaint.empty() ? std::string("it is no JSON") : complaint};
    const rpc::Params* const format = member(*value, "format");
    const rpc::Params* const version = member(*value, "version");
    if (format == nullptr || *format != format_name || version == nullptr || !version->is_number_unsigned())
        return Failure{std::string("it does not begin as a file of budgets")};
    if (version->get<std::uint64_t>() > format_version)
        return Failure{"it is of version " + std::to_string(version->get<std::uint64_t>()) +
                       ", which a later hawser wrote"};
    const rpc::Params* const links = member(*value, "links");
    if (links == nullptr || !links->is_object()) return Failure{std::string("it has no links")};
    if (links->size() > links_known_max) return Failure{std::string("it has too many links")};
    std::map<std::string, Account> accounts;
    for (const auto& [name, object] : links->items()) {
        const auto account = account_of(object);
        if (!account || name.empty() || name.size() > 64)
            return Failure{"its link '" + name.substr(0, 64) + "' cannot be understood"};
        accounts[name] = *account;
    }
    accounts_ = std::move(accounts);
    for (auto& [link, account] : accounts_) enter_month(link, account);
    is_changed_ = false;
    return Unit{};
}

std::string Budgets::text() const {
    rpc::Json links = rpc::Json::object();
    for (const auto& [link, a] : accounts_) {
        rpc::Json one = month_json(a.month);
        one["billing_day"] = a.billing_day;
        if (a.before) one["before"] = month_json(*a.before);
        links[link] = std::move(one);
    }
    return text_of(rpc::Json{{"format", format_name}, {"version", format_version}, {"links", std::move(links)}}) + "\n";
}

bool Budgets::take_changed() { return std::exchange(is_changed_, false); }

}  // namespace hawser::control
