// SPDX-License-Identifier: MIT
#include "platform/app/link_limits.h"

#include <algorithm>
#include <utility>

#include "platform/control/quantity.h"
#include "platform/control/uplink_list.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

// 2026-11-01: this was written later, so a clock before it stands wrong. Small computers without a battery begin in
// 1970 or at their image's date.
constexpr std::time_t clock_least = 1'793'491'200;

std::uint32_t megabytes(std::uint64_t bytes) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes / control::megabyte, 0xFFFF'FFFF));
}

// As in 20261105.
std::uint32_t number_of(const control::Date& d) {
    return static_cast<std::uint32_t>((d.year * 100 + d.month) * 100 + d.day);
}

}  // namespace

std::string account_name(const UplinkSpec& uplink) {
    return uplink.device[0] != '\0' ? std::string(uplink.device) : os::address_text(uplink.source);
}

std::optional<control::Date> believable_day(std::time_t wall) {
    std::tm local{};
    if (wall < clock_least || ::localtime_r(&wall, &local) == nullptr) return std::nullopt;
    return control::Date{local.tm_year + 1900, local.tm_mon + 1, local.tm_mday};
}

void LinkLimits::set_policies(control::LinkPolicies policies) {
    policies_ = std::move(policies);
    by_hand_.clear();
}

void LinkLimits::set_by_hand(const std::string& name, const control::LinkPolicy& policy) {
    const auto found =
        std::find_if(by_hand_.begin(), by_hand_.end(), [&](const control::LinkRule& r) { return r.uplink == name; });
    if (found != by_hand_.end())
        found->policy = policy;
    else
        by_hand_.push_back({name, policy});
}

const control::LinkPolicy& LinkLimits::policy_of(const control::LinkWords& link) const {
    const auto found = std::find_if(by_hand_.begin(), by_hand_.end(),
                                    [&](const control::LinkRule& r) { return r.uplink == link.name; });
    return found != by_hand_.end() ? found->policy : policies_.of(link);
}

void LinkLimits::begin(LinkId slot, const UplinkSpec& uplink) {
    Slot& s = slots_[slot.index()];
    s.before = s.now;
    s.now = Tenant{account_name(uplink), s.now.tenancy + 1};
    s.is_used = true;
}

void LinkLimits::end(LinkId slot) {
    Slot& s = slots_[slot.index()];
    s.is_used = false;
    const bool is_left = std::none_of(slots_.begin(), slots_.end(), [&](const Slot& other) {
        return other.is_used && other.now.account == s.now.account;
    });
    if (is_left) budgets_.leave(s.now.account);
}

void LinkLimits::rename(LinkId slot, const UplinkSpec& uplink) {
    const Slot& renamed = slots_[slot.index()];
    const std::string former = renamed.now.account;
    const std::string name = account_name(uplink);
    if (!renamed.is_used || former == name) return;
    budgets_.exchange(former, name);
    const auto change = [&](std::string& one) {
        if (one == former || one == name) one = one == former ? name : former;
    };
    for (Slot& s : slots_) {
        change(s.now.account);
        change(s.before.account);
    }
    for (control::LinkRule& rule : by_hand_) change(rule.uplink);
}

bool LinkLimits::has_budget() const {
    const auto has_one = [](const std::vector<control::LinkRule>& rules) {
        return std::any_of(rules.begin(), rules.end(), [](const auto& r) { return r.policy.budget_bytes != 0; });
    };
    return policies_.otherwise.budget_bytes != 0 || has_one(policies_.rules) || has_one(by_hand_);
}

bool LinkLimits::decides(const Slot& slot) const {
    return &slot == &*std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) {
        return &s == &slot || (s.is_used && s.now.account == slot.now.account);
    });
}

UplinkSettings LinkLimits::settings_of(LinkId slot, const control::LinkWords& words, const UplinkSettings& listed) {
    const control::LinkPolicy& policy = policy_of(words);
    const Slot& s = slots_[slot.index()];
    const std::string& account = s.now.account;
    UplinkSettings settings = listed;
    settings.metered = listed.metered || policy.metered;
    settings.priority = policy.priority;
    settings.rate_cap = policy.rate_cap;
    if (account.empty()) return settings;
    if (decides(s)) budgets_.set_policy(account, policy);
    if (budgets_.is_used_up(account))
        settings.priority = policy.at_limit == control::AtLimit::stop ? priority_reserve : priority_demoted;
    return settings;
}

void LinkLimits::count(const SenderSnapshot& snapshot, std::time_t wall) {
    if (const auto day = believable_day(wall)) budgets_.set_today(*day);
    for (std::size_t i = 0; i < links_max; ++i) {
        Slot& s = slots_[i];
        const UplinkSnapshot& u = snapshot.uplinks[i];
        const std::uint64_t bytes = u.wire_bytes_out + u.wire_bytes_in;
        const std::uint64_t news = bytes - std::min(s.wire_bytes, bytes);
        s.wire_bytes = std::max(s.wire_bytes, bytes);
        // A snapshot of before the pump heard of the newest uplink speaks of the one before it.
        const Tenant& tenant = u.tenancy < s.now.tenancy ? s.before : s.now;
        if (!tenant.account.empty()) budgets_.count(tenant.account, news);
    }
}

std::vector<Event> LinkLimits::take_events(Instant at) {
    std::vector<Event> out;
    for (const control::Budgets::News& news : budgets_.take_news()) {
        const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                       [&](const Slot& s) { return s.is_used && s.now.account == news.link; });
        if (slot == slots_.end()) continue;  // none: what is told is of uplinks that are there
        Event e;
        e.at = at;
        e.link = LinkId(static_cast<std::uint8_t>(slot - slots_.begin()));
        switch (news.kind) {
            case control::Budgets::NewsKind::warning:
                e.kind = EventKind::budget_warning;
                e.a = news.percent;
                e.b = megabytes(news.used);
                break;
            case control::Budgets::NewsKind::used_up:
                e.kind = EventKind::budget_used_up;
                e.a = budgets_.find(news.link)->at_limit == control::AtLimit::stop ? 1 : 0;
                e.b = megabytes(news.used);
                break;
            case control::Budgets::NewsKind::renewed:
                e.kind = EventKind::budget_renewed;
                e.a = news.had_been_used_up ? 1 : 0;
                break;
            case control::Budgets::NewsKind::redated:
                e.kind = EventKind::budget_redated;
                e.a = number_of(*budgets_.find(news.link)->month.from);
                e.b = megabytes(news.used);
                break;
        }
        out.push_back(e);
    }
    return out;
}

}  // namespace hawser::app
