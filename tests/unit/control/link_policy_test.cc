// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "platform/control/links/link_policy.h"

using namespace hawser;
using namespace hawser::control;

namespace {

LinkRule rule(const std::string& text) {
    const auto parsed = parse_link_rule(text);
    INFO(text << ": " << (parsed ? std::string() : parsed.error()));
    REQUIRE(parsed);
    return *parsed;
}

std::string complaint(const std::string& text) {
    const auto parsed = parse_link_rule(text);
    INFO(text);
    REQUIRE_FALSE(parsed);
    return parsed.error();
}

}  // namespace

TEST_CASE("a rule is an uplink's word and its settings, in any order") {
    const LinkRule all = rule("wwan*,priority=2,cap=8M,budget=50GB,billing-day=5,at-limit=stop,metered");
    CHECK(all.uplink == "wwan*");
    CHECK(all.policy.priority == 2);
    CHECK(all.policy.rate_cap == 8'000'000);
    CHECK(all.policy.budget_bytes == 50'000'000'000);
    CHECK(all.policy.billing_day == 5);
    CHECK(all.policy.at_limit == AtLimit::stop);
    CHECK(all.policy.metered);
    CHECK(rule("wwan*,metered=true,at-limit=stop,billing-day=5,budget=50 GB,cap=8000000,priority=2").policy ==
          all.policy);
    CHECK(rule("eth0").policy == LinkPolicy{});
    CHECK(rule("192.168.8.100%usb0,priority=3").uplink == "192.168.8.100%usb0");
    CHECK(rule("2001:DB8:0::5").uplink == "2001:db8::5");
}

TEST_CASE("a rule's name servers stand with blanks between them") {
    const LinkRule two = rule("wwan0,dns=10.64.0.1 [2001:db8::1]:5353,metered");
    REQUIRE(two.policy.dns.size() == 2);
    CHECK(name_server_text(two.policy.dns[1]) == "[2001:db8::1]:5353");
    CHECK(two.policy.metered);
    CHECK(rule("wwan0,dns=10.64.0.1,dns=").policy.dns.empty());
    CHECK(complaint("wwan0,dns=far.example").find("wwan0: dns: 'far.example' is no name server") == 0);
    CHECK(complaint("wwan0,dns=10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4") == "wwan0: dns: at most 3 name servers");
}

TEST_CASE("a rule that says nonsense is refused with the uplink, the setting and what is expected") {
    CHECK(complaint("wwan0,priority=9") == "wwan0: priority '9': a whole number from 1 to 4");
    CHECK(complaint("wwan0,priority=0") == "wwan0: priority '0': a whole number from 1 to 4");
    CHECK(complaint("wwan0,billing-day=32") == "wwan0: billing-day '32': a whole number from 1 to 31");
    CHECK(complaint("wwan0,billing-day=") == "wwan0: billing-day '': a whole number from 1 to 31");
    CHECK(complaint("wwan0,cap=8 apples") == "wwan0: cap: '8 apples' is no rate, as in 8M, 8 Mbit/s or 500kbit/s");
    CHECK(complaint("wwan0,cap=8") == "wwan0: cap 8 bit/s: from 100 kbit/s to 100 Gbit/s, or 0 for none");
    CHECK(complaint("wwan0,budget=50") == "wwan0: budget 50 B: from 1 MB to 1000 TB, or 0 for none");
    CHECK(complaint("wwan0,at-limit=explode") == "wwan0: at-limit 'explode': demote or stop");
    CHECK(complaint("wwan0,metered=perhaps") == "wwan0: metered 'perhaps': true or false");
    CHECK(complaint("wwan0,weight=3") ==
          "wwan0: 'weight' is no setting of an uplink (priority, cap, budget, "
          "billing-day, at-limit, metered, dns)");
    CHECK(complaint("wwan0,,cap=8M").find("'' is no setting") != std::string::npos);
    CHECK(complaint("").find("names no uplink") != std::string::npos);
    CHECK(complaint("a b,priority=2").find("names no uplink") != std::string::npos);
    CHECK(complaint("wwan\n*").find('\n') == std::string::npos);
}

TEST_CASE("a value that cannot be lived with leaves the policy as it was") {
    LinkPolicy policy;
    CHECK(set_policy(policy, "cap", "8M"));
    const LinkPolicy before = policy;
    CHECK_FALSE(set_policy(policy, "cap", "1k"));
    CHECK_FALSE(set_policy(policy, "priority", "5"));
    CHECK(policy == before);
    CHECK(set_policy(policy, "cap", "0"));
    CHECK(policy == LinkPolicy{});
}

TEST_CASE("values that came by no parser are checked as well") {
    CHECK(check(LinkPolicy{}));
    LinkPolicy p;
    p.priority = priority_demoted;
    CHECK_FALSE(check(p));
    p = {};
    p.billing_day = 0;
    CHECK_FALSE(check(p));
    p = {};
    p.rate_cap = rate_cap_max + 1;
    CHECK_FALSE(check(p));
    p = {};
    p.rate_cap = rate_cap_min;
    p.budget_bytes = budget_min;
    CHECK(check(p));
    p.budget_bytes = budget_max + 1;
    CHECK_FALSE(check(p));
}

TEST_CASE("the first rule that fits an uplink is its policy, by its name, its interface or its address") {
    LinkPolicies policies{{rule("192.168.9.100%usb1,priority=4"), rule("usb*,priority=3"), rule("10.0.0.7,priority=2"),
                           rule("wwan0,cap=1M")},
                          {}};
    policies.otherwise.metered = true;
    const auto priority = [&](const char* name, const char* interface, const char* address) {
        return int{policies.of({name, interface, address}).priority};
    };
    CHECK(priority("usb0", "usb0", "") == 3);
    CHECK(priority("192.168.9.100%usb1", "usb1", "192.168.9.100") == 4);
    CHECK(priority("192.168.9.101%usb1", "usb1", "192.168.9.101") == 3);
    CHECK(priority("10.0.0.7", "", "10.0.0.7") == 2);
    CHECK(priority("10.0.0.7", "usb0", "10.0.0.7") == 3);  // earlier in the list
    CHECK(policies.of({"wwan0", "", ""}).rate_cap == 1'000'000);
    CHECK_FALSE(policies.of({"wwan0", "wwan0", ""}).metered);  // the rule's whole policy, not a mixture
    CHECK(policies.of({"wlan0", "wlan0", ""}).metered);
    CHECK(policies.of({"wwan", "", ""}).metered);
}

TEST_CASE("the rule * fits every uplink") {
    const LinkPolicies policies{{rule("*,priority=4")}, {}};
    CHECK(policies.of({"10.0.0.7", "", "10.0.0.7"}).priority == 4);
    CHECK(policies.of({"fe80::1%eth0", "eth0", "fe80::1"}).priority == 4);
}
