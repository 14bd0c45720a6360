// SPDX-License-Identifier: MIT
// The receiver's flight recorder: what the server's socket refuses is told, and no stranger fills the ring.
#include <catch2/catch.hpp>

#include <cerrno>

#include "tests/sim/receiver_rig.h"
#include "tests/sim/records.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;

TEST_CASE("what the server's socket refuses is recorded as refused, for its group") {
    ReceiverRig rig;
    const Records records(rig.receiver.recorder());
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.data(phone(1), 7, 1);
    rig.send_failed(rig.server_socket(), EAGAIN);
    CHECK(records.count(Decision::delivered) == 1);
    const auto refused = records.of(Decision::local_refused);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].detail == EAGAIN);
    CHECK(refused[0].number == 0);
    CHECK_FALSE(row_of(refused[0].decision).is_uplink);
}

TEST_CASE("what the server sends and no link takes is recorded as dropped") {
    ReceiverRig rig;
    const Records records(rig.receiver.recorder());
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.from_server(rig.server_socket(), control(wire::SrtControl::keepalive, 1));
    const auto dropped = records.of(Decision::local_dropped);
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0].detail == static_cast<std::uint32_t>(Counter::drop_no_uplink));
}

TEST_CASE("a flood of strangers leaves the ring to the senders, and how much of it was left out is told") {
    ReceiverRig rig;
    constexpr std::uint32_t junk = 20'000;
    const Records records(rig.receiver.recorder(), 1024);
    rig.set_server({srt_server});
    rig.join({phone(1)});
    rig.data(phone(1), 7, 1);
    for (std::uint32_t i = 0; i < junk; ++i) {
        rig.from(phone(100 + i % 50), i % 3 == 0 ? reg1(static_cast<std::uint8_t>(i)) : data_packet(i, 1));
        if (i % 10 == 9) rig.pass(1_ms);
    }
    rig.data(phone(1), 8, 1);
    CHECK(records.count(Decision::delivered) == 2);
    rig.pass(1_s);
    rig.from(phone(99), data_packet(1, 1));
    std::uint64_t strangers = 0;
    std::uint64_t left_out = 0;
    for (const FlightRecord& r : records.all_that([](const FlightRecord& one) { return one.link == no_link; })) {
        if (!row_of(r.decision).is_uplink) continue;
        ++strangers;
        left_out += r.number;
    }
    // Two seconds' worth and the burst, of which the sender's own first registration took some.
    CHECK(strangers <= bond::Strangers::burst + 3 * 10 + 2);
    CHECK(left_out + strangers >= junk);
}
