// SPDX-License-Identifier: MIT
// The receiver's view of one SRT session.
#include <catch2/catch.hpp>

#include "engine/bond/receiver_session.h"
#include "engine/sim/srt_packets.h"

using namespace hawser;
using namespace hawser::literals;
using bond::ServerSession;
using Verdict = ServerSession::Verdict;
using Change = ServerSession::Change;
using wire::Seq31;
using wire::SrtControl;
using wire::SrtPacket;

namespace {

constexpr Duration quiet = 250_ms;
constexpr Instant t0{10'000'000'000};

sim::Packet handshake(std::int32_t request, std::uint32_t id, std::uint32_t isn, std::uint32_t destination) {
    sim::HandshakeFields f;
    f.request_type = request;
    f.socket_id = id;
    f.initial_sequence = Seq31(isn);
    return sim::make_handshake(f, {0, destination});
}
Verdict says(ServerSession& s, const sim::Packet& p, Instant now = t0) {
    return s.on_control(*SrtPacket::over(p), now, quiet);
}
Change server_says(ServerSession& s, const sim::Packet& p) { return s.on_server(*SrtPacket::over(p)); }

ServerSession established(std::uint32_t caller, std::uint32_t server, std::uint32_t isn) {
    ServerSession s;
    CHECK(says(s, handshake(1, caller, 0, 0)) == Verdict::forward);
    CHECK(server_says(s, handshake(1, caller, 0, caller)) == Change::none);
    CHECK(says(s, handshake(-1, caller, isn, 0)) == Verdict::forward);
    CHECK(server_says(s, handshake(-1, server, isn, caller)) == Change::established);
    return s;
}

}  // namespace

TEST_CASE("a session is established by the server's conclusion to its caller, once") {
    ServerSession s = established(1, 2, 1000);
    CHECK(s.is_live());
    CHECK(s.server_id() == 2u);
    CHECK(server_says(s, handshake(-1, 2, 1000, 1)) == Change::none);
    CHECK(server_says(s, handshake(-1, 9, 1000, 77)) == Change::none);  // to somebody before
    CHECK(s.server_id() == 2u);
}

TEST_CASE("a refusal establishes nothing, and does not unmake what is") {
    ServerSession s;
    CHECK(says(s, handshake(1, 1, 0, 0)) == Verdict::forward);
    CHECK(server_says(s, handshake(1009, 1, 0, 1)) == Change::refused);
    CHECK_FALSE(s.is_live());
    ServerSession up = established(1, 2, 0);
    CHECK(server_says(up, handshake(1009, 1, 0, 1)) == Change::none);
    CHECK(up.is_live());
}

TEST_CASE("before a handshake was seen, data of any destination passes") {
    ServerSession s;
    CHECK(s.on_data(Seq31(5), 7, t0) == Verdict::forward);
    CHECK(s.on_data(Seq31(6), 8, t0) == Verdict::forward);
    CHECK(s.is_live());
    CHECK(s.server_id() == 8u);  // as good as it gets, for a SHUTDOWN
}

TEST_CASE("the sequence window hangs on the initial sequence, and is circular") {
    const std::uint32_t isn = GENERATE(0u, 5u, 0x7FFFFFFFu, 0x40000000u, 0x7FFFF000u);
    constexpr std::int32_t w = ServerSession::sequence_window;
    const auto with = [&](std::int32_t offset) {
        ServerSession s = established(1, 2, isn);
        return s.on_data(Seq31(isn).plus(offset), 2, t0);
    };
    CHECK(with(0) == Verdict::forward);
    CHECK(with(w - 1) == Verdict::forward);
    CHECK(with(w) == Verdict::implausible);
    CHECK(with(-w - 1) == Verdict::forward);
    CHECK(with(-w - 2) == Verdict::implausible);
    CHECK(with(-0x40000000) == Verdict::implausible);
    CHECK(with(0x3FFFFFFF) == Verdict::implausible);
}

TEST_CASE("a run of strays that agree is followed, lone ones never") {
    ServerSession s = established(1, 2, 0);
    for (std::int32_t i = 0; i < 1000; ++i) {
        CHECK(s.on_data(Seq31(static_cast<std::uint32_t>(i)), 2, t0) == Verdict::forward);
        CHECK(s.on_data(Seq31(10'000'000 + static_cast<std::uint32_t>(i)), 2, t0) == Verdict::implausible);
    }
    std::uint32_t until = 0;
    while (s.on_data(Seq31(20'000'000 + until), 2, t0) != Verdict::forward) ++until;
    CHECK(until == ServerSession::strays_to_follow - 1);
    CHECK(s.on_data(Seq31(20'000'100), 2, t0) == Verdict::forward);
    // Strays that disagree among each other lead nowhere.
    for (std::uint32_t i = 0; i < 200; ++i)
        CHECK(s.on_data(Seq31(500'000'000u + i * 1'000'000u), 2, t0) == Verdict::implausible);
}

TEST_CASE("only another caller's induction in a quiet session replaces it") {
    ServerSession s = established(1, 2, 0);
    CHECK(s.on_data(Seq31(0), 2, t0) == Verdict::forward);
    CHECK(says(s, handshake(1, 1, 0, 0), t0 + 1_s) == Verdict::forward);  // the same caller's
    CHECK(says(s, handshake(1, 3, 0, 0), t0 + 249_ms) == Verdict::foreign_caller);
    CHECK(says(s, handshake(-1, 3, 0, 0), t0 + 1_s) == Verdict::foreign_caller);
    CHECK(says(s, handshake(1, 3, 0, 0), t0 + 250_ms) == Verdict::replace);
    s.begin(3, t0 + 250_ms);
    CHECK_FALSE(s.is_live());
    CHECK(says(s, handshake(1, 3, 0, 0), t0 + 500_ms) == Verdict::forward);
    CHECK(says(s, handshake(-1, 3, 50, 0), t0 + 500_ms) == Verdict::forward);
    CHECK(server_says(s, handshake(-1, 4, 50, 3)) == Change::established);
    // A late one of the caller before is not an encoder that begins anew; much later it may be.
    CHECK(says(s, handshake(1, 1, 0, 0), t0 + 5_s) == Verdict::foreign_caller);
    CHECK(says(s, handshake(1, 1, 0, 0), t0 + 11_s) == Verdict::replace);
}

TEST_CASE("a stray induction before the session is up does not lock its caller out") {
    ServerSession s;
    CHECK(says(s, handshake(1, 1, 0, 0)) == Verdict::forward);
    CHECK(says(s, handshake(1, 99, 0, 0)) == Verdict::forward);
    CHECK(says(s, handshake(1, 1, 0, 0)) == Verdict::forward);
    CHECK(says(s, handshake(1, 99, 0, 0)) == Verdict::forward);
    CHECK(says(s, handshake(-1, 1, 7, 0)) == Verdict::forward);
    CHECK(server_says(s, handshake(-1, 2, 7, 1)) == Change::established);
}

TEST_CASE("an ended session takes any next caller") {
    ServerSession s = established(1, 2, 0);
    CHECK(s.on_data(Seq31(0), 2, t0) == Verdict::forward);
    SECTION("ended by the caller") { s.end(); }
    SECTION("ended by the server") {
        CHECK(server_says(s, sim::make_control(SrtControl::shutdown, 0, {0, 1}, 4)) == Change::ended);
        CHECK(server_says(s, sim::make_control(SrtControl::shutdown, 0, {0, 1}, 4)) == Change::none);
    }
    CHECK_FALSE(s.is_live());
    CHECK(says(s, handshake(1, 1, 0, 0)) == Verdict::forward);  // even the same number
    CHECK(says(s, handshake(1, 3, 0, 0)) == Verdict::forward);
}

TEST_CASE("handshakes shorter than their body are malformed") {
    ServerSession s;
    auto p = handshake(1, 1, 0, 0);
    p.resize(63);
    CHECK(says(s, p) == Verdict::malformed);
}
