// SPDX-License-Identifier: MIT
// Calls with an answer, and calls that wait for it, held against a stand-in radiod in a namespace of their own.
#include "platform/control/radio/radio_calls.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "platform/control/radio/radio_client.h"
#include "tests/io/group_network.h"
#include "tests/io/loop_until.h"
#include "tests/io/radiod_on_loop.h"

using namespace hawser;
using namespace hawser::control;
using test::comes_true;
using test::expect;
using test::Faults;
using test::RadiodOnLoop;
using Outcome = RadioAnswer::Outcome;

namespace {

const Endpoint group = Endpoint::from_v4(0xEF01'0203, 5006);

radio::ChannelSpec usb(double hz) {
    radio::ChannelSpec spec;
    spec.frequency = hz;
    spec.preset = "usb";
    return spec;
}

struct Rig {
    Rig() {
        GroupSpec spec;
        spec.group = group;
        radio = link.add(spec).value();
    }
    Loop loop;
    RadiodOnLoop radiod{loop, group};
    radio::Service service{{}, Random(5)};
    RadioLink link{loop, service, 0, [](const radio::RadioEvent&) {}, [](const std::string&) {}};
    RadioCalls calls{link, service};
    radio::RadioId radio;
};

}  // namespace

TEST_CASE("each call is answered once: tune, create, ensure, list and remove") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        std::vector<RadioAnswer> answers;
        double frequency = 0;
        bool is_returned = false;
        const auto take = [&](const RadioAnswer& a) {
            expect(faults, is_returned, "not before the call has returned");
            answers.push_back(a);
            if (a.status != nullptr) frequency = a.status->channel.frequency;
            answers.back().status = nullptr;
        };
        const auto answered = [&](RadioCalls::Asked asked) {
            is_returned = true;
            const std::size_t before = answers.size();
            const bool is_answered = bool(asked) && comes_true(r.loop, [&] { return answers.size() > before; });
            is_returned = false;
            return is_answered ? answers.back() : RadioAnswer{};
        };
        expect(faults, answered(r.calls.create(r.radio, 1000, usb(7e6), take)).outcome == Outcome::done, "created");
        expect(faults, frequency == 7e6, "with radiod's status");
        expect(faults,
               answered(r.calls.tune(r.radio, 1000, radio::command_for(usb(8e6)), take)).outcome == Outcome::done,
               "tuned");
        expect(faults, frequency == 8e6, "with radiod's status");
        expect(faults, answered(r.calls.list(r.radio, take)).outcome == Outcome::done, "listed");
        expect(faults, r.service.roster().channels(r.radio).size() == 1, "one channel");
        const RadioAnswer reused = answered(r.calls.ensure(r.radio, 1001, usb(8e6), take));
        expect(faults, reused.outcome == Outcome::done && reused.reused && reused.ssrc == 1000, "an equal one found");
        radio::ChannelSpec odd = usb(9e6);
        odd.low_edge = -50'000.0F;
        const RadioAnswer refused = answered(r.calls.create(r.radio, 1002, odd, take));
        expect(faults, refused.outcome == Outcome::refused && refused.field == radio::RadioField::low_edge, "refused");
        expect(faults, answered(r.calls.remove(r.radio, 1000, take)).outcome == Outcome::done, "removed");
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1000); }), "off the air");
        expect(faults, answers.size() == 6 && r.calls.open() == 0, "no answer twice");
        expect(faults, !r.calls.tune(r.radio, 0, radio::Command(), take), "no channel has the number 0");
    });
}

TEST_CASE("a call that is forgotten tells nobody, and one that nobody answers says so") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        int told = 0;
        const auto asked = r.calls.create(r.radio, 1000, usb(7e6), [&](const RadioAnswer&) { ++told; });
        expect(faults, asked && r.calls.forget(*asked) && !r.calls.forget(*asked), "forgotten, once");
        expect(faults, comes_true(r.loop, [&] { return r.radiod.has(1000); }), "it is carried out");
        r.radiod.stop();
        Outcome outcome = Outcome::done;
        bool is_listed = false;
        static_cast<void>(r.calls.list(r.radio, [&](const RadioAnswer& a) {
            outcome = a.outcome;
            is_listed = true;
        }));
        expect(faults, comes_true(r.loop, [&] { return is_listed; }) && outcome == Outcome::no_answer, "nobody there");
        outcome = Outcome::done;
        bool is_over = false;
        static_cast<void>(r.calls.remove(r.radio, 1000, [&](const RadioAnswer& a) {
            outcome = a.outcome;
            is_over = true;
        }));
        expect(faults, comes_true(r.loop, [&] { return is_over; }) && outcome == Outcome::no_answer, "no answer");
        expect(faults, told == 0, "the forgotten one was told");
    });
}

TEST_CASE("a radiod that is silent keeps its place in the cache, and one that answers without a channel loses that") {
    char name[] = "/tmp/hawser-calls-XXXXXX";
    const std::string folder = ::mkdtemp(name);
    test::in_namespace([&](Faults& faults) {
        Rig r;
        StateCache cache(r.loop, folder + "/radio.json", [](const std::string&) {});
        r.link.remember_in(cache);
        int answers = 0;
        const auto count = [&](const RadioAnswer&) { ++answers; };
        const auto comes = [&](int n) { return comes_true(r.loop, [&] { return answers == n; }); };
        const auto channels = [&] {
            const auto& radios = cache.state().radios;
            return radios.empty() ? std::map<std::uint32_t, CachedChannel>{} : radios.begin()->second.channels;
        };
        static_cast<void>(r.calls.create(r.radio, 1000, usb(7e6), count));
        static_cast<void>(r.calls.create(r.radio, 1001, usb(8e6), count));
        expect(faults, comes(2) && channels().size() == 2, "two are known");
        r.radiod.stop();
        static_cast<void>(r.calls.list(r.radio, count));
        expect(faults, comes(3) && channels().size() == 2, "nobody answered: both are kept");
        expect(faults, channels().size() == 2 && channels()[1000].is_old && channels()[1001].is_old, "marked old");
        r.radiod.start();
        static_cast<void>(r.calls.create(r.radio, 1000, usb(7e6), count));
        expect(faults, comes(4) && channels().size() == 2 && !channels()[1000].is_old, "heard again");
        static_cast<void>(r.calls.list(r.radio, count));
        expect(faults, comes(5) && channels().size() == 1, "who is not on a list has gone");
    });
    std::filesystem::remove_all(folder);
}

TEST_CASE("a client without a loop creates, finds, tunes, lists and removes, each call with its answer") {
    test::in_namespace([](Faults& faults) {
        std::atomic<bool> is_over{false};
        std::atomic<bool> is_listening{false};
        std::thread radiod([&] {
            Loop loop;
            const RadiodOnLoop running(loop, group);
            loop.every(Duration{5'000'000}, [&] {
                is_listening = true;
                if (is_over) loop.quit(0);
            });
            loop.run();
        });
        while (!is_listening) std::this_thread::yield();
        {
            const auto opened = RadioClient::open("239.1.2.3", 0);
            expect(faults, bool(opened), opened ? "" : opened.error());
            if (opened) {
                RadioClient& radio = **opened;
                const auto made = radio.ensure(1000, {.frequency = 14.074e6, .preset = "usb"});
                expect(faults, made && !made.reused && made.ssrc == 1000, "made");
                const auto found = radio.ensure(2000, usb(14.074e6));
                expect(faults, found && found.reused && found.ssrc == 1000, "found");
                expect(faults, found.status.channel.frequency == 14.074e6, "its status");
                expect(faults, bool(radio.tune(1000, radio::command_for(usb(7e6)))), "tuned");
                expect(faults, bool(radio.create(1001, usb(8e6))), "created");
                const auto all = radio.list();
                expect(faults, all.size() == 2 && all[0].status.channel.frequency == 7e6, "listed");
                expect(faults, bool(radio.remove(1000)), "removed");
                expect(faults, !radio.tune(0, radio::Command()), "no channel has the number 0");
            }
        }
        is_over = true;
        radiod.join();
        expect(faults, !RadioClient::open("", 0) && !RadioClient::open("239.1.2.3,hwz", 0), "no name, no interface");
    });
}
