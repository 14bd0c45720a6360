// SPDX-License-Identifier: MIT
// A radiod that answers later than the first repetition of a command: a far one, or a busy machine's. Each command is
// confirmed once, with as many packets as its backoff says, all of one tag; what radiod answers to the repetitions
// comes after that, and disturbs nobody.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "engine/radio/service.h"
#include "tests/radio/stand_in.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using namespace hawser::radio_tests;
using Kind = RadioEventKind;

namespace {

constexpr Instant start{1'000'000'000};
constexpr Endpoint radiod_at = Endpoint::from_v4(0x0A4D0001, 40'000);

Command tune_to(double hz) { return command_for({.frequency = hz, .preset = "usb", .samprate = 12'000}); }

// A service and a stand-in with so much time between them, either way.
struct Slow {
    Slow(std::uint64_t seed, Duration there_, Duration back_)
        : service({}, hawser::Random(seed)), radio(service.add_radio()), there(there_), back(back_) {}
    struct Command {
        Instant sent;
        std::uint32_t tag = 0;
        double frequency = 0;
        std::vector<std::uint8_t> bytes;
    };
    [[nodiscard]] static StandInOptions options() {
        StandInOptions with;
        with.media = false;
        with.preset = "am";
        return with;
    }
    Service service;
    RadioId radio;
    Duration there, back;
    StandIn radiod{options(), start};
    Instant now = start;
    std::multimap<std::int64_t, std::vector<std::uint8_t>> to_radiod, to_us;
    std::vector<Command> commands;
    std::vector<RadioEvent> events;
    std::uint64_t answers = 0;
    double told = 0;  // by the last of them

    void run(Duration time) {
        const Instant end = now + time;
        for (turn(); next() <= end.ns; turn()) now = Instant{next()};
        now = end;
    }
    [[nodiscard]] std::int64_t next() const {
        std::int64_t at = std::min(service.next_deadline().ns, radiod.next_deadline().ns);
        for (const auto* way : {&to_radiod, &to_us})
            if (!way->empty()) at = std::min(at, way->begin()->first);
        return at;
    }
    void turn() {
        for (; !to_radiod.empty() && to_radiod.begin()->first <= now.ns; to_radiod.erase(to_radiod.begin()))
            radiod.on_command(to_radiod.begin()->second, now);
        radiod.run(now);
        for (auto& sent : radiod.take_sent())
            if (sent.to == options().status_group) to_us.emplace((now + back).ns, std::move(sent.bytes));
        for (; !to_us.empty() && to_us.begin()->first <= now.ns; to_us.erase(to_us.begin())) {
            Status status;
            REQUIRE_FALSE(decode_status(to_us.begin()->second, status));
            ++answers;
            told = status.channel.frequency;
            service.on_packet(radio, radiod_at, to_us.begin()->second, now);
            service.turn(now);
        }
        service.turn(now);
        while (const auto packet = service.next_packet(now)) {
            std::vector<std::uint8_t> bytes(packet->bytes.begin(), packet->bytes.end());
            to_radiod.emplace((now + there).ns, bytes);
            auto as_status = bytes;
            as_status[0] = 0;
            Status wanted;
            REQUIRE_FALSE(decode_status(as_status, wanted));
            commands.push_back({now, wanted.channel.tag, wanted.channel.frequency, std::move(bytes)});
        }
        while (const auto event = service.next_event()) events.push_back(*event);
        REQUIRE(service.tuner().is_consistent());
    }
    void tune(double hz, std::uint64_t owner) { REQUIRE(service.tune(radio, 1000, tune_to(hz), owner, now)); }
};

// By the backoff: at 0, 100, 300, 700, 1500 ms, each step within a tenth.
struct Expected {
    Duration delay;
    std::uint32_t packets;
};
constexpr Expected expected[] = {{150_ms, 2}, {220_ms, 2}, {400_ms, 3}, {550_ms, 3}, {900_ms, 4}};

}  // namespace

TEST_CASE("a radiod slower than the first repetition confirms a command once, in as many packets as its time takes",
          "[service][slow]") {
    for (const Expected& e : expected)
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            INFO(e.delay.ns / 1'000'000 << " ms, seed " << seed);
            Slow slow(seed, Duration{}, e.delay);
            slow.now = start + Duration{static_cast<std::int64_t>(seed) * 500'000};  // any place within a block
            slow.tune(7e6, 42);
            const Instant begun = slow.now;
            slow.run(6_s);
            REQUIRE(slow.events.size() == 1);
            const RadioEvent& done = slow.events[0];
            CHECK(done.kind == Kind::confirmed);
            CHECK(done.owner == 42);
            CHECK(done.took >= e.delay);
            CHECK(done.took <= e.delay + 21_ms);  // a new channel answers with its first block
            CHECK(done.packets == e.packets);
            REQUIRE(slow.commands.size() == e.packets);
            Duration step = 100_ms;
            for (std::size_t i = 1; i < slow.commands.size(); ++i, step = step * 2) {
                CHECK(slow.commands[i].tag == slow.commands[0].tag);
                CHECK(slow.commands[i].bytes == slow.commands[0].bytes);
                const Duration gap = slow.commands[i].sent - slow.commands[i - 1].sent;
                CHECK(gap >= step * 9 / 10);
                CHECK(gap <= step * 11 / 10);
                CHECK(slow.commands[i].sent < begun + done.took);
            }
            // Each repetition was carried out and answered, and nothing came of it.
            CHECK(slow.answers == e.packets);
            CHECK(slow.service.tuner().figures().confirmed == 1);
            CHECK(slow.service.tuner().in_hand() == 0);
        }
}

TEST_CASE("late answers to a command's repetitions confirm none of those behind it", "[service][slow]") {
    for (const bool is_far : {false, true})
        for (const Expected& e : expected)
            for (std::uint64_t seed = 0; seed < 10; ++seed) {
                INFO((is_far ? "far, " : "busy, ") << e.delay.ns / 1'000'000 << " ms, seed " << seed);
                Slow slow(seed, is_far ? e.delay / 2 : Duration{}, is_far ? e.delay / 2 : e.delay);
                for (std::uint64_t i = 0; i < 4; ++i) slow.tune(7e6 + static_cast<double>(i), i);
                slow.run(30_s);
                REQUIRE(slow.events.size() == 4);
                Duration before;
                for (std::uint64_t i = 0; i < 4; ++i) {
                    const RadioEvent& done = slow.events[i];
                    INFO("command " << i);
                    CHECK(done.kind == Kind::confirmed);
                    CHECK(done.owner == i);
                    // Not by what was answered to another, but in a time of its own.
                    CHECK(done.took - before >= e.delay);
                    before = done.took;
                    std::uint32_t sent = 0;
                    for (const Slow::Command& c : slow.commands)
                        if (c.frequency == 7e6 + static_cast<double>(i)) ++sent;
                    CHECK(done.packets == sent);
                    CHECK(sent <= e.packets + 1);
                }
                CHECK(slow.told == 7e6 + 3);
                CHECK(slow.radiod.dropped_commands() == 0);
                const auto channels = slow.service.roster().channels(slow.radio);
                REQUIRE(channels.size() == 1);
                CHECK(channels[0]->status.channel.frequency == 7e6 + 3);
            }
}

TEST_CASE("a wanted channel is made once on a slow radiod, and taken for nobody else's", "[service][slow]") {
    for (const Expected& e : expected) {
        INFO(e.delay.ns / 1'000'000 << " ms");
        Slow slow(1, Duration{}, e.delay);
        ChannelSpec spec{.frequency = 7e6, .preset = "usb", .samprate = 12'000};
        REQUIRE(slow.service.declare(slow.radio, 1000, spec, slow.now));
        slow.run(20_s);
        std::map<Kind, int> counts;
        for (const RadioEvent& event : slow.events) ++counts[event.kind];
        CHECK(counts[Kind::channel_active] == 1);
        for (const Kind bad : {Kind::channel_lost, Kind::channel_refused, Kind::channel_unreachable,
                               Kind::radiod_restarted, Kind::number_clash})
            CHECK(counts[bad] == 0);
        CHECK(slow.radiod.channel_count() == 1);
    }
}
