// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/bond/deadlines.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/libsrt.h"

using namespace hawser;
using namespace hawser::literals;
using bond::Deadlines;

namespace {

constexpr Instant t0{7'000'000'000};

}  // namespace

TEST_CASE("a packet's deadline is its timestamp and the latency, counted from the least delayed packet") {
    Deadlines d;
    d.fix(800_ms);
    CHECK(d.of(1'000'000, t0 + 30_ms) == t0 + 830_ms);
    CHECK(d.of(1'010'000, t0 + 10_ms) == t0 + 810_ms);   // no delay: this one tells the origin
    CHECK(d.of(1'020'000, t0 + 900_ms) == t0 + 820_ms);  // held up on its way to us
    CHECK(d.of(1'010'000, t0 + 950_ms) == t0 + 810_ms);  // sent again: its own deadline
    CHECK(d.of(1'030'000, t0 + 30_ms) == t0 + 830_ms);
}

TEST_CASE("timestamps wrap after 71 minutes without a step in the deadlines") {
    Deadlines d;
    d.fix(1_s);
    CHECK(d.of(0xFFFF'FF00u, t0) == t0 + 1_s);
    CHECK(d.of(0x0000'0100u, t0 + 512_us) == t0 + 1_s + 512_us);
}

TEST_CASE("without a handshake a second counts, and what the operator says counts more than a handshake") {
    Deadlines d;
    CHECK(d.latency() == Deadlines::latency_unknown);
    d.fix(300_ms);
    CHECK(d.latency() == 300_ms);
    CHECK(d.of(0, t0) == t0 + 300_ms);
}

TEST_CASE("a listener that waits for what is late, or hands over what it gets, has no deadlines") {
    const auto request = vectors::from_hex(vectors::libsrt::conclusion_request);
    const auto reply = vectors::from_hex(vectors::libsrt::conclusion_reply);
    for (const int missing : {0, 2, 8, 10}) {
        CAPTURE(missing);
        auto answer = reply;
        answer[75] = static_cast<std::uint8_t>(answer[75] & ~missing);
        Deadlines d;
        d.on_caller_handshake(*wire::SrtPacket::over(request));
        d.on_listener_handshake(*wire::SrtPacket::over(answer));
        CHECK(d.latency() == 300_ms);
        CHECK(d.of(0, t0) == t0 + (missing == 0 ? 300_ms : Deadlines::far_away));
        d.fix(700_ms);  // the operator's word counts whatever the listener does
        CHECK(d.of(0, t0) == t0 + 700_ms);
    }
}

TEST_CASE("the latency is a guess until a handshake, the operator or an earlier run has said it") {
    const auto request = vectors::from_hex(vectors::libsrt::conclusion_request);
    Deadlines heard, fixed, known;
    for (const Deadlines* d : {&heard, &fixed, &known}) CHECK(d->is_guess());
    known.expect(Duration{});
    fixed.fix(Duration{});
    CHECK((known.is_guess() && fixed.is_guess()));
    heard.on_caller_handshake(*wire::SrtPacket::over(request));
    fixed.fix(400_ms);
    known.expect(400_ms);
    for (const Deadlines* d : {&heard, &fixed, &known}) CHECK_FALSE(d->is_guess());
}

TEST_CASE("a new session's timestamps begin anew") {
    Deadlines d;
    d.fix(500_ms);
    CHECK(d.of(900'000'000, t0) == t0 + 500_ms);
    d.new_session();
    CHECK(d.of(12, t0 + 5_s) == t0 + 5'500_ms);
}

TEST_CASE("the handshake tells the latency, the listener's word after the caller's") {
    const auto request = vectors::from_hex(vectors::libsrt::conclusion_request);
    const auto reply = vectors::from_hex(vectors::libsrt::conclusion_reply);
    Deadlines d;
    d.on_caller_handshake(*wire::SrtPacket::over(request));
    CHECK(d.latency() == 300_ms);
    auto longer = reply;
    longer[76] = 0x03;
    longer[77] = 0xE8;
    d.on_listener_handshake(*wire::SrtPacket::over(longer));
    CHECK(d.latency() == 1_s);
    d.fix(200_ms);
    d.on_listener_handshake(*wire::SrtPacket::over(reply));
    CHECK(d.latency() == 200_ms);
}

TEST_CASE("to a listener that hands over at once nothing comes too late, unless the operator says otherwise") {
    auto reply = vectors::from_hex(vectors::libsrt::conclusion_reply);
    Deadlines d;
    d.on_listener_handshake(*wire::SrtPacket::over(reply));
    REQUIRE(d.of(0, t0) < t0 + 10_s);
    reply[75] = static_cast<std::uint8_t>(reply[75] & ~2);  // without TSBPDRCV
    d.on_listener_handshake(*wire::SrtPacket::over(reply));
    CHECK(d.of(1000, t0) > t0 + 3600_s);
    d.fix(200_ms);
    CHECK(d.of(2000, t0) < t0 + 1_s);
}
