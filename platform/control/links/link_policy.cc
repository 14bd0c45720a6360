// SPDX-License-Identifier: MIT
#include "platform/control/links/link_policy.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "platform/control/quantity.h"
#include "platform/control/quoted.h"
#include "platform/control/uplink_list.h"

namespace hawser::control {

namespace {

constexpr std::string_view known_names = "priority, cap, budget, billing-day, at-limit, metered, dns";

bool fits(const std::string& word, const LinkWords& link) {
    const auto matches = [&](const std::string& text) {
        return !text.empty() && ::fnmatch(word.c_str(), text.c_str(), 0) == 0;
    };
    return matches(link.name) || matches(link.interface) || matches(link.address);
}

// A whole number of at most three digits: what is longer is no priority and no day.
Result<std::uint8_t, std::string> parse_small(std::string_view name, std::string_view text, unsigned least,
                                              unsigned greatest) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > greatest)
        return Failure{std::string(name) + " " + quoted(text) + ": a whole number from " + std::to_string(least) +
                       " to " + std::to_string(greatest)};
    return static_cast<std::uint8_t>(value);
}

std::string name_and(std::string_view name, const std::string& complaint) {
    return std::string(name) + ": " + complaint;
}

Result<Unit, std::string> set_unchecked(LinkPolicy& policy, std::string_view name, std::string_view value) {
    if (name == "priority" || name == "billing-day") {
        const bool is_day = name == "billing-day";
        const auto number =
            is_day ? parse_small(name, value, 1, 31) : parse_small(name, value, priority_first, priority_last);
        if (!number) return Failure{number.error()};
        (is_day ? policy.billing_day : policy.priority) = *number;
        return Unit{};
    }
    if (name == "cap" || name == "budget") {
        const auto number = name == "cap" ? parse_rate(value) : parse_amount(value);
        if (!number) return Failure{name_and(name, number.error())};
        (name == "cap" ? policy.rate_cap : policy.budget_bytes) = *number;
        return Unit{};
    }
    if (name == "at-limit") {
        if (value != "demote" && value != "stop") return Failure{"at-limit " + quoted(value) + ": demote or stop"};
        policy.at_limit = value == "stop" ? AtLimit::stop : AtLimit::demote;
        return Unit{};
    }
    if (name == "metered") {
        if (value != "true" && value != "false") return Failure{"metered " + quoted(value) + ": true or false"};
        policy.metered = value == "true";
        return Unit{};
    }
    if (name == "dns") {
        auto servers = parse_name_servers(value);
        if (!servers) return Failure{name_and(name, servers.error())};
        policy.dns = std::move(servers).value();
        return Unit{};
    }
    return Failure{quoted(name) + " is no setting of an uplink (" + std::string(known_names) + ")"};
}

}  // namespace

std::string_view name_of(AtLimit at_limit) { return at_limit == AtLimit::stop ? "stop" : "demote"; }

const LinkPolicy& LinkPolicies::of(const LinkWords& link) const {
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const LinkRule& r) { return fits(r.uplink, link); });
    return rule != rules.end() ? rule->policy : otherwise;
}

Result<Unit, std::string> check(const LinkPolicy& p) {
    if (p.priority < priority_first || p.priority > priority_last)
        return Failure{"priority " + std::to_string(p.priority) + ": a whole number from 1 to " +
                       std::to_string(priority_last)};
    if (p.billing_day < 1 || p.billing_day > 31)
        return Failure{"billing-day " + std::to_string(p.billing_day) + ": a whole number from 1 to 31"};
    if (p.rate_cap != 0 && (p.rate_cap < rate_cap_min || p.rate_cap > rate_cap_max))
        return Failure{"cap " + rate_text(p.rate_cap) + ": from " + rate_text(rate_cap_min) + " to " +
                       rate_text(rate_cap_max) + ", or 0 for none"};
    if (p.budget_bytes != 0 && (p.budget_bytes < budget_min || p.budget_bytes > budget_max))
        return Failure{"budget " + amount_text(p.budget_bytes) + ": from " + amount_text(budget_min) + " to " +
                       amount_text(budget_max) + ", or 0 for none"};
    return Unit{};
}

Result<std::string, std::string> parse_link_word(std::string_view text) {
    const bool is_pattern = text.find_first_of("*?[") != text.npos;
    const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (is_pattern && is_printable && text.size() <= 64) return std::string(text);
    std::string complaint;
    const auto uplink = parse_uplink(text, UplinkForms::all, complaint);
    if (!uplink || !complaint.empty() || is_pattern)
        return Failure{quoted(text) +
                       " names no uplink: an interface, a pattern of interfaces, an address or "
                       "ADDRESS%INTERFACE"};
    return uplink_text(*uplink);
}

Result<Unit, std::string> set_policy(LinkPolicy& policy, std::string_view name, std::string_view value) {
    LinkPolicy changed = policy;
    if (auto set = set_unchecked(changed, name, value); !set) return set;
    if (auto good = check(changed); !good) return good;
    policy = changed;
    return Unit{};
}

Result<LinkRule, std::string> parse_link_rule(std::string_view text) {
    const auto take = [&text] {
        const std::size_t end = std::min(text.find(','), text.size());
        const std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return part;
    };
    const auto word = parse_link_word(take());
    if (!word) return Failure{word.error()};
    LinkRule rule{*word, {}};
    while (!text.empty()) {
        const std::string_view setting = take();
        const std::size_t equals = setting.find('=');
        const std::string_view name = setting.substr(0, equals);
        const std::string_view value =
            equals != setting.npos ? setting.substr(equals + 1) : std::string_view(name == "metered" ? "true" : "");
        if (const auto set = set_policy(rule.policy, name, value); !set) return Failure{*word + ": " + set.error()};
    }
    return rule;
}

}  // namespace hawser::control
