// SPDX-License-Identifier: MIT
// Classes, rate caps and the reserve, by each selector, at the whole sender in its laboratory.
#include <catch2/catch.hpp>

#include <deque>

#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using select::Mode;

namespace {

UplinkSettings in_class(std::uint8_t priority) {
    UplinkSettings s;
    s.priority = priority;
    return s;
}

UplinkSettings capped(std::uint64_t bits) {
    UplinkSettings s;
    s.rate_cap = bits;
    return s;
}

}  // namespace

TEST_CASE("a later class carries nothing of a stream that the first has room for, and stays warm") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 3));
    REQUIRE(lab.settle());
    say(lab, 0, in_class(1));
    say(lab, 1, in_class(2));
    say(lab, 2, in_class(4));
    lab.run(2_s);  // the first class's model learns what it can
    const std::uint64_t before = lab.carried(0);
    const std::uint64_t second = lab.carried(1);
    const std::uint64_t last = lab.carried(2);
    const std::uint64_t keepalives = lab.counter(Counter::keepalives_out);
    lab.run(5_s);
    CHECK(lab.carried(0) - before > 500);
    CHECK(lab.carried(1) == second);
    CHECK(lab.carried(2) == last);
    CHECK(lab.counter(Counter::keepalives_out) >= keepalives + 15);
    for (std::size_t i = 0; i < 3; ++i) CHECK(lab.link(i).state == UplinkState::connected);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("the next class takes over when the first goes dark, and gives back when it answers again") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 1, in_class(2));
    lab.run(1_s);
    lab.set_dark(0, true);
    lab.run(6_s);
    const std::uint64_t before = lab.carried(1);
    const std::uint64_t delivered = lab.delivered();
    lab.run(1_s);
    CHECK(lab.carried(1) - before > 80);
    CHECK(lab.delivered() - delivered > 80);
    lab.set_dark(0, false);
    REQUIRE(lab.reach([&] { return lab.connected(0); }, 10_s));
    lab.run(3_s);
    const std::uint64_t spared = lab.carried(1);
    lab.run(3_s);
    CHECK(lab.carried(1) - spared <= 10);  // SRT's control packets may go where a window is greater
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("data and what goes with them never exceed a cap in 100 ms by more than a packet") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    constexpr std::uint64_t cap = 2'000'000;  // of 5.4 Mbit/s that are offered
    say(lab, 0, capped(cap));
    lab.run(1_s);
    std::deque<std::pair<Instant, std::uint64_t>> samples;
    std::uint64_t most = 0;
    const std::uint64_t before = lab.link(0).wire_bytes_out;
    for (int i = 0; i < 3000; ++i) {
        lab.run(1_ms);
        samples.emplace_back(lab.world.now(), lab.link(0).wire_bytes_out);
        while (lab.world.now() - samples.front().first > 100_ms) samples.pop_front();
        most = std::max(most, samples.back().second - samples.front().second);
    }
    // A packet more, and a keepalive and SRT's own control packets, which do not wait.
    CHECK(most <= cap / 8 / 10 + 1360 + 400);
    CHECK(lab.link(0).wire_bytes_out - before > cap / 8);
    CHECK(lab.carried(1) > 500);  // the rest of the stream
    CHECK(lab.counter(Counter::drop_rate_cap) == 0);
    CHECK(lab.counter(Counter::drop_no_uplink) <= 1);  // a handshake before the first uplink was there
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("where every uplink is at its cap, packets wait for one and are not lost") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 0, capped(3'000'000));
    say(lab, 1, capped(3'000'000));
    lab.run(2_s);
    const std::uint64_t delivered = lab.delivered();
    lab.run(4_s);
    CHECK(lab.delivered() - delivered >= 1990);
    CHECK(lab.counter(Counter::drop_rate_cap) == 0);
    CHECK(lab.counter(Counter::drop_no_uplink) <= 1);  // a handshake before the first uplink was there
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("what the caps cannot carry in time is dropped and counted, and every buffer comes back") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 1));
    REQUIRE(lab.settle());
    say(lab, 0, capped(1'000'000));
    lab.run(4_s);
    CHECK(lab.counter(mode == Mode::adaptive ? Counter::packets_given_up : Counter::drop_rate_cap) > 100);
    CHECK(lab.counter(Counter::drop_no_uplink) <= 1);  // a handshake before the first uplink was there
    CHECK(lab.connected(0));
    // The encoder is told no more than the cap leaves for media.
    const SafeRate& rate = lab.snapshot().safe_rate;
    CHECK(rate.is_known);
    CHECK(rate.bits_per_second < 1'000'000);
}

TEST_CASE("the reserve carries nothing while another uplink works, and everything when none does, which is told") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    SenderLab lab(lab_with(mode, 2));
    REQUIRE(lab.settle());
    say(lab, 1, in_class(priority_reserve));
    UplinkSettings slow = capped(1'000'000);
    say(lab, 0, slow);  // even when the other one cannot carry it all
    lab.run(1_s);
    const std::uint64_t before = lab.carried(1);
    lab.run(3_s);
    CHECK(lab.carried(1) == before);
    CHECK(lab.count(EventKind::reserve_used) == 0);
    say(lab, 0, UplinkSettings{});
    lab.set_dark(0, true);
    REQUIRE(lab.reach([&] { return lab.count(EventKind::reserve_used) == 1; }, 10_s));
    CHECK(lab.last(EventKind::reserve_used)->link == LinkId(1));
    const std::uint64_t delivered = lab.delivered();
    lab.run(1_s);
    CHECK(lab.delivered() - delivered > 400);
    lab.set_dark(0, false);
    REQUIRE(lab.reach([&] { return lab.count(EventKind::reserve_spared) == 1; }, 15_s));
    lab.run(2_s);
    const std::uint64_t spared = lab.carried(1);
    lab.run(2_s);
    CHECK(lab.carried(1) == spared);
    CHECK(lab.count(EventKind::reserve_used) == 1);
}

TEST_CASE("bytes on the wire are those of the slot, with headers and SRTLA's own packets, and never fall") {
    SenderLab lab(lab_with(Mode::classic, 2));
    REQUIRE(lab.settle());
    lab.run(2_s);
    const UplinkSnapshot before = lab.link(1);
    CHECK(before.tenancy == 1);
    CHECK(before.wire_bytes_out > before.bytes_out + before.packets_out * 28 + 2 * 66);
    CHECK(before.wire_bytes_in == before.bytes_in + before.packets_in * 28);
    lab.remove_uplink(1);
    lab.run(100_ms);
    CHECK(lab.link(1).wire_bytes_out >= before.wire_bytes_out);
    const std::uint64_t at_end = lab.link(1).wire_bytes_out;
    lab.add_uplink(1);
    lab.run(1_s);
    CHECK(lab.link(1).tenancy == 2);
    CHECK(lab.link(1).packets_out < before.packets_out);
    CHECK(lab.link(1).wire_bytes_out > at_end);
    CHECK(lab.link(1).wire_bytes_in > before.wire_bytes_in);
}

TEST_CASE("limits may change at any moment in any mode, and nothing is lost or invented") {
    const std::uint64_t seed = GENERATE(1u, 2u, 3u);
    LabOptions options = lab_with(Mode::adaptive, 4);
    options.seed = seed;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    Random random(seed);
    for (int i = 0; i < 60; ++i) {
        UplinkSettings s;
        s.priority = static_cast<std::uint8_t>(priority_first + random.below(priority_reserve));
        s.rate_cap = random.below(2) == 0 ? 0 : 3'000'000 + random.below(6'000'000);
        s.metered = random.below(2) == 0;
        say(lab, random.below(4), s);
        if (i % 6 == 0) {
            Command c;
            c.kind = CommandKind::set_selection;
            c.selection.mode = static_cast<Mode>(random.below(3));
            lab.command(c);
        }
        lab.run(200_ms);
    }
    for (std::size_t i = 0; i < 4; ++i) say(lab, i, UplinkSettings{});
    lab.run(2_s);
    const std::uint64_t delivered = lab.delivered();
    lab.run(2_s);
    CHECK(lab.delivered() - delivered >= 990);
    CHECK(lab.caller_is_unharmed());
}
