// SPDX-License-Identifier: MIT
// What an operator may ask of an uplink beyond that it be there: its class, a rate that it never exceeds, and a budget
// of bytes for each month with what happens when that is used up; and whom to ask for names through it. Plain values;
// what they do to selection is engine/'s affair, what is used of a budget is links/budgets.h's.
//
// A policy belongs to uplinks by words as they are named by: an interface (`wwan0`) or a pattern of interfaces
// (`wwan*`, fnmatch(3)), an address, or `address%interface`. The first rule that fits an uplink is the whole of its
// policy; where none fits, `otherwise` is. A rule that fits several uplinks gives each its own cap and its own budget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/border/command.h"
#include "platform/control/links/name_servers.h"

namespace hawser::control {

// What a used-up budget does to its uplink.
enum class AtLimit : std::uint8_t {
    demote,  // after all classes: it carries what the others have no room for
    stop,    // it carries nothing while another uplink works; the last one goes on, and that is told
};

struct LinkPolicy {
    std::uint8_t priority = priority_first;  // to priority_last; the first goes before the others
    std::uint64_t rate_cap = 0;              // bit/s on the wire, IP and UDP headers counted; 0: none
    std::uint64_t budget_bytes = 0;          // a month, sent and received, on the wire; 0: none
    std::uint8_t billing_day = 1;            // 1 to 31, at 0:00 local time; in a shorter month its last day
    AtLimit at_limit = AtLimit::demote;
    bool metered = false;         // each byte costs: adaptive sends second copies by others (--metered says so too)
    std::vector<Endpoint> dns{};  // its name servers, at most name_servers_max; empty: those that the system knows

    friend bool operator==(const LinkPolicy&, const LinkPolicy&) = default;
};

// At it a full packet of live SRT, 1360 bytes on the wire, takes 109 ms: less would let no picture through.
inline constexpr std::uint64_t rate_cap_min = 100'000;              // bit/s
inline constexpr std::uint64_t rate_cap_max = 100'000'000'000;      // bit/s
inline constexpr std::uint64_t budget_min = 1'000'000;              // bytes
inline constexpr std::uint64_t budget_max = 1'000'000'000'000'000;  // bytes

struct LinkRule {
    std::string uplink;  // the word that it is bound by
    LinkPolicy policy;
};

// How an uplink is called: each rule is held against all of it.
struct LinkWords {
    std::string name;       // as the operator wrote it, or the interface's
    std::string interface;  // that it is on, or was on last; empty: not known
    std::string address;    // of an uplink by address; empty: none
};

struct LinkPolicies {
    std::vector<LinkRule> rules;
    LinkPolicy otherwise;

    [[nodiscard]] const LinkPolicy& of(const LinkWords& link) const;
};

// Whether the values can be lived with; the error names the value and what is expected: "priority 9: 1 to 4".
[[nodiscard]] Result<Unit, std::string> check(const LinkPolicy& policy);
// A rule's word in the form that uplinks are named by; the error is a sentence.
[[nodiscard]] Result<std::string, std::string> parse_link_word(std::string_view text);
// One value by its name, as a command line or a request has it: priority, cap, budget, billing-day, at-limit, metered,
// dns (with blanks between several). What it makes of the policy is checked too.
[[nodiscard]] Result<Unit, std::string> set_policy(LinkPolicy& policy, std::string_view name, std::string_view value);
// A whole rule: "wwan*,priority=2,cap=8M,budget=50GB,billing-day=5,at-limit=stop,metered".
[[nodiscard]] Result<LinkRule, std::string> parse_link_rule(std::string_view text);

[[nodiscard]] std::string_view name_of(AtLimit at_limit);

}  // namespace hawser::control
