// SPDX-License-Identifier: MIT
// Calls with an answer, and calls that wait for it, held against a stand-in radiod in a namespace of their own.
#include "platform/control/radio/radio_calls.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "engine/base/bytes.h"
#include "engine/radio/spectrum.h"
#include "engine/wire/radio_tlv.h"
#include "platform/control/radio/radio_client.h"
#include "tests/io/group_network.h"
#include "tests/io/loop_until.h"
#include "tests/io/radiod_on_loop.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

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

// Two bins above the carrier, which is at 1 MHz.
radio::ChannelSpec spectrum(radio::Demod kind) {
    radio::ChannelSpec spec;
    spec.frequency = 1e6 - 2000;
    spec.demod = kind;
    spec.bin_count = 64;
    spec.resolution_bw = 1000.0F;
    spec.lifetime = 500;
    return spec;
}

// In a captured status, the group of the radiod that is asked: another's would not be heeded.
void name_status_group(std::vector<std::uint8_t>& status, const Endpoint& named) {
    auto reader = wire::RadioReader::over(status);
    wire::RadioElement element;
    while (reader && reader->next(element)) {
        if (element.field != static_cast<std::uint8_t>(wire::RadioField::status_dest_socket)) continue;
        const auto address = status.begin() + (element.value.data() - status.data());
        store_be32(&*address, named.v4());
    }
}

// Where the strongest bin is.
double peak_hz(const radio::Spectrum& s) {
    const auto peak = std::max_element(s.db.begin(), s.db.end()) - s.db.begin();
    return s.first_hz + s.bin_hz * static_cast<double>(peak);
}

struct Rig {
    // By another client, who says nothing here.
    void tell_radiod(std::uint32_t ssrc, const radio::Command& command) {
        std::array<std::uint8_t, radio::command_packet_bytes_max> room;
        radiod.radiod().on_command(radio::build_command(room, 99, ssrc, command.elements()), os::now());
    }
    std::optional<RadioAnswer> ensured(std::uint32_t ssrc, const radio::ChannelSpec& spec) {
        std::optional<RadioAnswer> answer;
        const auto asked = calls.ensure(radio, ssrc, spec, [&](const RadioAnswer& a) {
            answer = a;
            answer->status = nullptr;
        });
        if (asked) comes_true(loop, [&] { return answer.has_value(); });
        return answer;
    }
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

TEST_CASE("ensure takes its own number first, and makes nothing for ever under another's") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        radio::ChannelSpec wanted = usb(7e6);
        wanted.lifetime = 500;
        const auto is_made = [&](std::uint32_t ssrc, const char* what) {
            const auto a = r.ensured(ssrc, wanted);
            expect(faults, a && a->outcome == Outcome::done && !a->reused && a->ssrc == ssrc, what);
        };
        const auto is_found = [&](std::uint32_t ssrc, std::uint32_t at, const char* what) {
            const auto a = r.ensured(ssrc, wanted);
            expect(faults, a && a->outcome == Outcome::done && a->reused && a->ssrc == at, what);
        };
        is_made(1005, "made");
        radio::Command same = radio::command_for(usb(7e6));
        r.tell_radiod(1000, same);
        expect(faults, comes_true(r.loop, [&] { return r.service.roster().find(r.radio, 1000) != nullptr; }),
               "another's");
        is_found(1005, 1005, "one's own, though another has a lower number");
        is_found(1007, 1000, "another's");
        const auto* other = r.service.roster().find(r.radio, 1000);
        expect(faults, other != nullptr && other->status.channel.lifetime == 0, "whose lifetime is its own");
        // Its owner tunes it, which is not known here yet.
        r.tell_radiod(1000, radio::command_for(usb(9e6)));
        r.tell_radiod(1005, radio::command_for(usb(9e6)));
        is_made(1007, "another one, since that is no equal any more");
        other = r.service.roster().find(r.radio, 1000);
        expect(faults, other != nullptr && other->status.channel.frequency == 9e6, "the other's is left as it is");
        const auto* own = r.service.roster().find(r.radio, 1007);
        expect(faults, own != nullptr && own->status.channel.lifetime != 0, "with the lifetime that was wanted");
        // The equal one ends without a word.
        radio::Command end;
        static_cast<void>(end.put_text("lifetime", "1"));
        r.tell_radiod(1007, end);
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1007); }), "gone");
        is_made(1008, "another one, since that has gone");
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1007); }),
               "and is not left there by the question");
        expect(faults, r.radiod.has(1008), "the new one is");
        // Once more, and the answer to the question is lost with its copy, so that it is asked again.
        r.tell_radiod(1008, end);
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1008); }), "gone too");
        r.radiod.lose(2);
        is_made(1009, "another one, though the question had to be repeated");
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1008); }), "and is not left there by it either");
    });
}

TEST_CASE("a list that is over in the moment it is asked for is asked anew, and answered after the call") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        r.radiod.stop();
        r.service.discover(r.radio, os::now());
        r.link.pump();
        for (int i = 0; i < 2; ++i) {  // its two passes, which nobody serves
            std::this_thread::sleep_for(std::chrono::nanoseconds((radio::Discovery::first_answer_second * 2).ns));
            if (i == 0) r.link.pump();
        }
        r.radiod.start();
        bool is_returned = false;
        int answers = 0;
        static_cast<void>(r.calls.list(r.radio, [&](const RadioAnswer&) {
            expect(faults, is_returned, "not inside the call");
            ++answers;
        }));
        is_returned = true;
        expect(faults, comes_true(r.loop, [&] { return answers == 1; }) && r.calls.open() == 0, "once, later");
    });
}

TEST_CASE("a function that asks again while another call is made disturbs neither") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        std::vector<std::string> told;
        static_cast<void>(r.calls.list(r.radio, [&](const RadioAnswer&) {
            told.emplace_back("first list");
            static_cast<void>(r.calls.list(r.radio, [&](const RadioAnswer&) { told.emplace_back("third list"); }));
            const auto take = [&](const RadioAnswer& a) {
                told.emplace_back(a.outcome == Outcome::done ? "tuned" : "not tuned");
            };
            expect(faults, bool(r.calls.tune(r.radio, 1000, radio::command_for(usb(7e6)), take)), "asked");
        }));
        for (int i = 0; i < 2; ++i) {  // its two passes, which nobody serves
            std::this_thread::sleep_for(std::chrono::nanoseconds((radio::Discovery::first_answer_second * 2).ns));
            if (i == 0) r.link.pump();
        }
        // The first is over, though nobody has looked: its function is called in here.
        bool is_returned = false;
        static_cast<void>(r.calls.list(r.radio, [&](const RadioAnswer& a) {
            expect(faults, is_returned, "not inside the call");
            expect(faults, a.outcome == Outcome::done, "by a list of its own, on which somebody is");
            told.emplace_back("second list");
        }));
        is_returned = true;
        expect(faults, comes_true(r.loop, [&] { return told.size() >= 4; }), "four answers");
        std::sort(told.begin(), told.end());
        expect(faults, told == std::vector<std::string>{"first list", "second list", "third list", "tuned"},
               "each once");
        expect(faults, r.calls.open() == 0, "nothing is left open");
    });
}

TEST_CASE("a list that met a bound says so") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        std::optional<RadioAnswer> answer;
        const auto take = [&](const RadioAnswer& a) { answer = a; };
        static_cast<void>(r.calls.create(r.radio, 1000, usb(7e6), take));
        expect(faults, comes_true(r.loop, [&] { return answer.has_value(); }), "made");
        for (const bool is_flooded : {false, true}) {
            answer.reset();
            static_cast<void>(r.calls.list(r.radio, take));
            auto forged = vectors::from_hex(vectors::radiod::created_usb_hex);
            name_status_group(forged, group);
            for (std::uint32_t i = 0; is_flooded && i <= radio::Discovery::pass_answers_max; ++i) {
                forged[3] = static_cast<std::uint8_t>(0x40 + (i >> 8));
                forged[4] = static_cast<std::uint8_t>(i);
                r.link.take(r.radio, Endpoint::from_v4(0x7F000001, 4242), forged);
            }
            expect(faults, comes_true(r.loop, [&] { return answer.has_value(); }), "listed");
            expect(faults, answer && answer->outcome == Outcome::done && answer->cut_short == is_flooded,
                   is_flooded ? "cut short" : "whole");
        }
    });
}

TEST_CASE("a spectrum of either kind is one answer, with the carrier in its bin") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        for (const auto kind : {radio::Demod::spectrum, radio::Demod::byte_spectrum, radio::Demod::spectrum}) {
            std::optional<radio::Spectrum> got;
            std::optional<Outcome> outcome;
            const auto asked = r.calls.spectrum(r.radio, 1000 + static_cast<std::uint32_t>(kind), spectrum(kind),
                                                [&](const RadioAnswer& a) {
                                                    outcome = a.outcome;
                                                    if (a.status != nullptr) got = radio::spectrum_of(*a.status);
                                                });
            expect(faults, asked && comes_true(r.loop, [&] { return outcome.has_value(); }), "answered");
            expect(faults, outcome == Outcome::done && got && got->db.size() == 64, "64 bins");
            expect(faults, got && got->bin_hz == 1000 && std::abs(peak_hz(*got) - 1e6) < 1, "the carrier");
        }
        // What is no spectrum channel has none.
        std::optional<RadioAnswer> answer;
        static_cast<void>(r.calls.spectrum(r.radio, 1000, usb(7e6), [&](const RadioAnswer& a) { answer = a; }));
        expect(faults, comes_true(r.loop, [&] { return answer.has_value(); }) && answer->status != nullptr, "ends");
        expect(faults, answer && answer->outcome == Outcome::refused && answer->field == radio::RadioField::bin_data,
               "not done: no sweep came");
    });
}

TEST_CASE("what is wanted is verified as soon as the host has slept") {
    test::in_namespace([](Faults& faults) {
        Rig r;
        int active = 0;
        r.link.listeners().add(&active, [&](const radio::RadioEvent& e) {
            active += e.kind == radio::RadioEventKind::channel_active ? 1 : 0;
        });
        static_cast<void>(r.service.declare(r.radio, 1000, usb(7e6), os::now()));
        r.link.pump();
        expect(faults, comes_true(r.loop, [&] { return active == 1; }), "made");
        // Its lifetime is over, as it would be.
        radio::Command end;
        static_cast<void>(end.put_text("lifetime", "1"));
        r.tell_radiod(1000, end);
        expect(faults, comes_true(r.loop, [&] { return !r.radiod.has(1000); }), "gone");
        const Instant woken = os::now();
        r.link.on_slept();
        expect(faults, comes_true(r.loop, [&] { return active == 2; }), "made again");
        expect(faults, os::now() - woken < radio::Service::check_interval / 2, "not at the next check");
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
                expect(faults, all.is_whole && all.channels.size() == 2, "listed");
                expect(faults, !all.channels.empty() && all.channels[0].status.channel.frequency == 7e6, "in order");
                expect(faults, bool(radio.remove(1000)), "removed");
                const auto refused = radio.tune(0, radio::Command());
                expect(faults, refused.outcome == Outcome::not_asked, "no channel has the number 0");
                expect(faults, refused.refusal == radio::TuneRefusal::bad_ssrc, "which is said");
                const auto sweep = radio.spectrum(1003, spectrum(radio::Demod::spectrum));
                expect(faults, sweep && sweep.spectrum && std::abs(peak_hz(*sweep.spectrum) - 1e6) < 1, "a spectrum");
            }
        }
        is_over = true;
        radiod.join();
        expect(faults, !RadioClient::open("", 0) && !RadioClient::open("239.1.2.3,hwz", 0), "no name, no interface");
    });
}
