// SPDX-License-Identifier: MIT
// The sender's flight recorder: whatever is given up, dropped or refused is told there, and no stranger fills it.
#include <catch2/catch.hpp>

#include <cerrno>

#include "tests/sim/harness_sender.h"
#include "tests/sim/records.h"

using namespace hawser;
using namespace hawser::test;
using select::Mode;

namespace {

// One uplink with a third of what the stream needs.
struct TooNarrow {
    explicit TooNarrow(Mode mode) : lab(lab_with(mode, 1)), records(lab.sender->sender.recorder()) {
        REQUIRE(lab.settle());
        UplinkSettings s;
        s.rate_cap = 1'000'000;
        say(lab, 0, s);
    }
    [[nodiscard]] std::size_t dropped_for(Counter why) const {
        return records
            .all_that([why](const FlightRecord& r) {
                return r.decision == Decision::local_dropped && r.detail == static_cast<std::uint32_t>(why);
            })
            .size();
    }
    SenderLab lab;
    Records records;
};

}  // namespace

TEST_CASE("each packet that waits too long for a cap is in the recorder as dropped for it") {
    const Mode mode = GENERATE(Mode::classic, Mode::enhanced);
    CAPTURE(select::name_of(mode));
    TooNarrow t(mode);
    t.lab.run(4_s);
    const std::uint64_t dropped = t.lab.counter(Counter::drop_rate_cap);
    CHECK(dropped > 100);
    CHECK(t.dropped_for(Counter::drop_rate_cap) == dropped);
}

TEST_CASE("each packet that adaptive gives up is in the recorder with its reason, and says which it is") {
    TooNarrow t(Mode::adaptive);
    t.lab.run(4_s);
    const std::uint64_t given_up = t.lab.counter(Counter::packets_given_up);
    CHECK(given_up > 100);
    const auto late = t.records.of(Decision::too_late);
    CHECK(late.size() > 100);
    CHECK(late.size() + t.records.count(Decision::overtaken) + t.records.count(Decision::displaced) +
              t.records.count(Decision::too_large) ==
          given_up);
    for (std::size_t i = 1; i < late.size(); ++i)
        CHECK(wire::distance(wire::Seq31(load_be32(late[i - 1].head.data())),
                             wire::Seq31(load_be32(late[i].head.data()))) > 0);
}

TEST_CASE("what still waits at its session's end is counted and recorded") {
    const Mode mode = GENERATE(Mode::classic, Mode::adaptive);
    CAPTURE(select::name_of(mode));
    TooNarrow t(mode);
    t.lab.run(2_s);
    CHECK(t.lab.counter(Counter::drop_session_over) == 0);
    Command stop;
    stop.kind = CommandKind::stop;
    t.lab.command(stop);
    t.lab.run(10_ms);
    const std::uint64_t dropped = t.lab.counter(Counter::drop_session_over);
    CHECK(dropped > 10);
    CHECK(t.records.count(Decision::session_over) == dropped);
}

TEST_CASE("what the caller's socket refuses is recorded as refused, after it was passed on") {
    SenderLab lab(lab_with(Mode::classic, 1));
    REQUIRE(lab.settle());
    const Records records(lab.sender->sender.recorder());
    lab.run(500_ms);
    CHECK(records.count(Decision::local_refused) == 0);
    const std::uint64_t failed = lab.counter(Counter::sends_failed);
    lab.world.fail_sends(SenderLab::listen_at(), ENOBUFS, lab.world.now() + 100_ms);
    lab.run(200_ms);
    const auto refused = records.of(Decision::local_refused);
    CHECK(refused.size() > 5);
    CHECK(refused.size() == lab.counter(Counter::sends_failed) - failed);
    for (const FlightRecord& r : refused) CHECK(r.detail == ENOBUFS);
}

TEST_CASE("a flood of strangers leaves the ring to the stream, and how much of it was left out is told") {
    SenderLab lab(lab_with(Mode::classic, 1));
    REQUIRE(lab.settle());
    const Records records(lab.sender->sender.recorder());
    sim::Inbox answers;
    SocketSpec spec;
    spec.local = Endpoint::from_v4(0x7F000001, 41'000);
    const auto stranger = lab.world.open(lab.near, spec, answers);
    REQUIRE(stranger);
    const Endpoint target = SenderLab::listen_at();
    const std::vector<std::uint8_t> junk(40, 0x80);
    constexpr std::size_t each_ms = 20;
    for (int i = 0; i < 1000; ++i) {
        for (std::size_t k = 0; k < each_ms; ++k) CHECK(lab.world.send(*stranger, &target, junk) == 0);
        lab.run(1_ms);
    }
    std::size_t strangers = 0;
    std::size_t left_out = 0;
    for (const FlightRecord& r : records.of(Decision::local_dropped)) {
        ++strangers;
        left_out += r.number;
    }
    CHECK(strangers > bond::Strangers::burst);
    CHECK(strangers <= bond::Strangers::burst + 11);
    // The last tenth of a second's is told by the next.
    CHECK(strangers + left_out >= 899 * each_ms);
    CHECK(lab.counter(Counter::drop_foreign_caller) + lab.counter(Counter::drop_srtla_on_srt) >= 999 * each_ms);
}
