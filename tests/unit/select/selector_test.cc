// SPDX-License-Identifier: MIT
// The selector by hand: ties, thresholds, hysteresis, one snapshot per turn, back-pressure, exploration; and the proof
// that its float division is the reference's integer division.
#include "engine/select/selector.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/link/accounting.h"
#include "engine/select/modes.h"

namespace hawser::select {
namespace {

using link::Accounting;
using wire::Seq31;

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr LinkId c{2};
constexpr Instant t0{100'000'000'000};
constexpr Settings classic{.mode = Mode::classic};

struct Bench {
    std::unique_ptr<Accounting> accounting = std::make_unique<Accounting>();
    Selector selector{*accounting, Random(1)};
    Instant now = t0;
    std::uint32_t sequence = 1;

    Bench(int links, const Settings& settings) {
        selector.set(settings);
        for (int i = 0; i < links; ++i) {
            const LinkId link(static_cast<std::uint8_t>(i));
            accounting->add(link);
            selector.add(link, now);
            selector.set_usable(link, true, now);
        }
        selector.begin_turn(now);
    }
    void load(LinkId link, std::int32_t packets) {
        for (std::int32_t i = 0; i < packets; ++i) accounting->note_sent(link, Seq31(sequence++), now);
    }
    LinkId pick() { return selector.pick(now); }
    void turn(Duration later = 1_s) {
        now = now + later;
        selector.begin_turn(now);
    }
};

TEST_CASE("float division has the whole part of integer division for every window and share") {
    // Beyond a share of window + 1 the answer is 0 for good. Windows: all that a link can have, and a dense set above.
    alignas(16) std::array<std::int32_t, links_max> window{};
    alignas(16) std::array<std::int32_t, links_max> in_flight{};
    Candidates candidates;
    candidates.window = window.data();
    candidates.in_flight = in_flight.data();
    std::int64_t wrong = 0;
    const auto check = [&](std::int32_t w, std::int32_t n) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            window[lane] = w;
            in_flight[lane] = n + static_cast<std::int32_t>(lane);
        }
        const IntLanes scores = classic_scores(candidates, 0);
        for (std::size_t lane = 0; lane < lanes; ++lane)
            wrong += scores[lane] != w / (n + static_cast<std::int32_t>(lane) + 1) ? 1 : 0;
    };
    // For a given share s the quotient can only go wrong beside a multiple of s: those, and all windows for small
    // shares.
    for (std::int32_t w = 0; w <= 60'100; ++w)
        for (std::int32_t n = 0; n < 1024; n += lanes) check(w, n);
    for (std::int32_t s = 1024; s <= 60'100; ++s)
        for (std::int32_t multiple = s; multiple <= 60'100; multiple += s)
            for (const std::int32_t w : {multiple - 1, multiple, multiple + 1}) check(w, s - 1);
    for (const std::int32_t n : {100'000, 16'777'214, 16'777'216, 1'000'000'000, 2'147'483'640}) check(60'029, n);
    CHECK(wrong == 0);
}

TEST_CASE("without a usable link there is no pick") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    Bench bench{2, {.mode = mode}};
    bench.selector.set_usable(a, false, bench.now);
    CHECK(bench.pick() == b);
    bench.selector.set_usable(b, false, bench.now);
    CHECK(bench.pick() == no_link);
    CHECK(bench.selector.score(b) < 0);
    bench.selector.remove(a);
    bench.selector.remove(b);
    CHECK(bench.pick() == no_link);
    CHECK(bench.selector.pick_except(0, bench.now) == no_link);
}

TEST_CASE("a new link is not usable until it is said to be") {
    Bench bench{1, classic};
    bench.accounting->add(b);
    bench.selector.add(b, bench.now);
    CHECK(bench.pick() == a);
    bench.selector.set_usable(b, true, bench.now);
    CHECK(bench.pick() == b);
}

TEST_CASE("among equal scores the last added wins, also after a removal in between") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    Bench bench{3, {.mode = mode}};
    CHECK(bench.pick() == c);
    bench.selector.remove(a);
    bench.accounting->remove(a);
    bench.accounting->add(a);
    bench.selector.add(a, bench.now);
    bench.selector.set_usable(a, true, bench.now);
    bench.selector.set_usable(c, false, bench.now);  // ends the hold of hysteresis on c
    bench.turn();
    CHECK(bench.pick() == a);
}

TEST_CASE("scores are whole packets of window per packet in flight and one more") {
    Bench bench{2, classic};
    bench.load(b, 1);  // 20000 / 2
    bench.load(a, 1);
    CHECK(bench.selector.score(a) == 10'000.0F);
    CHECK(bench.pick() == b);
    bench.accounting->grow(a, 1);  // 10000 still: a half does not count
    CHECK(bench.pick() == b);
    bench.accounting->grow(a, 1);
    CHECK(bench.pick() == a);
}

TEST_CASE("a link with score 0 is picked when there is no better") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    Bench bench{1, {.mode = mode}};
    bench.accounting->fail(a);
    bench.load(a, 5000);
    CHECK(bench.selector.score(a) == 0.0F);
    CHECK(bench.pick() == a);
}

TEST_CASE("enhanced weighs by quality, and not when the toggle is off") {
    Settings settings;
    settings.quality = GENERATE(true, false);
    Bench bench{2, settings};
    bench.selector.note_nak(b, bench.now);  // 0.98 against 1.1
    bench.turn(100_ms);
    CHECK(bench.selector.quality(b) == (settings.quality ? 0.98F : 1.0F));
    CHECK(bench.pick() == (settings.quality ? a : b));
}

TEST_CASE("the previous link is kept until another scores 1.10 times as much") {
    Settings settings;
    settings.quality = false;
    Bench bench{2, settings};
    bench.load(a, 1);
    REQUIRE(bench.pick() == b);
    bench.load(b, 1);  // both 10000
    bench.accounting->grow(a, 2 * 999);
    REQUIRE(bench.selector.score(a) == 10'999.0F);
    CHECK(bench.pick() == b);
    bench.accounting->grow(a, 2);  // 11000 = 1.10 * 10000
    CHECK(bench.pick() == a);
    CHECK(bench.pick() == a);
}

TEST_CASE("a previous link that may not be picked any more holds nothing") {
    Settings settings;
    Bench bench{2, settings};
    REQUIRE(bench.pick() == b);
    bench.selector.set_usable(b, false, bench.now);
    CHECK(bench.pick() == a);
    bench.selector.set_usable(b, true, bench.now);
    CHECK(bench.pick() == a);  // equal now, so a holds
    bench.selector.remove(a);
    CHECK(bench.pick() == b);
}

TEST_CASE("classic has no hysteresis") {
    Bench bench{2, classic};
    REQUIRE(bench.pick() == b);
    bench.load(b, 1);
    CHECK(bench.pick() == a);
}

TEST_CASE("settings change between turns only") {
    Bench bench{2, classic};
    REQUIRE(bench.pick() == b);
    bench.selector.set({.mode = Mode::enhanced});
    bench.load(b, 1);
    CHECK(bench.selector.settings().mode == Mode::classic);
    CHECK(bench.pick() == a);
    bench.load(a, 1);
    CHECK(bench.pick() == b);  // classic still: nothing holds a
    bench.turn(0_ms);
    CHECK(bench.selector.settings().mode == Mode::enhanced);
    REQUIRE(bench.pick() == b);
    bench.accounting->grow(a, 100);
    CHECK(bench.pick() == b);  // held
}

TEST_CASE("a quality is recomputed at most every 50 ms") {
    Bench bench{2, {}};
    bench.turn(10_ms);
    bench.selector.note_nak(b, bench.now);
    bench.turn(39_ms);
    CHECK(bench.selector.quality(b) == 1.1F);
    bench.turn(11_ms);
    CHECK(bench.selector.quality(b) == 0.98F);
}

TEST_CASE("a link that was lost and comes back starts with a clean history") {
    Bench bench{2, {}};
    bench.selector.note_registered(b, bench.now);
    bench.selector.note_nak(b, bench.now);
    bench.turn();
    CHECK(bench.selector.quality(b) == 0.98F);
    bench.selector.set_usable(b, false, bench.now);
    bench.selector.note_registered(b, bench.now);
    bench.selector.set_usable(b, true, bench.now);
    bench.turn();
    CHECK(bench.selector.quality(b) == 1.1F);
}

TEST_CASE("windows recover once a second in enhanced mode only") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    Bench bench{1, {.mode = mode}};
    for (int i = 0; i < 100; ++i) bench.turn(100_ms);
    CHECK(bench.accounting->window(a) == (mode == Mode::classic ? 20'000 : 20'000 + 10 * 60));
}

TEST_CASE("after back-pressure the next best is tried, each link once") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    Bench bench{3, {.mode = mode}};
    bench.load(a, 2);
    bench.load(c, 1);
    CHECK(bench.pick() == b);
    CHECK(bench.selector.pick_except(mask_of(b), bench.now) == c);
    CHECK(bench.selector.pick_except(mask_of(b) | mask_of(c), bench.now) == a);
    CHECK(bench.selector.pick_except(7, bench.now) == no_link);
    CHECK(bench.pick() == b);
}

TEST_CASE("after back-pressure a gated link is better than none") {
    Bench bench{2, {}};
    bench.selector.note_proof(mask_of(a), bench.now);
    bench.load(a, 40);
    bench.turn(5_s);
    bench.selector.note_heard(b, bench.now);
    REQUIRE(bench.selector.gated(a));
    CHECK(bench.selector.pick_except(0, bench.now) == b);
    CHECK(bench.selector.pick_except(mask_of(b), bench.now) == a);
}

TEST_CASE("exploration is off by default, rare when on, and never beyond half the best score") {
    Settings settings;
    settings.exploration = GENERATE(true, false);
    Bench bench{3, settings};
    bench.load(a, 2);  // a third of c's score: never explored
    int others = 0;
    int last = -100;
    for (int i = 0; i < 10'000; ++i) {
        const LinkId picked = bench.pick();
        REQUIRE(picked != a);
        if (picked == c) continue;
        ++others;
        REQUIRE(i - last >= 100);
        last = i;
    }
    CHECK(others == static_cast<int>(bench.selector.explored()));
    CHECK(others <= 100);
    CHECK((others > 50) == settings.exploration);
}

TEST_CASE("exploration alone with one link changes nothing") {
    Settings settings;
    settings.exploration = true;
    Bench bench{1, settings};
    for (int i = 0; i < 1000; ++i) REQUIRE(bench.pick() == a);
    CHECK(bench.selector.explored() == 0);
}

}  // namespace
}  // namespace hawser::select
