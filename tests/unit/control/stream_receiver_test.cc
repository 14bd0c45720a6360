// SPDX-License-Identifier: MIT
// Whose stream a channel's is: by statuses alone, which nobody has to send.
#include "platform/control/radio/stream_receiver.h"

#include <catch2/catch.hpp>

#include "tests/io/loop_until.h"

using namespace hawser;
using namespace hawser::control;
using namespace hawser::literals;
using test::run_for;
using F = radio::RadioField;

namespace {

constexpr std::uint32_t ssrc = 1000;
const Endpoint own = Endpoint::from_v4(0x0A4D0001, 40'000);
const Endpoint other = Endpoint::from_v4(0x0A4D0001, 50'000);

// Of a radiod that began so many seconds before the first one's, which began at 0; `at` is when it tells.
radio::Status status_of(double begun_s, double at_s) {
    radio::Status s;
    for (const F field : {F::output_ssrc, F::gps_time, F::input_samples, F::input_samprate})
        s.present[static_cast<std::size_t>(field)] = true;
    s.channel.ssrc = ssrc;
    s.channel.gps_time = 1'479'252'561'000'000'000 + static_cast<std::uint64_t>(at_s * 1e9);
    s.frontend.input_samprate = 2'048'000;
    s.frontend.input_samples = static_cast<std::uint64_t>((at_s - begun_s) * 2'048'000);
    return s;
}

struct Rig {
    explicit Rig(Duration rival_silence) : streams(loop, settings(rival_silence), {}, {}, [](const std::string&) {}) {
        streams.follow(ssrc);
        streams.on_status(own, status_of(0, 100));
        REQUIRE(streams.source(ssrc) == own);
    }
    static StreamReceiver::Settings settings(Duration rival_silence) {
        StreamReceiver::Settings s;
        s.rival_silence = rival_silence;
        return s;
    }
    Loop loop;
    StreamReceiver streams;
};

}  // namespace

TEST_CASE("a silent channel's stream is not taken over by a radiod that runs beside its own", "[stream_receiver]") {
    Rig rig(5_s);  // longer than a loaded machine stands still
    rig.streams.on_status(other, status_of(-50, 100.1));
    CHECK(rig.streams.source(ssrc) == own);
    run_for(rig.loop, StreamReceiver::takeover_silence + 100_ms);
    rig.streams.on_status(other, status_of(-50, 100.6));
    CHECK(rig.streams.source(ssrc) == own);
    // One that tells no clocks is believed no sooner.
    radio::Status bare;
    bare.present[static_cast<std::size_t>(F::output_ssrc)] = true;
    bare.channel.ssrc = ssrc;
    rig.streams.on_status(other, bare);
    CHECK(rig.streams.source(ssrc) == own);
    // As long as the channel's own answers polls it is that one's.
    rig.streams.on_status(own, status_of(0, 100.6));
    run_for(rig.loop, 700_ms);
    rig.streams.on_status(other, status_of(-50, 101.3));
    CHECK(rig.streams.source(ssrc) == own);
    CHECK(rig.streams.quality(ssrc)->takeovers == 0);
    // When nobody has answered for long, the other has the number alone.
    run_for(rig.loop, 5_s);
    rig.streams.on_status(other, status_of(-50, 101.7));
    CHECK(rig.streams.source(ssrc) == other);
    CHECK(rig.streams.quality(ssrc)->takeovers == 1);
}

TEST_CASE("a radiod that was restarted, or has another address, has its stream again", "[stream_receiver]") {
    Rig rig(3600_s);
    rig.streams.on_status(other, status_of(100.3, 100.4));
    CHECK(rig.streams.source(ssrc) == own);
    run_for(rig.loop, StreamReceiver::takeover_silence + 100_ms);
    rig.streams.on_status(other, status_of(100.3, 100.6));
    CHECK(rig.streams.source(ssrc) == other);
    const Endpoint moved = Endpoint::from_v4(0x0A4D0002, other.port);
    run_for(rig.loop, StreamReceiver::takeover_silence + 100_ms);
    rig.streams.on_status(moved, status_of(100.3, 101.3));
    CHECK(rig.streams.source(ssrc) == moved);
    CHECK(rig.streams.quality(ssrc)->takeovers == 2);
}
