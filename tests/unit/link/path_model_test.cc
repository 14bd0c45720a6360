// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/link/path_model.h"

using namespace hawser;
using namespace hawser::literals;
using link::PathModel;
using link::WindowedLeast;

namespace {

constexpr Instant t0{50'000'000'000};
constexpr Duration base{60'000'000};  // round trip

// A link of a fixed rate that answers each packet at once; the queue is what is put into it.
struct Wire {
    PathModel path;
    Duration detour{};
    double bytes_per_ms = 500;  // 4 Mbit/s
    std::uint16_t bytes = 1360;
    Instant now = t0;
    double free_at_ms = 0;  // of the transmitter, after t0
    std::int64_t in_flight = 0;
    std::uint32_t clock_offset_us = 4'294'900'000u;  // wraps soon

    // One packet sent now, and its report on arrival; `carried`: bytes in flight beside it.
    void packet(std::int64_t carried) {
        const double sent_ms = static_cast<double>((now - t0).ns) / 1e6;
        free_at_ms = std::max(free_at_ms, sent_ms) + bytes / bytes_per_ms;
        const Instant arrived = t0 + Duration{static_cast<std::int64_t>(free_at_ms * 1e6)} + base / 2 + detour;
        const auto arrival_us = static_cast<std::uint32_t>(arrived.ns / 1000) + clock_offset_us;
        path.on_rtt(arrived + base / 2 - now, arrived + base / 2);
        path.on_arrivals(bytes, arrival_us, now, carried, arrived + base / 2);
    }
    // At a steady pace, packets per second.
    void run(Duration span, double pace, std::int64_t carried) {
        const Instant end = now + span;
        for (; now < end; now = now + Duration{static_cast<std::int64_t>(1e9 / pace)}) packet(carried);
    }
};

}  // namespace

TEST_CASE("an unknown link may carry six packets and counts as half of 100 ms away") {
    PathModel path;
    CHECK(path.window() == 6 * PathModel::packet_bytes);
    CHECK(path.delay_behind(0) == 50_ms);
    CHECK(path.delay_behind(100'000) == 50_ms);
}

TEST_CASE("base, rate and queue are what the link shows, whatever the receiver's clock says") {
    Wire wire;
    wire.run(2_s, 300, 0);  // 3.3 of 4 Mbit/s
    CHECK(wire.path.base_rtt().ms() >= 60);
    CHECK(wire.path.base_rtt().ms() <= 63);
    CHECK(wire.path.queue_delay() < 4_ms);
    CHECK(wire.path.bytes_per_ns() * 1e6F == Approx(300 * 1.36F).epsilon(0.05));
    wire.run(1_s, 600, 50'000);  // twice what it carries
    CHECK(wire.path.bytes_per_ns() * 1e6F == Approx(500).epsilon(0.05));
    CHECK(wire.path.queue_delay() > 500_ms);
}

TEST_CASE("what lies before a packet delays it by its time on the link, what is on its way does not") {
    Wire wire;
    wire.run(2_s, 367, 0);
    const auto rate = static_cast<double>(wire.path.bytes_per_ns()) * 1e6;  // bytes/ms
    const auto on_the_way = static_cast<std::int64_t>(rate * 60);
    CHECK(wire.path.delay_behind(on_the_way / 2).ms() <= 32);
    const Duration behind = wire.path.delay_behind(on_the_way + static_cast<std::int64_t>(rate * 100));
    CHECK(behind.ms() == Approx(130).margin(4));
}

TEST_CASE("the window grows only while it is what limits and no queue builds, and a queue ends its growth") {
    Wire idle;
    idle.run(2_s, 100, 0);
    const std::int64_t unused = idle.path.window();
    idle.run(2_s, 100, 0);
    CHECK(idle.path.window() <= unused + PathModel::packet_bytes);

    Wire wire;
    wire.run(200_ms, 100, 0);
    const std::int64_t before = wire.path.window();
    for (int i = 0; i < 50; ++i) {
        wire.now = wire.now + 10_ms;
        wire.packet(wire.path.window());
    }
    CHECK(wire.path.window() >= before + 40 * PathModel::packet_bytes);
    wire.run(500_ms, 800, wire.path.window());
    CHECK(wire.path.queue_delay() > 50_ms);
    const auto fair = static_cast<std::int64_t>(500.0 * 160);  // rate times base and standing queue
    CHECK(wire.path.window() < fair * 12 / 10);
    CHECK(wire.path.window() > fair * 8 / 10);
}

TEST_CASE("a link that slows down is known to within half a second") {
    Wire wire;
    wire.run(2_s, 360, 0);
    wire.bytes_per_ms = 100;
    wire.run(700_ms, 360, 50'000);
    CHECK(wire.path.bytes_per_ns() * 1e6F < 130);
}

TEST_CASE("a link with a queue delivers later packets at its rate of just now, not at its best") {
    Wire wire;
    wire.run(2_s, 360, 0);
    wire.bytes_per_ms = 100;
    wire.run(80_ms, 360, 50'000);
    REQUIRE(wire.path.bytes_per_ns() * 1e6F > 300);  // the best of late ones
    const Duration behind = wire.path.delay_behind(100'000);
    CHECK(behind > 700_ms);
    CHECK(behind < 1000_ms);
}

TEST_CASE("a queue of several times the aim bounds the window by what the link delivers just now") {
    Wire wire;
    wire.bytes = 13600;  // as a report each 10 ms tells of them
    wire.bytes_per_ms = 1500;
    wire.run(1_s, 100, 0);
    const std::int64_t at_best = wire.path.window();
    REQUIRE(at_best == Approx(1360 * 139).epsilon(0.05));  // 60 ms away, 9 of its own, 70 of queue
    wire.bytes_per_ms = 300;                               // a fifth
    wire.run(40_ms, 100, 0);
    REQUIRE(wire.path.queue_delay() < 70_ms * 3);
    CHECK(wire.path.window() >= at_best);
    wire.run(300_ms, 50, 0);
    REQUIRE(wire.path.queue_delay() > 70_ms * 3);
    CHECK(wire.path.window() == Approx(2 * 300 * 139).epsilon(0.1));
    // The best rate counts again with the queue's end.
    wire.bytes_per_ms = 1500;
    wire.run(1200_ms, 20, 0);
    REQUIRE(wire.path.queue_delay() < 10_ms);
    CHECK(wire.path.window() >= at_best * 9 / 10);
}

TEST_CASE("more falling rates than are kept leave the greatest of those that are") {
    PathModel path;
    Instant now = t0;
    std::vector<float> rates;
    // Ten milliseconds apart, each with fewer bytes than the one before: 90 rates, of which 64 are kept.
    for (int i = 0; i < 90; ++i) {
        now = now + 10_ms;
        path.on_arrivals(20'000 - 200 * i, static_cast<std::uint32_t>(now.ns / 1000), now - 10_ms, 0, now);
        rates.push_back(path.bytes_per_ns());
        if (i > 0) CHECK(rates.back() <= Approx(2e-3F).epsilon(0.05));
    }
    // The 64th before the last was taken over 100 ms, around packet 22: 10 ms each.
    const auto over_100_ms = [](int last) { return (20'000.0F - 200.0F * (static_cast<float>(last) - 4.5F)) / 10e6F; };
    CHECK(rates.back() == Approx(over_100_ms(26)).epsilon(0.01));
    CHECK(rates[60] == Approx(2e-3F).epsilon(0.05));
}

TEST_CASE("a burst after a pause is no rate, and what the link was before is not forgotten") {
    Wire wire;
    wire.run(1_s, 350, 0);
    const float before = wire.path.bytes_per_ns();
    // A second's worth of packets comes at once.
    wire.free_at_ms = 2000;
    wire.bytes_per_ms = 100'000;
    wire.run(1_s, 350, 50'000);
    wire.bytes_per_ms = 500;
    CHECK(wire.path.bytes_per_ns() < before * 1.2F);
    CHECK(wire.path.bytes_per_ns() > before * 0.8F);
}

TEST_CASE("what is lost while there is a queue makes a link shallow, unless all of it was silent") {
    for (const bool was_silent : {false, true}) {
        Wire wire;
        wire.run(1_s, 400, 20'000);  // 4.4 of 4 Mbit/s
        REQUIRE(wire.path.queue_delay() > 20_ms);
        wire.path.on_lost(30 * 1360, false, was_silent);
        wire.run(200_ms, 300, 20'000);
        CHECK(wire.path.is_shallow() == !was_silent);
    }
}

TEST_CASE("how wrong expectations were lately is remembered for a while") {
    Wire wire;
    wire.run(1_s, 300, 0);
    CHECK(wire.path.error() == 0_ms);
    wire.path.note_expected(10_ms, wire.now);  // it took 30
    CHECK(wire.path.error().ms() >= 18);
    CHECK(wire.path.error().ms() <= 24);
    wire.path.note_expected(30_ms, wire.now + 5_s);
    wire.path.note_expected(30_ms, wire.now + 8_s);
    CHECK(wire.path.error() < 5_ms);
}

TEST_CASE("a base that nothing confirms is looked for anew, so that a standing queue does not pass for distance") {
    Wire wire;
    wire.run(1_s, 300, 0);
    REQUIRE_FALSE(wire.path.draining());
    wire.run(200_ms, 600, 50'000);  // a queue of some 130 ms, kept
    bool drained = false;
    for (int i = 0; i < 1200 && !drained; ++i) {
        wire.run(10_ms, 367, 50'000);
        drained = wire.path.draining();
    }
    CHECK(drained);
    const auto in_transit = static_cast<std::int64_t>(wire.path.bytes_per_ns() * static_cast<float>(base.ns));
    CHECK(wire.path.window() < in_transit);
}

TEST_CASE("a way that has become longer is known to be so within three seconds, and a shorter one at once") {
    Wire wire;
    wire.run(2_s, 300, 0);
    REQUIRE(wire.path.queue_delay() < 5_ms);
    wire.detour = 150_ms;
    wire.run(1_s, 300, 0);
    CHECK(wire.path.queue_delay() >= 145_ms);  // it may be a queue
    wire.run(2_s, 300, 0);
    CHECK(wire.path.queue_delay() < 5_ms);
    CHECK(wire.path.base_rtt() >= 210_ms);
    CHECK_FALSE(wire.path.draining());
    wire.detour = 0_ms;
    wire.run(50_ms, 300, 0);
    CHECK(wire.path.queue_delay() < 5_ms);
    wire.detour = 150_ms;
    wire.run(100_ms, 300, 0);
    CHECK(wire.path.queue_delay() >= 145_ms);
}

TEST_CASE("what nobody has heard of for seconds is not taken for a longer way by its first late answer") {
    Wire wire;
    wire.run(2_s, 300, 0);
    wire.now = wire.now + 2500_ms;
    wire.detour = 150_ms;  // what was held back meanwhile
    wire.run(100_ms, 300, 0);
    CHECK(wire.path.queue_delay() >= 145_ms);
    CHECK_FALSE(wire.path.draining());
    wire.detour = 0_ms;
    wire.run(100_ms, 300, 0);
    CHECK(wire.path.queue_delay() < 5_ms);
}

TEST_CASE("the least value is forgotten after one to two spans") {
    WindowedLeast least(10_s);
    CHECK_FALSE(least.any());
    least.note(5, t0);
    least.note(9, t0 + 9_s);
    CHECK(least.least() == 5);
    least.note(9, t0 + 11_s);
    CHECK(least.least() == 5);
    least.note(9, t0 + 22_s);
    CHECK(least.least() == 9);
    least.note(20, t0 + 60_s);
    CHECK(least.least() == 20);
}
