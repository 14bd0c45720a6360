// SPDX-License-Identifier: MIT
// What a sender's operator said of its uplinks, and what has become of their budgets, as settings for the pump. Holds
// the rules, those that came over the control socket among them, and the count of bytes by uplink; attributes what each
// slot of the pump carried to the uplink that had it.
//
// An uplink's account is its interface's, or its address's where it has no interface of its own: a modem that comes and
// goes, or gets another address, goes on with what it has used; so does one that comes back under another name, when
// that is told. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "engine/border/event.h"
#include "engine/border/sender_snapshot.h"
#include "platform/control/links/budgets.h"
#include "platform/control/links/link_policy.h"

namespace hawser::app {

class LinkLimits {
public:
    // The operator's rules, and again when they change; what was set by hand since is forgotten.
    void set_policies(control::LinkPolicies policies);
    // One uplink's, over the control socket: before all rules, until the next set_policies().
    void set_by_hand(const std::string& name, const control::LinkPolicy& policy);
    [[nodiscard]] const control::LinkPolicy& policy_of(const control::LinkWords& link) const;

    // The pump is told to give that slot to an uplink; until the next call what it carries is this one's.
    void begin(LinkId slot, const UplinkSpec& uplink);
    // It has none any more.
    void end(LinkId slot);
    // Its interface is called otherwise now: its account and what was set by hand go with it. What that name had until
    // now is under the former one, and its uplink with it.
    void rename(LinkId slot, const UplinkSpec& uplink);
    // How that uplink is called now. Answers the settings that the pump is to have: those of the
    // list, the policy's, and the budget's.
    [[nodiscard]] UplinkSettings settings_of(LinkId slot, const control::LinkWords& words,
                                             const UplinkSettings& listed);

    // Whether any uplink has a budget, or would have one if it were there.
    [[nodiscard]] bool has_budget() const;
    // What the slots have carried since the last snapshot, and the day: settings_of() may say something new.
    void count(const SenderSnapshot& snapshot, std::time_t wall);
    // Of the budgets, since the last call: what is to be told, with `at`.
    [[nodiscard]] std::vector<Event> take_events(Instant at);

    [[nodiscard]] control::Budgets& budgets() { return budgets_; }
    [[nodiscard]] const control::Budgets& budgets() const { return budgets_; }

private:
    struct Tenant {
        std::string account;
        std::uint32_t tenancy = 0;
    };
    struct Slot {
        Tenant now;
        Tenant before;
        std::uint64_t wire_bytes = 0;  // of the last snapshot
        bool is_used = false;          // by `now`
    };

    // Where several uplinks have one account, the first one's policy is the account's.
    [[nodiscard]] bool decides(const Slot& slot) const;

    control::LinkPolicies policies_;
    std::vector<control::LinkRule> by_hand_;
    control::Budgets budgets_;
    std::array<Slot, links_max> slots_;
};

// The account's words: see above.
[[nodiscard]] std::string account_name(const UplinkSpec& uplink);
// The local day of that time; absent for a clock that cannot be right.
[[nodiscard]] std::optional<control::Date> believable_day(std::time_t wall);

}  // namespace hawser::app
