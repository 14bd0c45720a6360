// SPDX-License-Identifier: MIT
// The control plane's centre against stand-in radiods, in simulated time, woken by its own deadlines only.
#include "engine/radio/service.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <vector>

#include "tests/radio/stand_in.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using namespace hawser::radio_tests;
using Kind = RadioEventKind;

namespace {

constexpr Instant start{1'000'000'000};

struct World {
    explicit World(std::uint64_t seed = 1, std::uint32_t loss_percent = 0)
        : service({}, hawser::Random(seed)), random(seed + 7), loss(loss_percent), radio(service.add_radio()) {
        add();
    }
    Service service;
    hawser::Random random;
    std::uint32_t loss;
    RadioId radio;
    Instant now = start;
    Duration way{200'000};  // each, of the network
    struct Sender {
        std::unique_ptr<StandIn> radiod;  // null: not running
        std::uint16_t port = 0;
    };
    std::vector<Sender> radiods;
    struct Flying {
        bool is_command = false;
        std::uint16_t port = 0;
        std::vector<std::uint8_t> bytes;
    };
    std::multimap<std::int64_t, Flying> air;
    std::vector<RadioEvent> events;
    std::uint64_t packets = 0;
    std::uint64_t whole_commands = 0;  // with a preset
    int idle_wakes = 0;

    void add() {
        const auto port = static_cast<std::uint16_t>(40'000 + radiods.size());
        radiods.push_back({std::make_unique<StandIn>(options(), now), port});
    }
    [[nodiscard]] static StandInOptions options() {
        StandInOptions with;
        with.media = false;
        with.preset = "am";
        return with;
    }
    StandIn& radiod() { return *radiods[0].radiod; }
    void kill() {
        radiods[0].radiod.reset();
        std::erase_if(air, [](const auto& f) { return !f.second.is_command; });
    }
    // Another port, and nothing of what was.
    void revive() {
        radiods[0] = {std::make_unique<StandIn>(options(), now), static_cast<std::uint16_t>(radiods[0].port + 100)};
    }

    void run(Duration time) {
        const Instant end = now + time;
        while (true) {
            pump();
            std::int64_t next = service.next_deadline().ns;
            for (const auto& s : radiods)
                if (s.radiod) next = std::min(next, s.radiod->next_deadline().ns);
            if (!air.empty()) next = std::min(next, air.begin()->first);
            if (next > end.ns) break;
            now = Instant{next};
        }
        now = end;
    }
    void pump() {
        const bool due = service.next_deadline() <= now;
        const std::uint64_t before = packets + events.size() + service.tuner().figures().expired;
        while (!air.empty() && air.begin()->first <= now.ns) {
            const Flying flying = std::move(air.begin()->second);
            air.erase(air.begin());
            if (flying.is_command) {
                for (auto& s : radiods)
                    if (s.radiod) s.radiod->on_command(flying.bytes, now);
            }
            // Everybody hears the group, our own commands too.
            service.on_packet(radio, Endpoint::from_v4(0x0A4D0001, flying.port), flying.bytes, now);
        }
        for (auto& s : radiods) {
            if (!s.radiod) continue;
            s.radiod->run(now);
            for (auto& sent : s.radiod->take_sent())
                if (sent.to == options().status_group && random.below(100) >= loss)
                    air.emplace((now + way).ns, Flying{false, s.port, std::move(sent.bytes)});
        }
        service.turn(now);
        while (const auto packet = service.next_packet(now)) {
            ++packets;
            Status told;
            std::vector<std::uint8_t> as_status(packet->bytes.begin(), packet->bytes.end());
            as_status[0] = 0;
            if (!decode_status(as_status, told) && told.has(RadioField::preset)) ++whole_commands;
            if (random.below(100) >= loss)
                air.emplace((now + way).ns, Flying{true, 0, {packet->bytes.begin(), packet->bytes.end()}});
        }
        while (const auto event = service.next_event()) events.push_back(*event);
        if (due && packets + events.size() + service.tuner().figures().expired == before) ++idle_wakes;
    }
    [[nodiscard]] const RadioEvent* last(Kind kind) const {
        for (auto e = events.rbegin(); e != events.rend(); ++e)
            if (e->kind == kind) return &*e;
        return nullptr;
    }
    [[nodiscard]] std::size_t count(Kind kind) const {
        return static_cast<std::size_t>(
            std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.kind == kind; }));
    }
    void make_channels(std::uint32_t n) {
        for (std::uint32_t i = 0; i < n; ++i) REQUIRE(service.tune(radio, 1000 + i, command_for(usb(7e6 + i)), 0, now));
        run(100_ms);
        events.clear();
    }
    [[nodiscard]] static ChannelSpec usb(double hz) {
        ChannelSpec spec;
        spec.frequency = hz;
        spec.preset = "usb";
        spec.samprate = 12'000;
        spec.encoding = Encoding::s16be;
        return spec;
    }
};

}  // namespace

TEST_CASE("a list of nine channels is whole within 150 ms, and over when the answers have stopped", "[service]") {
    World w;
    w.make_channels(9);
    World fresh;
    fresh.radiods[0] = std::move(w.radiods[0]);
    fresh.now = w.now + 7_ms;
    fresh.service.discover(fresh.radio, fresh.now);
    fresh.run(1_s);
    const RadioEvent* settled = fresh.last(Kind::list_settled);
    const RadioEvent* done = fresh.last(Kind::list_done);
    REQUIRE(settled);
    REQUIRE(done);
    CHECK(settled->took <= 150_ms);
    CHECK(done->took <= 500_ms);  // the second pass waits for 15 blocks
    CHECK(fresh.service.roster().channels(fresh.radio).size() == 9);
    CHECK(fresh.count(Kind::channel_listed) == 9);
    CHECK(fresh.packets == 2);
    CHECK(fresh.idle_wakes <= 2 * 9);  // quiet times that an answer prolonged
}

TEST_CASE("a list of 500 takes as long as their answers, and a silent radiod ends it too", "[service]") {
    World w;
    w.make_channels(500);
    w.run(1_s);
    w.service.discover(w.radio, w.now);
    w.run(10_s);
    CHECK(w.service.roster().channels(w.radio).size() == 500);
    REQUIRE(w.last(Kind::list_done));
    CHECK(w.last(Kind::list_done)->took >= 5_s);  // two passes of 125 blocks
    w.kill();
    w.service.discover(w.radio, w.now);
    w.run(1_s);
    CHECK(w.count(Kind::list_done) == 2);
    CHECK(w.last(Kind::list_done)->took <= 700_ms);
    CHECK(w.service.roster().channels(w.radio).empty());
}

TEST_CASE("a list is whole though the table has holes, blocks are long or the way is", "[service]") {
    const auto [channels, from, to, block, one_way] =
        GENERATE(table<std::uint32_t, std::uint32_t, std::uint32_t, Duration, Duration>({
            {40, 10, 39, 20_ms, 200_us},   // between the first ten and the last
            {60, 0, 58, 20_ms, 200_us},    // before the only two
            {12, 12, 12, 100_ms, 200_us},  // four answers each 100 ms
            {9, 9, 9, 20_ms, 110_ms},      // beyond the first answer's time
        }));
    CAPTURE(channels, from, to, block.ns, one_way.ns);
    World w;
    StandInOptions options = World::options();
    options.block = block;
    w.radiods[0].radiod = std::make_unique<StandIn>(options, w.now);
    w.make_channels(channels);
    for (std::uint32_t i = from; i < to; ++i) REQUIRE(w.service.remove(w.radio, 1000 + i, w.now));
    w.run(5_s);
    const std::size_t there = channels - (to - from);
    REQUIRE(w.radiod().channel_count() == there);
    World fresh;
    fresh.radiods[0] = std::move(w.radiods[0]);
    fresh.now = w.now;
    fresh.way = one_way;
    fresh.service.discover(fresh.radio, fresh.now);
    fresh.run(5_s);
    REQUIRE(fresh.last(Kind::list_done));
    CHECK(fresh.service.roster().channels(fresh.radio).size() == there);
}

TEST_CASE("with a fifth of all datagrams lost the repeated poll finds nearly all", "[service]") {
    World w(3);
    w.make_channels(16);
    w.service.discover(w.radio, w.now);
    w.run(1_s);
    w.loss = 20;
    std::size_t found = 0, runs = 0;
    for (int i = 0; i < 30; ++i) {
        w.service.discover(w.radio, w.now);
        w.run(1_s);
        found += w.service.roster().channels(w.radio).size();
        runs += 16;
    }
    CHECK(static_cast<double>(found) / static_cast<double>(runs) > 0.7);
}

TEST_CASE("ensure makes a channel in one exchange, and finds it again without disturbing it", "[service]") {
    World w;
    w.make_channels(15);
    for (int i = 0; i < 100; ++i) {
        w.run(Duration{std::int64_t{w.random.below(40)} * 1'000'000});
        w.events.clear();
        const std::uint32_t ssrc = 5000 + static_cast<std::uint32_t>(i);
        REQUIRE(w.service.ensure(w.radio, ssrc, World::usb(14e6 + i), w.now));
        w.run(100_ms);
        REQUIRE(w.events.size() == 1);
        REQUIRE(w.events[0].kind == Kind::channel_active);
        CHECK_FALSE(w.events[0].reused);
        CHECK(w.events[0].took <= 42_ms);
        REQUIRE(w.service.ensure(w.radio, ssrc, World::usb(14e6 + i), w.now));
        w.run(100_ms);
        REQUIRE(w.events.size() == 2);
        CHECK(w.events[1].reused);
        CHECK(w.events[1].packets == 1);
        CHECK(w.events[1].took <= 42_ms);
        REQUIRE(w.service.remove(w.radio, ssrc, w.now));
        w.run(200_ms);
        REQUIRE(w.events.back().kind == Kind::channel_removed);
        REQUIRE_FALSE(w.radiod().has(ssrc));
    }
}

TEST_CASE("what is recalled is used and verified, and is not on the air before it is heard", "[service]") {
    World w;
    w.make_channels(1);
    // Of an earlier time: a channel that is there still, and one that has gone.
    std::vector<std::vector<std::uint8_t>> statuses;
    for (const std::uint32_t ssrc : {5000u, 5001u}) {
        REQUIRE(w.service.ensure(w.radio, ssrc, World::usb(14e6 + ssrc), w.now));
        StandIn earlier(World::options(), w.now);
        std::array<std::uint8_t, command_packet_bytes_max> room;
        earlier.on_command(build_command(room, 9, ssrc, command_for(World::usb(14e6 + ssrc)).elements()), w.now);
        for (int i = 0; i < 3; ++i) earlier.run(earlier.next_deadline());
        statuses.push_back(earlier.take_sent().at(0).bytes);
    }
    w.run(100_ms);
    REQUIRE(w.service.remove(w.radio, 5001, w.now));
    w.run(200_ms);
    World later;
    later.radiods.swap(w.radiods);
    later.now = w.now;
    for (const auto& status : statuses) later.service.recall(later.radio, Endpoint{}, status, start);
    CHECK(later.service.roster().channels(later.radio).empty());
    CHECK(later.service.find_equal(later.radio, World::usb(14e6 + 5000)) == 5000u);
    for (const std::uint32_t ssrc : {5000u, 5001u}) {
        later.events.clear();
        REQUIRE(later.service.ensure(later.radio, ssrc, World::usb(14e6 + ssrc), later.now));
        later.run(200_ms);
        REQUIRE(later.events.size() == 1);
        CHECK(later.events[0].kind == Kind::channel_active);
        CHECK(later.events[0].reused == (ssrc == 5000));
        CHECK(later.events[0].packets == 1);
    }
    // A list tells what there is: nothing is recalled after it. One that nobody answers tells nothing.
    World fresh;
    fresh.service.recall(fresh.radio, Endpoint{}, statuses[0], start);
    fresh.service.discover(fresh.radio, fresh.now);
    fresh.run(1_s);
    REQUIRE(fresh.last(Kind::list_done));
    CHECK(fresh.last(Kind::list_done)->answers == 0);
    CHECK(fresh.service.find_equal(fresh.radio, World::usb(14e6 + 5000)) == 5000u);
    fresh.make_channels(2);
    fresh.service.discover(fresh.radio, fresh.now);
    fresh.run(1_s);
    REQUIRE(fresh.last(Kind::list_done));
    CHECK(fresh.last(Kind::list_done)->answers >= 2);
    CHECK_FALSE(fresh.service.find_equal(fresh.radio, World::usb(14e6 + 5000)));
}

TEST_CASE("answers that never stop end a list all the same, and take nothing from it that is there", "[service]") {
    const bool is_quick = GENERATE(false, true);
    World w;
    w.make_channels(3);
    w.service.discover(w.radio, w.now);
    const Instant begun = w.now;
    // Somebody invents channels: slowly for ever, or thousands at once.
    auto forged = vectors::from_hex(vectors::radiod::created_usb_hex);
    const Endpoint source = Endpoint::from_v4(0x0A4D0042, 4242);
    REQUIRE(forged[1] == 0x12);
    REQUIRE(forged[2] == 2);
    std::uint32_t number = 0;
    while (w.count(Kind::list_done) == 0 && w.now - begun < 200_s) {
        for (int i = 0; i < (is_quick ? 100 : 1); ++i) {
            ++number;
            forged[3] = static_cast<std::uint8_t>(1 + (number >> 8) % 255);
            forged[4] = static_cast<std::uint8_t>(number);
            w.service.on_packet(w.radio, source, forged, w.now);
        }
        w.run(10_ms);
    }
    REQUIRE(w.count(Kind::list_done) == 1);
    CHECK(w.last(Kind::list_done)->cut_short);
    CHECK(w.now - begun <= Discovery::pass_max + 200_ms);
    for (std::uint32_t i = 0; i < 3; ++i) CHECK(w.service.roster().find(w.radio, 1000 + i) != nullptr);
    // The next one is whole again, and forgets what nobody has.
    w.service.discover(w.radio, w.now);
    w.run(2_s);
    CHECK_FALSE(w.last(Kind::list_done)->cut_short);
    CHECK(w.service.roster().channels(w.radio).size() == 3);
}

TEST_CASE("any field can be part of what is wanted, and is put right when another changes it", "[service]") {
    World w;
    ChannelSpec spec = World::usb(14e6);
    REQUIRE(spec.others.put_text("squelch.open", "12.5"));
    REQUIRE(spec.others.put_text("agc.hangtime", "0.3"));
    REQUIRE(w.service.declare(w.radio, 5000, spec, w.now));
    w.run(100_ms);
    REQUIRE(w.count(Kind::channel_active) == 1);
    const OnAir* on_air = w.service.roster().find(w.radio, 5000);
    REQUIRE(on_air != nullptr);
    CHECK(on_air->status.squelch.open == 12.5F);
    CHECK_FALSE(first_difference(spec, on_air->status));
    Command other;
    REQUIRE(other.put_text("squelch.open", "3"));
    REQUIRE(w.service.tune(w.radio, 5000, other, 0, w.now));
    w.run(11_s);
    REQUIRE(w.last(Kind::channel_lost) != nullptr);
    CHECK(w.last(Kind::channel_lost)->field == RadioField::squelch_open);
    CHECK(w.count(Kind::channel_active) == 2);
    CHECK(w.service.roster().find(w.radio, 5000)->status.squelch.open == 12.5F);
}

TEST_CASE("an equal channel is found under whatever number it has", "[service]") {
    World w;
    w.make_channels(9);
    w.service.discover(w.radio, w.now);
    w.run(1_s);
    CHECK(w.service.find_equal(w.radio, World::usb(7e6 + 4)) == 1004u);
    CHECK_FALSE(w.service.find_equal(w.radio, World::usb(7.1e6)));
    ChannelSpec wider = World::usb(7e6 + 4);
    wider.high_edge = 4000.0F;
    CHECK_FALSE(w.service.find_equal(w.radio, wider));
    // One's own goes before another's.
    REQUIRE(w.service.tune(w.radio, 1008, command_for(World::usb(7e6 + 4)), 0, w.now));
    w.run(100_ms);
    CHECK(w.service.find_equal(w.radio, World::usb(7e6 + 4)) == 1004u);
    CHECK(w.service.find_equal(w.radio, World::usb(7e6 + 4), 1008) == 1008u);
    CHECK(w.service.find_equal(w.radio, World::usb(7e6 + 4), 1007) == 1004u);
}

TEST_CASE("a spectrum channel is verified by all that it tells: its window, crossover and filter too", "[service]") {
    ChannelSpec spec;
    spec.frequency = 10e6;
    spec.demod = Demod::spectrum;
    spec.bin_count = 64;
    spec.resolution_bw = 100.0F;
    spec.crossover = 150.0F;
    spec.window = 5;
    spec.kaiser_beta = 9.0F;
    const auto [path, value] =
        GENERATE(std::pair("spectrum.window_type", "0"), std::pair("spectrum.crossover", "150.5"),
                 std::pair("filter.kaiser_beta", "9.1"));
    World w;
    REQUIRE(w.service.declare(w.radio, 5000, spec, w.now));
    w.run(1_s);
    REQUIRE(w.count(Kind::channel_active) == 1);
    Command other;
    REQUIRE(other.put_text(path, value));
    REQUIRE(w.service.tune(w.radio, 5000, other, 0, w.now));
    w.run(11_s);
    REQUIRE(w.last(Kind::channel_lost) != nullptr);
    CHECK(wire::row_of(w.last(Kind::channel_lost)->field).path == path);
    CHECK(w.count(Kind::channel_active) == 2);
    CHECK_FALSE(first_difference(spec, w.service.roster().find(w.radio, 5000)->status));
    // What radiod sets anew for each sweep tells nothing.
    REQUIRE(spec.others.put_text("spectrum.base", "-10"));
    CHECK_FALSE(first_difference(spec, w.service.roster().find(w.radio, 5000)->status));
}

TEST_CASE("a channel that is another than known is made anew, and one that radiod refuses is told by field",
          "[service]") {
    World w;
    w.make_channels(1);
    // Gone behind our back: the probe makes an empty one, the next command the right one.
    w.kill();
    w.revive();
    REQUIRE(w.service.ensure(w.radio, 1000, World::usb(7e6), w.now));
    w.run(200_ms);
    REQUIRE(w.last(Kind::channel_active));
    CHECK(first_difference(World::usb(7e6), w.service.roster().find(w.radio, 1000)->status) == std::nullopt);

    ChannelSpec odd = World::usb(8e6);
    odd.low_edge = -50'000.0F;  // beyond half the rate
    REQUIRE(w.service.ensure(w.radio, 1001, odd, w.now));
    w.run(200_ms);
    REQUIRE(w.last(Kind::channel_refused));
    CHECK(w.last(Kind::channel_refused)->field == RadioField::low_edge);
}

TEST_CASE("what radiod refuses is told once, tried again ever more rarely, and kept alive meanwhile", "[service]") {
    World w;
    ChannelSpec odd = World::usb(8e6);
    odd.low_edge = -50'000.0F;  // beyond half the rate
    odd.lifetime = 500;         // 10 s
    REQUIRE(w.service.declare(w.radio, 1001, odd, w.now));
    // The preset is what a command with everything has and a probe has not.
    const auto tunes_in = [&](Duration time) {
        const std::uint64_t before = w.whole_commands;
        w.run(time);
        return w.whole_commands - before;
    };
    CHECK(tunes_in(1_s) == 1);
    CHECK(w.count(Kind::channel_refused) == 1);
    CHECK(tunes_in(100_s) <= 4);  // after 10, 20 and 40 s
    CHECK(tunes_in(3600_s) <= 10);
    CHECK(tunes_in(3600_s) >= 5);  // each ten minutes
    CHECK(w.count(Kind::channel_refused) == 1);
    CHECK(w.count(Kind::channel_lost) == 0);
    CHECK(w.radiod().has(1001));
    // A restart may have changed its mind: at once.
    w.kill();
    w.revive();
    REQUIRE(w.service.tune(w.radio, 1001, Command(), 0, w.now));
    CHECK(tunes_in(1_s) == 1);
}

TEST_CASE("one field that is refused does not hide another that changed", "[service]") {
    World w;
    ChannelSpec odd = World::usb(8e6);
    odd.low_edge = -50'000.0F;  // beyond half the rate
    REQUIRE(odd.others.put_text("squelch.open", "12.5"));
    REQUIRE(w.service.declare(w.radio, 1001, odd, w.now));
    w.run(300_s);
    const std::uint64_t before = w.whole_commands;
    REQUIRE(w.count(Kind::channel_refused) == 1);
    Command other;
    REQUIRE(other.put_text("squelch.open", "3"));
    REQUIRE(w.service.tune(w.radio, 1001, other, 0, w.now));
    w.run(11_s);  // a check, long before the next try
    CHECK(w.whole_commands == before + 1);
    CHECK(w.service.roster().find(w.radio, 1001)->status.squelch.open == 12.5F);
    // Another value of the refused one is put right too, as far as it can be.
    REQUIRE(other.put_text("filter.low_edge", "100"));
    REQUIRE(w.service.tune(w.radio, 1001, other, 0, w.now));
    w.run(11_s);
    CHECK(w.whole_commands == before + 2);
    w.run(60_s);
    CHECK(w.whole_commands <= before + 4);
}

TEST_CASE("a channel is made as long after it was found missing as it takes, not after it was first wanted",
          "[service]") {
    World w;
    const bool is_known = GENERATE(false, true);
    if (!is_known) w.kill();
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(1_s);
    if (is_known) w.kill();
    w.run(29_s);
    w.revive();
    w.run(40_s);
    REQUIRE(w.last(Kind::channel_active) != nullptr);
    CHECK_FALSE(w.last(Kind::channel_active)->reused);
    CHECK(w.last(Kind::channel_active)->took <= 50_ms);
}

TEST_CASE("a channel that had gone is told so, though the question after it made the same again", "[service]") {
    World w;
    ChannelSpec spec;  // what a number alone creates: the template's
    spec.frequency = 7e6;
    spec.preset = "am";
    REQUIRE(w.service.declare(w.radio, 1000, spec, w.now));
    w.run(25_s);
    REQUIRE(w.events.size() == 1);
    const bool is_restart = GENERATE(false, true);
    if (is_restart) {
        w.kill();
        w.revive();
    } else {
        // Somebody ends it: it goes without a word.
        std::array<std::uint8_t, command_packet_bytes_max> room;
        Command brief;
        REQUIRE(brief.put_text("lifetime", "1"));
        w.radiod().on_command(build_command(room, 99, 1000, brief.elements()), w.now);
        w.run(100_ms);
        REQUIRE_FALSE(w.radiod().has(1000));
    }
    w.run(11_s);
    CHECK(w.radiod().has(1000));
    CHECK(w.count(Kind::channel_lost) == 1);
    CHECK(w.count(Kind::channel_active) == 2);
    CHECK_FALSE(w.last(Kind::channel_active)->reused);
    CHECK(w.count(Kind::radiod_restarted) == (is_restart ? 1u : 0u));
    w.run(60_s);
    CHECK(w.count(Kind::channel_lost) == 1);
}

TEST_CASE("what rests is tried when there is word that it may be heard, once a second at most", "[service]") {
    World w;
    w.kill();
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(60_s);
    while (w.service.tuner().in_hand() != 0) w.run(100_ms);
    w.revive();
    w.events.clear();
    w.service.retry_now(w.radio, w.now);
    w.run(200_ms);
    CHECK(w.count(Kind::channel_active) == 1);
    // A storm of words adds no packet to what is active.
    const std::uint64_t before = w.packets;
    for (int i = 0; i < 1000; ++i) {
        w.service.retry_now(w.radio, w.now);
        w.run(1_ms);
    }
    CHECK(w.packets == before);
}

TEST_CASE("after a silence a channel that is as wanted is not tuned again", "[service]") {
    World w;
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(1_s);
    CHECK(w.whole_commands == 1);
    w.loss = 100;  // the network is gone for a while, the channel is not
    w.run(30_s);
    REQUIRE(w.count(Kind::channel_unreachable) == 1);
    w.loss = 0;
    w.run(40_s);
    CHECK(w.count(Kind::channel_active) == 2);
    CHECK(w.last(Kind::channel_active)->reused);
    CHECK(w.whole_commands == 1);
}

TEST_CASE("what is under way when it is to be checked is checked again when it is answered", "[service]") {
    World w;
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(1_ms);
    REQUIRE(w.service.tuner().in_hand() == 1);
    w.service.check_now(w.radio, w.now);
    w.run(1_s);
    CHECK(w.count(Kind::channel_active) == 1);
    CHECK(w.packets == 2);  // made, and probed
    CHECK(w.whole_commands == 1);
    w.run(5_s);
    CHECK(w.packets == 2);
}

TEST_CASE("what rests until its next try is checked at once when told so", "[service]") {
    World w;
    w.kill();
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(60_s);
    while (w.service.tuner().in_hand() != 0) w.run(100_ms);
    w.revive();  // it is at rest now, for up to 30 s
    w.events.clear();
    w.service.check_now(w.radio, w.now);
    w.run(200_ms);
    CHECK(w.count(Kind::channel_active) == 1);
}

TEST_CASE("declared channels come back after radiod was restarted, each transition told once", "[service]") {
    World w;
    for (std::uint32_t i = 0; i < 20; ++i) REQUIRE(w.service.declare(w.radio, 1000 + i, World::usb(7e6 + i), w.now));
    w.run(1_s);
    CHECK(w.count(Kind::channel_active) == 20);
    w.run(60_s);
    CHECK(w.events.size() == 20);  // what goes on as it was is no news
    w.kill();
    w.run(30_s);
    CHECK(w.count(Kind::channel_unreachable) == 20);
    w.revive();
    w.run(40_s);
    CHECK(w.count(Kind::channel_active) == 40);
    CHECK(w.count(Kind::radiod_restarted) <= 1);
    for (std::uint32_t i = 0; i < 20; ++i) CHECK(w.radiod().has(1000 + i));
    CHECK(w.idle_wakes == 0);
}

TEST_CASE("a restart that any status shows brings every declared channel back within a second", "[service]") {
    World w;
    for (std::uint32_t i = 0; i < 20; ++i) REQUIRE(w.service.declare(w.radio, 1000 + i, World::usb(7e6 + i), w.now));
    w.run(15_s);
    w.kill();
    w.revive();
    // One channel is polled, by us or another; its answer counts from the beginning.
    REQUIRE(w.service.tune(w.radio, 1000, Command(), 0, w.now));
    w.run(1_s);
    CHECK(w.count(Kind::radiod_restarted) == 1);
    CHECK(w.count(Kind::channel_lost) == 20);
    CHECK(w.count(Kind::channel_active) == 40);
}

TEST_CASE("a status that a later one overtook on its way is no restart, and changes nothing", "[service]") {
    World w;
    w.make_channels(1);
    const auto status_of = [&](double frequency) {
        REQUIRE(w.service.tune(w.radio, 1000, command_for(World::usb(frequency)), 0, w.now));
        std::vector<std::uint8_t> bytes;
        for (int i = 0; i < 100 && bytes.empty(); ++i) {
            w.run(1_ms);
            for (const auto& [at, flying] : w.air)
                if (!flying.is_command) bytes = flying.bytes;
        }
        w.run(100_ms);
        REQUIRE_FALSE(bytes.empty());
        return bytes;
    };
    const auto earlier = status_of(8e6);
    const auto later = status_of(9e6);
    const Endpoint source = Endpoint::from_v4(0x0A4D0001, 40'000);
    w.events.clear();
    w.service.on_packet(w.radio, source, later, w.now);
    w.service.on_packet(w.radio, source, earlier, w.now);
    w.run(1_s);
    CHECK(w.count(Kind::radiod_restarted) == 0);
    CHECK(w.service.roster().find(w.radio, 1000)->status.channel.frequency == 9e6);
}

TEST_CASE("a lifetime is kept alive while it is wanted, and runs out when it is not", "[service]") {
    World w;
    ChannelSpec brief = World::usb(7e6);
    brief.lifetime = 150;  // 3 s
    const auto want = w.service.declare(w.radio, 1000, brief, w.now);
    REQUIRE(want);
    w.run(20_s);
    CHECK(w.radiod().has(1000));
    CHECK(w.events.size() == 1);
    REQUIRE(w.service.withdraw(*want));
    CHECK_FALSE(w.service.withdraw(*want));
    w.run(4_s);
    CHECK_FALSE(w.radiod().has(1000));
}

TEST_CASE("a lifetime is of the blocks that radiod has, and counted as it tells", "[service]") {
    World w;
    StandInOptions quick = World::options();
    quick.block = 5_ms;
    w.radiods[0].radiod = std::make_unique<StandIn>(quick, w.now);
    ChannelSpec brief = World::usb(7e6);
    brief.lifetime = 160;  // 0.8 s there, 3.2 s elsewhere
    REQUIRE(w.service.declare(w.radio, 1000, brief, w.now));
    w.run(20_s);
    CHECK(w.radiod().has(1000));
    CHECK(w.count(Kind::channel_lost) == 0);
    CHECK(w.events.size() == 1);
    CHECK(w.packets <= 1 + 20 * 4);
}

TEST_CASE("a number that is used again at once after its removal has a channel that lives", "[service]") {
    const bool is_wanted = GENERATE(true, false);
    const bool is_queued = GENERATE(true, false);
    for (int ms = 0; ms < 100; ms += 4) {
        World w;
        w.make_channels(1);
        REQUIRE(w.service.remove(w.radio, 1000, w.now));
        // What is asked of the number now may not go by what was there.
        REQUIRE(w.service.roster().find(w.radio, 1000) == nullptr);
        REQUIRE_FALSE(w.service.find_equal(w.radio, World::usb(7e6), 1000));
        if (!is_queued) {
            w.run(50_ms);
            REQUIRE(w.count(Kind::channel_removed) == 1);
            w.run(Duration{ms * 1'000'000});
            REQUIRE(w.service.roster().find(w.radio, 1000) == nullptr);
        }
        if (is_wanted)
            REQUIRE(w.service.ensure(w.radio, 1000, World::usb(7e6), w.now));
        else
            REQUIRE(w.service.tune(w.radio, 1000, command_for(World::usb(7e6)), 0, w.now));
        w.run(2_s);
        REQUIRE(w.count(is_wanted ? Kind::channel_active : Kind::confirmed) == 1);
        REQUIRE(w.radiod().has(1000));
    }
}

TEST_CASE("a channel whose lifetime another client made finite lives on when it is found and kept", "[service]") {
    World w;
    w.make_channels(1);
    Command brief;
    REQUIRE(brief.put_text("lifetime", "30"));
    REQUIRE(w.service.tune(w.radio, 1000, brief, 0, w.now));
    w.run(100_ms);
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(5_s);
    CHECK(w.last(Kind::channel_active)->reused);
    CHECK(w.radiod().has(1000));
    CHECK(w.count(Kind::channel_lost) == 0);
}

TEST_CASE("a declared channel that another client changes is put right", "[service]") {
    World w;
    REQUIRE(w.service.declare(w.radio, 1000, World::usb(7e6), w.now));
    w.run(1_s);
    Command other;
    REQUIRE(other.put_text("preset", "iq"));
    std::array<std::uint8_t, command_packet_bytes_max> room;
    w.radiod().on_command(build_command(room, 99, 1000, other.elements()), w.now);
    w.run(11_s);
    CHECK(w.count(Kind::channel_lost) == 1);
    CHECK(w.count(Kind::channel_active) == 2);
    CHECK_FALSE(first_difference(World::usb(7e6), w.service.roster().find(w.radio, 1000)->status));
}

TEST_CASE("two radiods that use one number are told apart, and the clash is told once", "[service]") {
    World w;
    w.make_channels(3);
    w.add();
    // The second radiod makes the same channels at the next commands, which both hear.
    for (int round = 0; round < 5; ++round) {
        for (std::uint32_t i = 0; i < 3; ++i) REQUIRE(w.service.tune(w.radio, 1000 + i, Command(), 0, w.now));
        w.run(300_ms);
    }
    CHECK(w.count(Kind::number_clash) <= 3);
    CHECK(w.count(Kind::number_clash) + w.count(Kind::radiod_restarted) >= 1);
}

TEST_CASE("commands of others, wrong tags and damaged packets confirm nothing", "[service]") {
    World w;
    REQUIRE(w.service.tune(w.radio, 20001, Command(), 5, w.now));
    w.radiods[0].radiod.reset();
    w.run(1_ms);
    const Endpoint source = Endpoint::from_v4(0x7F000001, 44717);
    for (const auto& packet : vectors::radiod::commands)
        w.service.on_packet(w.radio, source, vectors::from_hex(packet.hex), w.now);
    for (const auto& packet : vectors::radiod::statuses) {
        auto bytes = vectors::from_hex(packet.hex);
        w.service.on_packet(w.radio, source, bytes, w.now);
        w.service.on_packet(w.radio, source, Bytes(bytes).first(bytes.size() / 2), w.now);
    }
    w.run(10_s);
    CHECK(w.count(Kind::confirmed) == 0);
    REQUIRE(w.count(Kind::expired) == 1);
    CHECK(w.last(Kind::expired)->owner == 5);
    CHECK(w.service.bad_packets() > 0);
}

TEST_CASE("any run of losses and restarts ends with every declared channel on the air", "[service][property]") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        World w(seed, 10);
        for (std::uint32_t i = 0; i < 8; ++i) REQUIRE(w.service.declare(w.radio, 1000 + i, World::usb(7e6 + i), w.now));
        for (int round = 0; round < 4; ++round) {
            w.run(Duration{std::int64_t{w.random.below(20'000)} * 1'000'000});
            w.kill();
            w.run(Duration{std::int64_t{w.random.below(8'000)} * 1'000'000});
            w.revive();
        }
        w.loss = 0;
        w.run(45_s);
        for (std::uint32_t i = 0; i < 8; ++i) {
            REQUIRE(w.radiod().has(1000 + i));
            const OnAir* on_air = w.service.roster().find(w.radio, 1000 + i);
            REQUIRE(on_air);
            REQUIRE_FALSE(first_difference(World::usb(7e6 + i), on_air->status));
        }
        REQUIRE(w.service.tuner().is_consistent());
    }
}
