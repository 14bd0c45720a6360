// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <array>
#include <vector>

#include "engine/bond/caller.h"

using namespace hawser;
using namespace hawser::literals;
using bond::Caller;
using wire::Seq31;

namespace {

constexpr Instant t0{0};
const Endpoint one = Endpoint::from_v4(0x7F000001, 1000);
const Endpoint two = Endpoint::from_v4(0x7F000001, 2000);

std::array<std::uint8_t, 64> handshake(std::int32_t request, std::uint32_t socket_id, std::uint32_t isn) {
    std::array<std::uint8_t, 64> p{};
    store_be16(p.data(), 0x8000);
    store_be32(p.data() + 16, 5);
    store_be32(p.data() + 24, isn);
    store_be32(p.data() + 36, static_cast<std::uint32_t>(request));
    store_be32(p.data() + 40, socket_id);
    return p;
}

wire::Handshake read(const std::array<std::uint8_t, 64>& packet) {
    return *wire::Handshake::over(*wire::SrtPacket::over(packet));
}

bool tell(Caller& c, Bytes packet) { return c.on_handshake(*wire::Handshake::over(*wire::SrtPacket::over(packet))); }

wire::LossList losses(const std::vector<std::uint32_t>& words, std::vector<std::uint8_t>& storage) {
    storage.resize(words.size() * 4);
    for (std::size_t i = 0; i < words.size(); ++i) store_be32(storage.data() + 4 * i, words[i]);
    return *wire::LossList::over(storage, 25600);
}

}  // namespace

TEST_CASE("the first caller holds the place until it is silent or says goodbye") {
    Caller c;
    CHECK(c.is_replaceable(t0, 2_s));
    c.lock(one, t0);
    CHECK(c.is(one));
    CHECK_FALSE(c.is(two));
    c.on_connected_control();
    CHECK_FALSE(c.is_replaceable(t0 + 1999_ms, 2_s));
    CHECK(c.is_replaceable(t0 + 2_s, 2_s));
    c.heard(t0 + 1_s);
    CHECK_FALSE(c.is_replaceable(t0 + 2_s, 2_s));
    c.on_shutdown();
    CHECK(c.is_replaceable(t0 + 1001_ms, 2_s));
}

TEST_CASE("a caller that only dials gives way after two missed handshakes, or when nobody answers it") {
    Caller c;
    c.lock(one, t0);
    CHECK_FALSE(c.is_established());
    CHECK_FALSE(c.is_replaceable(t0 + 499_ms, 2_s));
    CHECK(c.is_replaceable(t0 + 500_ms, 2_s));
    // It repeats, and nobody answers.
    for (int i = 1; i <= 6; ++i) {
        CHECK_FALSE(c.is_replaceable(t0 + 250_ms * i - 1_ms, 2_s));
        static_cast<void>(tell(c, handshake(wire::handshake_induction, 77, 0)));
        c.heard(t0 + 250_ms * i);
    }
    CHECK(c.is_replaceable(t0 + 1500_ms, 2_s));
    // An answer is progress, a refusal too, but no connection.
    c.on_answer(read(handshake(wire::handshake_induction, 5, 0)), t0 + 1500_ms);
    CHECK_FALSE(c.is_replaceable(t0 + 1900_ms, 2_s));
    static_cast<void>(tell(c, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK_FALSE(c.is_established());
    c.on_answer(read(handshake(1010, 5, 0)), t0 + 1600_ms);
    CHECK_FALSE(c.is_established());
    CHECK(c.is_replaceable(t0 + 2000_ms, 2_s));
}

TEST_CASE("a caller is established by the server's conclusion, by data, or by what only the connected send") {
    const Instant late = t0 + 1999_ms;
    Caller accepted;
    accepted.lock(one, t0);
    static_cast<void>(tell(accepted, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK(accepted.is_replaceable(late, 2_s));
    accepted.on_answer(read(handshake(wire::handshake_conclusion, 5, 0)), t0);
    CHECK_FALSE(accepted.is_replaceable(late, 2_s));
    // Encoders dial anew from the same port.
    static_cast<void>(tell(accepted, handshake(wire::handshake_conclusion, 78, 9)));
    CHECK(accepted.is_replaceable(late, 2_s));

    Caller sends;
    sends.lock(one, t0);
    static_cast<void>(tell(sends, handshake(wire::handshake_conclusion, 77, 5000)));
    static_cast<void>(sends.on_data(Seq31(5000)));
    CHECK_FALSE(sends.is_replaceable(late, 2_s));

    Caller met_in_the_middle;
    met_in_the_middle.lock(one, t0);
    static_cast<void>(met_in_the_middle.on_data(Seq31(0)));
    CHECK_FALSE(met_in_the_middle.is_replaceable(late, 2_s));
    CHECK(met_in_the_middle.is_replaceable(t0 + 2_s, 2_s));
}

TEST_CASE("a conclusion with a new socket id opens a session, its repetitions do not") {
    Caller c;
    c.lock(one, t0);
    CHECK_FALSE(tell(c, handshake(wire::handshake_induction, 77, 0)));
    CHECK(tell(c, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK_FALSE(tell(c, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK(c.newest() == Seq31(4999));
    CHECK(tell(c, handshake(wire::handshake_conclusion, 78, 10)));
}

TEST_CASE("answers for another socket are not the caller's") {
    Caller c;
    c.lock(one, t0);
    CHECK(c.accepts_destination(123));   // joined in mid-stream: the id is not known
    CHECK_FALSE(c.accepts_answer(123));  // to a handshake that the caller never sent
    CHECK_FALSE(c.accepts_answer(0));
    static_cast<void>(tell(c, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK(c.accepts_destination(77));
    CHECK_FALSE(c.accepts_destination(78));
    CHECK_FALSE(c.accepts_destination(0));
}

TEST_CASE("an encoder that starts anew on the same port is answered before its conclusion") {
    Caller c;
    c.lock(one, t0);
    static_cast<void>(tell(c, handshake(wire::handshake_conclusion, 77, 5000)));
    CHECK_FALSE(c.accepts_destination(78));
    CHECK_FALSE(tell(c, handshake(wire::handshake_induction, 78, 0)));
    CHECK(c.accepts_destination(78));
    CHECK(c.accepts_answer(78));
    CHECK(c.accepts_destination(77));  // until the new session is there, a forged induction ends nothing
    CHECK(tell(c, handshake(wire::handshake_conclusion, 78, 9000)));
    CHECK(c.accepts_destination(78));
    CHECK_FALSE(c.accepts_destination(77));
}

TEST_CASE("an ACK may name at most the sequence after the newest, across the wrap too") {
    for (const std::uint32_t isn : {100u, 0x7FFF'FFF0u}) {
        Caller c;
        c.lock(one, t0);
        CHECK_FALSE(c.accepts_ack(Seq31(isn)));  // nothing was sent
        static_cast<void>(tell(c, handshake(wire::handshake_conclusion, 77, isn)));
        for (std::int32_t i = 0; i < 50; ++i) CHECK_FALSE(c.on_data(Seq31(isn).plus(i)));
        CHECK(c.accepts_ack(Seq31(isn)));
        CHECK(c.accepts_ack(Seq31(isn).plus(50)));
        CHECK_FALSE(c.accepts_ack(Seq31(isn).plus(51)));
        CHECK_FALSE(c.accepts_ack(Seq31(isn).plus(-Caller::answer_reach)));
    }
}

TEST_CASE("a NAK may name nothing beyond the newest and nothing of a distant past") {
    Caller c;
    c.lock(one, t0);
    static_cast<void>(tell(c, handshake(wire::handshake_conclusion, 77, 0x7FFF'FFFE)));
    for (std::int32_t i = 0; i < 10; ++i) static_cast<void>(c.on_data(Seq31(0x7FFF'FFFE).plus(i)));
    std::vector<std::uint8_t> bytes;
    CHECK(c.accepts_losses(losses({0x7FFF'FFFE}, bytes)));
    CHECK(c.accepts_losses(losses({0xFFFF'FFFE, 3}, bytes)));  // a range over the wrap
    CHECK(c.accepts_losses(losses({7}, bytes)));
    CHECK_FALSE(c.accepts_losses(losses({8}, bytes)));
    CHECK_FALSE(c.accepts_losses(losses({7, 0x8000'0006, 8}, bytes)));
    CHECK_FALSE(c.accepts_losses(losses({0x3000'0000}, bytes)));
}

TEST_CASE("a jump of the sequence is a new session, a late retransmission is not") {
    Caller c;
    c.lock(one, t0);
    CHECK(c.on_data(Seq31(1000)));  // joined in mid-stream
    CHECK_FALSE(c.on_data(Seq31(1001)));
    CHECK_FALSE(c.on_data(Seq31(500)));
    CHECK(c.newest() == Seq31(1001));
    CHECK(c.on_data(Seq31(0x2000'0000)));
    CHECK(c.newest() == Seq31(0x2000'0000));
    CHECK(c.on_data(Seq31(5)));
}

TEST_CASE("a refusal goes back to the caller's socket with libsrt's conflict code") {
    const auto induction = handshake(wire::handshake_induction, 0x1234, 9);
    const auto refusal = bond::build_rejection(*wire::SrtPacket::over(induction));
    REQUIRE(refusal);
    const auto packet = *wire::SrtPacket::over(*refusal);
    CHECK(packet.destination() == 0x1234);
    CHECK(wire::Handshake::over(packet)->request_type() == 2409);
    std::array<std::uint8_t, 64> data{};
    CHECK_FALSE(bond::build_rejection(*wire::SrtPacket::over(data)));
}
