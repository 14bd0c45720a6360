// SPDX-License-Identifier: MIT
// The receiver's other side: an SRT server that is absent, refuses, moves or restarts, and encoders that begin anew.
#include <catch2/catch.hpp>

#include <cerrno>

#include "tests/sim/receiver_rig.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;
using wire::SrtControl;
using wire::SrtlaType;

TEST_CASE("without a server's address packets are counted, told once a second, and acknowledged to the sender") {
    ReceiverRig rig;
    rig.join({phone(1)});
    for (std::uint32_t i = 0; i < 30; ++i) rig.data(phone(1), i, 1);
    CHECK(rig.take_to(phone(1)).size() == 3);
    CHECK(rig.receiver.counters()[Counter::drop_no_server] == 30);
    rig.pass(1_s);
    const auto told = rig.events(EventKind::receiver_no_server);
    REQUIRE(told.size() == 1);
    CHECK(told[0].a == 30);
    rig.set_server({srt_server});
    rig.take();
    rig.data(phone(1), 30, 1);
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("the first handshake waits for its socket, and is not lost") {
    ReceiverRig rig;
    rig.open_fails = [](const SocketSpec&) { return EMFILE; };
    rig.set_server({srt_server});
    rig.join({phone(1)});
    CHECK(rig.events(EventKind::receiver_server_refused).size() == 1);
    rig.open_fails = nullptr;
    rig.pass(990_ms);
    rig.take();
    rig.pass(20_ms);
    rig.from(phone(1), induction(1));
    const auto sent = rig.take_to(srt_server);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].bytes == induction(1));
}

TEST_CASE("a group outlives a server that refuses, and the operator hears of it at growing intervals") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.take();
    const SocketId socket = rig.server_socket();
    for (int i = 0; i < 600; ++i) {
        rig.pass(100_ms);
        rig.data(phone(1), static_cast<std::uint32_t>(i), 1);
        rig.broken(socket, ECONNREFUSED);
    }
    CHECK(rig.take_to(srt_server).size() == 600);
    CHECK(rig.events(EventKind::receiver_group_removed).empty());
    CHECK(rig.receiver.counters()[Counter::server_errors] == 600);
    const auto told = rig.events(EventKind::receiver_server_refused);
    CHECK(told.size() >= 5);
    CHECK(told.size() <= 8);  // at 0, 1, 3, 7, 15, 31 s
    CHECK(told[0].a == ECONNREFUSED);
    CHECK(told.back().b > 300);
    ReceiverSnapshot s;
    s.reserve(1, 16);
    rig.receiver.fill(s, rig.now);
    CHECK(s.groups()[0].state == ReceiverGroupState::refused);
    // It listens again: one answer ends the matter.
    rig.from_server(socket, sim::make_ack(1, wire::Seq31(600), {0, 1}));
    CHECK(rig.take_to(phone(1)).size() >= 1);
    rig.receiver.fill(s, rig.now);
    CHECK(s.groups()[0].state == ReceiverGroupState::session);
}

TEST_CASE("with several addresses, a group without a session goes on to the next when one refuses or is mute") {
    ReceiverRig rig;
    rig.set_server({srt_server, srt_server_2});
    rig.join({phone(1)});
    rig.from(phone(1), induction(1));
    CHECK(rig.take_to(srt_server).size() == 1);
    SECTION("it refuses") { rig.broken(rig.server_socket(), ECONNREFUSED); }
    SECTION("it is mute") {
        for (int i = 0; i < 4; ++i) {
            rig.pass(250_ms);
            rig.take();
            rig.from(phone(1), induction(1));
        }
    }
    rig.take();
    rig.pass(250_ms);
    rig.from(phone(1), induction(1));
    CHECK(rig.take_to(srt_server_2).size() == 1);
    rig.establish(phone(1), 1, 2, 0);
    // The next group begins where this one was answered.
    rig.join({phone(2)}, 2);
    rig.from(phone(2), induction(9));
    CHECK(rig.take_to(srt_server_2).size() == 1);
    // And a session that is up stays where it is.
    rig.data(phone(1), 0, 2);
    rig.set_server({srt_server});
    rig.pass(2_s);
    rig.take();
    rig.data(phone(1), 1, 2);
    CHECK(rig.take_to(srt_server_2).size() == 1);
    rig.from(phone(2), induction(9));
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("an encoder that begins anew gets a new port at the server, and the old session a SHUTDOWN") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.establish(phone(1), 11, 22, 5000);
    rig.data(phone(1), 5000, 22);
    rig.data(phone(2), 5001, 22);
    const SocketId old = rig.server_socket();
    const std::uint32_t old_tag = rig.socket(old).spec.tag;
    rig.pass(1_s);
    rig.take();

    rig.from(phone(2), induction(33));
    const auto sent = rig.take_to(srt_server);
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].socket == old);
    REQUIRE(sent[0].is(SrtControl::shutdown));
    CHECK(load_be32(sent[0].bytes.data() + 12) == 22);
    CHECK(sent[0].bytes.size() == 20);
    CHECK_FALSE(sent[1].socket == old);
    CHECK(sent[1].bytes == induction(33));
    CHECK(rig.events(EventKind::receiver_session_replaced).size() == 1);
    rig.pass(5_ms);
    CHECK(rig.open_sockets() == 2);  // the old one is closed once its SHUTDOWN has left

    // What the old socket's server still says is nobody's.
    rig.from_tag(old_tag, sim::make_ack(9, wire::Seq31(1), {0, 11}));
    CHECK(rig.take().empty());
    // Repeats of the same induction, and a late one of the old encoder, reset nothing.
    const SocketId fresh = rig.server_socket();
    for (int i = 0; i < 5; ++i) {
        rig.pass(250_ms);
        rig.from(phone(1), induction(33));
    }
    CHECK(rig.server_socket() == fresh);
    rig.establish(phone(1), 33, 44, 100);
    rig.data(phone(1), 100, 44);
    rig.pass(1_s);
    rig.from(phone(2), induction(11));
    rig.data(phone(2), 5002, 22);
    CHECK(rig.server_socket() == fresh);
    CHECK(rig.events(EventKind::receiver_session_replaced).size() == 1);
    rig.take();
    rig.data(phone(2), 101, 44);
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("an induction cannot end a session whose data is flowing") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)});
    rig.establish(phone(1), 11, 22, 0);
    const SocketId socket = rig.server_socket();
    for (std::uint32_t i = 0; i < 100; ++i) {
        rig.data(phone(1), i, 22);
        rig.pass(10_ms);
        rig.from(phone(2), induction(1000 + i));
        rig.from(phone(2), conclusion(1000 + i, 7));
    }
    CHECK(rig.server_socket() == socket);
    CHECK(rig.receiver.counters()[Counter::drop_foreign_caller] == 200);
    for (const Sent& s : rig.take_to(srt_server)) CHECK(s.bytes.size() == 1332);
}

TEST_CASE("a restarted server is met by the encoder's new session on a new port") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.establish(phone(1), 11, 22, 0);
    for (std::uint32_t i = 0; i < 50; ++i) {
        rig.data(phone(1), i, 22);
        rig.broken(rig.server_socket(), ECONNREFUSED);
        rig.pass(100_ms);
    }
    rig.pass(400_ms);
    const SocketId old = rig.server_socket();
    rig.from(phone(1), induction(12));
    CHECK_FALSE(rig.server_socket() == old);
    rig.establish(phone(1), 12, 23, 7);
    rig.data(phone(1), 7, 23);
    CHECK(rig.events(EventKind::receiver_session_started).size() == 2);
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("a handshake that the server refuses is told with its reason") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.from(phone(1), induction(1));
    rig.from(phone(1), conclusion(1, 0));
    rig.take();
    rig.from_server(rig.server_socket(), conclusion_answer(1, 1, 1009));
    CHECK(rig.take_to(phone(1)).size() == 1);
    const auto told = rig.events(EventKind::receiver_session_refused);
    REQUIRE(told.size() == 1);
    CHECK(told[0].a == 1009);
    // And the next try is not a replacement of anything.
    rig.from(phone(1), induction(2));
    CHECK(rig.events(EventKind::receiver_session_replaced).empty());
}

TEST_CASE("a group that dies says goodbye to the server, if it had a session") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)}, 1);
    rig.establish(phone(1), 11, 22, 0);
    rig.data(phone(1), 0, 22);
    rig.join({phone(2)}, 2);  // never had one
    rig.take();
    rig.pass(40_s);
    const auto sent = rig.take_to(srt_server);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].is(SrtControl::shutdown));
    CHECK(load_be32(sent[0].bytes.data() + 12) == 22);
    CHECK(rig.open_sockets() == 1);
}

TEST_CASE("a caller's own shutdown ends the session, and is not said twice") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.establish(phone(1), 11, 22, 0);
    rig.data(phone(1), 0, 22);
    rig.from(phone(1), control(SrtControl::shutdown, 22));
    CHECK(rig.events(EventKind::receiver_session_ended).size() == 1);
    rig.take();
    rig.pass(40_s);
    CHECK(rig.take_to(srt_server).empty());
}

TEST_CASE("stop says goodbye for every session and closes every socket") {
    ReceiverRig rig;
    rig.audits = false;
    rig.set_server({srt_server});
    for (unsigned n = 0; n < 150; ++n) {
        rig.join({phone(n)}, static_cast<std::uint8_t>(n));
        rig.establish(phone(n), 11, 22 + n, 0);
    }
    rig.take();
    rig.stop();
    const auto sent = rig.take();
    const auto to = [&sent](const Endpoint& whom) {
        return std::count_if(sent.begin(), sent.end(),
                             [&](const Sent& s) { return s.to == whom && s.is(SrtControl::shutdown); });
    };
    CHECK(to(srt_server) == 150);
    for (unsigned n = 0; n < 150; ++n) CHECK(to(phone(n)) == 1);
    CHECK(rig.open_sockets() == 0);
    CHECK(rig.receiver.finished());
    CHECK_FALSE(rig.receiver.failed());
    CHECK(rig.events(EventKind::receiver_group_removed).size() == 150);
}

TEST_CASE("errors of the listening socket's sends are counted by kind and cost nobody his link") {
    ReceiverRig rig;
    rig.join({phone(1)});
    rig.send_failed(SocketId(0), EAGAIN);
    rig.send_failed(SocketId(0), EMSGSIZE);
    rig.send_failed(SocketId(0), ENETUNREACH);
    rig.broken(SocketId(0), EHOSTUNREACH);
    CHECK(rig.receiver.counters()[Counter::sends_deferred] == 1);
    CHECK(rig.receiver.counters()[Counter::sends_too_large] == 1);
    CHECK(rig.receiver.counters()[Counter::sends_failed] == 2);
    rig.pass(1_s);
    CHECK(rig.events(EventKind::receiver_uplink_error).size() == 1);
    rig.from(phone(1), Packet{0x90, 0x00});
    CHECK(rig.take().size() == 1);
}
