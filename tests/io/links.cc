// SPDX-License-Identifier: MIT
// The machine's interfaces as uplinks see them, in a namespace of its own: real links come, change and go.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "platform/control/links/interface_table.h"
#include "platform/control/links/link_watch.h"
#include "platform/control/loop.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "tests/io/group_network.h"

using namespace hawser;
using control::Interface;
using control::InterfaceTable;
using Read = InterfaceTable::Read;
using test::expect;
using test::Faults;

namespace {

void in_namespace(const std::function<void(Faults&, InterfaceTable&)>& body) {
    test::in_namespace([&](Faults& faults) {
        auto table = InterfaceTable::open();
        if (table)
            body(faults, *table);
        else
            faults.push_back(std::string("open: ") + table.error().call);
    });
}

// In the calling thread's namespace. The kernel has told of it when it returns.
void ip(Faults& faults, const std::string& words) {
    expect(faults, std::system(("ip " + words + " >/dev/null 2>&1").c_str()) == 0, "ip " + words);
}

void expect_change(Faults& faults, InterfaceTable& table, const std::string& what) {
    expect(faults, table.take(), what + " rings");
    expect(faults, table.read() == Read::changed, what + " is a change");
}

Endpoint address(const char* text) { return *os::parse_address(text); }

}  // namespace

TEST_CASE("an interface is known with its addresses from the moment it is there to the moment it is gone") {
    in_namespace([](Faults& faults, InterfaceTable& table) {
        expect(faults, table.find("lo") != nullptr && table.find("lo")->is_loopback, "loopback is there");
        expect(faults, table.read() == Read::same, "nothing changed yet");
        {
            const os::Fd tun = test::make_interface("hw0", "10.1.0.1");
            expect(faults, tun.is_open(), "a device");
            expect_change(faults, table, "a new interface");
            const Interface* const i = table.find("hw0");
            if (i == nullptr) return faults.push_back("the new interface is in the table");
            expect(faults, i->is_up && !i->is_loopback && i->has_address(true), "it is up and has an address");
            expect(faults, !i->has_address(false), "of no other family, link-local ones aside");
            expect(faults, table.find(address("10.1.0.1")) == i, "it is found by its address");
            ip(faults, "addr add 10.5.0.7/24 dev hw0");
            ip(faults, "addr del 10.1.0.1/24 dev hw0");
            expect_change(faults, table, "another address");
            expect(faults, table.find(address("10.5.0.7")) != nullptr, "the new address");
            ip(faults, "link set hw0 down");
            expect_change(faults, table, "switching off");
            expect(faults, table.find("hw0") != nullptr && !table.find("hw0")->is_up, "it is off");
        }
        expect_change(faults, table, "its end");
        expect(faults, table.find("hw0") == nullptr, "it is gone");
    });
}

TEST_CASE("default routes are known whatever table they are in, and other routes are not") {
    in_namespace([](Faults& faults, InterfaceTable& table) {
        const os::Fd a = test::make_interface("hw0", "10.1.0.1"), b = test::make_interface("hw1", "10.2.0.1");
        ip(faults, "route add 198.51.100.0/24 via 10.1.0.254 dev hw0");
        expect_change(faults, table, "two interfaces");
        expect(faults, table.find("hw0")->default_v4.empty(), "a route to one network is no default route");
        ip(faults, "route add default via 10.1.0.254 dev hw0 metric 50");
        ip(faults, "route add default dev hw1 table 101");
        expect_change(faults, table, "two routes");
        const auto &main = table.find("hw0")->default_v4, &own = table.find("hw1")->default_v4;
        if (main.size() != 1 || own.size() != 1) return faults.push_back("each has one");
        expect(faults, main[0].address == address("10.1.0.254") && main[0].metric == 50 && main[0].table == 254,
               "the main table's, with gateway and metric");
        expect(faults, !own[0].address && own[0].table == 101, "another table's, without a gateway");
        ip(faults, "route replace default table 101 nexthop via 10.1.0.253 dev hw0 nexthop via 10.2.0.254 dev hw1");
        expect_change(faults, table, "a route over both");
        expect(faults, table.find("hw0")->default_v4.size() == 2, "the first hop's interface has another one");
        const auto& second = table.find("hw1")->default_v4;
        expect(faults, second.size() == 1 && second[0].address == address("10.2.0.254"),
               "and the second hop's its own");
        ip(faults, "route del default table 101");
        ip(faults, "route del default via 10.1.0.254 dev hw0");
        expect_change(faults, table, "the end of both");
        expect(faults, table.find("hw0")->default_v4.empty() && table.find("hw1")->default_v4.empty(), "none is left");
    });
}

TEST_CASE("a storm that the kernel could not tell in full costs one reading, which is whole") {
    in_namespace([](Faults& faults, InterfaceTable& table) {
        const os::Fd tun = test::make_interface("hw0", "10.1.0.1");
        for (int i = 0; i < 60; ++i) {
            std::string words;  // a batch a process: 2400 changes in all
            for (int k = 0; k < 20; ++k) words += "addr add 10.3.0.1/32 dev hw0\naddr del 10.3.0.1/32 dev hw0\n";
            expect(faults, std::system(("printf '" + words + "' | ip -batch - >/dev/null 2>&1").c_str()) == 0, "batch");
        }
        ip(faults, "addr add 10.4.0.1/32 dev hw0");
        expect_change(faults, table, "the storm");
        expect(faults, table.overruns() > 0, "more was said than was kept");
        expect(faults, table.find(address("10.4.0.1")) != nullptr && table.find(address("10.3.0.1")) == nullptr,
               "what is so in the end is known");
        expect(faults, !table.take(), "and the bell is silent");
    });
}

TEST_CASE("interfaces that cannot be read at first are followed from the moment they can be") {
    control::Loop loop;
    control::LinkWatch watch;
    std::size_t told = 0;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(STDIN_FILENO);
    REQUIRE(::close(next) == 0);
    // Room for its timer, none for its socket.
    const rlimit full{static_cast<rlim_t>(next) + 1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &full) == 0);
    const auto begun = watch.begin(loop, [&](const std::vector<Interface>& interfaces) {
        told = interfaces.size();
        loop.quit(0);
    });
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_FALSE(begun);
    CHECK(begun.error().value == EMFILE);
    control::Timer patience;
    patience.set(os::now() + Duration{10'000'000'000});
    loop.watch(patience.fd(), [&] { loop.quit(1); });
    CHECK(loop.run() == 0);
    CHECK(told >= 1);
}
