// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "platform/control/links/link_plan.h"
#include "platform/control/uplink_list.h"
#include "platform/linux/sockaddr.h"

using namespace hawser;
using namespace hawser::literals;
using control::AutomaticUplinks;
using control::Interface;
using control::LinkPlan;
using Kind = LinkPlan::StepKind;
using Place = LinkPlan::Place;

namespace {

Interface modem(const std::string& name, std::uint32_t index, const std::vector<std::string>& addresses,
                bool has_route = true) {
    Interface i;
    i.name = name;
    i.index = index;
    i.is_up = true;
    for (const std::string& a : addresses) i.addresses.push_back({*os::parse_address(a), 24});
    if (has_route) i.default_v4.push_back({});
    return i;
}

Interface modem_of(const std::string& mac, const std::string& name, std::uint32_t index, const std::string& address) {
    Interface i = modem(name, index, {address});
    i.mac = mac;
    return i;
}

UplinkSpec uplink(const std::string& entry) {
    std::string complaint;
    return control::parse_uplink(entry, control::UplinkForms::all, complaint).value();
}

// A plan with the time beside it; steps are told as "suspend 0: its address is gone".
struct Rig {
    LinkPlan plan;
    Instant now{1'000'000'000'000};

    std::vector<std::string> steps() {
        std::vector<std::string> out;
        for (const auto& s : plan.steps(now)) {
            static constexpr const char* names[] = {"add", "remove", "set", "suspend", "renew", "rename", "note"};
            out.push_back(std::string(names[static_cast<int>(s.kind)]) + " " + std::to_string(s.link.index()) +
                          (s.text.empty() ? "" : ": " + s.text));
        }
        return out;
    }
    std::vector<std::string> see(const std::vector<Interface>& interfaces) {
        plan.see(interfaces);
        return steps();
    }
};
using Steps = std::vector<std::string>;

}  // namespace

TEST_CASE("an interface that is not there yet is waited for, and joins when it has an address") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    CHECK(r.see({}) == Steps{"note 0: waits: there is no such interface, or it is off"});
    CHECK(r.plan.place(LinkId(0)) == Place::missing);
    CHECK(r.steps().empty());
    CHECK(r.see({modem("wwan0", 3, {})}).empty());
    CHECK(r.plan.place(LinkId(0)) == Place::no_address);
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"})}) == Steps{"add 0"});
    CHECK(r.plan.name(LinkId(0)) == "wwan0");
    CHECK(r.steps().empty());
}

TEST_CASE("an uplink keeps its place through the loss of its interface, another index and another address") {
    Rig r;
    r.plan.want({uplink("usb0"), uplink("wwan0")}, {});
    CHECK(r.see({modem("usb0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"})}) == Steps{"add 0", "add 1"});
    r.plan.opened(LinkId(1), *os::parse_address("10.0.1.1"));
    CHECK(r.see({modem("usb0", 2, {"10.0.0.1"})}) == Steps{"suspend 1: its interface is gone, or has no carrier"});
    r.now = r.now + 30_s;
    CHECK(r.see({modem("usb0", 2, {"10.0.0.1"}), modem("wwan0", 7, {"10.9.9.9"})}) == Steps{"renew 1: is back"});
    CHECK(r.plan.name(LinkId(1)) == "wwan0");
}

TEST_CASE("a renumbered interface is renewed, one that gets a further address is left alone") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"})}) == Steps{"add 0"});
    r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.3", "10.0.0.2"})}).empty());
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.3"})}) == Steps{"renew 0: has another address"});
    CHECK(r.see({modem("wwan0", 4, {"10.0.0.3"})}) == Steps{"renew 0: its interface was replaced"});
}

TEST_CASE("an interface whose default route comes after its address is opened anew, once") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"}, false)}) == Steps{"add 0"});
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"})}) == Steps{"renew 0: has a default route now"});
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"}, false)}).empty());
    CHECK(r.see({modem("wwan0", 3, {"10.0.0.2"})}).empty());
}

TEST_CASE("an address is suspended when it goes and renewed when it comes back, on whichever interface") {
    Rig r;
    r.plan.want({uplink("10.0.0.2")}, {});
    CHECK(r.see({modem("eth0", 2, {"10.0.0.2"})}) == Steps{"add 0"});
    CHECK(r.see({modem("eth0", 2, {"10.0.0.9"})}) == Steps{"suspend 0: its address is gone"});
    CHECK(r.see({modem("eth1", 3, {"10.0.0.2"})}) == Steps{"renew 0: is back"});
    CHECK(r.plan.interface_of(LinkId(0)) == "eth1");
}

TEST_CASE("an address that was never there is left to the pump, which tries") {
    Rig r;
    r.plan.want({uplink("10.0.0.2"), uplink("10.0.0.3%usb0")}, {});
    CHECK(r.see({}) == Steps{"add 0", "add 1"});
    CHECK(r.steps().empty());
    CHECK(r.see({modem("usb0", 2, {"10.0.0.3"})}).empty());
    CHECK(r.plan.place(LinkId(1)) == Place::there);
}

TEST_CASE("without word of the machine every uplink is taken to be there") {
    Rig r;
    r.plan.want({uplink("10.0.0.2"), uplink("wwan0")}, {});
    CHECK(r.steps() == Steps{"add 0", "add 1"});
    CHECK(r.steps().empty());
}

TEST_CASE("two interfaces that share an address are two uplinks") {
    Rig r;
    r.plan.want({uplink("192.168.8.100%usb0"), uplink("192.168.8.100%usb1")}, {});
    const auto usb0 = modem("usb0", 2, {"192.168.8.100"}), usb1 = modem("usb1", 3, {"192.168.8.100"});
    CHECK(r.see({usb0, usb1}) == Steps{"add 0", "add 1"});
    CHECK(r.see({usb1}) == Steps{"suspend 0: its interface is gone, or has no carrier"});
}

TEST_CASE("a link that flaps is held back until it has been quiet, and vanishes at once all the same") {
    Rig r;
    const auto steady = modem("eth0", 2, {"10.0.0.1"}), flapping = modem("wwan0", 3, {"10.0.1.1"});
    r.plan.want({uplink("eth0"), uplink("wwan0")}, {});
    CHECK(r.see({steady, flapping}).size() == 2);
    r.plan.connected(LinkId(0), true);
    int renewed = 0;
    Steps last;
    for (int i = 0; i < 3; ++i) {
        r.now = r.now + 1_s;
        CHECK(r.see({steady}) == Steps{"suspend 1: its interface is gone, or has no carrier"});
        r.now = r.now + 1_s;
        last = r.see({steady, flapping});
        if (last == Steps{"renew 1: is back"}) ++renewed;
    }
    CHECK(renewed == 2);
    CHECK(last.size() == 1);
    CHECK(last.front().rfind("note 1: comes and goes: held back", 0) == 0);
    CHECK(r.plan.place(LinkId(1)) == Place::flapping);
    // Nothing to do before its time, and then it is back without anybody having said anything.
    const Instant due = r.plan.next_deadline();
    CHECK(due > r.now + 5_s);
    CHECK(due < r.now + 26_s);
    r.now = due - 10_ms;
    CHECK(r.steps().empty());
    r.now = due;
    CHECK(r.steps() == Steps{"renew 1: is back"});
    CHECK(r.plan.next_deadline() == never);
}

TEST_CASE("a link that flaps is taken all the same when no other is there") {
    Rig r;
    const auto steady = modem("eth0", 2, {"10.0.0.1"}), flapping = modem("wwan0", 3, {"10.0.1.1"});
    r.plan.want({uplink("eth0"), uplink("wwan0")}, {});
    CHECK(r.see({steady, flapping}).size() == 2);
    r.plan.connected(LinkId(0), true);
    for (int i = 0; i < 4; ++i) {
        static_cast<void>(r.see({steady}));
        static_cast<void>(r.see({steady, flapping}));
    }
    CHECK(r.plan.place(LinkId(1)) == Place::flapping);
    CHECK(r.see({flapping}) == Steps{"suspend 0: its interface is gone, or has no carrier", "renew 1: is back"});
}

TEST_CASE("a link that flaps is taken all the same when no other one works") {
    Rig r;
    const auto steady = modem("eth0", 2, {"10.0.0.1"}), flapping = modem("wwan0", 3, {"10.0.1.1"});
    r.plan.want({uplink("eth0"), uplink("wwan0")}, {});
    CHECK(r.see({steady, flapping}).size() == 2);
    const auto flap = [&] {
        Steps last;
        for (int i = 0; i < 4; ++i) {
            static_cast<void>(r.see({steady}));
            last = r.see({steady, flapping});
        }
        return last;
    };
    // The other is there, but the receiver does not answer on it.
    CHECK(flap() == Steps{"renew 1: is back"});
    r.plan.connected(LinkId(0), true);
    static_cast<void>(flap());
    CHECK(r.plan.place(LinkId(1)) == Place::flapping);
    r.plan.connected(LinkId(0), false);
    CHECK(r.steps() == Steps{"renew 1: is back"});
}

TEST_CASE("one that vanishes while it is held back is held back longer, but never for good") {
    Rig r;
    const auto steady = modem("eth0", 2, {"10.0.0.1"}), flapping = modem("wwan0", 3, {"10.0.1.1"});
    r.plan.want({uplink("eth0"), uplink("wwan0")}, {});
    CHECK(r.see({steady, flapping}).size() == 2);
    r.plan.connected(LinkId(0), true);
    for (int i = 0; i < 50; ++i) {
        static_cast<void>(r.see({steady}));
        static_cast<void>(r.see({steady, flapping}));
    }
    CHECK(r.plan.next_deadline() > r.now + 20_s);
    CHECK(r.plan.next_deadline() < r.now + 30_s);
}

TEST_CASE("automatic: every interface with a default route, by pattern, and none twice") {
    Rig r;
    r.plan.want({uplink("10.0.0.1")}, AutomaticUplinks{true, {}, {"tun*"}});
    CHECK(r.see({modem("eth0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"}), modem("lan0", 4, {"10.0.2.1"}, false),
                 modem("tun0", 5, {"10.0.3.1"}), modem("wwan1", 6, {})}) == Steps{"add 0", "add 1"});
    CHECK(r.plan.name(LinkId(1)) == "wwan0");
    CHECK(r.plan.place(LinkId(3)) == Place::empty);
    // Its route goes, it comes back, it keeps its place.
    CHECK(r.see({modem("eth0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"}, false)}) ==
          Steps{"suspend 1: its interface has no default route any more"});
    CHECK(r.see({modem("eth0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"})}) == Steps{"renew 1: is back"});
    // No longer wanted.
    r.plan.want({uplink("10.0.0.1")}, AutomaticUplinks{true, {"wlan*"}, {}});
    CHECK(r.steps() == Steps{"remove 1"});
}

TEST_CASE("automatic: an interface that an uplink's address has left is taken") {
    Rig r;
    r.plan.want({uplink("10.0.0.1")}, AutomaticUplinks{true, {}, {}});
    CHECK(r.see({modem("eth0", 2, {"10.0.0.1"})}) == Steps{"add 0"});
    // The address moves to another one; the first has another now.
    CHECK(r.see({modem("eth0", 2, {"10.0.0.9"})}) == Steps{"suspend 0: its address is gone", "add 1"});
    CHECK(r.plan.name(LinkId(1)) == "eth0");
    CHECK(r.see({modem("eth0", 2, {"10.0.0.9"}), modem("eth1", 3, {"10.0.0.1"})}) == Steps{"renew 0: is back"});
}

TEST_CASE("automatic: an interface has one uplink, though an address of the list comes to it later") {
    Rig r;
    r.plan.want({uplink("10.0.1.1")}, AutomaticUplinks{true, {}, {}});
    CHECK(r.see({modem("wwan0", 3, {"10.0.1.9"})}) == Steps{"add 0", "add 1"});
    CHECK(r.plan.name(LinkId(1)) == "wwan0");
    CHECK(r.see({modem("wwan0", 3, {"10.0.1.1"})}) == Steps{"remove 1: is an uplink of the list now"});
    CHECK(r.plan.place(LinkId(0)) == Place::there);
    CHECK(r.steps().empty());
}

TEST_CASE("an interface that the list names no more goes on as an automatic one, and the other way round") {
    Rig r;
    r.plan.want({uplink("eth0"), uplink("wwan0 metered")}, {});
    const std::vector<Interface> machine{modem("eth0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"})};
    CHECK(r.see(machine).size() == 2);
    r.plan.want({}, AutomaticUplinks{true, {}, {}});
    CHECK(r.steps() == Steps{"set 1: is not metered now"});
    r.plan.want({uplink("wwan0 metered")}, AutomaticUplinks{true, {}, {}});
    CHECK(r.steps() == Steps{"set 1: is metered now"});
    r.plan.want({}, AutomaticUplinks{true, {}, {"wwan*"}});
    CHECK(r.steps() == Steps{"remove 1"});
}

TEST_CASE("automatic: a modem that comes back under another name keeps its place and is renamed") {
    Rig r;
    r.plan.want({}, AutomaticUplinks{true, {}, {}});
    const auto other = modem_of("02:00:00:00:00:01", "eth0", 2, "10.0.0.1");
    CHECK(r.see({other, modem_of("02:00:00:00:00:02", "wwan0", 3, "10.0.1.1")}) == Steps{"add 0", "add 1"});
    CHECK(r.see({other}) == Steps{"suspend 1: its interface is gone, or has no carrier"});
    auto back = modem_of("02:00:00:00:00:02", "wwan1", 9, "10.0.1.7");
    back.default_v4.clear();
    CHECK(r.see({other, back}).empty());  // not before it leads out
    back.default_v4.push_back({});
    CHECK(r.see({other, back}) == Steps{"rename 1: is called wwan1 now", "renew 1: is back"});
    CHECK(r.plan.name(LinkId(1)) == "wwan1");
    CHECK(r.plan.uplink(LinkId(1)).device == std::string("wwan1"));
    CHECK(r.plan.interface_of(LinkId(1)) == "wwan1");
    CHECK(r.steps().empty());
    // Another modem under the name that it had is another uplink.
    CHECK(r.see({other, back, modem_of("02:00:00:00:00:03", "wwan0", 10, "10.0.2.1")}) == Steps{"add 2"});
}

TEST_CASE("automatic: what excludes a modem holds under its next name, and for no other") {
    Rig r;
    r.plan.want({}, AutomaticUplinks{true, {}, {}});
    const auto other = modem_of("02:00:00:00:00:01", "eth0", 2, "10.0.0.1");
    CHECK(r.see({other, modem_of("02:00:00:00:00:02", "wwan0", 3, "10.0.1.1"),
                 modem_of("02:00:00:00:00:09", "usb0", 4, "10.0.3.1"),
                 modem_of("02:00:00:00:00:09", "usb1", 5, "10.0.4.1"), modem("ppp0", 6, {"10.0.5.1"})})
              .size() == 5);
    CHECK(r.plan.lasting_pattern("usb0") == "usb0");  // its twin has that address too
    CHECK(r.plan.lasting_pattern("ppp0") == "ppp0");  // it has none
    const std::string pattern = r.plan.lasting_pattern("wwan0");
    CHECK(pattern == "02:00:00:00:00:02");
    r.plan.want({}, AutomaticUplinks{true, {}, {pattern}});
    CHECK(r.steps() == Steps{"remove 1"});
    CHECK(r.see({other, modem_of("02:00:00:00:00:02", "wwan1", 9, "10.0.1.1"),
                 modem_of("02:00:00:00:00:03", "wwan0", 10, "10.0.2.1")})
              .back() == "add 1");
    CHECK(r.plan.name(LinkId(1)) == "wwan0");
    CHECK(r.plan.place(LinkId(5)) == Place::empty);
}

TEST_CASE("automatic: a pattern with a colon is for addresses, in whatever case, and others for names alone") {
    Rig r;
    r.plan.want({}, AutomaticUplinks{true, {"e*"}, {}});
    CHECK(r.see({modem_of("02:00:00:00:00:01", "eth0", 2, "10.0.0.1"),
                 modem_of("e4:5f:01:00:00:02", "wlan0", 3, "10.0.1.1")}) == Steps{"add 0"});
    CHECK(r.plan.name(LinkId(0)) == "eth0");
    r.plan.want({}, AutomaticUplinks{true, {}, {"E4:5F:*"}});
    CHECK(r.steps().empty());
    r.plan.want({}, AutomaticUplinks{true, {}, {"*1"}});
    CHECK(r.steps() == Steps{"add 1"});
}

TEST_CASE("automatic: what is excluded by its address stays out, whatever has its name or had it") {
    Rig r;
    const auto m = modem_of("02:00:00:00:00:02", "wwan0", 3, "10.0.1.1");
    auto waiting = m;
    waiting.addresses.clear();
    SECTION("one of the list, taken away before it had an address") {
        r.plan.want({uplink("wwan0")}, AutomaticUplinks{true, {}, {}});
        static_cast<void>(r.see({waiting}));
        r.plan.want({}, AutomaticUplinks{true, {}, {r.plan.lasting_pattern("wwan0")}});
        static_cast<void>(r.steps());
        CHECK(r.see({m}).empty());
        CHECK(r.plan.place(LinkId(0)) == Place::empty);
    }
    SECTION("one that comes under the name of another that is away") {
        r.plan.want({}, AutomaticUplinks{true, {}, {"02:00:00:00:00:09"}});
        CHECK(r.see({m}) == Steps{"add 0"});
        CHECK(r.see({}).size() == 1);
        CHECK(r.see({modem_of("02:00:00:00:00:09", "wwan0", 9, "10.0.3.1")}) == Steps{"remove 0"});
    }
}

TEST_CASE("automatic: two modems that exchange their names keep their places") {
    Rig r;
    r.plan.want({}, AutomaticUplinks{true, {}, {}});
    CHECK(r.see({modem_of("a", "wwan0", 3, "10.0.1.1"), modem_of("b", "wwan1", 4, "10.0.2.1")}).size() == 2);
    const bool at_once = GENERATE(false, true);
    if (!at_once) CHECK(r.see({}).size() == 2);
    const auto told = r.see({modem_of("b", "wwan0", 8, "10.0.2.1"), modem_of("a", "wwan1", 9, "10.0.1.1")});
    const std::string how = at_once ? "has another name" : "is back";
    CHECK(told == Steps{"rename 0: is called wwan1 now", "rename 1: is called wwan0 now", "renew 0: " + how,
                        "renew 1: " + how});
    CHECK(r.plan.interface_of(LinkId(0)) == "wwan1");
    CHECK(r.plan.interface_of(LinkId(1)) == "wwan0");
}

TEST_CASE("automatic: modems with one MAC address, and those of the list, are known by their names alone") {
    Rig r;
    SECTION("twins") {
        r.plan.want({}, AutomaticUplinks{true, {}, {}});
        CHECK(r.see({modem_of("a", "usb0", 3, "10.0.1.1"), modem_of("a", "usb1", 4, "10.0.1.1")}).size() == 2);
        CHECK(r.see({modem_of("a", "usb1", 4, "10.0.1.1")}).size() == 1);
        CHECK(r.see({modem_of("a", "usb1", 4, "10.0.1.1"), modem_of("a", "usb2", 5, "10.0.1.1")}) == Steps{"add 2"});
    }
    SECTION("named by the operator") {
        r.plan.want({uplink("wwan0")}, AutomaticUplinks{true, {}, {}});
        CHECK(r.see({modem_of("a", "wwan0", 3, "10.0.1.1")}) == Steps{"add 0"});
        CHECK(r.see({modem_of("a", "wwan1", 4, "10.0.1.1")}) ==
              Steps{"suspend 0: its interface is gone, or has no carrier", "add 1"});
    }
    SECTION("a name that may not be taken") {
        r.plan.want({}, AutomaticUplinks{true, {}, {"tun*"}});
        CHECK(r.see({modem_of("a", "wwan0", 3, "10.0.1.1")}) == Steps{"add 0"});
        CHECK(r.see({modem_of("a", "tun0", 3, "10.0.1.1")}) ==
              Steps{"suspend 0: its interface is gone, or has no carrier"});
    }
}

TEST_CASE("automatic: an interface that is away gives its place to one that is there") {
    Rig r;
    r.plan.want({}, AutomaticUplinks{true, {}, {}});
    std::vector<Interface> many;
    for (std::uint32_t i = 0; i < links_max; ++i)
        many.push_back(modem("m" + std::to_string(i), i + 2, {"10.0." + std::to_string(i) + ".1"}));
    CHECK(r.see(many).size() == links_max);
    many.push_back(modem("new", 99, {"10.9.0.1"}));
    CHECK(r.see(many).empty());
    CHECK(r.plan.left_out() == 1);
    many.erase(many.begin() + 4);
    CHECK(r.see(many) ==
          Steps{"suspend 4: its interface is gone, or has no carrier", "remove 4: gives its place to new", "add 4"});
    CHECK(r.plan.left_out() == 0);
    CHECK(r.plan.name(LinkId(4)) == "new");
}

TEST_CASE("an interface is used in the family that both it and the receiver have") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    auto both = modem("wwan0", 3, {"10.0.0.2", "2001:db8::2"});
    both.default_v6.push_back({});
    r.plan.reach({true, false});
    CHECK(r.see({both}) == Steps{"add 0"});
    CHECK(r.plan.uplink(LinkId(0)).source == Endpoint::from_v4(0, 0));
    r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
    // Only the other family is left, which the receiver does not have.
    CHECK(r.see({modem("wwan0", 3, {"2001:db8::2"})}) == Steps{"suspend 0: its address is gone"});
    CHECK(r.see({both}) == Steps{"renew 0: is back"});
    CHECK(r.plan.uplink(LinkId(0)).source == Endpoint::from_v4(0, 0));
    // The receiver has the other family now as well: what works is left alone, until it goes.
    r.plan.reach({true, true});
    CHECK(r.steps().empty());
    CHECK(r.see({}) == Steps{"suspend 0: its interface is gone, or has no carrier"});
    CHECK(r.see({both}) == Steps{"renew 0: is back"});
    CHECK(r.plan.uplink(LinkId(0)).source == Endpoint{});
}

TEST_CASE("an interface whose family leads nowhere any more goes by the other") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    auto both = modem("wwan0", 3, {"10.0.0.2", "2001:db8::2"});
    both.default_v6.push_back({});
    r.plan.reach({true, false});
    CHECK(r.see({both}) == Steps{"add 0"});
    r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
    // The receiver has only the other now, by a name that was looked up again.
    r.plan.reach({false, true});
    CHECK(r.steps() == Steps{"renew 0: goes by the other address family now"});
    CHECK(r.plan.uplink(LinkId(0)).source == Endpoint{});
    r.plan.opened(LinkId(0), *os::parse_address("2001:db8::2"));
    CHECK(r.steps().empty());
    r.plan.reach({true, false});
    CHECK(r.steps() == Steps{"renew 0: goes by the other address family now"});
}

TEST_CASE("an uplink whose group keeps it in its old family is renewed once for each state, not again and again") {
    Rig r;
    r.plan.want({uplink("wwan0")}, {});
    auto both = modem("wwan0", 3, {"10.0.0.2", "2001:db8::2"});
    both.default_v6.push_back({});
    auto only_v6 = both;
    only_v6.default_v4.clear();
    r.plan.reach({true, true});
    CHECK(r.see({both}) == Steps{"add 0"});
    r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
    for (int times = 0; times < 2; ++times) {
        CHECK(r.see({only_v6}) == Steps{"renew 0: goes by the other address family now"});
        // The group in use is at the receiver's IPv4 address, and the pump stays with it.
        for (int again = 0; again < 3; ++again) {
            r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
            CHECK(r.steps().empty());
            CHECK(r.see({only_v6}).empty());
        }
        // Another state, in which nothing is wrong, and the same again: the operator mended a route in between.
        static_cast<void>(r.see({both}));
        auto moved = both;
        moved.default_v6.clear();
        static_cast<void>(r.see({moved}));
        if (times == 0) {
            // Told anew only when another state had to be answered in between.
            r.plan.opened(LinkId(0), *os::parse_address("2001:db8::2"));
            CHECK(r.steps() == Steps{"renew 0: goes by the other address family now"});
            r.plan.opened(LinkId(0), *os::parse_address("10.0.0.2"));
        }
    }
}

TEST_CASE("a setting that changes is set, and nothing else happens to the uplink") {
    Rig r;
    r.plan.want({uplink("10.0.0.1"), uplink("wwan0")}, {});
    const std::vector<Interface> machine{modem("eth0", 2, {"10.0.0.1"}), modem("wwan0", 3, {"10.0.1.1"})};
    CHECK(r.see(machine).size() == 2);
    r.plan.want({uplink("10.0.0.1"), uplink("wwan0 metered")}, {});
    CHECK(r.steps() == Steps{"set 1: is metered now"});
    CHECK(r.plan.uplink(LinkId(1)).settings.metered);
    CHECK(r.steps().empty());
}

TEST_CASE("a changed list removes what is no longer wanted and leaves the rest in place") {
    Rig r;
    r.plan.want({uplink("10.0.0.1"), uplink("10.0.0.2"), uplink("wwan0")}, {});
    const std::vector<Interface> machine{modem("eth0", 2, {"10.0.0.1", "10.0.0.2"}), modem("wwan0", 3, {"10.0.1.1"})};
    CHECK(r.see(machine).size() == 3);
    r.plan.want({uplink("wwan0"), uplink("10.0.0.2"), uplink("10.0.0.7")}, {});
    CHECK(r.steps() == Steps{"remove 0", "add 0"});
    CHECK(r.plan.name(LinkId(0)) == "10.0.0.7");
    CHECK(r.plan.name(LinkId(2)) == "wwan0");
}
