// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "engine/bond/dispatch.h"

using namespace hawser;
using namespace hawser::literals;
using bond::Dispatch;
using wire::Seq31;

namespace {

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr LinkMask both = 3;

struct Sent {
    LinkId link;
    std::uint32_t sequence;
};

// Two links that report, each after a fixed time unless it is dark; time moves by hand.
struct Yard {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(8192 * 64);
    Pool pool{bytes, 64};
    Counters counters;
    FlightRecorder recorder;
    Dispatch dispatch{pool, 1024, counters, recorder};
    Instant now{10'000'000'000};
    Duration latency{1'000'000'000};
    std::vector<Sent> sent;
    std::uint32_t next = 500;
    std::array<std::uint32_t, 2> arrived{};

    Yard() {
        dispatch.set_reports(true);
        dispatch.set_latency(latency, false);
        dispatch.link_up(a, now);
        dispatch.link_up(b, now);
    }
    ~Yard() {
        CHECK(dispatch.is_consistent());
        dispatch.new_session(now);
        CHECK(pool.free_slots() == pool.slots());
    }
    void offer(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            const BufferId id = pool.take();
            REQUIRE(id != no_buffer);
            REQUIRE(dispatch.on_data(Seq31(next++), PacketRef{id, 0, 1332}, now + latency, now) ==
                    Dispatch::Taken::queued);
        }
    }
    std::vector<Sent> run(LinkMask open = both) {
        std::vector<Sent> now_sent;
        dispatch.run(
            now, open,
            [&](LinkId link, const PacketRef&, const Fate&) {
                now_sent.push_back({link, 0});
            },
            [](std::size_t) { return LinkMask{0}; });
        sent.insert(sent.end(), now_sent.begin(), now_sent.end());
        return now_sent;
    }
    void report(LinkId link, const std::vector<std::uint32_t>& sequences, Duration age = 0_ms,
                std::optional<Seq31> next_expected = std::nullopt) {
        arrived[link.index()] += static_cast<std::uint32_t>(sequences.size());
        wire::ReportBuilder builder(
            {0, static_cast<std::uint32_t>(now.ns / 1000), next_expected, arrived[link.index()]});
        for (const std::uint32_t s : sequences) builder.add(Seq31(s), age.us());
        dispatch.on_report(link, *wire::DeliveryReport::over(builder.bytes()), now);
    }
    // The same, as another link brought it.
    void report_by_another(LinkId link, const std::vector<std::uint32_t>& sequences, std::uint32_t unnamed = 0) {
        arrived[link.index()] += static_cast<std::uint32_t>(sequences.size()) + unnamed;
        wire::ReportBuilder builder(
            {0, static_cast<std::uint32_t>(now.ns / 1000), std::nullopt, arrived[link.index()]});
        for (const std::uint32_t s : sequences) builder.add(Seq31(s), 0);
        dispatch.on_report(link, *wire::DeliveryReport::over(builder.bytes_by_another(link.value)), now);
    }
    // Both links known: base 40 and 100 ms.
    void learn() {
        dispatch.on_echo(a, 40_ms, now);
        dispatch.on_echo(b, 100_ms, now);
    }
    void pass(Duration span) {
        for (const Instant end = now + span; now < end;) {
            now = now + 10_ms;
            dispatch.tick(now);
        }
    }
};

std::size_t on(const std::vector<Sent>& sends, LinkId link) {
    return static_cast<std::size_t>(
        std::count_if(sends.begin(), sends.end(), [&](const Sent& s) { return s.link == link; }));
}

}  // namespace

TEST_CASE("a packet waits until a link has room, and then takes the link where it arrives first") {
    Yard yard;
    yard.learn();
    yard.offer(1);
    CHECK(on(yard.run(), a) == 1);
    yard.offer(20);
    const auto sends = yard.run();
    CHECK(on(sends, a) == 5);  // six packets are an unknown link's window
    CHECK(on(sends, b) == 6);
    CHECK(yard.dispatch.queued() == 9);
    CHECK(yard.run().empty());
    yard.now = yard.now + 40_ms;
    yard.report(a, {500, 501});
    CHECK(yard.run().size() >= 2);
}

TEST_CASE("what a later arrival overtook is sent again at once, before what is newer") {
    Yard yard;
    yard.learn();
    yard.offer(6);
    REQUIRE(on(yard.run(1), a) == 6);
    yard.offer(1);
    yard.now = yard.now + 40_ms;
    yard.report(a, {502});
    CHECK(yard.dispatch.queued() == 3);
    CHECK(yard.dispatch.ledger().first_wanted().sequence == Seq31(500));
    CHECK(yard.run().size() == 3);
    CHECK(yard.counters[Counter::losses_seen] == 2);
    CHECK(yard.counters[Counter::repairs_sent] == 2);
}

TEST_CASE("a packet that was taken for lost and came is delivered, and its repair is called off") {
    Yard yard;
    yard.learn();
    yard.offer(4);
    yard.run(1);
    yard.now = yard.now + 40_ms;
    yard.report(a, {501});
    REQUIRE(yard.dispatch.queued() == 1);
    yard.report(a, {500});
    CHECK(yard.dispatch.queued() == 0);
    CHECK(yard.counters[Counter::losses_belied] == 1);
    yard.report(a, {503});  // overtakes 502 by one place, which this link has been seen to do
    CHECK(yard.dispatch.queued() == 0);
}

TEST_CASE("a report that says that packets came without naming them is no reason to send them again") {
    Yard yard;
    yard.learn();
    yard.offer(6);
    yard.run(1);
    yard.now = yard.now + 40_ms;
    yard.arrived[0] += 3;  // two reports are lost
    yard.report(a, {503}, 0_ms, Seq31(504));
    CHECK(yard.dispatch.queued() == 0);
    CHECK(yard.dispatch.view(a).lost == 0);
    // It says as well what it has given up: the first question for one that nobody named tells.
    CHECK(yard.dispatch.on_asked(Seq31(503)));
    CHECK(yard.dispatch.queued() == 0);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.dispatch.queued() == 1);
}

TEST_CASE("what can no longer come in time is given up, and nothing else is") {
    Yard yard;
    yard.learn();
    yard.offer(30);
    REQUIRE(yard.run(1).size() == 6);
    yard.now = yard.now + 700_ms;
    yard.report(a, {500, 501, 502, 503, 504, 505});
    yard.offer(1);
    CHECK(yard.run(1).size() > 5);
    CHECK(yard.counters[Counter::packets_given_up] == 0);
    yard.now = yard.now + 200_ms;  // 100 ms left, and a fifth of the latency is kept back
    const std::uint32_t waiting = yard.dispatch.queued();
    REQUIRE(waiting > 1);
    yard.run(1);
    CHECK(yard.counters[Counter::packets_given_up] == 0);
    yard.now = yard.now + 110_ms;
    yard.run(1);
    CHECK(yard.counters[Counter::packets_given_up] > 10);
    CHECK(yard.counters[Counter::packets_given_up] <= waiting);
}

TEST_CASE("what the link with room would bring too late waits for a nearer one, and what is newer goes before it") {
    Yard yard;
    yard.learn();  // 20 and 50 ms away
    yard.offer(1);
    yard.now = yard.now + 960_ms;  // 40 ms left, and 20 of the nearer link's way, from which deadlines count
    yard.offer(1);
    const auto early = yard.run(2);
    REQUIRE(early.size() == 1);
    CHECK(yard.dispatch.ledger().first_wanted().sequence == Seq31(500));
    CHECK(yard.counters[Counter::packets_given_up] == 0);
    CHECK(on(yard.run(3), a) == 1);
    CHECK(yard.dispatch.queued() == 0);
}

TEST_CASE("what our receiver passed over before it was sent is still sent, until SRT's ACK passes it") {
    Yard yard;
    yard.learn();
    yard.offer(10);
    REQUIRE(yard.run(1).size() == 6);
    yard.now = yard.now + 900_ms;
    yard.report(a, {505}, 0_ms, Seq31(508));
    CHECK(yard.counters[Counter::packets_given_up] == 0);
    CHECK(yard.dispatch.queued() == 4);
    yard.dispatch.on_srt_ack(Seq31(509), yard.now);
    CHECK(yard.counters[Counter::packets_given_up] == 3);
    CHECK(yard.dispatch.queued() == 1);
}

TEST_CASE("a silent link gets nothing, what it holds goes another way once, and it is used again when it answers") {
    Yard yard;
    yard.learn();
    yard.offer(6);
    REQUIRE(yard.run(1).size() == 6);
    yard.pass(110_ms);
    CHECK_FALSE(yard.dispatch.view(a).silent);
    yard.pass(10_ms);  // two base round trips and 30 ms are over
    REQUIRE(yard.dispatch.view(a).silent);
    CHECK(on(yard.run(), b) == 6);
    CHECK(yard.counters[Counter::hedges_sent] == 6);
    CHECK(yard.run().empty());
    yard.offer(1);
    CHECK(on(yard.run(), a) == 0);
    CHECK((yard.dispatch.take_probes(yard.now) & mask_of(a)) != 0);
    yard.report(a, {500});
    CHECK_FALSE(yard.dispatch.view(a).silent);
    CHECK(yard.dispatch.view(a).in_flight == 5);
}

// Both links have carried a packet each 22 ms; then the nearer one falls silent, and the other has no room for what
// comes meanwhile.
struct Held : Yard {
    Held() {
        learn();
        for (int i = 0; i < 20; ++i) {
            offer(2);
            run(1);
            run(2);
            now = now + 22_ms;
            report(a, {next - 2});
            report(b, {next - 1});
        }
        dispatch.on_srt_ack(Seq31(next), now);
        offer(24);
        run();
        REQUIRE(dispatch.queued() > 8);
    }
    // `b` speaks, and brings nothing.
    void wait(Duration span) {
        for (const Instant end = now + span; now < end;) {
            pass(10_ms);
            report(b, {});
        }
    }
    std::size_t ahead() { return on(run(), a); }
    std::uint64_t count() const { return counters[Counter::sent_ahead]; }
};

TEST_CASE("what waits is sent into the silence of a link that stopped at its full rate, at that rate") {
    Held yard;
    const std::uint32_t queued = yard.dispatch.queued();
    yard.wait(200_ms);
    REQUIRE(yard.dispatch.view(a).silent);
    CHECK(yard.ahead() == 0);  // the others may do yet
    yard.wait(60_ms);
    CHECK(yard.ahead() == 1);
    CHECK(yard.ahead() == 0);
    yard.wait(20_ms);
    CHECK(yard.ahead() == 1);
    CHECK(yard.count() == 2);
    CHECK(yard.dispatch.queued() == queued);  // they wait for the other one, too
    // The newest, and nothing that would be late after twice the silence.
    const auto is_ahead = [&](std::uint32_t s) { return yard.dispatch.ledger().find(Seq31(s))->has_open_copy(); };
    CHECK(is_ahead(yard.next - 1));
    CHECK(is_ahead(yard.next - 2));
    CHECK_FALSE(is_ahead(yard.next - 3));
    yard.wait(300_ms);
    CHECK(yard.ahead() == 0);
    yard.offer(1);
    yard.wait(10_ms);
    CHECK(yard.ahead() == 1);
    // When it speaks they are its own, until it shows that it has lost them.
    yard.report(a, {});
    CHECK(yard.dispatch.queued() == queued + 1 - 3);
    yard.report(a, {yard.next - 1});  // which overtook all before it: five of its window, two sent ahead
    CHECK(yard.counters[Counter::losses_seen] == 7);
    CHECK(yard.dispatch.queued() == queued + 1 - 3 + 7);
}

TEST_CASE("what was sent into a silence goes by another link, too, when that has room, as no repair") {
    Held yard;
    yard.wait(260_ms);
    REQUIRE(yard.ahead() == 1);
    const std::uint32_t newest = yard.next - 1;
    for (std::uint32_t s = newest - 23; s <= newest && yard.dispatch.queued() != 0; ++s) {
        if (yard.dispatch.ledger().find(Seq31(s))->link[0] != b) continue;
        yard.report(b, {s});
        yard.run(2);
        yard.now = yard.now + 10_ms;
    }
    REQUIRE(yard.dispatch.queued() == 0);
    CHECK(yard.dispatch.ledger().find(Seq31(newest))->sends == 2);
    CHECK(yard.counters[Counter::repairs_sent] == 0);
    CHECK(yard.dispatch.view(b).copies == yard.counters[Counter::hedges_sent] + 1);
    // Its other copy is of no use as long as that link is silent: what is lost is wanted, whoever loses it.
    SECTION("the link that has it now loses it") {
        yard.dispatch.on_echo(b, 1_ms, yard.now + 10_ms);
        yard.wait(50_ms);
    }
    SECTION("the kernel did not take it") { yard.dispatch.on_unsent(b, Seq31(newest)); }
    SECTION("that link leaves") { yard.dispatch.link_down(b, yard.now); }
    CHECK(yard.dispatch.ledger().find(Seq31(newest))->state == bond::Ledger::State::wanted);
}

TEST_CASE("what was sent ahead goes on no link twice, and waits when that is the only one") {
    Held yard;
    yard.wait(260_ms);
    REQUIRE(yard.ahead() == 1);
    const std::uint32_t newest = yard.next - 1;
    // Whatever the silent one may carry, as it is the only one: the kernel has no room on the other.
    yard.dispatch.on_unsent(a, Seq31(newest - 23));
    for (int i = 0; i < 10; ++i) yard.run(1);
    for (std::uint32_t s = newest - 23; s <= newest; ++s) CHECK(yard.dispatch.ledger().find(Seq31(s))->sends <= 1);
    CHECK(yard.dispatch.ledger().find(Seq31(newest))->state == bond::Ledger::State::wanted);
}

TEST_CASE("a link that goes down in its silence gives back what was sent ahead, and is not trusted next time") {
    Held yard;
    yard.wait(260_ms);
    REQUIRE(yard.ahead() == 1);
    yard.dispatch.link_down(a, yard.now);
    CHECK(yard.dispatch.ledger().find(Seq31(yard.next - 1))->state == bond::Ledger::State::wanted);
    CHECK_FALSE(yard.dispatch.ledger().find(Seq31(yard.next - 1))->has_open_copy());
    yard.dispatch.link_up(a, yard.now);
    yard.learn();
    yard.arrived[a.index()] = 0;
    yard.run(1);
    yard.wait(300_ms);
    REQUIRE(yard.dispatch.view(a).silent);
    yard.offer(1);
    CHECK(yard.ahead() == 0);
    CHECK(yard.count() == 1);
}

TEST_CASE("nothing is sent ahead on a metered link, one of a later class, at its cap, or that lost what it held") {
    const auto count_with = [](auto&& change) {
        Held yard;
        change(yard);
        yard.wait(260_ms);
        yard.run();
        return yard.count();
    };
    CHECK(count_with([](Held&) {}) == 1);
    CHECK(count_with([](Held& yard) { yard.dispatch.set_metered(a, true); }) == 0);
    CHECK(count_with([](Held& yard) {
              yard.dispatch.set_limits(a, 2, 0, 28);
              yard.dispatch.set_limits(b, 1, 0, 28);
          }) == 0);
    CHECK(count_with([](Held& yard) {
              yard.dispatch.set_limits(a, 1, 1000, 28);
              yard.dispatch.caps().note_sent(a, 100'000, yard.now);
          }) == 0);
    CHECK(count_with([](Held& yard) { yard.dispatch.set_reports(false); }) == 0);
    CHECK(count_with([](Held& yard) {
              for (int silence = 0; silence < 2; ++silence) {
                  yard.wait(120_ms);
                  yard.report(a, {});
              }
          }) == 0);
}

TEST_CASE("a link whose way back is dark asks for words by another one, and with them it is not silent") {
    Yard yard;
    yard.learn();
    yard.offer(4);
    REQUIRE(yard.run(1).size() == 4);
    yard.pass(40_ms);
    yard.report(a, {500});
    yard.offer(2);
    REQUIRE(yard.run(1).size() == 2);
    yard.pass(40_ms);
    CHECK_FALSE(yard.dispatch.is_unanswered(a));
    yard.pass(20_ms);  // a base round trip and a report's interval are over
    REQUIRE(yard.dispatch.is_unanswered(a));
    CHECK((yard.dispatch.take_probes(yard.now) & mask_of(a)) != 0);
    for (const std::uint32_t s : {501u, 502u, 503u}) {
        yard.report_by_another(a, {s});
        CHECK(yard.dispatch.is_unanswered(a));  // that its own way is dark is as true as before
        yard.pass(70_ms);
    }
    CHECK_FALSE(yard.dispatch.view(a).silent);
    CHECK(yard.dispatch.is_unanswered(a));
    CHECK(yard.dispatch.view(a).in_flight == 2);
    CHECK(yard.dispatch.view(a).base_rtt == 40_ms);  // another way is no measure of this one's
    // What it does not name may be named by a word that is on its way: nothing is lost for that.
    yard.report_by_another(a, {505}, 1);
    CHECK(yard.counters[Counter::losses_seen] == 0);
    yard.report(a, {504, 505});
    CHECK_FALSE(yard.dispatch.is_unanswered(a));
    CHECK(yard.dispatch.view(a).in_flight == 0);
}

TEST_CASE(
    "of reports in a row by another link what comes behind a lost one waits for the next row, and none counts lost") {
    Yard yard;
    yard.learn();
    yard.offer(6);
    REQUIRE(yard.run(1).size() == 6);
    yard.pass(40_ms);
    yard.report(a, {500});
    yard.pass(60_ms);
    yard.report_by_another(a, {501, 502});
    yard.report_by_another(a, {504, 505}, 1);
    CHECK(yard.dispatch.view(a).in_flight == 3);
    yard.pass(40_ms);
    yard.arrived[0] = 1;
    yard.report_by_another(a, {501, 502});
    yard.report_by_another(a, {503});
    CHECK(yard.dispatch.view(a).in_flight == 2);
    // And what has been on its own way back since before all of these.
    yard.arrived[0] = 1;
    yard.report(a, {501, 502});
    CHECK(yard.dispatch.view(a).in_flight == 2);
    yard.arrived[0] = 4;
    yard.report_by_another(a, {504, 505});
    CHECK(yard.dispatch.view(a).in_flight == 0);
    CHECK(yard.counters[Counter::losses_seen] == 0);
}

TEST_CASE("what others say of a link that came anew counts once it has spoken itself: it may be of the time before") {
    Yard yard;
    yard.learn();
    yard.arrived[0] = 1000;
    yard.offer(2);
    REQUIRE(yard.run(1).size() == 2);
    yard.dispatch.link_down(a, yard.now);
    yard.dispatch.link_up(a, yard.now);
    yard.learn();
    REQUIRE(yard.run(1).size() == 2);
    yard.pass(40_ms);
    yard.report_by_another(a, {500});
    CHECK(yard.dispatch.view(a).in_flight == 2);
    // The receiver counts anew; with the old count, the gap in what others say would not be seen.
    yard.arrived[0] = 0;
    yard.report(a, {500});
    CHECK(yard.dispatch.view(a).in_flight == 1);
    yard.offer(3);
    REQUIRE(yard.run(1).size() == 3);
    yard.pass(40_ms);
    yard.report_by_another(a, {503}, 2);
    CHECK(yard.counters[Counter::losses_seen] == 0);
    CHECK(yard.dispatch.view(a).in_flight == 4);
}

TEST_CASE("the last link is used even when it is silent") {
    Yard yard;
    yard.learn();
    yard.dispatch.link_down(b, yard.now);
    yard.offer(3);
    yard.run();
    yard.pass(300_ms);
    REQUIRE(yard.dispatch.view(a).silent);
    yard.offer(1);
    CHECK(on(yard.run(), a) == 1);
}

TEST_CASE("an echo that came back shows what was sent before it and is not reported to be lost, after a while") {
    Yard yard;
    yard.learn();
    yard.offer(3);
    yard.run(1);
    yard.now = yard.now + 50_ms;
    yard.dispatch.on_echo(a, 40_ms, yard.now);
    CHECK(yard.dispatch.queued() == 0);
    yard.pass(30_ms);
    CHECK(yard.dispatch.queued() == 3);
    CHECK(yard.dispatch.view(a).in_flight == 0);
}

TEST_CASE("echoes that come faster than the first one's word falls due do not put it off") {
    Yard yard;
    yard.learn();
    yard.pass(30_ms);
    yard.offer(6);
    REQUIRE(on(yard.run(1), a) == 6);
    for (int i = 0; i < 4; ++i) {
        yard.pass(20_ms);
        yard.dispatch.on_echo(a, 1_ms, yard.now);
    }
    CHECK(yard.dispatch.queued() == 6);
    CHECK(yard.dispatch.view(a).in_flight == 0);
}

TEST_CASE("a link that leaves gives its packets back") {
    Yard yard;
    yard.learn();
    yard.offer(6);
    yard.run(1);
    yard.dispatch.link_down(a, yard.now);
    CHECK(yard.dispatch.queued() == 6);
    CHECK(on(yard.run(), b) == 6);
}

TEST_CASE("a packet that the kernel refused waits again") {
    Yard yard;
    yard.learn();
    yard.offer(2);
    yard.run(1);
    yard.dispatch.on_unsent(a, Seq31(500));
    CHECK(yard.dispatch.queued() == 1);
    CHECK(yard.dispatch.view(a).in_flight == 1);
    CHECK(on(yard.run(2), b) == 1);
}

TEST_CASE("SRT is not let ask for what is under way or hopeless; what was delivered goes again at the third time") {
    Yard yard;
    yard.learn();
    yard.offer(2);
    CHECK(yard.dispatch.on_asked(Seq31(500)));
    yard.run(1);
    CHECK(yard.dispatch.on_asked(Seq31(500)));
    CHECK_FALSE(yard.dispatch.on_asked(Seq31(499)));  // not ours to say
    yard.now = yard.now + 40_ms;
    yard.report(a, {500, 501});
    CHECK(yard.dispatch.on_asked(Seq31(500)));
    CHECK(yard.dispatch.on_asked(Seq31(500)));
    CHECK(yard.run().empty());
    CHECK(yard.dispatch.on_asked(Seq31(500)));
    CHECK(yard.run().size() == 1);
    yard.dispatch.on_srt_ack(Seq31(502), yard.now);
    for (int i = 0; i < 5; ++i) static_cast<void>(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.run().empty());
}

TEST_CASE("what SRT misses and only a silent link holds is sent by another one, once") {
    Yard yard;
    yard.learn();
    yard.offer(3);
    REQUIRE(yard.run(1).size() == 3);
    yard.pass(50_ms);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.dispatch.queued() == 0);
    yard.pass(110_ms);
    REQUIRE(yard.dispatch.view(a).silent);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.dispatch.queued() == 1);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    static_cast<void>(yard.run(2));
    CHECK(yard.counters[Counter::repairs_sent] == 1);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.dispatch.queued() == 0);
}

TEST_CASE("an answer to parity that bears a packet's number says nothing of the packet") {
    for (const bool reports : {false, true}) {
        Yard yard;
        yard.dispatch.set_reports(reports);
        yard.learn();
        yard.offer(10);
        CHECK_FALSE(yard.dispatch.note_parity(Seq31(499)));
        REQUIRE(yard.dispatch.note_parity(Seq31(509)));
        wire::SrtlaAckBuilder ack;
        ack.add(Seq31(509));
        const auto acknowledged = [&] { yard.dispatch.on_srtla_ack(a, *wire::SrtlaAck::over(ack.bytes()), yard.now); };
        if (reports)
            yard.report(a, {509});  // a receiver that tells of parity all the same
        else
            acknowledged();
        CHECK(yard.dispatch.queued() == 10);
        if (reports) continue;
        REQUIRE(yard.dispatch.note_parity(Seq31(509)));
        CHECK(yard.run().size() == 10);
        yard.now = yard.now + 50_ms;
        acknowledged();
        CHECK(yard.dispatch.ledger().find(Seq31(509))->state == bond::Ledger::State::in_flight);
        acknowledged();
        CHECK(yard.dispatch.ledger().find(Seq31(509))->state == bond::Ledger::State::delivered);
    }
}

TEST_CASE("what was given up by a latency that nobody has said is taken again when SRT sends it again") {
    for (const bool is_guess : {false, true}) {
        Yard yard;
        yard.dispatch.set_latency(yard.latency, is_guess);
        yard.learn();
        yard.offer(1);
        yard.now = yard.now + 1100_ms;
        yard.run();
        REQUIRE(yard.counters[Counter::packets_given_up] == 1);
        CHECK(yard.dispatch.on_asked(Seq31(500)) == !is_guess);
        const BufferId id = yard.pool.take();
        const auto taken = yard.dispatch.on_data(Seq31(500), PacketRef{id, 0, 1332}, yard.now, yard.now);
        CHECK(taken == (is_guess ? Dispatch::Taken::queued : Dispatch::Taken::known));
        if (taken == Dispatch::Taken::known) yard.pool.release(id);
        CHECK(yard.run().size() == (is_guess ? 1 : 0));
    }
}

TEST_CASE("a link that is back within half a minute begins with half of what it carried") {
    for (const Duration away : {29_s, 31_s}) {
        Yard yard;
        yard.learn();
        for (int round = 0; round < 40; ++round) {
            const std::uint32_t first = yard.next;
            yard.offer(10);
            const auto count = static_cast<std::uint32_t>(yard.run(1).size());
            yard.now = yard.now + 40_ms;
            std::vector<std::uint32_t> came;
            for (std::uint32_t s = 0; s < count; ++s) came.push_back(first + s);
            yard.report(a, came);
        }
        const std::int64_t window = yard.dispatch.view(a).window_bytes;
        REQUIRE(window > 20 * link::PathModel::packet_bytes);
        yard.dispatch.link_down(a, yard.now);
        yard.now = yard.now + away;
        yard.dispatch.link_up(a, yard.now);
        const std::int64_t first_window = 6 * link::PathModel::packet_bytes;
        CHECK(yard.dispatch.view(a).window_bytes == (away < 30_s ? window / 2 : first_window));
        // Who takes its place begins as everybody does.
        yard.dispatch.link_down(a, yard.now);
        yard.dispatch.forget(a);
        yard.dispatch.link_up(a, yard.now);
        CHECK(yard.dispatch.view(a).window_bytes == first_window);
    }
}

TEST_CASE("copies beside others stay within their budget however much falls silent") {
    Yard yard;
    yard.learn();
    for (int round = 0; round < 400; ++round) {
        yard.offer(1);
        yard.run();
        yard.pass(10_ms);
        if (round % 20 == 19) {
            yard.dispatch.on_echo(a, 40_ms, yard.now);
            yard.dispatch.on_echo(b, 100_ms, yard.now);
        }
    }
    CHECK(yard.counters[Counter::hedges_sent] <= 6 + 400 * 6 / 100);
}

TEST_CASE("a repair that leaves no time for another one goes twice, where a link has room to spare") {
    for (const bool is_late : {false, true}) {
        Yard yard;
        yard.learn();
        yard.offer(2);
        REQUIRE(yard.run(1).size() == 2);
        yard.now = yard.now + (is_late ? 945_ms : 400_ms);
        yard.report(a, {501});
        const auto sends = yard.run();
        CHECK(on(sends, a) == 1);
        CHECK(on(sends, b) == (is_late ? 1 : 0));
        CHECK(yard.counters[Counter::repairs_sent] == 1);
        CHECK(yard.counters[Counter::hedges_sent] == (is_late ? 1 : 0));
        CHECK(yard.dispatch.view(b).copies == (is_late ? 1 : 0));
        CHECK(yard.run().empty());
    }
}

TEST_CASE("copies leave on no metered link, unless it is the only one that speaks") {
    constexpr LinkId c{2};
    struct Case {
        LinkMask up, metered;
        std::size_t on_b, on_c;
    };
    for (const Case& k : {Case{7, 2, 0, 6}, Case{7, 4, 6, 0}, Case{7, 6, 0, 0}, Case{3, 2, 6, 0}}) {
        CAPTURE(k.up, k.metered);
        Yard yard;
        yard.learn();
        if ((k.up & 4) != 0) {
            yard.dispatch.link_up(c, yard.now);
            yard.dispatch.on_echo(c, 120_ms, yard.now);
        }
        for (const LinkId link : {a, b, c}) yard.dispatch.set_metered(link, (k.metered & mask_of(link)) != 0);
        yard.offer(6);
        REQUIRE(yard.run(1).size() == 6);
        yard.pass(160_ms);
        REQUIRE(yard.dispatch.view(a).silent);
        const auto copies = yard.run(k.up);
        CHECK(on(copies, b) == k.on_b);
        CHECK(on(copies, c) == k.on_c);
    }
    // Nor does a repair's double, however near its deadline: the second of two links is not the only one.
    Yard yard;
    yard.learn();
    yard.dispatch.set_metered(b, true);
    yard.offer(2);
    REQUIRE(yard.run(1).size() == 2);
    yard.now = yard.now + 945_ms;
    yard.report(a, {501});
    const auto sends = yard.run();
    CHECK(on(sends, a) == 1);
    CHECK(on(sends, b) == 0);
}

TEST_CASE("a plain receiver's answers in tens serve too, and SRT's ACK proves all below it") {
    Yard yard;
    yard.dispatch.set_reports(false);
    yard.learn();
    yard.offer(12);
    yard.run(1);
    yard.now = yard.now + 50_ms;
    wire::SrtlaAckBuilder ack;
    for (std::uint32_t s = 500; s < 510; ++s) ack.add(Seq31(s));
    yard.dispatch.on_srtla_ack(a, *wire::SrtlaAck::over(ack.bytes()), yard.now);
    CHECK(yard.dispatch.view(a).in_flight == 2);
    yard.dispatch.on_echo(a, 40_ms, yard.now + 60_ms);  // the two are in no queue: they weigh no more
    CHECK(yard.dispatch.view(a).in_flight_bytes == 0);
    yard.dispatch.on_srt_ack(Seq31(512), yard.now);
    yard.dispatch.link_down(a, yard.now);
    CHECK(yard.dispatch.queued() == 0);
}

TEST_CASE("to a plain receiver, what SRT asks for and has passed the queues is sent again at once") {
    Yard yard;
    yard.dispatch.set_reports(false);
    yard.learn();
    yard.pass(200_ms);  // the first echoes have had their say
    yard.offer(3);
    REQUIRE(yard.run(1).size() == 3);
    yard.pass(20_ms);
    CHECK(yard.dispatch.on_asked(Seq31(501)));  // it may be under way
    CHECK(yard.dispatch.queued() == 0);
    yard.pass(40_ms);
    yard.dispatch.on_echo(a, 40_ms, yard.now);
    CHECK(yard.dispatch.on_asked(Seq31(501)));  // the question may be older than the echo
    CHECK(yard.dispatch.queued() == 0);
    yard.pass(30_ms);
    CHECK(yard.dispatch.on_asked(Seq31(501)));
    CHECK(yard.dispatch.queued() == 1);
    CHECK(yard.dispatch.view(a).lost == 1);
    CHECK(yard.run(1).size() == 1);
    CHECK(yard.dispatch.view(a).in_flight == 3);
}

TEST_CASE("where a plain receiver's ACKs are rare, its echoes tell how fast a link is and what stands in its queue") {
    Yard yard;
    yard.dispatch.set_reports(false);
    yard.dispatch.on_echo(a, 40_ms, yard.now);
    // One packet each 100 ms, each echoed 40 ms and a queue of 60 ms later.
    for (int i = 0; i < 30; ++i) {
        yard.offer(1);
        REQUIRE(yard.run(1).size() == 1);
        yard.pass(100_ms);
        yard.dispatch.on_echo(a, 99_ms, yard.now);
        yard.dispatch.on_srt_ack(Seq31(yard.next), yard.now);
    }
    const auto view = yard.dispatch.view(a);
    CHECK(view.bytes_per_second == Approx(13'600).epsilon(0.05));
    CHECK(view.queue_delay == 59_ms);
    CHECK(view.window_bytes < 20 * link::PathModel::packet_bytes);
}

TEST_CASE("a link that swallows what it is given wins nothing by its echoes") {
    Yard yard;
    yard.dispatch.set_reports(false);
    yard.dispatch.on_echo(a, 40_ms, yard.now);
    std::size_t taken = 0;
    for (int i = 0; i < 60; ++i) {
        yard.offer(60 - yard.dispatch.queued());
        taken += yard.run(1).size();
        yard.pass(100_ms);
        yard.dispatch.on_echo(a, 40_ms, yard.now);
        yard.dispatch.on_srt_ack(Seq31(yard.next), yard.now);  // by the other links
    }
    CHECK(taken > 0);
    CHECK(yard.dispatch.view(a).window_bytes <= 45 * link::PathModel::packet_bytes);
}

TEST_CASE("a new session forgets all packets and keeps what is known of the links") {
    Yard yard;
    yard.learn();
    yard.offer(20);
    yard.run();
    yard.dispatch.new_session(yard.now);
    CHECK(yard.dispatch.queued() == 0);
    CHECK(yard.dispatch.view(a).in_flight == 0);
    CHECK(yard.dispatch.view(a).base_rtt == 40_ms);
    CHECK(yard.dispatch.view(b).base_rtt == 100_ms);
}
