// SPDX-License-Identifier: MIT
// What is kept in reserve and what waits for a cap, at the edges: uplinks that are busy, silent or stalled, a mode that
// changes while packets wait, and sends that the kernel refuses.
#include <catch2/catch.hpp>

#include <cerrno>
#include <deque>

#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using select::Mode;

namespace {

Mode any_mode() { return GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive); }

UplinkSettings settings(std::uint8_t priority, std::uint64_t cap = 0) {
    UplinkSettings s;
    s.priority = priority;
    s.rate_cap = cap;
    return s;
}

void choose(SenderLab& lab, Mode mode) {
    Command c;
    c.kind = CommandKind::set_selection;
    c.selection.mode = mode;
    c.selection.latency = 1_s;
    lab.command(c);
    lab.run(1_ms);
}

void keep_busy(SenderLab& lab, std::size_t i, Duration span) {
    lab.world.fail_sends(SenderLab::uplink(i), EAGAIN, lab.world.now() + span);
}

// Lets time pass; how many packets the reserve carried while that was not told.
std::uint64_t untold(SenderLab& lab, std::size_t reserve, Duration span) {
    std::uint64_t count = 0;
    std::uint64_t before = lab.carried(reserve);
    for (const Instant end = lab.world.now() + span; lab.world.now() < end;) {
        lab.run(1_ms);
        const std::uint64_t now = lab.carried(reserve);
        if (lab.count(EventKind::reserve_used) == lab.count(EventKind::reserve_spared)) count += now - before;
        before = now;
    }
    return count;
}

}  // namespace

TEST_CASE("the reserve carries nothing while the others are merely busy") {
    const Mode mode = any_mode();
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 1, settings(priority_reserve));
    lab.run(1_s);
    const std::uint64_t before = lab.carried(1);
    for (int i = 0; i < 20; ++i) {
        keep_busy(lab, 0, 20_ms);
        lab.run(100_ms);
    }
    CHECK(lab.link(0).deferred > 20);
    CHECK(lab.carried(1) == before);
    CHECK(lab.count(EventKind::reserve_used) == 0);
    if (mode == Mode::adaptive) CHECK(lab.delivered() >= lab.caller->counts().sent - 20);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("adaptive waits for an uplink of the first class that is busy before it takes one of the second") {
    LabOptions options = lab_with(Mode::adaptive, 2);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    say(lab, 1, settings(2));
    lab.run(2_s);
    const std::uint64_t before = lab.carried(1);
    for (int i = 0; i < 20; ++i) {
        keep_busy(lab, 0, 10_ms);  // a fifth of what a packet waits for a class at most
        lab.run(100_ms);
    }
    CHECK(lab.link(0).deferred > 20);
    CHECK(lab.carried(1) - before <= 2 * 20);  // SRT's own packets, one in 10 ms, do not wait
    CHECK(lab.delivered() >= lab.caller->counts().sent - 20);
}

TEST_CASE("an uplink that is silent for a moment is no reason to use the reserve") {
    const Mode mode = any_mode();
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 1, settings(priority_reserve));
    lab.run(2_s);
    const std::uint64_t before = lab.carried(1);
    for (int i = 0; i < 4; ++i) {
        lab.set_dark(0, true);
        lab.run(800_ms);
        lab.set_dark(0, false);
        lab.run(1_s);
    }
    CHECK(lab.carried(1) == before);
    CHECK(lab.count(EventKind::reserve_used) == 0);
    CHECK(lab.connected(0));
}

TEST_CASE("whenever the reserve carries data that has been told, once in a spell, and so is the end") {
    const Mode mode = any_mode();
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 3));
    REQUIRE(lab.settle());
    say(lab, 2, settings(priority_reserve));
    lab.run(2_s);
    CHECK(untold(lab, 2, 1_s) == 0);
    std::uint64_t seen = 0;
    // Short of losing the connections, and beyond.
    for (const Duration span : {3_s, 8_s, 500_ms, 3_s}) {
        lab.set_dark(0, true);
        lab.set_dark(1, true);
        const std::uint64_t before = lab.carried(2);
        CHECK(untold(lab, 2, span) == 0);
        const bool has_carried = lab.carried(2) - before > 100;
        CHECK(has_carried == (span >= 3_s && (mode != Mode::classic || span > 4_s)));
        lab.set_dark(1, false);
        CHECK(untold(lab, 2, 5_s) == 0);
        lab.set_dark(0, false);
        CHECK(untold(lab, 2, 5_s) == 0);
        seen += has_carried ? 1 : 0;
        CHECK(lab.count(EventKind::reserve_used) == seen);
        CHECK(lab.count(EventKind::reserve_spared) == seen);
    }
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("what waits for a cap when adaptive is chosen goes out by it, and nothing has to be sent again") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 1));
    REQUIRE(lab.settle());
    lab.run(1_s);
    say(lab, 0, settings(priority_first, 3'000'000));  // of 5.4 Mbit/s
    const std::uint64_t waiting = lab.caller->counts().sent - lab.delivered();
    CHECK(waiting > 10);
    choose(lab, Mode::adaptive);
    say(lab, 0, settings(priority_first));
    lab.run(2_s);
    lab.caller->pause(true);
    lab.run(1_s);
    CHECK(lab.delivered() == lab.caller->counts().sent);
    CHECK(lab.caller->counts().sent_again == 0);
    CHECK(lab.counter(Counter::drop_rate_cap) == 0);
}

TEST_CASE("a packet that comes in the turn in which a cap opens waits behind those before it") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    CAPTURE(select::name_of(mode));
    LabOptions options = lab_with(mode, 1);
    options.coalesce = 500_us;  // so that packets and a cap's opening meet in a turn
    options.caller.packets_per_second = 8000;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    say(lab, 0, settings(priority_first, 80'000'000));
    const std::uint64_t before = lab.counter(Counter::drop_no_uplink);
    lab.run(3_s);
    CHECK(lab.counter(Counter::drop_no_uplink) == before);
}

TEST_CASE("packets that wait for a cap are no reason to keep silent when the last uplink goes") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 1));
    REQUIRE(lab.settle());
    say(lab, 0, settings(priority_first, 1'000'000));
    lab.run(200_ms);
    lab.suspend_uplink(0);
    lab.run(50_ms);
    CHECK(lab.count(EventKind::no_uplink_for_data) >= 1);
}

TEST_CASE("an uplink that the stall gate keeps carries what the others' caps do not let through") {
    SenderLab lab(lab_with(Mode::enhanced, 2));
    REQUIRE(lab.settle());
    lab.run(2_s);
    say(lab, 0, settings(priority_first, 1'000'000));
    lab.set_dark(1, true);
    REQUIRE(lab.reach([&] { return lab.link(1).gated; }, 2_s));
    const std::uint64_t before = lab.carried(1);
    lab.run(500_ms);
    // An uplink at its cap is still better than one that is gated, but packets that find it closed have no other.
    CHECK(lab.carried(1) - before > 50);
    CHECK(lab.counter(Counter::drop_no_uplink) <= 1);
}

TEST_CASE("the pump does not spin at a capped uplink that is silent") {
    const Mode mode = any_mode();
    CAPTURE(select::name_of(mode));
    std::uint64_t calls = 0;  // before the lab, whose end makes calls too
    SenderLab lab(lab_with(mode, 1));
    REQUIRE(lab.settle());
    say(lab, 0, settings(priority_first, 1'000'000));
    lab.run(1_s);
    lab.set_dark(0, true);
    lab.sender->after = [&](const Completion*) { ++calls; };
    lab.run(3_s);
    // 500 packets a second, adaptive's hundred ticks and the caps' openings, at two or three calls each.
    CHECK(calls < 3 * 3000);
    calls = 0;
    lab.caller->pause(true);
    lab.run(3_s);
    CHECK(calls < 3 * 500);
}

TEST_CASE("data of before adaptive's memory keep to the caps too, and SRT's own packets go and count") {
    constexpr std::uint64_t cap = 1'000'000;
    LabOptions options = lab_with(Mode::adaptive, 1);
    options.sender.kept_packets = 64;
    options.shape.loss_per_million = 20'000;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    say(lab, 0, settings(priority_first, cap));
    lab.run(1_s);
    const std::uint64_t again = lab.caller->counts().sent_again;
    const std::uint64_t nowhere = lab.counter(Counter::drop_no_uplink);
    std::deque<std::pair<Instant, std::uint64_t>> samples;
    std::uint64_t most = 0;
    for (int i = 0; i < 3000; ++i) {
        lab.run(1_ms);
        samples.emplace_back(lab.world.now(), lab.link(0).wire_bytes_out);
        while (lab.world.now() - samples.front().first > 100_ms) samples.pop_front();
        most = std::max(most, samples.back().second - samples.front().second);
    }
    CHECK(lab.caller->counts().sent_again - again > 50);
    CHECK(lab.counter(Counter::drop_rate_cap) > 10);
    CHECK(lab.counter(Counter::drop_no_uplink) == nowhere);
    // A packet more, and SRT's and SRTLA's own.
    CHECK(most <= cap / 8 / 10 + 1360 + 1000);
}

TEST_CASE("what the kernel refused is charged to no budget") {
    const Mode mode = any_mode();
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 0, settings(priority_first, 2'000'000));
    lab.run(1_s);
    // Not for long at a time: adaptive leaves a link on which nothing is answered.
    for (int i = 0; i < 5; ++i) {
        lab.run(120_ms);
        keep_busy(lab, 0, 200_ms);
        lab.run(10_ms);
        const std::uint64_t before = lab.link(0).wire_bytes_out;
        lab.run(180_ms);
        CHECK(lab.link(0).wire_bytes_out <= before + 2 * 1360);  // a packet or two of which the refusal is under way
    }
    CHECK(lab.link(0).deferred > 50);
}
