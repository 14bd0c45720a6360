// SPDX-License-Identifier: MIT
// What uplinks have used of their data budgets: bytes on the wire by link and billing month. Pure: bytes, days and
// policies go in; news (a warning is due, a budget is used up, a month begins) come out; the whole is read from text
// and written as text.
//
// Laws, which tests/unit/control/budgets_test.cc quotes:
//  - Each of 75, 95 and 100 percent is told once in a month, also when the text was written and read in between.
//  - A month begins on its billing day, in a shorter month on its last one. The day alone decides, and bytes are added
//    up whatever the clock does: one that jumps ahead and back finds the month as it was, with what was used since.
//  - Another billing day takes what was used along: too much is better than too little.
//  - A text that is no such text, or of a later version, changes nothing.
// Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "platform/control/links/link_policy.h"

namespace hawser::control {

struct Date {
    std::int32_t year = 0;
    std::int32_t month = 0;  // 1 to 12
    std::int32_t day = 0;    // 1 to 31

    friend bool operator==(const Date&, const Date&) = default;
    friend auto operator<=>(const Date&, const Date&) = default;
};

// The first day of the billing month that holds `today`, and of the one after it.
[[nodiscard]] Date billing_month(const Date& today, std::uint8_t billing_day);
[[nodiscard]] Date next_billing_month(const Date& month, std::uint8_t billing_day);
[[nodiscard]] std::string date_text(const Date& date);  // "2026-11-05"

class Budgets {
public:
    static constexpr std::size_t links_known_max = 256;  // modems that came and went; more are not counted

    struct Month {
        std::optional<Date> from;  // absent: no clock could be believed yet
        std::uint64_t used = 0;    // bytes
        std::uint8_t told = 0;     // percent: 0, 75, 95 or 100
    };
    struct Account {
        Month month;
        std::optional<Month> before;  // for a clock that jumped ahead
        std::uint8_t billing_day = 1;
        std::uint64_t budget = 0;  // bytes; 0: none. Of the policy, as what follows
        AtLimit at_limit = AtLimit::demote;
        bool has_policy = false;  // in this run: what the file says of its budget's warnings stands until then

        [[nodiscard]] bool is_used_up() const { return budget != 0 && month.used >= budget; }
    };
    enum class NewsKind : std::uint8_t { warning, used_up, renewed };
    struct News {
        NewsKind kind = NewsKind::warning;
        std::string link;
        std::uint64_t used = 0;
        std::uint8_t percent = 0;       // of warning: 75 or 95
        bool had_been_used_up = false;  // of renewed
    };

    void set_policy(const std::string& link, const LinkPolicy& policy);
    void count(const std::string& link, std::uint64_t bytes);
    // Only with a clock that can be believed.
    void set_today(const Date& today);
    // False: that link has no account.
    bool set_used(const std::string& link, std::uint64_t bytes);
    // What has happened since the last call.
    [[nodiscard]] std::vector<News> take_news();

    [[nodiscard]] const std::map<std::string, Account>& accounts() const { return accounts_; }
    [[nodiscard]] const Account* find(const std::string& link) const;
    [[nodiscard]] bool is_used_up(const std::string& link) const;

    // The error says what is wrong, as in "line 3: ...".
    [[nodiscard]] Result<Unit, std::string> read(std::string_view text);
    [[nodiscard]] std::string text() const;
    // Whether text() is another than when this was asked last.
    [[nodiscard]] bool take_changed();

private:
    Account* open(const std::string& link);
    void enter_month(const std::string& link, Account& account);

    std::map<std::string, Account> accounts_;
    std::optional<Date> today_;
    std::vector<News> news_;
    bool is_changed_ = false;
};

}  // namespace hawser::control
