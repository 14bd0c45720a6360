// SPDX-License-Identifier: MIT
// What uplinks have used of their data budgets: bytes on the wire by link and billing month. Pure: bytes, days and
// policies go in; news (a warning is due, a budget is used up, a month begins) come out; the whole is read from text
// and written as text (links/budgets_text.h).
//
// Laws, which tests/unit/control/budgets_test.cc quotes:
//  - Each of 75, 95 and 100 percent is told once in a month, also when the text was written and read in between. Of an
//    uplink that is not there nothing is told until it is.
//  - The day alone decides which month it is, and bytes are added up whatever the clock does. One that jumps ahead and
//    back, or back and ahead, finds the month as it was, with what was used since. One that goes back to a month that
//    is not known takes along what was used in the one before: too much is better than too little.
//  - Another billing day takes what was used along, for the same reason.
//  - A text that is no such text, or of a later version, changes nothing. What was counted before one is read is added.
// Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "platform/control/links/billing_month.h"
#include "platform/control/links/link_policy.h"

namespace hawser::control {

class Budgets {
public:
    // Modems that came and went. For one more the oldest makes room that is not there, if any.
    static constexpr std::size_t links_known_max = 256;
    static constexpr std::size_t left_max = 4;  // months of an account that a clock may find again
    // Sent and received in a month by no modem, so that sums cannot wrap.
    static constexpr std::uint64_t used_max = 1'000'000'000'000'000'000;

    struct Month {
        std::optional<Date> from;  // absent: no clock could be believed yet
        std::uint64_t used = 0;    // bytes
        std::uint8_t told = 0;     // percent: 0, 75, 95 or 100
    };
    // A month that the clock has left.
    struct LeftMonth {
        Month month;
        std::uint64_t counted = 0;  // the account's then
        Date day;                   // the last that it was seen at
    };
    struct Account {
        Month month;
        std::vector<LeftMonth> left;  // the last one last
        std::uint64_t counted = 0;    // bytes, ever, whatever a month's count was set to
        std::uint8_t billing_day = 1;
        std::uint64_t budget = 0;  // bytes; 0: none. Of the policy, as what follows
        AtLimit at_limit = AtLimit::demote;
        bool has_policy = false;  // in this run: what the file says of its budget's warnings stands until then
        bool is_there = false;    // its uplink

        [[nodiscard]] bool is_used_up() const { return budget != 0 && month.used >= budget; }
    };
    using Accounts = std::map<std::string, Account>;

    enum class NewsKind : std::uint8_t { warning, used_up, renewed, redated };
    struct News {
        NewsKind kind = NewsKind::warning;
        std::string link;
        std::uint64_t used = 0;
        std::uint8_t percent = 0;       // of warning: 75 or 95
        bool had_been_used_up = false;  // of renewed
    };

    // Of an uplink that is there.
    void set_policy(const std::string& link, const LinkPolicy& policy);
    // It is no more.
    void leave(const std::string& link);
    void count(const std::string& link, std::uint64_t bytes);
    // Each goes on with the other's account, or with none where that has none.
    void exchange(const std::string& link, const std::string& other);
    // Only with a clock that can be believed.
    void set_today(const Date& today);
    // False: that link has no account.
    bool set_used(const std::string& link, std::uint64_t bytes);
    // What has happened since the last call.
    [[nodiscard]] std::vector<News> take_news();
    // Links whose accounts have made room for others since the last call.
    [[nodiscard]] std::vector<std::string> take_forgotten();

    [[nodiscard]] const Accounts& accounts() const { return accounts_; }
    [[nodiscard]] const Account* find(const std::string& link) const;
    [[nodiscard]] bool is_used_up(const std::string& link) const;

    // Once, early or late. The error says what is wrong, as in "line 3: ...".
    [[nodiscard]] Result<Unit, std::string> read(std::string_view text);
    [[nodiscard]] std::string text() const;
    // Whether text() is another than when this was asked last.
    [[nodiscard]] bool take_changed();

private:
    Account* open(const std::string& link);
    [[nodiscard]] bool make_room();
    void enter_month(const std::string& link, Account& account);
    void take_policy(Account& account, const LinkPolicy& policy);
    void push(News news);
    [[nodiscard]] bool is_due(const News& news) const;

    Accounts accounts_;
    std::optional<Date> today_;
    std::optional<Date> day_before_;  // that was today, also in the text that was read
    std::vector<News> news_;          // at most one of a kind for each account
    std::vector<std::string> forgotten_;
    bool is_changed_ = false;
};

}  // namespace hawser::control
