// SPDX-License-Identifier: MIT
#include "platform/app/config/link_keys.h"

#include <memory>

#include "platform/control/quantity.h"

namespace hawser::app {

namespace {

using control::LinkRule;

// Of the rule at a place: rules move while more are added.
using RuleAt = std::function<LinkRule&()>;

std::string quantity_text(std::uint64_t value, std::string (*text)(std::uint64_t)) {
    return value == 0 ? std::string() : text(value);
}

// Rates and amounts: a text with a unit, or a plain number.
Key quantity_key(std::string name, std::string about, const RuleAt& rule, std::uint64_t control::LinkPolicy::*member,
                 std::string (*text)(std::uint64_t)) {
    Key k;
    k.name = name;
    k.about = std::move(about);
    k.get = [rule, member, text]() -> KeyValue {
        const std::string value = quantity_text(rule().policy.*member, text);
        return value.empty() ? KeyValue() : KeyValue(value);
    };
    // As the command line names it.
    const std::string word = name == "rate_cap" ? "cap" : name;
    k.set = [rule, word](const KeyValue& value) -> std::string {
        const auto* number = std::get_if<std::int64_t>(&value);
        const auto* words = std::get_if<std::string>(&value);
        if (number == nullptr && words == nullptr) return "a text with a unit was expected";
        const auto done = set_policy(rule().policy, word, words != nullptr ? *words : std::to_string(*number));
        return done ? std::string() : done.error();
    };
    return k;
}

Key uplink_key(const RuleAt& rule) {
    Key k;
    k.name = "uplink";
    k.about =
        "Which: an interface or a pattern of interfaces, an ADDRESS, or ADDRESS%DEVICE. The first rule that fits "
        "an uplink is the whole of its policy.";
    k.get = [rule]() -> KeyValue { return rule().uplink.empty() ? KeyValue() : KeyValue(rule().uplink); };
    k.set = [rule](const KeyValue& value) -> std::string {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return "a text in quotes was expected";
        auto word = control::parse_link_word(*text);
        if (!word) return word.error();
        rule().uplink = std::move(word).value();
        return {};
    };
    return k.like("wwan*").needed();
}

Key dns_key(const RuleAt& rule) {
    Key k;
    k.name = "dns";
    k.about =
        "The servers that know names on it, where those that the system knows do not answer there: ADDRESS, or "
        "ADDRESS:PORT.";
    k.get = [rule]() -> KeyValue {
        std::vector<std::string> words;
        for (const Endpoint& server : rule().policy.dns) words.push_back(control::name_server_text(server));
        return words;
    };
    k.set = [rule](const KeyValue& value) -> std::string {
        std::vector<std::string> words;
        Key list = words_key("dns", words, {});
        if (std::string complaint = list.set(value); !complaint.empty()) return complaint;
        std::string text;
        for (const std::string& word : words) text += word + " ";
        auto servers = control::parse_name_servers(text);
        if (!servers) return servers.error();
        rule().policy.dns = std::move(servers).value();
        return {};
    };
    return k.like(std::vector<std::string>{"10.64.0.1"});
}

std::vector<Key> rule_keys(const RuleAt& rule) {
    return {
        uplink_key(rule),
        whole_key(
            "priority", priority_first, priority_last,
            "Its class, 1 first: a class carries what the ones before it have no room for, or all when none of them "
            "works.",
            [rule] { return std::optional<std::int64_t>(rule().policy.priority); },
            [rule](std::int64_t value) { rule().policy.priority = static_cast<std::uint8_t>(value); }),
        quantity_key("rate_cap", "The most it ever carries, IP and UDP headers counted.", rule,
                     &control::LinkPolicy::rate_cap, control::rate_text)
            .like("8 Mbit/s"),
        quantity_key("budget", "What it may carry in a month, both ways.", rule, &control::LinkPolicy::budget_bytes,
                     control::amount_text)
            .like("50 GB"),
        whole_key(
            "billing_day", 1, 31, "The day on which the month begins; in a shorter month its last day.",
            [rule] { return std::optional<std::int64_t>(rule().policy.billing_day); },
            [rule](std::int64_t value) { rule().policy.billing_day = static_cast<std::uint8_t>(value); }),
        choice_key(
            "at_limit", {"demote", "stop"},
            "When the budget is used up: demote, it carries what the others have no room for; stop, nothing while "
            "another uplink works.",
            [rule] { return std::string(control::name_of(rule().policy.at_limit)); },
            [rule](const std::string& word) {
                rule().policy.at_limit = word == "stop" ? control::AtLimit::stop : control::AtLimit::demote;
            }),
        flag_key(
            "metered", "It costs by the byte: adaptive sends second copies by others.",
            [rule] { return rule().policy.metered; }, [rule](bool value) { rule().policy.metered = value; }),
        dns_key(rule),
    };
}

}  // namespace

KeyTable link_table(control::LinkPolicies& p) {
    KeyTable t{
        "link", "A rule for one uplink, or for those of a pattern; each gets its own cap and budget.", {}, {}, {}, {}};
    const auto none = std::make_shared<LinkRule>();
    t.keys = rule_keys([none]() -> LinkRule& { return *none; });
    const auto at = [&p](std::size_t place) {
        return rule_keys([&p, place]() -> LinkRule& { return p.rules[place]; });
    };
    t.add = [&p, at] {
        p.rules.emplace_back();
        return at(p.rules.size() - 1);
    };
    t.all = [&p, at] {
        std::vector<std::vector<Key>> out;
        for (std::size_t i = 0; i < p.rules.size(); ++i) out.push_back(at(i));
        return out;
    };
    t.check = [&p]() -> std::string {
        for (std::size_t i = 0; i < p.rules.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (p.rules[i].uplink == p.rules[j].uplink)
                    return "rules " + std::to_string(j + 1) + " and " + std::to_string(i + 1) + " are both for " +
                           p.rules[i].uplink;
        return {};
    };
    return t;
}

}  // namespace hawser::app
