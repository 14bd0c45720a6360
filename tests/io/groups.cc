// SPDX-License-Identifier: MIT
// Multicast of the radio control plane, in a namespace of its own: what is joined is heard, and nothing else.
#include <catch2/catch.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "platform/control/interfaces.h"
#include "platform/control/radio/group_receiver.h"
#include "platform/control/radio/group_socket.h"
#include "platform/linux/clock.h"
#include "tests/io/group_network.h"
#include "tests/io/loop_until.h"

using namespace hawser;
using namespace hawser::control;
using test::expect;
using test::Faults;
using test::in_namespace;

namespace {

constexpr std::uint16_t port = 5006;
constexpr int deadline_ms = 10'000;

Endpoint group(const char* text) {
    Endpoint e = *os::parse_address(text);
    e.port = port;
    return e;
}
GroupSpec on(const char* address, const char* interface) {
    GroupSpec spec;
    spec.group = group(address);
    spec.interface = interface;
    return spec;
}
Bytes bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string text_of(const Datagram& d) { return {reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()}; }

void take_away(os::Fd& device, const char* name) {
    device.reset();
    const Instant end = os::now() + Duration{std::int64_t{deadline_ms} * 1'000'000};
    while (interface_index(name) != 0 && os::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Reads until `last` has come: what was sent before it on this host has come, or never will.
std::vector<std::string> read_until(GroupSocket& socket, const std::string& last) {
    ReceiveBatch batch(4, 2048);
    std::vector<std::string> texts;
    while (texts.empty() || texts.back() != last) {
        pollfd p{socket.fd(), POLLIN, 0};
        if (::poll(&p, 1, deadline_ms) <= 0) {
            texts.push_back("nothing came");
            return texts;
        }
        for (const Datagram& d : socket.receive(batch)) texts.push_back(text_of(d));
    }
    return texts;
}

GroupSocket opened(bool v4 = true) { return GroupSocket::open(port, v4, 1 << 20).value(); }

}  // namespace

TEST_CASE("a datagram says to which group it came, from whom and by which interface") {
    in_namespace([](Faults& faults) {
        GroupSocket socket = opened();
        expect(faults, bool(socket.join(on("239.1.2.3", "lo"))), "join");
        expect(faults, bool(socket.join(on("239.1.2.4", "lo"))), "join of a second");
        GroupSender sender = GroupSender::open(true, 0).value();
        expect(faults, bool(sender.send(bytes_of("hello"), group("239.1.2.4"), loopback_index())), "send");
        pollfd p{socket.fd(), POLLIN, 0};
        ::poll(&p, 1, deadline_ms);
        ReceiveBatch batch(4, 2048);
        const auto got = socket.receive(batch);
        expect(faults, got.size() == 1, "one datagram");
        if (got.size() != 1) return;
        expect(faults, text_of(got[0]) == "hello", "its bytes");
        expect(faults, got[0].group == group("239.1.2.4"), "its group");
        expect(faults, got[0].source.port == sender.local().port, "its sender");
        expect(faults, got[0].interface == loopback_index(), "its interface");
    });
}

TEST_CASE("groups that only others on the host have joined are not heard") {
    in_namespace([](Faults& faults) {
        GroupSocket ours = opened(), others = opened();
        expect(faults, bool(ours.join(on("239.1.2.3", "lo"))) && bool(others.join(on("239.9.9.9", "lo"))), "join");
        GroupSender sender = GroupSender::open(true, 0).value();
        expect(faults, bool(sender.send(bytes_of("theirs"), group("239.9.9.9"), loopback_index())), "send");
        expect(faults, bool(sender.send(bytes_of("ours"), group("239.1.2.3"), loopback_index())), "send");
        expect(faults, read_until(ours, "ours") == std::vector<std::string>{"ours"}, "only ours");
        expect(faults, read_until(others, "theirs") == std::vector<std::string>{"theirs"}, "they hear theirs");
    });
}

TEST_CASE("what comes from the network reaches the one socket of several that has joined its group") {
    in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1", IFF_TAP);
        if (!a.is_open()) return;
        GroupSocket first = opened(), second = opened();
        expect(faults, bool(first.join(on("239.1.2.3", "hwa"))) && bool(second.join(on("239.9.9.9", "hwa"))), "join");
        std::vector<std::string> to_first, to_second;
        for (std::uint16_t i = 0; i < 16; ++i) {
            const Endpoint from = Endpoint::from_v4(0x0A4D'0109, static_cast<std::uint16_t>(40'000 + i));
            to_first.push_back("first " + std::to_string(i));
            to_second.push_back("second " + std::to_string(i));
            expect(faults, test::come_in(a, from, group("239.1.2.3"), to_first.back()), "come in");
            expect(faults, test::come_in(a, from, group("239.9.9.9"), to_second.back()), "come in");
        }
        expect(faults, read_until(first, to_first.back()) == to_first, "the first one's, all of them");
        expect(faults, read_until(second, to_second.back()) == to_second, "the second one's");
    });
}

TEST_CASE("several listeners to one group on one host all hear it, and one that left hears no more") {
    in_namespace([](Faults& faults) {
        GroupSocket first = opened(), second = opened();
        expect(faults, bool(first.join(on("239.1.2.3", "lo"))) && bool(second.join(on("239.1.2.3", "lo"))), "join");
        expect(faults, bool(second.join(on("239.1.2.5", "lo"))), "join");
        GroupSender sender = GroupSender::open(true, 0).value();
        const auto send = [&](const char* text, const char* to) {
            expect(faults, bool(sender.send(bytes_of(text), group(to), loopback_index())), "send");
        };
        send("a", "239.1.2.3");
        expect(faults, read_until(first, "a").size() == 1 && read_until(second, "a").size() == 1, "both hear it");
        second.leave(group("239.1.2.3"));
        send("b", "239.1.2.3");
        send("c", "239.1.2.5");
        expect(faults, read_until(first, "b").size() == 1, "the first still does");
        expect(faults, read_until(second, "c") == std::vector<std::string>{"c"}, "the second does not");
    });
}

TEST_CASE("a source-specific join hears that source only") {
    in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1");
        if (!a.is_open()) return;
        GroupSocket socket = opened();
        const auto join = [&](const char* address, const char* source) {
            GroupSpec spec = on(address, "hwa");
            spec.source = os::parse_address(source);
            expect(faults, bool(socket.join(spec)), "join");
        };
        join("239.1.2.3", "10.99.9.9");
        join("239.1.2.4", "10.77.1.1");
        GroupSender sender = GroupSender::open(true, 1).value();
        const std::uint32_t out = interface_index("hwa");
        expect(faults, bool(sender.send(bytes_of("another"), group("239.1.2.3"), out)), "send");
        expect(faults, bool(sender.send(bytes_of("the one"), group("239.1.2.4"), out)), "send");
        expect(faults, read_until(socket, "the one") == std::vector<std::string>{"the one"}, "the one source");
    });
}

TEST_CASE("an interface is known by its name and by its address") {
    in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1");
        if (!a.is_open()) return;
        expect(faults, interface_index("10.77.1.1") == interface_index("hwa"), "the same number");
        expect(faults, interface_index("10.77.1.2") == 0 && interface_index("hwz") == 0, "none for what is not there");
        expect(faults, interface_name(interface_index("hwa")) == "hwa", "its name");
        expect(faults, interface_toward(group("10.77.1.9")) == interface_index("hwa"), "the way to a neighbour");
        expect(faults, interface_toward(group("239.1.2.3")) == 0, "no way to a group without a route");
    });
}

TEST_CASE("without a route to it a group is joined on loopback") {
    in_namespace([](Faults& faults) {
        GroupSocket socket = opened();
        const GroupSpec spec = on("239.1.2.3", "");
        expect(faults, bool(socket.join(spec)), "join");
        GroupSender sender = GroupSender::open(true, 0).value();
        expect(faults, bool(sender.send(bytes_of("x"), spec.group, sending_interface(spec))), "send");
        expect(faults, read_until(socket, "x").size() == 1, "heard");
    });
}

TEST_CASE("a join that cannot be names the group and the interface") {
    in_namespace([](Faults& faults) {
        GroupSocket socket = opened();
        const auto none = socket.join(on("239.1.2.3", "hwz"));
        expect(faults, !none && none.error().text() == "239.1.2.3:5006 on hwz: join: No such device",
               none ? "joined" : none.error().text());
        expect(faults, socket.group_count() == 0, "nothing is kept of it");
        expect(faults, !socket.join(on("10.1.2.3", "lo")), "no group");
        expect(faults, !socket.join(on("ff15::1", "lo")), "another family");
        GroupSpec other_port = on("239.1.2.3", "lo");
        other_port.group.port = 5004;
        expect(faults, !socket.join(other_port), "another port");
    });
}

TEST_CASE("what is longer than its room is dropped and counted, and what follows is heard") {
    in_namespace([](Faults& faults) {
        GroupSocket socket = opened();
        expect(faults, bool(socket.join(on("239.1.2.3", "lo"))), "join");
        GroupSender sender = GroupSender::open(true, 0).value();
        expect(faults, bool(sender.send(bytes_of(std::string(2049, 'x')), group("239.1.2.3"), loopback_index())),
               "send");
        expect(faults, bool(sender.send(bytes_of(std::string(2048, 'y')), group("239.1.2.3"), loopback_index())),
               "send");
        expect(faults, read_until(socket, std::string(2048, 'y')).size() == 1, "the one that fits");
        expect(faults, socket.figures().truncated == 1 && socket.figures().datagrams == 1, "counted");
    });
}

TEST_CASE("IPv6 groups are heard like IPv4 groups") {
    in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1");
        auto made = GroupSocket::open(port, false, 1 << 20);
        if (!made || !a.is_open()) return;  // a kernel without IPv6, or without devices to make
        GroupSocket socket = std::move(made).value();
        expect(faults, bool(socket.join(on("ff15::4b41", "hwa"))), "join");
        GroupSender sender = GroupSender::open(false, 1).value();
        const auto send = [&] { return sender.send(bytes_of("six"), group("ff15::4b41"), interface_index("hwa")); };
        // The kernel gives the new device its address by and by.
        auto sent = send();
        for (int ms = 0; !sent && ms < deadline_ms; ms += 10) {
            ::poll(nullptr, 0, 10);
            sent = send();
        }
        expect(faults, bool(sent), sent ? "" : sent.error().text());
        expect(faults, read_until(socket, "six") == std::vector<std::string>{"six"}, "heard");
    });
}

TEST_CASE("an interface that vanishes and comes back is joined again") {
    in_namespace([](Faults& faults) {
        os::Fd device = test::make_interface("hwa", "10.77.1.1");
        if (!device.is_open()) return;
        Loop loop;
        GroupSender sender = GroupSender::open(true, 1).value();
        std::vector<std::string> notices;
        std::string heard;
        GroupReceiver::Settings settings;
        GroupReceiver receiver(
            loop, settings,
            [&](std::span<const Datagram> got) {
                heard = text_of(got[0]);
                loop.quit(0);
            },
            [&](const std::string& notice) {
                notices.push_back(notice);
                // Its name went with it, or not yet.
                if (notice.find("239.1.2.3:5006 lost on ") == 0)
                    device = test::make_interface("hwa", "10.77.1.1");
                else if (notice == "239.1.2.3:5006 joined on hwa")
                    expect(faults, bool(sender.send(bytes_of("back"), group("239.1.2.3"), interface_index("hwa"))),
                           "send");
            });
        GroupSpec spec = on("239.1.2.3", "hwa");
        spec.loopback = false;
        expect(faults, bool(receiver.join(spec)), "join");
        loop.every(Duration{std::int64_t{deadline_ms} * 1'000'000}, [&] { loop.quit(1); });
        device.reset();
        expect(faults, loop.run() == 0, "nothing was heard in time");
        expect(faults, heard == "back", "what was sent when it was back");
        expect(faults, notices.size() >= 2, "the operator is told");
    });
}

TEST_CASE("a source-specific join follows an interface that comes back more often than a socket has memberships") {
    in_namespace([](Faults& faults) {
        os::Fd device = test::make_interface("hwa", "10.77.1.1");
        if (!device.is_open()) return;
        GroupSocket socket = std::move(GroupSocket::open(port, true, 65'536)).value();
        GroupSpec spec = on("239.1.2.3", "hwa");
        spec.loopback = false;
        spec.source = os::parse_address("10.77.1.9");
        expect(faults, bool(socket.join(spec)), "join");
        for (int round = 1; round <= 30; ++round) {
            const std::uint32_t gone[] = {interface_index("hwa")};
            take_away(device, "hwa");
            device = test::make_interface("hwa", "10.77.1.1");
            const auto changes = socket.refresh(gone);
            const bool is_back = changes.size() == 2 && !changes[0].is_joined && changes[1].is_joined;
            expect(faults, is_back, "joined in round " + std::to_string(round));
            if (!is_back) return;
        }
    });
}

TEST_CASE("a group that cannot be joined when its interface is back is told once") {
    in_namespace([](Faults& faults) {
        os::Fd device = test::make_interface("hwa", "10.77.1.1");
        if (!device.is_open()) return;
        GroupSocket socket = std::move(GroupSocket::open(port, true, 65'536)).value();
        GroupSpec spec = on("239.1.2.3", "hwa");
        spec.loopback = false;
        expect(faults, bool(socket.join(spec)), "join");
        const std::uint32_t gone[] = {interface_index("hwa")};
        take_away(device, "hwa");
        socket.refresh(gone);
        // Others take its room meanwhile.
        for (std::uint32_t i = 1; i < 1000; ++i) {
            GroupSpec other = on("239.2.0.0", "lo");
            other.group = Endpoint::from_v4(0xEF02'0000 + i, port);
            if (!socket.join(other)) break;
        }
        device = test::make_interface("hwa", "10.77.1.1");
        const auto changes = socket.refresh({});
        expect(faults, changes.size() == 1 && changes[0].fault && changes[0].fault->error.value == ENOBUFS, "told");
        expect(faults, socket.refresh({}).empty(), "once");
    });
}

TEST_CASE("what waits is all taken, though some of it is not ours") {
    in_namespace([](Faults& faults) {
        Loop loop;
        std::vector<std::string> heard;
        GroupReceiver::Settings settings;
        settings.batch_datagrams = 4;
        GroupReceiver receiver(
            loop, settings,
            [&](std::span<const Datagram> got) {
                for (const Datagram& d : got) heard.push_back(text_of(d));
            },
            [](const std::string&) {});
        expect(faults, bool(receiver.join(on("239.1.2.3", "lo"))), "join");
        GroupSender sender = GroupSender::open(true, 0).value();
        Endpoint us = *os::parse_address("127.0.0.1");
        us.port = port;
        std::vector<std::string> sent;
        for (int i = 0; i < 20; ++i) {
            sent.push_back(std::to_string(i));
            expect(faults, bool(sender.send(bytes_of(sent.back()), group("239.1.2.3"), loopback_index())), "send");
            // One of each batch comes to the port, and to no group.
            if (i % 3 == 0) expect(faults, bool(sender.send(bytes_of("stray"), us, 0)), "send to the port");
        }
        receiver.take_waiting(100);
        expect(faults, heard == sent, "heard " + std::to_string(heard.size()));
        expect(faults, receiver.figures().foreign == 7, "the others are counted");
    });
}

TEST_CASE("one group by two interfaces, from two sources and on two ports is four memberships, each left alone") {
    in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1", IFF_TAP);
        const os::Fd b = test::make_interface("hwb", "10.77.2.1", IFF_TAP);
        if (!a.is_open() || !b.is_open()) return;
        Loop loop;
        std::vector<std::pair<std::uint32_t, std::string>> heard;
        GroupReceiver receiver(
            loop, {},
            [&](std::span<const Datagram> got) {
                for (const Datagram& d : got) heard.emplace_back(d.membership.value, text_of(d));
            },
            [](const std::string&) {});
        GroupSpec from_one = on("239.1.2.3", "hwb"), from_two = from_one, other_port = on("239.1.2.3", "hwa");
        from_one.source = os::parse_address("10.77.2.5");
        from_two.source = os::parse_address("10.77.2.6");
        other_port.group.port = 5016;
        std::vector<MembershipId> ids;
        for (const GroupSpec& spec : {on("239.1.2.3", "hwa"), from_one, from_two, other_port}) {
            const auto joined = receiver.join(spec);
            expect(faults, bool(joined), joined ? "" : joined.error().text());
            if (!joined) return;
            ids.push_back(*joined);
        }
        const auto again = receiver.join(from_two);
        expect(faults, again && *again == ids[3 - 1], "the same again is the same");
        const auto send_all = [&] {
            heard.clear();
            const auto come = [&](const os::Fd& by, const char* from, std::uint16_t to_port, const char* text) {
                Endpoint source = *os::parse_address(from);
                source.port = 4000;
                Endpoint to = group("239.1.2.3");
                to.port = to_port;
                expect(faults, test::come_in(by, source, to, text), "come in");
            };
            come(a, "10.77.1.5", port, "by a");
            come(b, "10.77.2.5", port, "from one");
            come(b, "10.77.2.6", port, "from two");
            come(b, "10.77.2.7", port, "from nobody we know");
            come(a, "10.77.1.5", 5016, "to the other port");
        };
        using Heard = std::vector<std::pair<std::uint32_t, std::string>>;
        const Heard all = {{ids[0].value, "by a"},
                           {ids[1].value, "from one"},
                           {ids[2].value, "from two"},
                           {ids[3].value, "to the other port"}};
        send_all();
        test::comes_true(loop, [&] { return heard.size() >= 4; });
        std::sort(heard.begin(), heard.end());
        expect(faults, heard == all, "each by its own membership: " + std::to_string(heard.size()));
        receiver.leave(ids[2]);  // joined twice
        receiver.leave(ids[1]);
        send_all();
        test::comes_true(loop, [&] { return heard.size() >= 3; });
        std::sort(heard.begin(), heard.end());
        expect(faults, heard == Heard{all[0], all[2], all[3]}, "all but the one that was left");
    });
}

TEST_CASE("more groups than the kernel allows on one socket are spread over several") {
    in_namespace([](Faults& faults) {
        Loop loop;
        std::set<std::string> heard;
        constexpr int groups = 50;  // the kernel's default is 20 a socket
        GroupReceiver::Settings settings;
        GroupReceiver receiver(
            loop, settings,
            [&](std::span<const Datagram> got) {
                for (const Datagram& d : got) heard.insert(text_of(d));
                if (heard.size() == groups) loop.quit(0);
            },
            [](const std::string&) {});
        GroupSender sender = GroupSender::open(true, 0).value();
        for (int i = 0; i < groups; ++i) {
            const std::string address = "239.1.3." + std::to_string(i);
            expect(faults, bool(receiver.join(on(address.c_str(), "lo"))), "join of " + address);
            expect(faults, bool(sender.send(bytes_of(address), group(address.c_str()), loopback_index())), "send");
        }
        loop.every(Duration{std::int64_t{deadline_ms} * 1'000'000}, [&] { loop.quit(1); });
        expect(faults, loop.run() == 0, "not all were heard");
        expect(faults, receiver.socket_count() > 1 && receiver.socket_count() <= 4, "sockets");
    });
}

TEST_CASE("a timer is due once, at its last deadline, and a watch that is given up is silent") {
    Loop loop;
    Timer due, stopped;
    int calls = 0;
    due.set(os::now() + Duration{3'600'000'000'000});
    due.set(os::now());
    stopped.set(os::now());
    loop.watch(stopped.fd(), [&] { calls += 100; });
    loop.watch(due.fd(), [&] {
        due.acknowledge();
        loop.unwatch(due.fd());
        ++calls;
    });
    stopped.set(never);
    loop.every(Duration{20'000'000}, [&] { loop.quit(7); });
    CHECK(loop.run() == 7);
    CHECK(calls == 1);
}
