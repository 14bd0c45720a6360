// SPDX-License-Identifier: MIT
// Packets through a receiver, both ways: what is answered, what is forwarded where, what ends here.
#include <catch2/catch.hpp>

#include <set>

#include "tests/sim/receiver_rig.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;
using wire::SrtControl;
using wire::SrtlaType;

namespace {

// Four links, a session, and data on each so that all of them count as the sender's.
struct Live {
    ReceiverRig rig;
    std::vector<Endpoint> links{phone(0), phone(1), phone(2), phone(3)};
    wire::GroupKey key{};
    std::uint32_t next = 1000;
    static constexpr std::uint32_t caller = 0x1111, server = 0x2222;

    Live() {
        rig.set_server({srt_server});
        key = rig.join(links);
        rig.establish(links[0], caller, server, next);
        for (const Endpoint& l : links) rig.data(l, next++, server);
        rig.pass(1_s);
        for (const Endpoint& l : links) rig.from(l, Packet{0x90, 0x00});
        rig.take();
    }
    std::set<std::uint16_t> ports_of(const std::vector<Sent>& sent) const {
        std::set<std::uint16_t> ports;
        for (const Sent& s : sent) ports.insert(s.to.port);
        return ports;
    }
};

}  // namespace

TEST_CASE("keepalives come back verbatim at any length up to 1500, to registered links only") {
    ReceiverRig rig;
    rig.join({phone(1)});
    for (const std::size_t size : {2u, 10u, 32u, 38u, 100u, 1500u}) {
        Packet keepalive(size, 0xA7);
        keepalive[0] = 0x90;
        keepalive[1] = 0x00;
        rig.from(phone(1), keepalive);
        const auto echo = rig.take();
        REQUIRE(echo.size() == 1);
        CHECK(echo[0].bytes == keepalive);
        CHECK(echo[0].to == phone(1));
        rig.from(phone(2), keepalive);
        CHECK(rig.take().empty());
    }
    rig.from(phone(1), Packet(1501, 0x90));
    CHECK(rig.take().empty());
    CHECK(rig.receiver.counters()[Counter::drop_oversize] == 1);
}

TEST_CASE("a sender's telemetry is shown, its keepalive echoed all the same") {
    ReceiverRig rig;
    rig.join({phone(1)});
    wire::Telemetry t;
    t.rtt_ms = 120;
    t.window = 25000;
    const auto keepalive = wire::build_keepalive(123456, t);
    rig.from(phone(1), keepalive);
    CHECK(rig.take().at(0).bytes == Packet(keepalive.begin(), keepalive.end()));
    ReceiverSnapshot s;
    s.reserve(1, 1);
    rig.receiver.fill(s, rig.now);
    REQUIRE(s.links().size() == 1);
    CHECK(s.links()[0].has_telemetry);
    CHECK(s.links()[0].rtt_ms == 120);
    CHECK(s.links()[0].window == 25000);
}

TEST_CASE("the tenth data packet of a link brings one SRTLA ACK of 44 bytes on that link") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.take();
    for (std::uint32_t i = 0; i < 9; ++i) {
        rig.data(phone(1), 1000 + i, 7);
        rig.data(phone(2), 2000 + i, 7);
    }
    for (const Sent& s : rig.take()) CHECK(s.to == srt_server);
    rig.data(phone(1), 1009, 7);
    const auto sent = rig.take();
    REQUIRE(sent.size() == 2);
    const Sent& ack = sent[0].to == srt_server ? sent[1] : sent[0];
    CHECK(ack.to == phone(1));
    Packet expected{0x91, 0, 0, 0};
    for (std::uint32_t i = 1000; i < 1010; ++i)
        for (const int shift : {24, 16, 8, 0}) expected.push_back(static_cast<std::uint8_t>(i >> shift));
    CHECK(ack.bytes == expected);
}

TEST_CASE("a part-filled SRTLA ACK leaves within 15 ms of its first entry, in order of arrival, once") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.data(phone(2), 0x7FFFFFFF, 7);
    rig.data(phone(2), 0, 7);
    rig.pass(3_ms);
    rig.data(phone(1), 1, 7);
    rig.take();
    const Instant since = rig.now;
    rig.pass(15_ms);
    const auto acks = rig.take();
    REQUIRE(acks.size() == 2);
    CHECK(acks[0].to == phone(2));
    CHECK(acks[0].bytes == Packet{0x91, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0});
    CHECK(acks[1].to == phone(1));
    CHECK(acks[1].bytes.size() == 8);
    for (const Sent& a : acks) CHECK(a.at - since >= 5_ms);
    rig.pass(500_ms);
    CHECK(rig.take().empty());
}

TEST_CASE("data acknowledged by its tenth packet is not acknowledged again by the clock") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    for (std::uint32_t i = 0; i < 10; ++i) rig.data(phone(1), i, 7);
    CHECK(rig.take_to(phone(1)).size() == 1);
    rig.pass(100_ms);
    CHECK(rig.take().empty());
}

TEST_CASE("SRT packets reach the server unchanged, in order, from one socket per group") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)}, 1);
    rig.join({phone(2)}, 2);
    rig.from(phone(1), data_packet(5, 7));
    rig.from(phone(2), data_packet(900000, 8));
    rig.from(phone(1), control(SrtControl::ackack, 7, 0));
    const auto sent = rig.take_to(srt_server);
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].bytes == data_packet(5, 7));
    CHECK(sent[2].bytes == control(SrtControl::ackack, 7, 0));
    CHECK(sent[0].socket == sent[2].socket);
    CHECK_FALSE(sent[0].socket == sent[1].socket);
}

TEST_CASE("SRT ACK and NAK go to every live link that has delivered data lately") {
    Live t;
    for (const Packet& p : {sim::make_ack(1, wire::Seq31(1004), {0, Live::caller}),
                            sim::make_nak({{wire::Seq31(1001), wire::Seq31(1002)}}, {0, Live::caller})}) {
        t.rig.from_server(t.rig.server_socket(), p);
        const auto sent = t.rig.take();
        CHECK(sent.size() == 4);
        CHECK(t.ports_of(sent).size() == 4);
        for (const Sent& s : sent) CHECK(s.bytes == p);
    }
    // Number 2 goes dark; number 4 joins and has only ever sent keepalives.
    t.rig.join_more(t.key, phone(4));
    for (int i = 0; i < 4; ++i) {
        t.rig.pass(1_s);
        for (const unsigned n : {0u, 1u, 3u, 4u}) t.rig.from(phone(n), Packet{0x90, 0x00});
    }
    t.rig.take();
    t.rig.from_server(t.rig.server_socket(), sim::make_ack(2, wire::Seq31(1004), {0, Live::caller}));
    CHECK(t.ports_of(t.rig.take()) == std::set<std::uint16_t>{5000, 5001, 5003});
}

TEST_CASE("copies of SRT ACK and NAK end for a link whose SRT data ended, and come again with it") {
    Live t;
    const auto copies = [&](const Packet& p) {
        t.rig.take();
        t.rig.from_server(t.rig.server_socket(), p);
        return t.ports_of(t.rig.take());
    };
    const Packet ack = sim::make_ack(2, wire::Seq31(1004), {0, Live::caller});
    // One data packet of each link, then keepalives of all four, and data of number 1 alone.
    for (int second = 0; second < 9; ++second) {
        t.rig.pass(1_s);
        for (unsigned n = 0; n < 4; ++n) t.rig.from(phone(n), Packet{0x90, 0x00});
        t.rig.data(phone(1), t.next++, Live::server);
    }
    CHECK(copies(ack) == std::set<std::uint16_t>{5000, 5001, 5002, 5003});
    for (int second = 0; second < 2; ++second) {
        t.rig.pass(1_s);
        for (unsigned n = 0; n < 4; ++n) t.rig.from(phone(n), Packet{0x90, 0x00});
        t.rig.data(phone(1), t.next++, Live::server);
    }
    CHECK(copies(ack) == std::set<std::uint16_t>{5001});
    CHECK(copies(sim::make_nak({{wire::Seq31(1001), wire::Seq31(1002)}}, {0, Live::caller})) ==
          std::set<std::uint16_t>{5001});
    t.rig.data(phone(3), t.next++, Live::server);
    CHECK(copies(ack) == std::set<std::uint16_t>{5001, 5003});
    // The stream pauses: the last link still gets the server's answers, and only that one.
    for (int second = 0; second < 12; ++second) {
        t.rig.pass(1_s);
        for (unsigned n = 0; n < 4; ++n) t.rig.from(phone(n), Packet{0x90, 0x00});
    }
    CHECK(copies(ack) == std::set<std::uint16_t>{5003});
}

TEST_CASE("everything else of the server's goes to the link that delivered SRT last, whatever came since") {
    Live t;
    t.rig.data(phone(2), t.next++, Live::server);
    t.rig.from(phone(3), Packet{0x90, 0x00});
    t.rig.from(phone(1), reg2(t.key));
    t.rig.take();
    for (const Packet& p : {control(SrtControl::keepalive, Live::caller), control(SrtControl::ackack, Live::caller),
                            data_packet(77, Live::caller), control(SrtControl::drop_request, Live::caller, 8)}) {
        t.rig.from_server(t.rig.server_socket(), p);
        const auto sent = t.rig.take();
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].to == phone(2));
        CHECK(sent[0].bytes == p);
    }
}

TEST_CASE("the way back moves to another link that delivered when the last one ages out") {
    Live t;
    t.rig.data(phone(1), t.next++, Live::server);
    t.rig.pass(1_ms);
    t.rig.data(phone(2), t.next++, Live::server);
    for (int i = 0; i < 17; ++i) {
        t.rig.pass(1_s);
        for (const unsigned n : {0u, 1u, 3u}) t.rig.from(phone(n), Packet{0x90, 0x00});
    }
    t.rig.take();
    t.rig.from_server(t.rig.server_socket(), control(SrtControl::keepalive, Live::caller));
    const auto sent = t.rig.take();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to == phone(1));
}

TEST_CASE("handshakes and shutdowns of the server's take two links") {
    Live t;
    t.rig.from_server(t.rig.server_socket(), conclusion_answer(Live::caller, Live::server));
    auto sent = t.rig.take();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].to == phone(0));  // brought the handshake
    CHECK_FALSE(sent[1].to == phone(0));
    t.rig.from_server(t.rig.server_socket(), control(SrtControl::shutdown, Live::caller));
    sent = t.rig.take();
    REQUIRE(sent.size() == 2);
    CHECK_FALSE(sent[0].to == sent[1].to);
    CHECK(t.rig.events(EventKind::receiver_session_ended).size() == 1);
}

TEST_CASE("what a group's owner registers but never delivers from is no target of the server's packets") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    const auto key = rig.join({phone(1)});
    const Endpoint victim = phone(66);
    rig.join_more(key, victim);  // a forged source: the owner never saw this answer
    // One handshake is answered, as far as it goes: it costs as much to send.
    rig.from(victim, induction(5));
    rig.take();
    rig.from_server(rig.server_socket(), data_packet(1, 5));
    rig.from_server(rig.server_socket(), sim::make_ack(1, wire::Seq31(1), {0, 5}));
    rig.from_server(rig.server_socket(), control(SrtControl::keepalive, 5));
    CHECK(rig.take_to(victim).empty());
    CHECK(rig.receiver.counters()[Counter::drop_no_uplink] == 3);
}

TEST_CASE("in playback the caller's ACKs, which name the session, open the way back") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.establish(phone(1), 5, 6, 0);
    rig.from_server(rig.server_socket(), data_packet(1, 5));
    auto sent = rig.take();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to == phone(1));
    rig.from(phone(2), sim::make_ack(1, wire::Seq31(2), {0, 6}));
    rig.take();
    rig.from_server(rig.server_socket(), data_packet(2, 5));
    sent = rig.take();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to == phone(2));
}

TEST_CASE("nothing that is malformed or SRTLA's own reaches the server or is answered") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    struct Case {
        Packet packet;
        Counter counter;
    };
    const auto typed = [](std::uint16_t type, std::size_t size) {
        Packet p(size);
        store_be16(p.data(), type);
        return p;
    };
    std::vector<Case> cases{
        {{}, Counter::drop_short},
        {{0x90}, Counter::drop_short},
        {{0x00}, Counter::drop_short},
        {typed(0x0000, 15), Counter::drop_short},
        {typed(0x8002, 2), Counter::drop_short},
        {typed(0x8002, 15), Counter::drop_short},
        {typed(0x8000, 63), Counter::drop_short},
        {typed(0x8000, 16), Counter::drop_short},
        {typed(0x9200, 2), Counter::drop_bad_registration},
        {typed(0x9200, 257), Counter::drop_bad_registration},
        {typed(0x9200, 259), Counter::drop_bad_registration},
        {typed(0x9201, 257), Counter::drop_bad_registration},
        {typed(0x9201, 259), Counter::drop_bad_registration},
        {typed(0x9201, 1500), Counter::drop_bad_registration},
    };
    for (const unsigned type :
         {0x9001u, 0x9100u, 0x9202u, 0x9210u, 0x9211u, 0x9212u, 0x9300u, 0x9FFFu, 0xA000u, 0xA001u, 0xAFFFu})
        for (const std::size_t size : {2u, 16u, 44u, 258u, 1500u})
            cases.push_back({typed(static_cast<std::uint16_t>(type), size), Counter::drop_unexpected_type});
    for (const Case& c : cases) {
        const std::uint64_t before = rig.receiver.counters()[c.counter];
        rig.from(phone(1), c.packet);
        CAPTURE(c.packet.size());
        CHECK(rig.take().empty());
        CHECK(rig.receiver.counters()[c.counter] == before + 1);
    }
    // A stranger gets as little from each of them.
    for (const Case& c : cases) {
        rig.from(phone(50), c.packet);
        CHECK(rig.take().empty());
    }
    for (const Packet& p : {data_packet(1, 1), induction(1), Packet{0x90, 0x00}, control(SrtControl::shutdown, 1)}) {
        rig.from(phone(50), p);
        CHECK(rig.take().empty());
    }
}

TEST_CASE("nothing that is malformed or SRTLA's own comes back from the server") {
    Live t;
    for (const Packet& p : {Packet{}, Packet{0x80}, Packet(15, 0x80), Packet(16, 0x90), Packet(44, 0x91),
                            Packet(258, 0x92), Packet(32, 0xA0), Packet(1501, 0x00)}) {
        t.rig.from_server(t.rig.server_socket(), p);
        CHECK(t.rig.take().empty());
    }
}

TEST_CASE("once a session is known, packets for another socket or far from its sequences end here") {
    Live t;
    t.rig.data(phone(0), t.next, Live::server + 1);
    t.rig.from(phone(0), control(SrtControl::shutdown, 0x3333));
    t.rig.from(phone(0), control(SrtControl::shutdown, 0));
    CHECK(t.rig.receiver.counters()[Counter::drop_bad_destination] == 3);
    t.rig.data(phone(0), t.next + 100000, Live::server);
    t.rig.data(phone(0), (t.next - 100000) & 0x7FFFFFFF, Live::server);
    CHECK(t.rig.receiver.counters()[Counter::drop_implausible] == 2);
    CHECK(t.rig.take_to(srt_server).empty());
    // The next of its own, and a retransmission from far back, pass.
    t.rig.data(phone(0), t.next, Live::server);
    t.rig.data(phone(0), (t.next - 30000) & 0x7FFFFFFF, Live::server);
    CHECK(t.rig.take_to(srt_server).size() == 2);
}

TEST_CASE("a session whose sequences wrap is one session") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.establish(phone(1), 1, 2, 0x7FFFFFF0);
    for (std::uint32_t i = 0; i < 100; ++i) rig.data(phone(1), (0x7FFFFFF0u + i) & 0x7FFFFFFF, 2);
    CHECK(rig.take_to(srt_server).size() == 100);
    CHECK(rig.receiver.counters()[Counter::srtla_acks_out] == 10);
}

TEST_CASE("a lack of buffers or of room is counted, and loses packets only") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    std::vector<BufferId> hoard;
    while (rig.pool.free_slots() > 1) hoard.push_back(rig.pool.take());
    for (std::uint32_t i = 0; i < 10; ++i) rig.data(phone(1), i, 1);
    CHECK(rig.receiver.counters()[Counter::drop_no_room] == 1);  // the SRTLA ACK
    rig.from(phone(2), reg1(2));
    CHECK(rig.receiver.counters()[Counter::drop_no_room] == 2);  // its REG2: it will ask again
    CHECK(rig.take_to(srt_server).size() == 10);
    for (const BufferId b : hoard) rig.pool.release(b);
    rig.from(phone(2), reg1(2));
    CHECK(rig.take().size() == 1);
}
