// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/app/budget_file.h"
#include "platform/app/link_limits.h"
#include "platform/app/metrics/budget_metrics.h"
#include "platform/app/rpc/limit_methods.h"
#include "platform/control/uplink_list.h"
#include "tests/io/folder.h"

using namespace hawser;
using namespace hawser::app;
using control::LinkWords;

namespace {

constexpr std::time_t november = 1'795'000'000;  // 2026-11-18
constexpr LinkId first{0};
constexpr LinkId second{1};

UplinkSpec uplink(const std::string& text) {
    std::string complaint;
    const auto spec = control::parse_uplink(text, control::UplinkForms::all, complaint);
    REQUIRE(spec);
    return *spec;
}

control::LinkPolicies policies(const std::vector<std::string>& rules) {
    control::LinkPolicies out;
    for (const std::string& rule : rules) {
        const auto parsed = control::parse_link_rule(rule);
        REQUIRE(parsed);
        out.rules.push_back(*parsed);
    }
    return out;
}

struct Desk {
    LinkLimits limits;
    SenderSnapshot snapshot;

    explicit Desk(const std::vector<std::string>& rules) { limits.set_policies(policies(rules)); }
    void begin(LinkId slot, const std::string& text) {
        limits.begin(slot, uplink(text));
        ++expected_[slot.index()];
    }
    // The pump's word: so much more on the wire, and it has heard of the newest uplink.
    void carried(LinkId slot, std::uint64_t bytes, bool is_late = false) {
        UplinkSnapshot& u = snapshot.uplinks[slot.index()];
        u.wire_bytes_out += bytes - bytes / 4;
        u.wire_bytes_in += bytes / 4;
        u.tenancy = expected_[slot.index()] - (is_late ? 1 : 0);
        limits.count(snapshot, november);
    }
    std::uint64_t used(const std::string& account) {
        const auto* const a = limits.budgets().find(account);
        return a != nullptr ? a->month.used : 0;
    }
    UplinkSettings settings(LinkId slot, const LinkWords& words) { return limits.settings_of(slot, words, {}); }

private:
    std::array<std::uint32_t, links_max> expected_{};
};

// A folder of its own, gone with it.
using test::Folder;

std::string text_of_file(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("a budget that is used up puts its uplink behind the others, or stops it") {
    const bool stops = GENERATE(false, true);
    Desk desk({std::string("wwan*,priority=2,budget=1MB,at-limit=") + (stops ? "stop" : "demote")});
    desk.begin(first, "wwan0");
    const LinkWords words{"wwan0", "wwan0", ""};
    CHECK(desk.settings(first, words).priority == 2);
    desk.carried(first, 999'999);
    CHECK(desk.settings(first, words).priority == 2);
    const auto warned = desk.limits.take_events(Instant{});
    REQUIRE(warned.size() == 1);
    CHECK(warned[0].kind == EventKind::budget_warning);
    CHECK(warned[0].a == 95);
    desk.carried(first, 1);
    CHECK(desk.settings(first, words).priority == (stops ? priority_reserve : priority_demoted));
    const auto told = desk.limits.take_events(Instant{});
    REQUIRE(told.size() == 1);
    CHECK(told[0].kind == EventKind::budget_used_up);
    CHECK(told[0].link == first);
    CHECK(told[0].a == (stops ? 1u : 0u));
    REQUIRE(desk.limits.budgets().set_used("wwan0", 0));
    CHECK(desk.settings(first, words).priority == 2);
    REQUIRE(desk.limits.take_events(Instant{}).size() == 1);
}

TEST_CASE("a modem that comes back in another place, or with another address, goes on with what it has used") {
    Desk desk({"wwan0,budget=1MB"});
    desk.begin(first, "wwan0");
    desk.carried(first, 400'000);
    desk.limits.end(first);
    desk.begin(second, "10.0.0.7%wwan0");
    desk.carried(second, 300'000);
    CHECK(desk.used("wwan0") == 700'000);
}

TEST_CASE("modems that come back under each other's names go on with what they have used, and what was set by hand") {
    Desk desk({"wwan*,budget=1MB"});
    desk.begin(first, "wwan0");
    desk.begin(second, "wwan1");
    CHECK(desk.settings(first, {"wwan0", "wwan0", ""}).priority == 1);
    CHECK(desk.settings(second, {"wwan1", "wwan1", ""}).priority == 1);
    desk.carried(first, 800'000);
    desk.carried(second, 100'000);
    control::LinkPolicy slow = desk.limits.policy_of({"wwan0", "wwan0", ""});
    slow.priority = 3;
    desk.limits.set_by_hand("wwan0", slow);
    desk.limits.rename(first, uplink("wwan1"));
    desk.limits.rename(second, uplink("wwan0"));
    CHECK(desk.used("wwan1") == 800'000);
    CHECK(desk.used("wwan0") == 100'000);
    CHECK(desk.settings(first, {"wwan1", "wwan1", ""}).priority == 3);
    CHECK(desk.settings(second, {"wwan0", "wwan0", ""}).priority == 1);
    desk.carried(first, 1000);
    CHECK(desk.used("wwan1") == 801'000);
    // The warning that was due is of the modem's new name.
    const auto told = desk.limits.take_events(Instant{});
    REQUIRE(told.size() == 1);
    CHECK(told[0].link == first);
    // A third name takes the account along, and leaves none behind.
    desk.limits.rename(first, uplink("wwan7"));
    CHECK(desk.used("wwan7") == 801'000);
    CHECK(desk.limits.budgets().find("wwan1") == nullptr);
}

TEST_CASE("what a slot carried before the pump heard of its new uplink is the old one's") {
    Desk desk({});
    desk.begin(first, "wwan0");
    desk.carried(first, 1000);
    desk.begin(first, "10.0.0.7");
    desk.carried(first, 100, true);
    desk.carried(first, 10);
    CHECK(desk.used("wwan0") == 1100);
    CHECK(desk.used("10.0.0.7") == 10);
}

TEST_CASE("two uplinks of one interface have one account, and the first one's policy is the account's") {
    Desk desk({"10.0.0.7%wwan0,budget=1MB", "wwan0,budget=5MB"});
    desk.begin(first, "10.0.0.7%wwan0");
    desk.begin(second, "10.0.0.8%wwan0");
    for (int round = 0; round < 2; ++round) {
        static_cast<void>(desk.settings(first, {"10.0.0.7%wwan0", "wwan0", "10.0.0.7"}));
        static_cast<void>(desk.settings(second, {"10.0.0.8%wwan0", "wwan0", "10.0.0.8"}));
    }
    desk.carried(first, 600'000);
    desk.carried(second, 600'000);
    CHECK(desk.used("wwan0") == 1'200'000);
    CHECK(desk.limits.budgets().find("wwan0")->budget == 1'000'000);
    CHECK(desk.settings(second, {"10.0.0.8%wwan0", "wwan0", "10.0.0.8"}).priority == priority_demoted);
}

TEST_CASE("what happens to a budget while its uplink is away is told when it is back") {
    Desk desk({"wwan0,budget=1MB"});
    const LinkWords words{"wwan0", "wwan0", ""};
    desk.begin(first, "wwan0");
    static_cast<void>(desk.settings(first, words));
    desk.limits.end(first);
    desk.carried(first, 2'000'000);  // the pump's last word of it
    CHECK(desk.limits.take_events(Instant{}).empty());
    desk.begin(second, "wwan0");
    CHECK(desk.settings(second, words).priority == priority_demoted);
    const auto told = desk.limits.take_events(Instant{});
    REQUIRE(told.size() == 1);
    CHECK(told[0].kind == EventKind::budget_used_up);
    CHECK(told[0].link == second);
}

TEST_CASE("a clock that goes back is told with the month that goes on") {
    Desk desk({"wwan0,budget=1MB"});
    desk.begin(first, "wwan0");
    static_cast<void>(desk.settings(first, {"wwan0", "wwan0", ""}));
    desk.limits.count(desk.snapshot, november + 400 * 86'400);
    desk.carried(first, 300'000);
    const auto told = desk.limits.take_events(Instant{});
    REQUIRE(told.size() == 1);
    CHECK(told[0].kind == EventKind::budget_redated);
    CHECK(told[0].a == 20261101);
}

TEST_CASE("a budget by rule, for the others or by hand is a budget") {
    CHECK_FALSE(Desk({"wwan0,cap=1M"}).limits.has_budget());
    CHECK(Desk({"wwan0,cap=1M", "usb0,budget=1GB"}).limits.has_budget());
    Desk desk({});
    desk.limits.set_by_hand("wwan0", control::LinkPolicy{.budget_bytes = 1'000'000});
    CHECK(desk.limits.has_budget());
}

TEST_CASE("what was set by hand goes before the rules until they are given anew") {
    Desk desk({"wwan*,priority=2"});
    desk.begin(first, "wwan0");
    const LinkWords words{"wwan0", "wwan0", ""};
    control::LinkPolicy policy = desk.limits.policy_of(words);
    CHECK(policy.priority == 2);
    policy.priority = 3;
    policy.rate_cap = 1'000'000;
    desk.limits.set_by_hand("wwan0", policy);
    CHECK(desk.settings(first, words).priority == 3);
    CHECK(desk.settings(first, words).rate_cap == 1'000'000);
    desk.limits.set_policies(policies({"wwan*,priority=2"}));
    CHECK(desk.settings(first, words).priority == 2);
    CHECK(desk.settings(first, words).rate_cap == 0);
}

TEST_CASE("the list's word metered stays, whatever the rule says") {
    Desk desk({"wwan0,priority=2"});
    desk.begin(first, "wwan0");
    CHECK(desk.limits.settings_of(first, {"wwan0", "", ""}, {.metered = true}).metered);
    CHECK_FALSE(desk.settings(first, {"wwan0", "", ""}).metered);
}

TEST_CASE("a clock before this was written is not believed") {
    CHECK_FALSE(believable_day(0));
    CHECK_FALSE(believable_day(1'700'000'000));
    CHECK(believable_day(november));
}

TEST_CASE("a budget file outlives its process, and belongs to one at a time") {
    const Folder folder;
    control::Loop loop;
    control::Budgets budgets;
    {
        BudgetFile file(loop, folder.path + "/a/b", [](int) {});
        REQUIRE(file.begin(budgets));
        budgets.count("wwan0", 12'345);
        file.save(budgets, Instant{1'000'000'000});
        file.finish(budgets);
        BudgetFile rival(loop, folder.path + "/a/b", [](int) {});
        control::Budgets none;
        const auto refused = rival.begin(none);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().find("another hawser") != std::string::npos);
    }
    BudgetFile again(loop, folder.path + "/a/b", [](int) {});
    control::Budgets read;
    REQUIRE(again.begin(read));
    CHECK(read.find("wwan0")->month.used == 12'345);
}

TEST_CASE("a budget file is written once in ten seconds at most, and at the end") {
    const Folder folder;
    control::Loop loop;
    control::Budgets budgets;
    BudgetFile file(loop, folder.path, [](int) {});
    REQUIRE(file.begin(budgets));
    budgets.count("wwan0", 1);
    file.save(budgets, Instant{50'000'000'000});
    file.finish(budgets);
    const std::string before = text_of_file(file.path());
    budgets.count("wwan0", 1);
    file.save(budgets, Instant{59'999'000'000});
    CHECK(text_of_file(file.path()) == before);
    file.finish(budgets);
    CHECK(text_of_file(file.path()) != before);
}

TEST_CASE("a budget file that cannot be understood is kept beside and not used") {
    const Folder folder;
    const std::string text =
        GENERATE(as<std::string>{}, "{\"format\":\"hawser bud", "",
                 "{\"format\":\"hawser budgets\",\"version\":99,\"links\":{}}", std::string(2'000'000, 'x'));
    control::Loop loop;
    control::Budgets budgets;
    BudgetFile file(loop, folder.path, [](int) {});
    std::ofstream(file.path()) << text;
    REQUIRE(file.begin(budgets));
    CHECK(budgets.accounts().empty());
    CHECK(text_of_file(file.path() + ".unread") == text);
    budgets.count("wwan0", 1);
    file.finish(budgets);
    control::Budgets read;
    CHECK(read.read(text_of_file(file.path())));
}

TEST_CASE("the first damaged budget files are kept, and their number is bounded") {
    const Folder folder;
    for (int i = 1; i <= 6; ++i) {
        control::Loop loop;
        control::Budgets budgets;
        BudgetFile file(loop, folder.path, [](int) {});
        std::ofstream(file.path()) << "damage " << i;
        REQUIRE(file.begin(budgets));
        CHECK_FALSE(std::filesystem::exists(file.path()));
    }
    const std::string aside = folder.path + "/budgets.json.unread";
    CHECK(text_of_file(aside) == "damage 1");
    CHECK(text_of_file(aside + ".2") == "damage 2");
    CHECK(text_of_file(aside + ".3") == "damage 3");
    CHECK(text_of_file(aside + ".4") == "damage 6");
    CHECK_FALSE(std::filesystem::exists(aside + ".5"));
}

TEST_CASE("a folder that cannot be written is told of once, what was counted waits, and the recovery is told") {
    const Folder folder;
    control::Loop loop;
    control::Budgets budgets;
    int failures = 0;
    int recoveries = 0;
    BudgetFile file(loop, folder.path + "/state", [&](int error) { ++(error != 0 ? failures : recoveries); });
    REQUIRE(file.begin(budgets));
    std::filesystem::create_directory(file.path());  // nothing can be renamed to it
    std::ofstream(file.path() + "/in the way") << "x";
    budgets.count("wwan0", 1);
    file.finish(budgets);
    file.finish(budgets);
    CHECK(failures == 1);
    std::filesystem::remove_all(file.path());
    CHECK(recoveries == 0);
    file.finish(budgets);
    file.finish(budgets);
    CHECK(recoveries == 1);
    CHECK(failures == 1);
    CHECK(text_of_file(file.path()).find("wwan0") != std::string::npos);
}

TEST_CASE("budgets are told as JSON and to Prometheus") {
    Desk desk({"wwan0,budget=2MB,billing-day=5,at-limit=stop"});
    desk.begin(first, "wwan0");
    desk.begin(second, "eth0");
    static_cast<void>(desk.settings(first, {"wwan0", "wwan0", ""}));
    desk.carried(first, 2'000'000);
    desk.carried(second, 7);
    const Json rows = budgets_json(desk.limits.budgets());
    REQUIRE(rows.size() == 2);
    CHECK(rows[0]["link"] == "eth0");
    CHECK(rows[0]["budget_bytes"].is_null());
    CHECK(rows[1]["used_percent"] == 100.0);
    CHECK(rows[1]["state"] == "stopped");
    CHECK(rows[1]["billing_day"] == 5);
    CHECK(rows[1]["next_month"] == "2026-12-05");
    const std::string text = budget_metrics(desk.limits.budgets());
    CHECK(text.find("hawser_uplink_budget_bytes{uplink=\"wwan0\"} 2000000\n") != std::string::npos);
    CHECK(text.find("hawser_uplink_budget_used_up{uplink=\"wwan0\"} 1\n") != std::string::npos);
    CHECK(text.find("hawser_uplink_month_bytes{uplink=\"eth0\"} 7\n") != std::string::npos);
    CHECK(text.find("hawser_uplink_budget_bytes{uplink=\"eth0\"}") == std::string::npos);
}
