// SPDX-License-Identifier: MIT
#include "platform/control/links/budgets.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/control/links/budgets_text.h"

namespace hawser::control {

namespace {

constexpr std::array<std::uint8_t, 3> levels{75, 95, 100};  // percent

// A month whose first days a machine was switched off begins late.
constexpr std::int32_t late_begin_days = 4;

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
    return std::min(std::min(a, Budgets::used_max) + std::min(b, Budgets::used_max), Budgets::used_max);
}

std::uint8_t level_of(const Budgets::Account& a) {
    std::uint8_t level = 0;
    for (const std::uint8_t percent : levels) {
        const std::uint64_t bound = a.budget / 100 * percent + a.budget % 100 * percent / 100;
        if (a.budget != 0 && a.month.used >= bound) level = percent;
    }
    return level;
}

auto find_left(const Budgets::Account& a, const Date& from) {
    return std::find_if(a.left.begin(), a.left.end(),
                        [&](const Budgets::LeftMonth& left) { return left.month.from == from; });
}

// What was used in the months that come after that one and that the clock had jumped to, this one too.
std::uint64_t used_ahead(const Budgets::Account& a, const Date& from) {
    std::uint64_t used = a.month.used;
    Date later = *a.month.from;
    for (auto left = a.left.rbegin(); left != a.left.rend(); ++left) {
        const Date& month = *left->month.from;
        if (month <= from || next_billing_month(month, a.billing_day) == later) break;
        used = sum(left->month.used, a.counted - left->counted);
        later = month;
    }
    return used;
}

// What another month than the account's has used, now that the clock says it is that one. `a` has a month.
Budgets::Month month_at(const Budgets::Account& a, const Date& from, const Date& today) {
    const bool is_back = from < *a.month.from;
    const auto known = find_left(a, from);
    // One that begins where the month before it ends, though it had been seen at a later day: the clock was ahead then.
    const bool begins =
        from == next_billing_month(*a.month.from, a.billing_day) && today < days_after(from, late_begin_days);
    if (known != a.left.end() && !(begins && today < known->day))
        return {from, sum(known->month.used, a.counted - known->counted), known->month.told};
    if (is_back) return {from, used_ahead(a, from), a.month.told};
    // The clock had been back for a while, and a month has ended meanwhile: what was used since may be of this one.
    const auto ended = std::find_if(a.left.rbegin(), a.left.rend(), [&](const Budgets::LeftMonth& left) {
        return *left.month.from > *a.month.from && *left.month.from < from;
    });
    return {from, ended != a.left.rend() ? a.counted - ended->counted : 0, 0};
}

}  // namespace

Budgets::Account* Budgets::open(const std::string& link) {
    const auto found = accounts_.find(link);
    if (found != accounts_.end()) return &found->second;
    if (link.empty() || (accounts_.size() >= links_known_max && !make_room())) return nullptr;
    is_changed_ = true;
    Account& account = accounts_[link];
    enter_month(link, account);
    return &account;
}

bool Budgets::make_room() {
    const auto goes_first = [](const Accounts::value_type& a, const Accounts::value_type& b) {
        if (a.second.is_there != b.second.is_there) return b.second.is_there;
        if (a.second.month.from != b.second.month.from) return a.second.month.from < b.second.month.from;
        return a.second.month.used < b.second.month.used;
    };
    const auto oldest = std::min_element(accounts_.begin(), accounts_.end(), goes_first);
    if (oldest == accounts_.end() || oldest->second.is_there) return false;
    if (forgotten_.size() < links_known_max) forgotten_.push_back(oldest->first);
    accounts_.erase(oldest);
    return true;
}

void Budgets::set_policy(const std::string& link, const LinkPolicy& policy) {
    Account* const account = open(link);
    if (account == nullptr) return;
    account->is_there = true;
    take_policy(*account, policy);
}

void Budgets::take_policy(Account& account, const LinkPolicy& policy) {
    account.has_policy = true;
    account.budget = policy.budget_bytes;
    account.at_limit = policy.at_limit;
    if (account.billing_day == policy.billing_day) return;
    account.billing_day = policy.billing_day;
    account.left.clear();
    if (today_) account.month.from = billing_month(*today_, policy.billing_day);
    is_changed_ = true;
}

void Budgets::leave(const std::string& link) {
    const auto found = accounts_.find(link);
    if (found != accounts_.end()) found->second.is_there = false;
}

void Budgets::count(const std::string& link, std::uint64_t bytes) {
    if (bytes == 0) return;
    Account* const account = open(link);
    if (account == nullptr) return;
    account->month.used = sum(account->month.used, bytes);
    account->counted = sum(account->counted, bytes);
    is_changed_ = true;
}

void Budgets::exchange(const std::string& link, const std::string& other) {
    if (link == other) return;
    auto ours = accounts_.extract(link);
    auto theirs = accounts_.extract(other);
    if (ours) {
        ours.key() = other;
        accounts_.insert(std::move(ours));
    }
    if (theirs) {
        theirs.key() = link;
        accounts_.insert(std::move(theirs));
    }
    for (News& news : news_)
        if (news.link == link || news.link == other) news.link = news.link == link ? other : link;
    is_changed_ = true;
}

void Budgets::set_today(const Date& today) {
    if (today_ == today) return;
    if (today_) day_before_ = today_;
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
        return;
    }
    const Month next = month_at(a, from, *today_);
    if (from < *a.month.from)
        push({NewsKind::redated, link, next.used, 0, false});
    else if (a.budget != 0 && a.month.told != 0 && next.told == 0)
        push({NewsKind::renewed, link, next.used, 0, a.is_used_up()});
    const auto known = find_left(a, from);
    if (known != a.left.end()) a.left.erase(known);
    if (a.left.size() == left_max) a.left.erase(a.left.begin());
    a.left.push_back({a.month, a.counted, std::max(day_before_.value_or(*a.month.from), *a.month.from)});
    a.month = next;
}

bool Budgets::set_used(const std::string& link, std::uint64_t bytes) {
    const auto found = accounts_.find(link);
    if (found == accounts_.end()) return false;
    found->second.month.used = std::min(bytes, used_max);
    is_changed_ = true;
    return true;
}

void Budgets::push(News news) {
    const auto same = std::find_if(news_.begin(), news_.end(),
                                   [&](const News& n) { return n.kind == news.kind && n.link == news.link; });
    if (same != news_.end())
        *same = std::move(news);
    else
        news_.push_back(std::move(news));
}

// Of an uplink that is there.
bool Budgets::is_due(const News& news) const {
    const Account* const a = find(news.link);
    return a != nullptr && a->is_there;
}

std::vector<Budgets::News> Budgets::take_news() {
    for (auto& [link, a] : accounts_) {
        const std::uint8_t level = level_of(a);
        if (!a.has_policy || !a.is_there || level == a.month.told) continue;
        if (level > a.month.told)
            push({level == 100 ? NewsKind::used_up : NewsKind::warning, link, a.month.used, level, false});
        else if (a.month.told == 100)
            push({NewsKind::renewed, link, a.month.used, 0, true});
        a.month.told = level;
        is_changed_ = true;
    }
    const auto waiting = std::stable_partition(news_.begin(), news_.end(), [this](const News& n) { return is_due(n); });
    std::vector<News> out(std::make_move_iterator(news_.begin()), std::make_move_iterator(waiting));
    news_.erase(news_.begin(), waiting);
    std::erase_if(news_, [this](const News& n) { return find(n.link) == nullptr; });
    std::erase_if(out, [this](const News& n) { return n.kind == NewsKind::redated && find(n.link)->budget == 0; });
    return out;
}

std::vector<std::string> Budgets::take_forgotten() { return std::exchange(forgotten_, {}); }

const Budgets::Account* Budgets::find(const std::string& link) const {
    const auto found = accounts_.find(link);
    return found != accounts_.end() ? &found->second : nullptr;
}

bool Budgets::is_used_up(const std::string& link) const {
    const Account* const account = find(link);
    return account != nullptr && account->is_used_up();
}

Result<Unit, std::string> Budgets::read(std::string_view text) {
    auto parsed = parse_budgets(text);
    if (!parsed) return Failure{parsed.error()};
    const Accounts counted = std::exchange(accounts_, std::move(parsed->accounts));
    if (parsed->day) day_before_ = parsed->day;
    for (auto& [link, account] : accounts_) enter_month(link, account);
    is_changed_ = false;
    for (const auto& [link, before] : counted) {
        Account* const account = open(link);
        if (account == nullptr) continue;
        account->is_there = before.is_there;
        if (before.has_policy)
            take_policy(
                *account,
                {.budget_bytes = before.budget, .billing_day = before.billing_day, .at_limit = before.at_limit});
        account->month.told = std::max(account->month.told, before.month.told);
        count(link, before.month.used);
    }
    return Unit{};
}

std::string Budgets::text() const { return budgets_text(accounts_, today_ ? today_ : day_before_); }

bool Budgets::take_changed() { return std::exchange(is_changed_, false); }

}  // namespace hawser::control
