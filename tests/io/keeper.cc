// SPDX-License-Identifier: MIT
// Desired state held against a stand-in radiod on the same loop, by real sockets in a namespace of their own.
#include "platform/control/radio/keeper.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "tests/io/group_network.h"
#include "tests/io/loop_until.h"
#include "tests/io/radiod_on_loop.h"

using namespace hawser;
using namespace hawser::control;
using test::comes_true;
using test::expect;
using test::Faults;
using test::RadiodOnLoop;
using test::run_for;
using Kind = TransitionKind;

namespace {

const Endpoint computed_group = Endpoint::from_v4(radio::status_group_of_name("hf"), 5006);
const Endpoint told_group = Endpoint::from_v4(0xEF01'0203, 5006);

WantedChannel channel(std::uint32_t ssrc, double hz) {
    WantedChannel c;
    c.name = "c" + std::to_string(ssrc);
    c.ssrc = ssrc;
    c.spec.frequency = hz;
    c.spec.preset = "usb";
    return c;
}

DesiredState state_of(const std::string& radio, std::vector<WantedChannel> channels) {
    DesiredState s;
    WantedRadio r;
    r.name = radio;
    r.text = radio;
    r.address = *radio::parse_radio_name(radio);
    s.radios.push_back(r);
    s.channels = std::move(channels);
    return s;
}

struct Kept {
    explicit Kept(Keeper::Settings settings = {}) : keeper(loop, with(settings), [](const std::string&) {}) {
        keeper.listeners().add(this, [this](const Transition& t) {
            told.push_back(t);
            ++count[t.kind];
        });
    }
    static Keeper::Settings with(Keeper::Settings settings) {
        settings.ttl = 0;
        settings.seed = 7;
        if (!settings.lookup)
            settings.lookup = [](const std::string& host) {
                Resolution out;
                out.host = host;
                out.error = "Name or service not known";
                out.is_final = true;
                return out;
            };
        return settings;
    }
    bool becomes(std::size_t active) {
        return comes_true(loop, [&] { return keeper.count().active == active; });
    }
    Loop loop;
    std::vector<Transition> told;
    std::map<TransitionKind, int> count;
    Keeper keeper;
};

}  // namespace

TEST_CASE("the keeper makes what is wanted, verifies it, and takes over what a new state has in common with the last") {
    test::in_namespace([](Faults& faults) {
        Kept k;
        RadiodOnLoop radiod(k.loop, computed_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1001, 8e6)}));
        expect(faults, k.becomes(2), "two channels are active");
        expect(faults, radiod.has(1000) && radiod.has(1001), "they are on the air");
        expect(faults, k.count[Kind::radio_joined] == 1 && k.count[Kind::channel_active] == 2, "each told once");
        const auto* on_air = k.keeper.service().roster().find(radio::RadioId(0), 1001);
        expect(faults, on_air != nullptr && on_air->status.channel.frequency == 8e6, "verified by value");
        // One stays, one goes, one is new, one is another now.
        k.told.clear();
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1002, 9e6)}));
        expect(faults, k.becomes(2), "the new one is active");
        expect(faults, radiod.has(1001), "what is no longer wanted is left as it is");
        expect(faults, k.told.size() == 2, "told: one dropped, one made");
        expect(faults, k.count[Kind::channel_dropped] == 1 && k.count[Kind::channel_active] == 3, "and no more");
        bool is_stopped = false;
        k.keeper.stop([&] { is_stopped = true; });
        expect(faults, is_stopped && k.count[Kind::channel_dropped] == 3, "stopped at once");
    });
}

TEST_CASE("the keeper makes channels anew after a restart, and tells each transition once") {
    test::in_namespace([](Faults& faults) {
        Kept k;
        RadiodOnLoop radiod(k.loop, computed_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1001, 8e6), channel(1002, 9e6)}));
        expect(faults, k.becomes(3), "three channels are active");
        // Somebody else's questions show that it has run for a while, and then that it begins anew.
        auto other = GroupSender::open(true, 0).value();
        const auto ask = [&] {
            std::array<std::uint8_t, radio::command_packet_bytes_max> room;
            static_cast<void>(other.send(radio::build_command(room, 5, 1001, {}), computed_group, loopback_index()));
        };
        run_for(k.loop, Duration{400'000'000});
        ask();
        const Instant asked = os::now();
        expect(faults, comes_true(k.loop, [&] { return k.keeper.link().heard(radio::RadioId(0)) > asked; }), "heard");
        radiod.stop();
        radiod.start();
        ask();
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_active] == 6; }), "active again");
        expect(faults, radiod.has(1000) && radiod.has(1001) && radiod.has(1002), "on the air again");
        expect(faults, k.count[Kind::radio_restarted] == 1, "one restart");
        expect(faults, k.count[Kind::channel_lost] == 3, "three lost");
        expect(faults, k.count[Kind::channel_active] == 6, "and found again, each once");
    });
}

TEST_CASE("a listener of the keeper hears each transition once however often it is added, and nothing when removed") {
    test::in_namespace([](Faults& faults) {
        Kept k;
        RadiodOnLoop radiod(k.loop, computed_group);
        int heard = 0;
        expect(faults, k.keeper.listeners().add(&heard, [&](const Transition&) { ++heard; }), "added");
        expect(faults, !k.keeper.listeners().add(&heard, [&](const Transition&) { heard += 100; }), "not twice");
        k.keeper.apply(state_of("hf", {channel(1000, 7e6)}));
        expect(faults, k.becomes(1), "active");
        expect(faults, heard == 2, "joined and active, once each: " + std::to_string(heard));
        expect(faults, k.keeper.listeners().remove(&heard), "removed");
        k.keeper.apply(state_of("hf", {channel(1000, 7.1e6)}));
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_active] == 2; }), "another transition");
        expect(faults, heard == 2, "it was not told");
    });
}

TEST_CASE("a computed group at which nobody answers is asked for again, and its channels go where the name says") {
    test::in_namespace([](Faults& faults) {
        static std::atomic<int> asked;
        asked = 0;
        Keeper::Settings settings;
        settings.retry_interval = Duration{300'000'000};
        settings.lookup = [](const std::string& host) {
            Resolution out;
            out.host = host;
            out.is_final = true;
            if (++asked == 1) {
                // The resolver's first answer comes after the keeper's patience with it.
                std::this_thread::sleep_for(std::chrono::nanoseconds((RadioNames::lookup_limit * 2).ns));
            }
            out.resolved.count = 1;
            out.resolved.addresses[0] = told_group;
            out.resolved.addresses[0].port = 0;
            return out;
        };
        Kept k(settings);
        RadiodOnLoop radiod(k.loop, told_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6)}));
        expect(faults, k.becomes(1), "active where the name says");
        expect(faults, radiod.has(1000), "on the air there");
        expect(faults, k.count[Kind::radio_joined] == 2, "both groups were told");
        expect(faults, k.count[Kind::channel_active] == 1, "one channel");
        if (!k.told.empty())
            expect(faults, k.told[0].text.find("computed from the name") != std::string::npos, k.told[0].text);
    });
}

TEST_CASE("a computed group at which somebody answers is kept, whatever the resolver says later") {
    test::in_namespace([](Faults& faults) {
        static std::atomic<bool> is_known;
        static std::atomic<int> asked;
        is_known = false;
        asked = 0;
        Keeper::Settings settings;
        settings.retry_interval = Duration{50'000'000};
        settings.silence_max = Duration{20'000'000'000};
        settings.lookup = [](const std::string& host) {
            // The first answer comes too late, so that nobody remembers a refusal.
            if (++asked == 1) std::this_thread::sleep_for(std::chrono::nanoseconds((RadioNames::lookup_limit * 2).ns));
            Resolution out;
            out.host = host;
            out.is_final = true;
            if (is_known) {
                out.resolved.count = 1;
                out.resolved.addresses[0] = told_group;
            } else {
                out.error = "Name or service not known";
            }
            return out;
        };
        Kept k(settings);
        RadiodOnLoop radiod(k.loop, computed_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6)}));
        expect(faults, k.becomes(1), "active at the computed group");
        is_known = true;
        run_for(k.loop, RadioNames::lookup_limit * 4);
        expect(faults, asked >= 1, "the resolver has answered");
        expect(faults, k.count[Kind::radio_joined] == 1 && k.keeper.count().active == 1, "it stays there");
    });
}

TEST_CASE("what is no longer wanted is removed where that is asked for, before the keeper has stopped") {
    test::in_namespace([](Faults& faults) {
        Keeper::Settings settings;
        settings.removes = true;
        Kept k(settings);
        RadiodOnLoop radiod(k.loop, computed_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1001, 8e6)}));
        expect(faults, k.becomes(2), "active");
        bool is_stopped = false;
        k.keeper.stop([&] { is_stopped = true; });
        expect(faults, !is_stopped, "not before they are");
        expect(faults, comes_true(k.loop, [&] { return is_stopped; }), "stopped");
        expect(faults, k.count[Kind::channel_removed] == 2, "each told");
        expect(faults, comes_true(k.loop, [&] { return !radiod.has(1000) && !radiod.has(1001); }), "off the air");
    });
}

TEST_CASE("a removal that nobody answers is tried again, and told as what it is at the end") {
    test::in_namespace([](Faults& faults) {
        Keeper::Settings settings;
        settings.removes = true;
        settings.retry_interval = Duration{200'000'000};
        Kept k(settings);
        RadiodOnLoop radiod(k.loop, computed_group);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1001, 8e6), channel(1002, 9e6)}));
        expect(faults, k.becomes(3), "active");
        radiod.set_deaf(true);
        k.keeper.apply(state_of("hf", {channel(1000, 7e6)}));
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_stays] == 2; }), "told that they stay");
        expect(faults, k.told.back().text == "no answer; trying again",
               "and what becomes of it: " + k.told.back().text);
        // One is wanted again, and has nobody end it.
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1002, 9e6)}));
        radiod.set_deaf(false);
        expect(faults, comes_true(k.loop, [&] { return !radiod.has(1001); }), "removed by a later try");
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_removed] >= 1; }), "and told");
        expect(faults, k.becomes(2), "the rest is active");
        run_for(k.loop, Duration{500'000'000});
        expect(faults, radiod.has(1000) && radiod.has(1002) && k.count[Kind::channel_removed] == 1, "and stays");
        radiod.set_deaf(true);
        bool is_stopped = false;
        k.keeper.stop([&] { is_stopped = true; });
        expect(faults, comes_true(k.loop, [&] { return is_stopped; }), "nobody is waited for without end");
        expect(faults, k.told.back().text == "no answer; left as it is", "told: " + k.told.back().text);
        expect(faults, k.count[Kind::channel_stays] == 4, "each");
    });
}

TEST_CASE("the group of a radiod that is no longer wanted is left, and joined again when it is") {
    test::in_namespace([](Faults& faults) {
        Keeper::Settings settings;
        settings.removes = true;
        Kept k(settings);
        RadiodOnLoop radiod(k.loop, computed_group);
        const auto heard = [&] { return k.keeper.link().heard(radio::RadioId(0)); };
        k.keeper.apply(state_of("hf", {channel(1000, 7e6), channel(1001, 8e6)}));
        expect(faults, k.becomes(2), "active");
        k.keeper.apply(state_of("239.1.2.9", {}));
        expect(faults, comes_true(k.loop, [&] { return !radiod.has(1000) && !radiod.has(1001); }), "first removed");
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_removed] == 2; }), "as is told");
        auto other = GroupSender::open(true, 0).value();
        std::array<std::uint8_t, radio::command_packet_bytes_max> room;
        const auto before = heard();
        static_cast<void>(other.send(radio::build_command(room, 5, 1002, {}), computed_group, loopback_index()));
        expect(faults, comes_true(k.loop, [&] { return radiod.has(1002); }), "somebody else's channel");
        run_for(k.loop, Duration{200'000'000});
        expect(faults, heard() == before, "nothing of it is heard");
        for (int i = 0; i < 3; ++i) {
            k.keeper.apply(state_of("hf", {channel(1000, 7e6)}));
            expect(faults, k.becomes(1) && heard(), "active again, by the same number");
            k.keeper.apply(state_of("239.1.2.9", {}));
            expect(faults, comes_true(k.loop, [&] { return k.count[Kind::channel_removed] == 3 + i; }), "gone again");
        }
    });
}

TEST_CASE("two radiods of one group by two interfaces, and one of another port, are three") {
    test::in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1");
        const os::Fd b = test::make_interface("hwb", "10.77.2.1");
        if (!a.is_open() || !b.is_open()) return;
        Loop loop;
        const Endpoint other_port = Endpoint::from_v4(told_group.v4(), 5016);
        RadiodOnLoop on_a(loop, told_group, "hwa"), on_b(loop, told_group, "hwb"), on_port(loop, other_port, "hwa");
        expect(faults, on_a.has_joined() && on_b.has_joined() && on_port.has_joined(), "they listen");
        radio::Service service({}, Random(3));
        std::map<std::uint16_t, int> listed;
        RadioLink link(
            loop, service, 1,
            [&](const radio::RadioEvent& e) {
                if (e.kind == radio::RadioEventKind::channel_active) ++listed[e.radio.value];
            },
            [&](const std::string& text) { faults.push_back(text); });
        std::vector<radio::RadioId> radios;
        for (const auto& [group, interface] :
             {std::pair(told_group, "hwa"), std::pair(told_group, "hwb"), std::pair(other_port, "hwa")}) {
            GroupSpec spec;
            spec.group = group;
            spec.interface = interface;
            const auto added = link.add(spec);
            expect(faults, bool(added), added ? "" : added.error().text());
            if (!added) return;
            radios.push_back(*added);
        }
        for (std::uint32_t i = 0; i < 3; ++i)
            static_cast<void>(service.ensure(radios[i], 1000 + i, channel(0, 7e6 + i).spec, os::now()));
        link.pump();
        expect(faults, comes_true(loop, [&] { return listed.size() == 3; }), "each has made its channel");
        expect(faults, on_a.has(1000) && !on_a.has(1001) && !on_a.has(1002), "the first has its own only");
        expect(faults, on_b.has(1001) && !on_b.has(1000) && !on_b.has(1002), "the second too");
        expect(faults, on_port.has(1002) && !on_port.has(1000) && !on_port.has(1001), "the third too");
        for (std::uint32_t i = 0; i < 3; ++i)
            expect(faults, service.roster().channels(radios[i]).size() == 1, "nobody is heard by another's radio");
    });
}

TEST_CASE("commands to a group without a named interface follow its route, and what is wanted is verified there") {
    test::in_namespace([](Faults& faults) {
        const os::Fd a = test::make_interface("hwa", "10.77.1.1");
        const os::Fd b = test::make_interface("hwb", "10.77.2.1");
        const auto route = [](const char* words) { return std::system(words) == 0; };
        if (!a.is_open() || !b.is_open() || !route("ip route add 224.0.0.0/4 dev hwa")) return;
        Loop loop;
        RadiodOnLoop on_a(loop, told_group, "hwa"), on_b(loop, told_group, "hwb");
        radio::Service service({}, Random(3));
        RadioLink link(
            loop, service, 1, [](const radio::RadioEvent&) {}, [](const std::string&) {});
        GroupSpec spec;
        spec.group = told_group;
        const auto added = link.add(spec);
        expect(faults, bool(added), "join");
        if (!added) return;
        static_cast<void>(service.declare(*added, 1000, channel(0, 7e6).spec, os::now()));
        link.pump();
        expect(faults, comes_true(loop, [&] { return on_a.has(1000); }), "made where the route goes");
        expect(faults, !on_b.has(1000), "and nowhere else");
        const Instant moved = os::now();
        expect(faults, route("ip route replace 224.0.0.0/4 dev hwb"), "another route");
        expect(faults, comes_true(loop, [&] { return on_b.has(1000); }), "made where it goes now");
        expect(faults, os::now() - moved < radio::Service::check_interval / 2, "at once, not at the next check");
    });
}

TEST_CASE("an interface that comes is used when it comes, and not at the next try") {
    test::in_namespace([](Faults& faults) {
        Keeper::Settings settings;
        settings.retry_interval = Duration{600'000'000'000};
        Kept k(settings);
        k.keeper.apply(state_of("239.1.2.3,hwa", {channel(1000, 7e6)}));
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::radio_failed] == 1; }), "there is no such one");
        const os::Fd device = test::make_interface("hwa", "10.77.1.1");
        if (!device.is_open()) return;
        RadiodOnLoop radiod(k.loop, told_group, "hwa");
        expect(faults, comes_true(k.loop, [&] { return k.count[Kind::radio_joined] == 1; }), "joined");
    });
}

TEST_CASE("an interface that is up long after it came is used when it is up") {
    test::in_namespace([](Faults& faults) {
        const os::Fd device = test::make_idle_interface("hwb");
        if (!device.is_open()) return;
        Loop loop;
        radio::TunerOptions options;
        options.limit = Duration{100'000'000};
        radio::Service service(options, Random(3));
        int active = 0;
        RadioLink link(
            loop, service, 1,
            [&](const radio::RadioEvent& e) { active += e.kind == radio::RadioEventKind::channel_active ? 1 : 0; },
            [](const std::string&) {});
        GroupSpec spec;
        spec.group = told_group;
        spec.interface = "hwb";
        spec.loopback = false;
        const auto added = link.add(spec);
        expect(faults, bool(added), added ? "" : added.error().text());
        if (!added) return;
        RadiodOnLoop radiod(loop, told_group, "hwb");
        static_cast<void>(service.declare(*added, 1000, channel(0, 7e6).spec, os::now()));
        link.pump();
        // Tried in vain after 0, 1 and 3 s: the next try is 4 s later.
        expect(faults, comes_true(loop, [&] { return service.tuner().figures().expired == 3; }), "in vain");
        const Instant up = os::now();
        expect(faults, test::bring_up("hwb", "10.77.1.1"), "up");
        expect(faults, comes_true(loop, [&] { return active == 1; }), "made");
        expect(faults, os::now() - up < Duration{3'000'000'000}, "at once");
    });
}

TEST_CASE("commands leave by the interface that is named, wait while it is away, and go on when it is back") {
    test::in_namespace([](Faults& faults) {
        os::Fd device = test::make_interface("hwa", "10.77.1.1");
        if (!device.is_open()) return;
        Loop loop;
        RadiodOnLoop radiod(loop, told_group, "hwa");
        // Whoever hears a command of ours elsewhere is tuned by it.
        RadiodOnLoop stranger(loop, told_group, "lo");
        radio::Service service({}, Random(3));
        int active = 0;
        std::vector<std::string> notices;
        RadioLink link(
            loop, service, 1,
            [&](const radio::RadioEvent& e) { active += e.kind == radio::RadioEventKind::channel_active ? 1 : 0; },
            [&](const std::string& text) { notices.push_back(text); });
        GroupSpec spec;
        spec.group = told_group;
        spec.interface = "hwa";
        spec.loopback = false;
        const auto added = link.add(spec);
        expect(faults, bool(added), "join");
        if (!added) return;
        static_cast<void>(service.declare(*added, 1000, channel(0, 7e6).spec, os::now()));
        link.pump();
        expect(faults, comes_true(loop, [&] { return active == 1; }), "made");
        expect(faults, !link.sending_fault(*added), "nothing wrong");
        device.reset();
        // Its word comes, and then the next command finds no way.
        static_cast<void>(service.tune(*added, 1000, radio::Command(), 0, os::now()));
        link.pump();
        expect(faults, comes_true(loop, [&] { return link.sending_fault(*added).has_value(); }), "a clear state");
        if (link.sending_fault(*added))
            expect(faults, link.sending_fault(*added)->text() == "239.1.2.3:5006 on hwa: send: No such device",
                   link.sending_fault(*added)->text());
        const os::Fd taken = test::make_interface("hwz", "10.77.9.1");  // the number may be another's now
        device = test::make_interface("hwa", "10.77.1.1");
        expect(faults, comes_true(loop, [&] { return !link.sending_fault(*added); }), "sent again when it is back");
        const Instant back = os::now();
        expect(faults, comes_true(loop, [&] { return link.heard(*added).value_or(Instant{}) > back; }), "and answered");
        expect(faults, std::count(notices.begin(), notices.end(), "239.1.2.3:5006: what is sent leaves again") == 1,
               "told once that it is back");
        expect(faults, std::count(notices.begin(), notices.end(), "239.1.2.3:5006 on hwa: send: No such device") == 1,
               "told once that it is away");
        expect(faults, stranger.radiod().channel_count() == 0, "no command went another way");
    });
}
