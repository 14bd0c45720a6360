// SPDX-License-Identifier: MIT
// The flight recorder between its two threads, handed over by the border's queues as the pump and control do it.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>
#include <vector>

#include "engine/base/latest.h"
#include "engine/base/spsc.h"
#include "engine/border/flight_recorder.h"

using namespace hawser;

TEST_CASE("a reader of a held recorder sees whole records in order, again and again", "[recorder]") {
    constexpr std::size_t places = 512;
    std::vector<FlightRecord> memory(places);
    FlightRecorder recorder;
    recorder.attach({reinterpret_cast<std::uint8_t*>(memory.data()), places * sizeof(FlightRecord)}, 0);
    enum class Order : std::uint8_t { hold, resume, stop };
    Spsc<Order, 8> orders;
    Latest<bool> held;
    std::thread pump([&] {
        std::array<std::uint8_t, 16> packet{};
        for (std::uint32_t i = 0;; ++i) {
            for (std::size_t at = 0; at < packet.size(); at += 4) store_be32(packet.data() + at, i);
            recorder.note_data<16>({Decision::sent, 0, i}, LinkId{1}, packet, Instant{i});
            Order order;
            if (!orders.pop(order)) continue;
            if (order == Order::stop) return;
            if (order == Order::hold)
                recorder.hold();
            else
                recorder.resume();
            held.draft() = recorder.is_held();
            held.publish();
        }
    });
    std::uint32_t wrong = 0;
    std::size_t seen = 0;
    for (int round = 0; round < 100; ++round) {
        REQUIRE(orders.push(Order::hold));
        while (!(held.read() && held.value())) std::this_thread::yield();
        std::int64_t before = -1;
        recorder.each([&](const FlightRecord& r, Bytes) {
            ++seen;
            const auto i = static_cast<std::uint32_t>(r.at.ns);
            if (r.detail != i || load_be32(r.head.data()) != i || load_be32(r.head.data() + 12) != i) ++wrong;
            if (before >= 0 && r.at.ns <= before) ++wrong;
            before = r.at.ns;
        });
        REQUIRE(orders.push(Order::resume));
        while (!(held.read() && !held.value())) std::this_thread::yield();
    }
    REQUIRE(orders.push(Order::stop));
    pump.join();
    CHECK(wrong == 0);
    CHECK(seen > 0);
}
