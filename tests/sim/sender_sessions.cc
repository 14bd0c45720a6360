// SPDX-License-Identifier: MIT
// The sender against a scripted receiver: SRT sessions, their sequence numbers, and who may be the caller.
#include <catch2/catch.hpp>

#include "engine/wire/srt_shutdown.h"
#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using wire::Seq31;

namespace {

// Refused callers try again each 100 ms, as encoders do that are told to insist. False when 3 s do not suffice.
template <class Condition>
bool redial_until(const std::vector<sim::SrtCaller*>& callers, SenderLab& lab, Condition&& condition) {
    for (int i = 0; i < 30; ++i) {
        if (lab.reach(condition, 100_ms)) return true;
        for (sim::SrtCaller* caller : callers)
            if (caller->refused() != 0) caller->connect();
    }
    return false;
}

sim::SrtCallerOptions another_caller() {
    sim::SrtCallerOptions options;
    options.local = Endpoint::from_v4(0x7F000001, 40001);
    options.target = SenderLab::listen_at();
    options.socket_id = 0x5678;
    options.seed = 99;
    return options;
}

}  // namespace

TEST_CASE("a session that begins just before the wrap flows through it, in-flight counts and NAKs with it") {
    LabOptions options;
    options.uplinks = 4;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    options.caller.initial_sequence = Seq31(0x7FFF'FF00);
    options.shape.loss_per_million = 10'000;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    for (int i = 0; i < 50; ++i) {
        lab.run(100_ms);
        std::int32_t in_flight = 0;
        for (std::size_t k = 0; k < 4; ++k) in_flight += lab.link(k).in_flight;
        // 500 packets/s for a round trip of 20 ms and the ACK's period, with room for the lost ones.
        REQUIRE(in_flight <= 100);
    }
    CHECK(lab.caller->counts().sent >= 2400);
    CHECK(lab.server->session().on_time + 60 >= lab.caller->counts().sent);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.counter(Counter::drop_bad_ack) == 0);
    CHECK(lab.counter(Counter::drop_bad_loss_list) == 0);
    CHECK(lab.count(EventKind::session_started) == 1);
}

TEST_CASE("all that waits in adaptive's queue leaves when another selector follows, however much it is") {
    LabOptions options;
    options.mode = select::Mode::adaptive;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(1_s);
    for (std::size_t i = 0; i < 2; ++i) lab.set_dark(i, true);
    lab.run(700_ms);
    const std::uint32_t waiting = lab.snapshot().waiting;
    REQUIRE(waiting > 256);  // more than a round of actions
    REQUIRE(lab.counter(Counter::packets_given_up) == 0);
    for (std::size_t i = 0; i < 2; ++i) lab.set_dark(i, false);
    const std::uint64_t before = lab.counter(Counter::uplink_packets_out);
    Command other;
    other.kind = CommandKind::set_selection;
    other.selection.mode = select::Mode::enhanced;
    lab.command(other);
    lab.run(50_ms);
    CHECK(lab.snapshot().waiting == 0);
    CHECK(lab.counter(Counter::packets_given_up) == 0);
    CHECK(lab.counter(Counter::drop_no_room) == 0);
    CHECK(lab.counter(Counter::uplink_packets_out) >= before + waiting);
    lab.run(2_s);
    CHECK(lab.server->session().on_time + 60 >= lab.caller->counts().sent);
}

TEST_CASE("a caller that connects anew, wherever its sequences begin, has a clean slate") {
    const std::uint32_t first = 1'000'000'000;
    const std::uint32_t second =
        GENERATE(std::uint32_t{1}, std::uint32_t{1'000'000'000 - 500}, std::uint32_t{1'000'000'000},
                 std::uint32_t{1'000'002'000}, std::uint32_t{0x7FFF'FF00});
    LabOptions options;
    options.caller.initial_sequence = Seq31(first);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(2_s);
    REQUIRE(lab.delivered() > 900);
    const bool says_goodbye = GENERATE(false, true);
    if (says_goodbye) lab.caller->say_shutdown();
    lab.caller->restart(Seq31(second), 0x9999);
    REQUIRE(lab.reach([&] { return lab.caller->connected(); }, 2_s));
    const std::uint64_t bad = lab.counter(Counter::drop_bad_ack) + lab.counter(Counter::drop_bad_loss_list);
    lab.run(2_s);
    CHECK(lab.server->session().caller_id == 0x9999);
    CHECK(lab.server->session().on_time + 30 >= lab.caller->counts().sent);
    CHECK(lab.caller->counts().acks >= 150);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.count(EventKind::session_started) == 2);
    CHECK(lab.counter(Counter::drop_bad_ack) + lab.counter(Counter::drop_bad_loss_list) == bad);
    for (std::size_t i = 0; i < 2; ++i) CHECK(lab.link(i).in_flight < 30);
}

TEST_CASE("answers to the last session do not reach the next") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    const sim::SrtStamp old = lab.server->stamp(lab.server->session());
    lab.caller->restart(Seq31(5'000'000), 0x4444);
    REQUIRE(lab.reach([&] { return lab.caller->connected(); }, 2_s));
    lab.receiver->send_to_all(sim::make_ack(77, Seq31(1100), old));
    lab.receiver->send_to_all(sim::make_nak({{Seq31(1100), Seq31(1110)}}, old));
    lab.run(100_ms);
    CHECK(lab.counter(Counter::drop_bad_destination) >= 4);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("a second caller is refused while the first lives, and taken when it has gone") {
    SenderLab lab;
    REQUIRE(lab.settle());
    sim::SrtCaller second(lab.world, lab.near, another_caller());
    second.connect();
    lab.run(1_s);
    CHECK(second.refused() == wire::handshake_reject_conflict);
    CHECK(lab.count(EventKind::caller_refused) == 1);
    CHECK(lab.counter(Counter::drop_foreign_caller) >= 1);
    // One that insists is told so again, and the log is not flooded.
    for (int i = 0; i < 20; ++i) {
        second.connect();
        lab.run(100_ms);
    }
    CHECK(lab.count(EventKind::caller_refused) == 1);
    CHECK(lab.server->session().on_time + 30 >= lab.caller->counts().sent);
    CHECK(lab.caller_is_unharmed());

    const bool says_goodbye = GENERATE(false, true);
    if (says_goodbye)
        lab.caller->say_shutdown();
    else
        lab.world.remove_program(lab.caller.get());  // killed
    lab.run(says_goodbye ? 20_ms : 2100_ms);
    second.connect();
    REQUIRE(lab.reach([&] { return second.connected(); }, 1_s));
    lab.run(1_s);
    CHECK(second.counts().acks >= 50);
    CHECK(second.counts().fatal + second.counts().foreign + second.counts().copies == 0);
}

TEST_CASE("a caller that was never connected holds nobody up for long") {
    const bool dials_on = GENERATE(false, true);
    LabOptions options;
    options.server.answers = false;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.caller->connect();
    lab.run(100_ms);
    if (!dials_on) lab.world.remove_program(lab.caller.get());  // killed while dialling
    lab.server->set_answers(!dials_on);
    sim::SrtCaller second(lab.world, lab.near, another_caller());
    const Instant from = lab.world.now();
    second.connect();
    REQUIRE(redial_until({&second}, lab, [&] { return lab.snapshot().caller == second.local(); }));
    CHECK(lab.world.now() - from <= (dials_on ? 1600_ms : 700_ms));
    CHECK(lab.count(EventKind::caller_gone) == 1);
    lab.server->set_answers(true);
    REQUIRE(lab.reach([&] { return second.connected(); }, 1_s));
    // The one that is connected stays, and whoever else dials is refused.
    lab.run(3_s);
    CHECK(lab.snapshot().caller == second.local());
    CHECK(second.counts().acks >= 200);
    if (dials_on) CHECK(lab.caller->refused() == wire::handshake_reject_conflict);
}

TEST_CASE("two callers who dial at once over a slow path do not keep each other out") {
    LabOptions options;
    options.shape.delay = 350_ms;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    sim::SrtCaller second(lab.world, lab.near, another_caller());
    lab.caller->connect();
    second.connect();
    REQUIRE(
        redial_until({lab.caller.get(), &second}, lab, [&] { return lab.caller->connected() || second.connected(); }));
    CHECK(lab.caller->connected());
}

TEST_CASE("SRTLA types and short datagrams from the SRT side go nowhere and take no place") {
    LabOptions options;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    sim::Port stranger(lab.world, lab.near, Endpoint::from_v4(0x7F000001, 40002));
    const std::size_t reg2 = lab.receiver->count(wire::SrtlaType::reg2);
    stranger.send(SenderLab::listen_at(), wire::build_registration(wire::SrtlaType::reg2, wire::GroupKey{}));
    stranger.send(SenderLab::listen_at(), wire::build_padded(wire::SrtlaType::ack));
    const std::array<std::uint8_t, 15> small{};
    for (const std::size_t n : {0u, 1u, 2u, 15u}) stranger.send(SenderLab::listen_at(), Bytes(small).first(n));
    lab.run(100_ms);
    CHECK(lab.receiver->count(wire::SrtlaType::reg2) == reg2);
    CHECK_FALSE(lab.snapshot().has_caller);
    CHECK(lab.counter(Counter::drop_srtla_on_srt) == 2);
    CHECK(lab.counter(Counter::drop_short) == 4);
    lab.caller->connect();
    REQUIRE(lab.reach([&] { return lab.caller->connected(); }, 1_s));
}

TEST_CASE("a session that ends at the far end ends at the caller's, and a receiver that lives is asked once") {
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::adaptive);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(1_s);
    const std::size_t asked = lab.receiver->count(wire::SrtlaType::reg2);
    lab.receiver->send_to_all(wire::build_shutdown(lab.server->session().caller_id));
    CHECK(lab.reach([&] { return !lab.caller->connected(); }, 50_ms));
    lab.run(10_s);
    CHECK(lab.count(EventKind::session_ended) == 1);
    CHECK(lab.receiver->count(wire::SrtlaType::reg2) == asked + 2);
    CHECK(lab.count(EventKind::group_lost) == 0);
    for (std::size_t i = 0; i < 2; ++i) CHECK(lab.link(i).state == UplinkState::connected);
}

TEST_CASE("a late copy of the goodbye to one session does not end the next") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    const auto goodbye = wire::build_shutdown(lab.server->session().caller_id);
    lab.receiver->send_to(SenderLab::uplink(0), goodbye);
    REQUIRE(lab.reach([&] { return !lab.caller->connected(); }, 50_ms));
    sim::SrtCaller second(lab.world, lab.near, another_caller());
    second.connect();
    lab.receiver->send_to(SenderLab::uplink(1), goodbye);
    REQUIRE(lab.reach([&] { return second.connected(); }, 1_s));
    CHECK(lab.count(EventKind::session_ended) == 1);
    CHECK(lab.counter(Counter::drop_bad_destination) >= 1);
}

TEST_CASE("a sender that ends for good says so to both ends of the session, at once") {
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::adaptive);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(1_s);
    lab.set_dark(0, true);
    Command stop;
    stop.kind = CommandKind::stop;
    lab.command(stop);
    CHECK(lab.reach([&] { return !lab.caller->connected(); }, 5_ms));
    CHECK(lab.reach([&] { return lab.server->session().ended; }, 20_ms));
    CHECK(lab.sender->finished());
}

TEST_CASE("a sender whose next run carries the session on says no goodbye") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    Command hand_over;
    hand_over.kind = CommandKind::hand_over;
    lab.command(hand_over);
    lab.run(100_ms);
    CHECK(lab.sender->finished());
    CHECK(lab.caller->connected());
    CHECK_FALSE(lab.server->session().ended);
}

TEST_CASE("a sender that nobody uses says no goodbye, and ends at once") {
    LabOptions options;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    const std::uint64_t sent = lab.counter(Counter::local_packets_out);
    Command stop;
    stop.kind = CommandKind::stop;
    lab.command(stop);
    CHECK(lab.reach([&] { return lab.sender->finished(); }, 1_ms));
    CHECK(lab.counter(Counter::local_packets_out) == sent);
}

TEST_CASE("an SRT server that is absent leaves the uplinks as they are, and the caller asking") {
    LabOptions options;
    options.server.answers = false;
    SenderLab lab(options);
    REQUIRE(lab.reach([&] { return lab.connected(0) && lab.connected(1); }, 1_s));
    lab.run(5_s);
    CHECK(lab.count(EventKind::uplink_silent) == 0);
    lab.server->set_answers(true);
    REQUIRE(lab.reach([&] { return lab.delivered() > 100; }, 2_s));
}

TEST_CASE("parity of SRT's packet filter, which bears the sequence of a data packet, leaves at once beside it") {
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::adaptive);
    CAPTURE(select::name_of(options.mode));
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(500_ms);
    constexpr int count = 20;
    for (int i = 0; i < count; ++i) {
        // One for the packets up to the last, and one for packets of a second ago.
        for (const std::int32_t back : {1, 500}) {
            sim::Packet parity = sim::make_data(lab.caller->next_sequence().plus(-back), false, lab.caller->stamp(),
                                                sim::Packet(1316, static_cast<std::uint8_t>(i + 1)));
            store_be32(parity.data() + 4, 0xC0000000);
            lab.caller->say(parity);
        }
        lab.run(20_ms);
    }
    lab.run(100_ms);
    CHECK(lab.server->session().invented == 2 * count);
    CHECK(lab.counter(Counter::retransmissions_absorbed) == 0);
    // An answer to parity may be taken for the packet's own: a repeat or two do no harm.
    CHECK(lab.server->session().repeated <= 2);
    CHECK(lab.delivered() + 50 > lab.caller->counts().sent);
}

TEST_CASE("adaptive sends SRT's first and last words on every link, and one of them is enough") {
    static constexpr std::size_t uplinks = 4;
    const std::size_t alive = GENERATE(range(std::size_t{0}, std::size_t{4}));
    CAPTURE(alive);
    LabOptions options = lab_with(select::Mode::adaptive, uplinks);
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    const auto only_one = [&](bool is_dark) {
        for (std::size_t i = 0; i < uplinks; ++i)
            if (i != alive) lab.set_dark(i, is_dark);
    };
    only_one(true);
    lab.caller->connect();
    // Its first question goes by each link in turn, a quarter of a second apart; its second by all at once.
    CHECK(lab.reach([&] { return lab.caller->connected(); }, 800_ms));
    only_one(false);
    lab.run(1_s);
    only_one(true);
    lab.caller->say_shutdown();
    CHECK(lab.reach([&] { return lab.server->session().ended; }, 50_ms));
}
