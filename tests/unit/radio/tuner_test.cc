// SPDX-License-Identifier: MIT
// Confirmed commands, alone and against the stand-in radiod in simulated time.
#include "engine/radio/tuner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <vector>

#include "engine/radio/channel_spec.h"
#include "engine/wire/radio_tlv.h"
#include "tests/radio/stand_in.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::radio;
using namespace hawser::radio_tests;

namespace {

constexpr Instant start{1'000'000'000};
constexpr RadioId radio_a(0), radio_b(1);

struct Sent {
    Instant at;
    std::uint32_t tag;
    std::uint32_t ssrc;
    std::vector<std::uint8_t> bytes;
};
Sent read_sent(const Tuner::Packet& packet, Instant now) {
    Sent sent{now, 0, 0, {packet.bytes.begin(), packet.bytes.end()}};
    auto reader = wire::RadioReader::over(sent.bytes);
    wire::RadioElement element;
    while (reader->next(element)) {
        if (element.field == 1) sent.tag = static_cast<std::uint32_t>(*wire::radio_integer(element.value));
        if (element.field == 18) sent.ssrc = static_cast<std::uint32_t>(*wire::radio_integer(element.value));
    }
    return sent;
}
Command tune_to(double hz) {
    return command_for({.frequency = hz, .preset = "usb", .samprate = 12'000, .encoding = Encoding::s16be});
}

// A tuner that nobody answers, woken only when it asks to be.
struct Deaf {
    explicit Deaf(std::uint64_t seed, TunerOptions options = {}) : tuner(options, hawser::Random(seed)) {}
    Tuner tuner;
    Instant now = start;
    std::vector<Sent> sent;
    std::vector<Tuner::Done> done;
    int wakes = 0;

    void turn() {
        while (const auto expired = tuner.next_expired(now)) done.push_back(*expired);
        while (const auto packet = tuner.next_packet(now)) sent.push_back(read_sent(*packet, now));
        REQUIRE(tuner.is_consistent());
    }
    void run_to_end() {
        turn();
        while (tuner.next_deadline() != never) {
            now = tuner.next_deadline();
            ++wakes;
            const std::size_t before = sent.size() + done.size();
            turn();
            // No wake-up that had nothing to do.
            REQUIRE(sent.size() + done.size() > before);
        }
    }
};

}  // namespace

TEST_CASE("a dead radiod gets at most nine packets in five seconds, all with one tag, and then a timeout", "[tuner]") {
    std::size_t most = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Deaf deaf(seed);
        REQUIRE(deaf.tuner.submit({radio_a, 1000, 42}, tune_to(7e6), start));
        deaf.run_to_end();
        REQUIRE(deaf.sent.size() <= 9);
        REQUIRE(deaf.sent.size() >= 7);
        most = std::max(most, deaf.sent.size());
        for (const Sent& s : deaf.sent) REQUIRE((s.tag == deaf.sent[0].tag && s.bytes == deaf.sent[0].bytes));
        REQUIRE(deaf.done.size() == 1);
        CHECK_FALSE(deaf.done[0].confirmed);
        CHECK(deaf.done[0].request.owner == 42);
        CHECK(deaf.done[0].took == 5_s);
        REQUIRE(deaf.wakes == static_cast<int>(deaf.sent.size() - 1 + 1));
        // 100 ms doubling to 1 s, each within a tenth.
        Duration wait = 100_ms;
        for (std::size_t i = 1; i < deaf.sent.size(); ++i) {
            const Duration gap = deaf.sent[i].at - deaf.sent[i - 1].at;
            REQUIRE(gap >= wait * 9 / 10);
            REQUIRE(gap <= wait * 11 / 10);
            wait = std::min(wait * 2, Duration(1_s));
        }
    }
    CHECK(most >= 8);
}

TEST_CASE("only the channel's own status with the command's tag confirms it", "[tuner]") {
    Deaf deaf(1);
    const auto id = deaf.tuner.submit({radio_a, 1000, 0}, tune_to(7e6), start);
    REQUIRE(id);
    // Not sent yet: nobody can have heard of its tag.
    deaf.turn();
    const std::uint32_t tag = deaf.sent.at(0).tag;
    CHECK_FALSE(deaf.tuner.on_status(radio_a, 1001, tag, start));
    CHECK_FALSE(deaf.tuner.on_status(radio_b, 1000, tag, start));
    CHECK_FALSE(deaf.tuner.on_status(radio_a, 1000, tag + 1, start));
    const auto done = deaf.tuner.on_status(radio_a, 1000, tag, start + 30_ms);
    REQUIRE(done);
    CHECK(done->id == *id);
    CHECK(done->confirmed);
    CHECK(done->packets == 1);
    CHECK(done->took == 30_ms);
    CHECK_FALSE(deaf.tuner.on_status(radio_a, 1000, tag, start + 31_ms));
    CHECK(deaf.tuner.next_deadline() == never);
    CHECK(deaf.tuner.figures().stray_tags == 1);
}

TEST_CASE("commands to one channel go one after the other, to others at once", "[tuner]") {
    Deaf deaf(2);
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(deaf.tuner.submit({radio_a, 1000, i}, tune_to(7e6), start));
    REQUIRE(deaf.tuner.submit({radio_a, 2000, 10}, tune_to(7e6), start));
    REQUIRE(deaf.tuner.submit({radio_b, 1000, 20}, tune_to(7e6), start));
    deaf.turn();
    REQUIRE(deaf.sent.size() == 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Sent& head = i == 0 ? deaf.sent[0] : deaf.sent.back();
        const auto done = deaf.tuner.on_status(radio_a, 1000, head.tag, start + 1_ms);
        REQUIRE(done);
        CHECK(done->request.owner == i);
        deaf.turn();
        REQUIRE(deaf.tuner.is_busy(radio_a, 1000) == (i < 2));
    }
    CHECK(deaf.sent.size() == 5);
    CHECK(deaf.tuner.in_hand() == 2);
}

TEST_CASE("what waits behind a command that a dead radiod does not answer expires with it", "[tuner]") {
    Deaf deaf(3);
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(deaf.tuner.submit({radio_a, 1000, i}, tune_to(7e6), start));
    deaf.run_to_end();
    CHECK(deaf.done.size() == 3);
    CHECK(deaf.now == start + 5_s);
    CHECK(deaf.sent.size() <= 9);
}

TEST_CASE("a cancelled command is not sent again, and the next takes its place when it is answered", "[tuner]") {
    Deaf deaf(4);
    const auto first = deaf.tuner.submit({radio_a, 1000, 1}, tune_to(7e6), start);
    const auto second = deaf.tuner.submit({radio_a, 1000, 2}, tune_to(7e6), start);
    const auto third = deaf.tuner.submit({radio_a, 1000, 3}, tune_to(7e6), start);
    deaf.turn();
    REQUIRE(deaf.tuner.cancel(*second));
    REQUIRE(deaf.tuner.cancel(*first));
    CHECK_FALSE(deaf.tuner.cancel(*first));
    CHECK(deaf.tuner.in_hand() == 1);
    deaf.turn();
    REQUIRE(deaf.sent.size() == 1);
    CHECK_FALSE(deaf.tuner.on_status(radio_a, 1000, deaf.sent[0].tag, start));
    deaf.turn();
    REQUIRE(deaf.sent.size() == 2);
    const auto done = deaf.tuner.on_status(radio_a, 1000, deaf.sent[1].tag, start);
    REQUIRE(done);
    CHECK(done->id == *third);
}

TEST_CASE("what waits behind a cancelled command goes when its answer is overdue, or ends in its own time", "[tuner]") {
    Deaf deaf(4);
    const auto first = deaf.tuner.submit({radio_a, 1000, 1}, tune_to(7e6), start);
    deaf.turn();
    deaf.now = start + 10_ms;
    REQUIRE(deaf.tuner.cancel(*first));
    REQUIRE(deaf.tuner.submit({radio_a, 1000, 2}, tune_to(7e6), deaf.now));
    REQUIRE(deaf.tuner.submit({radio_a, 2000, 3}, tune_to(7e6), deaf.now));
    deaf.turn();
    REQUIRE(deaf.sent.size() == 2);  // another channel's does not wait
    deaf.run_to_end();
    const auto second =
        std::find_if(deaf.sent.begin() + 1, deaf.sent.end(), [](const Sent& s) { return s.ssrc == 1000; });
    REQUIRE(second != deaf.sent.end());
    CHECK(second->at == start + 100_ms);
    CHECK(deaf.tuner.in_hand() == 0);
    // One that is over when the cancelled one is still waited for.
    Deaf late(4);
    const auto old = late.tuner.submit({radio_a, 1000, 1}, tune_to(7e6), start);
    REQUIRE(late.tuner.submit({radio_a, 1000, 2}, tune_to(7e6), start));
    while (late.tuner.next_deadline() < start + 5_s) {
        late.now = late.tuner.next_deadline();
        late.turn();
    }
    late.now = start + 5_s - 1_ms;
    REQUIRE(late.tuner.cancel(*old));
    late.turn();
    const std::size_t sent = late.sent.size();
    late.now = start + 5_s;
    late.turn();
    REQUIRE(late.done.size() == 1);
    CHECK(late.done[0].request.owner == 2);
    CHECK(late.sent.size() <= sent + 1);
    CHECK(late.tuner.next_deadline() == never);
}

TEST_CASE("numbers that are no channel and more commands than the bound are refused", "[tuner]") {
    Tuner tuner({.requests_max = 2}, hawser::Random(1));
    CHECK(tuner.submit({radio_a, 0, 0}, Command(), start).error() == TuneRefusal::bad_ssrc);
    CHECK(tuner.submit({radio_a, poll_all_ssrc, 0}, Command(), start).error() == TuneRefusal::bad_ssrc);
    REQUIRE(tuner.submit({radio_a, 1, 0}, Command(), start));
    REQUIRE(tuner.submit({radio_a, 1, 0}, Command(), start));
    CHECK(tuner.submit({radio_a, 2, 0}, Command(), start).error() == TuneRefusal::too_many);
    CHECK(tuner.figures().refused == 1);
}

TEST_CASE("any mixture of submissions, answers, losses and cancellations ends each command once", "[tuner][property]") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        hawser::Random random(seed);
        Tuner tuner({.requests_max = 64}, hawser::Random(seed + 1));
        std::set<std::uint64_t> open;
        std::map<std::uint32_t, std::vector<std::uint32_t>> tags;  // of each SSRC, those that were sent
        std::map<std::uint32_t, std::uint64_t> newest;             // of each SSRC, the owner last done
        Instant now = start;
        std::uint64_t owner = 0;
        const auto ended = [&](const Tuner::Done& done) {
            REQUIRE(open.erase(done.id.value) == 1);
            // In order of submission.
            REQUIRE((newest.count(done.request.ssrc) == 0 || newest[done.request.ssrc] < done.request.owner));
            newest[done.request.ssrc] = done.request.owner;
        };
        for (int step = 0; step < 600; ++step) {
            const std::uint32_t ssrc = 1 + random.below(8);
            switch (random.below(4)) {
                case 0:
                    if (const auto id = tuner.submit({radio_a, ssrc, ++owner}, Command(), now))
                        open.insert(id.value().value);
                    break;
                case 1:
                    if (!tags[ssrc].empty())
                        if (const auto done = tuner.on_status(
                                radio_a, ssrc, tags[ssrc][random.below(static_cast<std::uint32_t>(tags[ssrc].size()))],
                                now))
                            ended(*done);
                    break;
                case 2:
                    if (random.below(8) == 0 && !open.empty()) {
                        const std::uint64_t id = *open.begin();
                        REQUIRE(tuner.cancel(RequestId(id)));
                        open.erase(id);
                    }
                    break;
                default: now = now + Duration{std::int64_t{random.below(300)} * 1'000'000}; break;
            }
            while (const auto done = tuner.next_expired(now)) ended(*done);
            while (const auto packet = tuner.next_packet(now)) {
                const Sent sent = read_sent(*packet, now);
                tags[sent.ssrc].push_back(sent.tag);
            }
            REQUIRE(tuner.next_deadline() > now);
            REQUIRE(tuner.in_hand() == open.size());
            REQUIRE(tuner.is_consistent());
        }
    }
}

namespace {

// A tuner and a stand-in radiod, datagrams taking 200 us each way and lost at random.
struct World {
    World(std::uint64_t seed, std::uint32_t loss_percent, StandInOptions options = {})
        : tuner({}, hawser::Random(seed)),
          radiod(options, start),
          random(seed),
          loss(loss_percent),
          group(options.status_group) {}
    Tuner tuner;
    StandIn radiod;
    hawser::Random random;
    std::uint32_t loss;
    Endpoint group;
    Instant now = start;
    std::multimap<std::int64_t, std::vector<std::uint8_t>> commands, statuses;
    std::vector<Tuner::Done> done;
    std::uint64_t packets = 0;
    double frequency = 0;  // by the last status

    void run_until(Instant end) {
        while (true) {
            pump();
            std::int64_t next = std::min(tuner.next_deadline().ns, radiod.next_deadline().ns);
            if (!commands.empty()) next = std::min(next, commands.begin()->first);
            if (!statuses.empty()) next = std::min(next, statuses.begin()->first);
            if (next > end.ns) break;
            now = Instant{next};
        }
        now = end;
    }
    void pump() {
        while (!commands.empty() && commands.begin()->first <= now.ns) {
            radiod.on_command(commands.begin()->second, now);
            commands.erase(commands.begin());
        }
        radiod.run(now);
        for (auto& sent : radiod.take_sent())
            if (sent.to == group && random.below(100) >= loss)
                statuses.emplace(now.ns + 200'000, std::move(sent.bytes));
        while (!statuses.empty() && statuses.begin()->first <= now.ns) {
            Status status;
            REQUIRE_FALSE(decode_status(statuses.begin()->second, status));
            frequency = status.channel.frequency;
            if (const auto d = tuner.on_status(radio_a, status.channel.ssrc, status.channel.tag, now))
                done.push_back(*d);
            statuses.erase(statuses.begin());
        }
        while (const auto d = tuner.next_expired(now)) done.push_back(*d);
        while (const auto packet = tuner.next_packet(now)) {
            ++packets;
            if (random.below(100) >= loss)
                commands.emplace(now.ns + 200'000,
                                 std::vector<std::uint8_t>(packet->bytes.begin(), packet->bytes.end()));
        }
    }
};

}  // namespace

TEST_CASE("without loss a command is one packet and its reply's time", "[tuner]") {
    World world(1, 0);
    for (int i = 0; i < 50; ++i) {
        REQUIRE(world.tuner.submit({radio_a, 1000, 0}, tune_to(1e6 + i), world.now));
        world.run_until(world.now + 60_ms + Duration{std::int64_t{world.random.below(20)} * 1'000'000});
        REQUIRE(world.done.size() == static_cast<std::size_t>(i) + 1);
        CHECK(world.done.back().packets == 1);
        CHECK(world.done.back().took <= 41_ms);
    }
    CHECK(world.packets == 50);
}

TEST_CASE("hundreds of channels are tuned at once within a second", "[tuner]") {
    World world(2, 0, {.media = false});
    for (std::uint32_t i = 0; i < 500; ++i)
        REQUIRE(world.tuner.submit({radio_a, 1000 + i, i}, tune_to(1e6 + i), start));
    world.run_until(start + 1_s);
    REQUIRE(world.done.size() == 500);
    for (const auto& done : world.done) REQUIRE((done.confirmed && done.packets == 1));
    CHECK(world.radiod.channel_count() == 500);
    CHECK(world.radiod.dropped_commands() == 0);
}

TEST_CASE("with one datagram in three lost every command is confirmed all the same", "[tuner]") {
    World world(3, 33, {.media = false});
    for (std::uint32_t i = 0; i < 100; ++i)
        for (int k = 0; k < 2; ++k) REQUIRE(world.tuner.submit({radio_a, 1000 + i, i}, tune_to(1e6 + k), start));
    world.run_until(start + 6_s);
    CHECK(world.done.size() == 200);
    CHECK(std::count_if(world.done.begin(), world.done.end(), [](const auto& d) { return d.confirmed; }) >= 195);
}

TEST_CASE("a channel has what its last command told, whichever of those before were cancelled", "[tuner]") {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        World world(seed, 0, {.media = false});
        REQUIRE(world.tuner.submit({radio_a, 1000, 0}, tune_to(1e6), world.now));
        world.run_until(world.now + 100_ms);
        for (int i = 0; i < 5; ++i) {
            const auto id = world.tuner.submit({radio_a, 1000, 0}, tune_to(2e6 + i), world.now);
            REQUIRE(id);
            world.run_until(world.now + Duration{std::int64_t{world.random.below(30)} * 1'000'000});
            if (i != 4) world.tuner.cancel(*id);
        }
        world.run_until(world.now + 1_s);
        REQUIRE(world.tuner.in_hand() == 0);
        REQUIRE(world.radiod.dropped_commands() == 0);
        // Asked again, so that no reply of before is the last.
        REQUIRE(world.tuner.submit({radio_a, 1000, 0}, Command(), world.now));
        world.run_until(world.now + 1_s);
        REQUIRE(world.frequency == 2e6 + 4);
    }
}

TEST_CASE("a removed channel has answered before it goes", "[tuner]") {
    World world(4, 0);
    REQUIRE(world.tuner.submit({radio_a, 1000, 0}, tune_to(1e6), world.now));
    world.run_until(start + 100_ms);
    REQUIRE(world.tuner.submit({radio_a, 1000, 1}, command_to_remove(), world.now));
    world.run_until(start + 300_ms);
    REQUIRE(world.done.size() == 2);
    CHECK(world.done[1].confirmed);
    CHECK_FALSE(world.radiod.has(1000));
}
