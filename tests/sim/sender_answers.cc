// SPDX-License-Identifier: MIT
// The sender against a scripted receiver: what comes back on the uplinks, honest, odd or hostile.
#include <catch2/catch.hpp>

#include "tests/few_runs.h"
#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using wire::Seq31;
using wire::SrtlaType;

namespace {

sim::Packet packet_of_type(std::uint16_t type, std::size_t bytes) {
    sim::Packet packet(bytes);
    store_be16(packet.data(), type);
    return packet;
}

// The session's own stamp, so that a packet is judged by its content alone.
sim::SrtStamp stamp(SenderLab& lab) { return lab.server->stamp(lab.server->session()); }

}  // namespace

TEST_CASE("no SRTLA type, known or unknown, ever reaches the SRT caller") {
    SenderLab lab;
    REQUIRE(lab.settle());
    for (unsigned type = 0x9000; type < 0xB000; type += 7) {
        lab.receiver->send_to_all(packet_of_type(static_cast<std::uint16_t>(type), 2 + type % 60));
        if (type % 64 == 0) lab.run(1_ms);
    }
    for (const unsigned type : {0x9100u, 0x9210u, 0x9212u, 0x9300u, 0xA000u, 0xA001u})
        for (const std::size_t bytes : {2u, 16u, 32u, 64u, 1500u})
            lab.receiver->send_to_all(packet_of_type(static_cast<std::uint16_t>(type), bytes));
    lab.run(2_s);
    CHECK(lab.caller->counts().srtla == 0);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
    CHECK(lab.delivered() >= 900);
}

TEST_CASE("what is too short, too long, of an unknown control type or for another socket does not reach the caller") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const std::array<std::uint8_t, 1> one{0x80};
    lab.receiver->send_to_all(Bytes(one).first(0));
    lab.receiver->send_to_all(one);
    for (const unsigned type : {0x8000u, 0x8002u, 0x8003u, 0x8009u, 0xB123u, 0xFFFEu, 0x0001u})
        for (const std::size_t bytes : {2u, 15u, 16u, 19u, 1501u, 2000u, 9000u})
            lab.receiver->send_to_all(packet_of_type(static_cast<std::uint16_t>(type), bytes));
    lab.run(1_s);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.counter(Counter::drop_oversize) >= 21);
    CHECK(lab.counter(Counter::drop_short) >= 4);
    CHECK(lab.counter(Counter::drop_bad_destination) >= 1);
}

TEST_CASE("what comes to an uplink's port from elsewhere than the receiver is not heard") {
    LabOptions options;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    Endpoint at = SenderLab::receiver_at(1);
    sim::Port other_host(lab.world, lab.far, at);
    at = SenderLab::receiver_at(0);
    ++at.port;
    sim::Port other_port(lab.world, lab.far, at);
    const std::uint64_t in = lab.counter(Counter::uplink_packets_in);
    const std::uint64_t echoes = lab.counter(Counter::keepalives_in);
    for (sim::Port* stranger : {&other_host, &other_port})
        for (const unsigned type : {0x8002u, 0x8003u, 0x9000u, 0x9100u, 0x9202u, 0x9210u, 0x9211u})
            for (std::size_t i = 0; i < 2; ++i)
                stranger->send(lab.link(i).local, packet_of_type(static_cast<std::uint16_t>(type), 44));
    lab.run(100_ms);
    CHECK(lab.counter(Counter::uplink_packets_in) - in == lab.counter(Counter::keepalives_in) - echoes);
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
}

TEST_CASE("data of the server's, as in playback, reaches the caller once and as it was") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const sim::Packet data = sim::make_data(Seq31(0x7FFF'FFFF), false, stamp(lab), sim::Packet(1316, 0x47));
    lab.server->send_raw(lab.server->session(), data);
    lab.run(100_ms);
    CHECK(lab.caller->counts().data == 1);
    CHECK(lab.caller->counts().foreign + lab.caller->counts().malformed == 0);
}

TEST_CASE("with a receiver that sends no SRTLA ACKs, windows live on SRT ACKs and the stream flows") {
    LabOptions options;
    options.uplinks = 4;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    options.shape.loss_per_million = 10'000;
    SenderLab lab(options);
    lab.receiver->script.acks = false;
    REQUIRE(lab.settle());
    lab.run(runs(60_s, 20_s));
    CHECK(lab.count(EventKind::no_srtla_acks) == 1);
    std::int32_t windows = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(lab.link(i).in_flight < 100);
        windows += lab.link(i).window;
    }
    CHECK(windows >= 4 * link::window_default / 2);
    CHECK(lab.server->session().on_time * 1000 >= lab.caller->counts().sent * 990);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("a receiver that echoes two-byte keepalives only is learned, measured and kept") {
    const bool has_caller = GENERATE(false, true);
    LabOptions options;
    options.connect_caller = has_caller;
    SenderLab lab(options);
    lab.receiver->script.echo = ReceiverScript::Echo::bare_only;
    REQUIRE(lab.settle());
    lab.run(30_s);
    CHECK(lab.count(EventKind::uplink_silent) == 0);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(lab.connected(i));
        CHECK(lab.link(i).rtt >= 20_ms);
        CHECK(lab.link(i).rtt < 22_ms);
    }
    // Once learned, the odd forms are not sent any more, not even by an uplink that comes new.
    const Instant learned = lab.world.now();
    lab.remove_uplink(0);
    lab.run(100_ms);
    lab.add_uplink(0);
    lab.run(5_s);
    std::size_t odd = 0;
    for (const auto& h : lab.receiver->heard())
        if (h.at >= learned && h.type == 0x9000 && h.bytes.size() != wire::keepalive_bare_bytes) ++odd;
    CHECK(odd == 0);
}

TEST_CASE("a receiver that never echoes keeps its uplinks by REG2 and REG3") {
    LabOptions options;
    options.connect_caller = false;
    SenderLab lab(options);
    lab.receiver->script.echo = ReceiverScript::Echo::never;
    REQUIRE(lab.settle());
    lab.run(30_s);
    CHECK(lab.count(EventKind::uplink_silent) == 0);
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
    CHECK(lab.link(0).rtt == Duration{});
}

TEST_CASE("a keepalive that answers none of ours gives no round-trip time") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(3_s);
    REQUIRE(lab.link(0).rtt >= 20_ms);
    for (const std::uint64_t forged :
         {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 40}) {
        for (const std::size_t bytes : {2u, 9u, 10u, 32u, 38u, 1500u}) {
            sim::Packet packet = packet_of_type(0x9000, bytes);
            if (bytes >= 10) store_be64(packet.data() + 2, forged);
            lab.receiver->send_to_all(packet);
            lab.run(130_ms);
        }
    }
    CHECK(lab.link(0).rtt >= 20_ms);
    CHECK(lab.link(0).rtt < 22_ms);
    CHECK(lab.link(0).rtt_min >= 20_ms);
}

TEST_CASE("an echo that is repeated is measured once") {
    LabOptions options;
    options.connect_caller = false;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(2_s);
    for (int i = 0; i < 20; ++i) {
        // The last keepalive, echoed again much later.
        for (std::size_t k = lab.receiver->heard().size(); k-- > 0;) {
            const auto& h = lab.receiver->heard()[k];
            if (h.type != 0x9000) continue;
            lab.receiver->send_to_all(h.bytes);
            break;
        }
        lab.run(470_ms);
    }
    CHECK(lab.link(0).rtt < 22_ms);
}

TEST_CASE("each SRT ACK and NAK reaches the caller once, however many uplinks bring it", ) {
    LabOptions options;
    options.uplinks = 4;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced);
    options.shape.loss_per_million = 20'000;
    options.shape.jitter = 5_ms;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    for (std::size_t i = 0; i < 4; ++i)
        lab.world.path(SenderLab::receiver_at(), SenderLab::uplink(i))
            ->node<sim::Delay>()
            .set({Duration{static_cast<std::int64_t>(5 + 30 * i) * 1'000'000}, 5_ms, true});
    lab.run(20_s);
    CHECK(lab.caller->counts().copies == 0);
    CHECK(lab.caller->counts().acks >= 1000);
    CHECK(lab.caller->counts().naks >= 100);
    CHECK(lab.counter(Counter::srt_ack_copies) >= 2 * lab.counter(Counter::srt_acks));
    CHECK(lab.counter(Counter::srt_nak_copies) >= 2 * lab.counter(Counter::srt_naks));
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("a lost packet costs its uplink one hundred, however many copies of its NAK come") {
    LabOptions options;
    options.uplinks = 4;
    SenderLab lab(options);
    lab.receiver->script.acks = false;  // nothing else moves a window for the first 640 packets
    REQUIRE(lab.settle());
    lab.run(200_ms);
    lab.caller->pause(true);
    lab.run(200_ms);
    std::int32_t before = 0;
    for (std::size_t i = 0; i < 4; ++i) before += lab.link(i).window;
    lab.caller->pause(false);
    lab.run(4_ms);
    lab.caller->pause(true);
    const Seq31 lost = lab.caller->next_sequence().plus(-1);
    const sim::Packet nak = sim::make_nak({{lost, lost}}, stamp(lab));
    for (int copy = 0; copy < 5; ++copy) lab.receiver->send_to_all(nak);
    lab.run(12_ms);
    std::int32_t after = 0;
    for (std::size_t i = 0; i < 4; ++i) after += lab.link(i).window;
    CHECK(before - after == link::window_loss_step);
}

TEST_CASE("a NAK repeated while the retransmission is under way is not charged to the link of the retransmission") {
    LabOptions options;
    options.mode = select::Mode::enhanced;
    options.shape.delay = 50_ms;
    options.server.nak_period = 30_ms;  // three reports of each loss come while the second sending is under way
    options.server.latency = 3_s;
    const std::size_t bad = GENERATE(0u, 1u);
    CAPTURE(bad);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(6_s);
    REQUIRE(lab.link(0).naks + lab.link(1).naks == 0);
    lab.world.path(SenderLab::uplink(bad), SenderLab::receiver_at())->node<sim::Loss>().set(30'000);
    lab.run(20_s);
    const std::uint64_t packets = lab.link(bad).packets_out;
    CHECK(lab.counter(Counter::srt_nak_sequences) >= packets * 6 / 100);  // the reports repeat
    // Each packet that was lost was charged where it was lost, once.
    const std::uint64_t lost =
        lab.world.path(SenderLab::uplink(bad), SenderLab::receiver_at())->node<sim::Loss>().dropped();
    CHECK(lab.link(1 - bad).naks == 0);
    CHECK(lab.link(bad).naks <= lost);
    CHECK(lab.link(bad).naks * 100 >= lost * 75);  // a fifth of what is lost is no data: ACKACKs, keepalives
}

TEST_CASE("a NAK that names a retransmission a round trip after it left is charged to its link") {
    LabOptions options;
    options.mode = select::Mode::enhanced;
    options.shape.delay = 50_ms;
    options.server.latency = 3_s;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(6_s);
    const auto charges = [&lab] { return lab.link(0).naks + lab.link(1).naks; };
    REQUIRE(charges() == 0);
    lab.caller->pause(true);
    lab.run(200_ms);
    for (std::size_t i = 0; i < 2; ++i)
        lab.world.path(SenderLab::uplink(i), SenderLab::receiver_at())->node<sim::Loss>().set(sim::million);
    lab.caller->pause(false);
    lab.run(4_ms);
    lab.caller->pause(true);
    const Seq31 lost = lab.caller->next_sequence().plus(-1);
    const auto report_and_run = [&](Duration d) {
        lab.receiver->send_to_all(sim::make_nak({{lost, lost}}, stamp(lab)));
        lab.run(d);
    };
    // Each is under way for 50 ms; the retransmission leaves when the first has come.
    report_and_run(40_ms);
    report_and_run(40_ms);
    report_and_run(55_ms);
    CHECK(charges() == 1);
    report_and_run(55_ms);
    CHECK(charges() == 2);
}

TEST_CASE("a NAK that the receiver says again unchanged reaches the caller again") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(500_ms);
    lab.caller->pause(true);
    lab.run(200_ms);
    const std::uint64_t before = lab.caller->counts().naks;
    const Seq31 lost = lab.caller->next_sequence().plus(-1);
    const sim::Packet nak = sim::make_nak({{lost, lost}}, stamp(lab));
    lab.receiver->send_to_all(nak);  // the server's own, on every link
    for (int repeat = 0; repeat < 5; ++repeat) {
        lab.run(100_ms);
        lab.receiver->send_to(SenderLab::uplink(repeat % 2 == 0 ? 1u : 0u), nak);
    }
    lab.run(50_ms);
    CHECK(lab.caller->counts().naks >= before + 5);
    CHECK(lab.caller->counts().fatal == 0);
}

TEST_CASE("a NAK range across the wrap reaches the caller whole") {
    LabOptions options;
    options.caller.initial_sequence = Seq31(0x7FFF'FF00);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    REQUIRE(lab.reach([&] { return lab.caller->counts().sent >= 0x120; }, 3_s));
    const auto before = lab.caller->counts().sent_again;
    lab.server->send_raw(lab.server->session(), sim::make_nak({{Seq31(0x7FFF'FFFC), Seq31(5)}}, stamp(lab)));
    lab.run(50_ms);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.counter(Counter::srt_nak_sequences) == 10);
    CHECK(lab.counter(Counter::drop_bad_loss_list) == 0);
    CHECK(before == 0);
}

TEST_CASE("a NAK that is malformed or names what was never sent is dropped, and moves no window") {
    LabOptions options;
    options.caller.initial_sequence = Seq31(GENERATE(1000u, 0x7FFF'FF00u, 0u));
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(1_s);
    lab.caller->pause(true);
    lab.run(1_s);
    const std::int32_t window = lab.link(0).window;
    const std::uint32_t sent = lab.caller->next_sequence().plus(-5).raw();
    const std::uint32_t unsent = lab.caller->next_sequence().raw();
    const std::uint32_t range = 0x8000'0000;
    const std::vector<std::vector<std::uint32_t>> hostile{
        {},
        {range | sent},                            // a first without a last
        {sent, range | sent},                      // the same, after a good one
        {range | sent, range | (sent + 2)},        // a last with its top bit
        {range | sent, (sent - 3) & 0x7FFF'FFFF},  // backwards
        {range | 0, 0x7FFF'FFFF},                  // all there is
        {range | 0, 0x3FFF'FFFF},
        {range | sent, unsent},  // one too far
        {unsent},
        {(unsent + 1000) & 0x7FFF'FFFF},
        {(sent + 0x4000'0000) & 0x7FFF'FFFF},
        {range | ((sent - 1'000'000) & 0x7FFF'FFFF), sent},  // far more than can be in flight
        {0xFFFF'FFFF},
        {0xFFFF'FFFF, 0xFFFF'FFFF},
    };
    for (const auto& words : hostile) {
        const std::uint64_t dropped = lab.counter(Counter::drop_bad_loss_list);
        lab.server->send_raw(lab.server->session(), sim::make_nak_of_words(words, stamp(lab)));
        lab.run(30_ms);
        CHECK(lab.counter(Counter::drop_bad_loss_list) > dropped);
    }
    // Words cut in the middle.
    sim::Packet cut = sim::make_nak_of_words({sent, sent}, stamp(lab));
    cut.resize(cut.size() - 3);
    lab.server->send_raw(lab.server->session(), cut);
    lab.run(30_ms);
    CHECK(lab.caller->counts().naks == 0);
    CHECK(lab.link(0).window == window);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("an SRT ACK that is cut short or names what was never sent is dropped") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    const auto& session = lab.server->session();
    const Seq31 next = lab.caller->next_sequence();
    for (const std::int32_t ahead : {200, 1'000, 1'000'000, 0x3FFF'FFFF})
        lab.server->send_raw(session, sim::make_ack(900, next.plus(ahead), stamp(lab)));
    lab.server->send_raw(session, sim::make_ack(901, next.plus(-1'000'000), stamp(lab)));
    for (const std::size_t bytes : {16u, 17u, 19u}) {
        sim::Packet ack = sim::make_ack(902, next.plus(-1), stamp(lab));
        ack.resize(bytes);
        lab.server->send_raw(session, ack);
    }
    lab.run(100_ms);
    CHECK(lab.counter(Counter::drop_bad_ack) >= 8);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("small SRT packets that a receiver padded with zeros say what they said before") {
    LabOptions options;
    options.shape.loss_per_million = 20'000;
    SenderLab lab(options);
    lab.receiver->script.pads = true;
    lab.receiver->script.pads_srt = true;
    REQUIRE(lab.settle());
    lab.run(10_s);
    CHECK(lab.caller->counts().naks >= 20);
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.server->session().on_time * 1000 >= lab.caller->counts().sent * 990);
}

TEST_CASE("a forged or broken SRTLA ACK keeps every window in its bounds and every count at what is in flight") {
    SenderLab lab;
    REQUIRE(lab.settle());
    for (int round = 0; round < 200; ++round) {
        for (const std::size_t bytes : {4u, 5u, 7u, 8u, 11u, 44u, 45u, 1500u}) {
            sim::Packet ack = packet_of_type(0x9100, bytes);
            for (std::size_t at = 4; at + 4 <= bytes; at += 4)
                store_be32(ack.data() + at, round % 2 == 0 ? 0xFFFF'FFFF : static_cast<std::uint32_t>(at * 7919));
            lab.receiver->send_to_all(ack);
        }
        lab.run(10_ms);
        for (std::size_t i = 0; i < 2; ++i) {
            REQUIRE(lab.link(i).window >= link::window_min);
            REQUIRE(lab.link(i).window <= link::window_max);
            REQUIRE(lab.link(i).in_flight >= 0);
            REQUIRE(lab.link(i).in_flight <= 255);
        }
    }
    CHECK(lab.caller_is_unharmed());
    CHECK(lab.delivered() >= 800);
}
