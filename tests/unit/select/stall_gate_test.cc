// SPDX-License-Identifier: MIT
// When the stall gate closes and opens, to the interval at which links are judged; seen through the selector.
#include "engine/select/stall_gate.h"

#include <catch2/catch.hpp>

#include <memory>

#include "engine/link/accounting.h"
#include "engine/select/selector.h"

namespace hawser::select {
namespace {

using link::Accounting;
using wire::Seq31;

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr Instant t0{100'000'000'000};

// Two usable links; `a` carries packets that nothing answers, `b` is well throughout.
struct Bench {
    std::unique_ptr<Accounting> accounting = std::make_unique<Accounting>();
    Selector selector{*accounting, Random(1)};
    Instant now = t0;

    explicit Bench(Settings settings = {}) {
        selector.set(settings);
        for (const LinkId link : {a, b}) {
            accounting->add(link);
            selector.add(link, now);
            selector.note_registered(link, now);
            selector.set_usable(link, true, now);
        }
        selector.begin_turn(now);
    }
    void load(LinkId link, std::uint32_t packets) {
        for (std::uint32_t i = 0; i < packets; ++i) accounting->note_sent(link, Seq31(sequence++), now);
    }
    // Lets time pass in milliseconds until the gate of `a` is as asked or `limit` is over; how long it took.
    Duration until_gated(bool gated, Duration limit, bool heard = false, bool proof = false) {
        const Instant from = now;
        while (selector.gated(a) != gated && now - from < limit) step(heard, proof);
        return now - from;
    }
    void step(bool heard, bool proof) {
        now = now + 1_ms;
        if (heard) selector.note_heard(a, now);
        if (proof) selector.note_proof(mask_of(a), now);
        selector.note_heard(b, now);
        selector.note_proof(mask_of(b), now);
        selector.begin_turn(now);
    }
    std::uint32_t sequence = 1;
};

void check_between(Duration took, Duration least) {
    CAPTURE(took.ms(), least.ms());
    CHECK(took > least);
    CHECK(took <= least + gate_interval + 1_ms);
}

TEST_CASE("a loaded link without fresh proof is gated after four round trips, within 1 to 3 s") {
    const auto [rtt_ms, stale_ms] =
        GENERATE(table<int, int>({{0, 3000}, {20, 1000}, {250, 1000}, {400, 1600}, {750, 3000}, {2000, 3000}}));
    CAPTURE(rtt_ms);
    Bench bench;
    if (rtt_ms > 0) bench.selector.note_rtt(a, 1_ms * rtt_ms, bench.now);
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 32);
    check_between(bench.until_gated(true, 10_s, true), 1_ms * stale_ms);
}

TEST_CASE("a loaded link that hears nothing at all is gated after two round trips, at least 250 ms") {
    const auto [rtt_ms, silence_ms] =
        GENERATE(table<int, int>({{0, 250}, {20, 250}, {125, 250}, {300, 600}, {1000, 2000}, {2000, 3000}}));
    CAPTURE(rtt_ms);
    Bench bench;
    if (rtt_ms > 0) bench.selector.note_rtt(a, 1_ms * rtt_ms, bench.now);
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.selector.note_heard(a, bench.now);
    bench.load(a, 32);
    check_between(bench.until_gated(true, 10_s), 1_ms * silence_ms);
}

TEST_CASE("one byte ends a silence pull at once") {
    Bench bench;
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    (void)bench.until_gated(true, 1_s);
    REQUIRE(bench.selector.gated(a));
    bench.selector.note_heard(a, bench.now);
    CHECK_FALSE(bench.selector.gated(a));
}

TEST_CASE("a latched link is released by proof that stays fresh for twice the stale time") {
    Bench bench;
    bench.selector.note_rtt(a, 20_ms, bench.now);  // stale after 1 s
    bench.load(a, 32);
    (void)bench.until_gated(true, 10_s, true);
    REQUIRE(bench.selector.gated(a));
    const Duration took = bench.until_gated(false, 10_s, true, true);
    CAPTURE(took.ms());
    CHECK(took >= 2000_ms);
    CHECK(took <= 2000_ms + gate_interval + 1_ms);
}

TEST_CASE("a gap in the proof starts the release anew") {
    Bench bench;
    bench.selector.note_rtt(a, 20_ms, bench.now);
    bench.load(a, 32);
    (void)bench.until_gated(true, 10_s, true);
    for (int i = 0; i < 1500; ++i) bench.step(true, true);
    for (int i = 0; i < 1100; ++i) bench.step(true, false);  // stale again
    REQUIRE(bench.selector.gated(a));
    const Duration took = bench.until_gated(false, 10_s, true, true);
    CHECK(took >= 2000_ms);
    CHECK(took <= 2000_ms + gate_interval + 1_ms);
}

TEST_CASE("a link with 31 packets in flight is not stalled, nor one that never gave proof") {
    Bench bench;
    const bool proven = GENERATE(true, false);
    if (proven) bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, proven ? 31 : 200);
    CHECK(bench.until_gated(true, 20_s) >= 20_s);
}

TEST_CASE("a link with nothing in flight owes nothing: its clocks start when it gets packets") {
    Bench bench;
    bench.selector.note_rtt(a, 20_ms, bench.now);
    for (int i = 0; i < 5000; ++i) bench.step(false, false);  // the stream pauses
    bench.load(a, 64);
    const Duration took = bench.until_gated(true, 10_s);
    CHECK(took >= 250_ms - gate_interval);
    CHECK(took <= 250_ms + gate_interval + 1_ms);
}

TEST_CASE("no link is gated when all are stalled, and the gates close again when one is well") {
    Bench bench;
    for (const LinkId link : {a, b}) {
        bench.selector.note_proof(mask_of(link), bench.now);
        bench.load(link, 32);
    }
    for (int i = 0; i < 400; ++i) {
        bench.now = bench.now + 10_ms;
        bench.selector.begin_turn(bench.now);
        REQUIRE_FALSE((bench.selector.gated(a) && bench.selector.gated(b)));
        REQUIRE(bench.selector.pick(bench.now) != no_link);
    }
    CHECK_FALSE(bench.selector.gated(a));
    for (int i = 0; i < 7000; ++i) bench.step(false, false);  // b proves itself again
    CHECK(bench.selector.gated(a));
    CHECK_FALSE(bench.selector.gated(b));
    CHECK(bench.selector.pick(bench.now) == b);
}

TEST_CASE("a gated link is opened at once when the last other link is lost") {
    Bench bench;
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    (void)bench.until_gated(true, 1_s);
    REQUIRE(bench.selector.pick(bench.now) == b);
    const bool removed = GENERATE(true, false);
    if (removed) {
        bench.selector.remove(b);
    } else {
        bench.selector.set_usable(b, false, bench.now);
    }
    CHECK(bench.selector.pick(bench.now) == a);
}

TEST_CASE("a link that carries nothing anyway is no reason to gate the others") {
    Bench bench;
    bench.selector.set_kept(mask_of(b));
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    CHECK(bench.until_gated(true, 3_s) == 3_s);
    CHECK(bench.selector.stalled() == mask_of(a));
    bench.selector.set_kept(0);
    CHECK(bench.selector.gated(a));
    bench.selector.set_kept(mask_of(b));
    CHECK_FALSE(bench.selector.gated(a));
}

TEST_CASE("the gate is off in classic mode and by its toggle") {
    Settings settings;
    const bool classic = GENERATE(true, false);
    if (classic) settings.mode = Mode::classic;
    if (!classic) settings.stall_gate = false;
    Bench bench{settings};
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 100);
    CHECK(bench.until_gated(true, 10_s) >= 10_s);
}

TEST_CASE("the gate's thresholds are settings") {
    Settings settings;
    settings.stall_min_in_flight = 5;
    settings.stall_ack_stale = 200_ms;  // also below the usual least stale time
    Bench bench{settings};
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 5);
    check_between(bench.until_gated(true, 10_s, true), 200_ms);
}

TEST_CASE("a gated link gets a copy of one packet in a hundred, others none") {
    Bench bench;
    CHECK(bench.selector.probe_for_gated(bench.now) == no_link);
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    (void)bench.until_gated(true, 1_s);
    int copies = 0;
    for (int i = 0; i < 1000; ++i) {
        const LinkId probed = bench.selector.probe_for_gated(bench.now);
        REQUIRE((probed == a || probed == no_link));
        copies += probed == a ? 1 : 0;
    }
    CHECK(copies == 10);
}

TEST_CASE("times a link became gated are counted") {
    Bench bench;
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    (void)bench.until_gated(true, 1_s);
    bench.selector.note_heard(a, bench.now);
    (void)bench.until_gated(true, 1_s);
    CHECK(bench.selector.gate_events() == 2);
}

}  // namespace
}  // namespace hawser::select
