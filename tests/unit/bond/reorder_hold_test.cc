// SPDX-License-Identifier: MIT
// The reorder hold and its clock, case by case. Orders at random: tests/property/reorder_hold_properties.cc.
#include <catch2/catch.hpp>

#include <vector>

#include "engine/bond/reorder_hold.h"
#include "engine/bond/session_time.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::bond;
using wire::Seq31;
using Place = ReorderHold::Place;

namespace {

struct Rig {
    std::vector<std::uint8_t> slab = std::vector<std::uint8_t>(std::size_t{64} * pool_slot_bytes);
    Pool pool{slab, pool_slot_bytes};
    HeldPackets store{pool};
    Counters counters;
    ReorderHold hold;
    Instant now{1'000'000'000};

    explicit Rig(bool holding = true) {
        hold.attach(store, counters, 7);
        hold.begin_group(holding);
    }
    ~Rig() { hold.begin(std::nullopt); }
    bool keep(std::uint32_t s, Duration wait = 100_ms) {
        const BufferId b = pool.take();
        pool.data(b)[0] = static_cast<std::uint8_t>(s);
        const bool kept = hold.keep(Seq31(s), {b, 0, 1}, now + wait, now);
        pool.release(b);
        return kept;
    }
    std::vector<int> pop_all() {
        std::vector<int> out;
        while (const auto p = hold.pop(now)) {
            out.push_back(*pool.data(*p));
            pool.release(p->buffer);
        }
        return out;
    }
};

}  // namespace

TEST_CASE("a packet that comes before earlier ones waits for them, and they leave together in order") {
    Rig rig;
    rig.hold.begin(Seq31(10));
    CHECK(rig.hold.place(Seq31(10)) == Place::pass);
    CHECK(rig.hold.is_in_order());
    for (const std::uint32_t s : {13u, 12u}) {
        REQUIRE(rig.hold.place(Seq31(s)) == Place::wait);
        CHECK(rig.keep(s));
    }
    CHECK(rig.pop_all().empty());
    CHECK(rig.hold.next_expected() == Seq31(11));
    CHECK(rig.hold.place(Seq31(12)) == Place::duplicate);
    CHECK(rig.hold.place(Seq31(11)) == Place::pass);
    CHECK_FALSE(rig.hold.is_in_order());
    CHECK(rig.pop_all() == std::vector<int>{12, 13});
    CHECK(rig.hold.is_in_order());
    CHECK(rig.hold.next_expected() == Seq31(14));
    CHECK(rig.hold.figures().held == 2);
    CHECK(rig.hold.figures().depth_max == 2);
    CHECK(rig.hold.figures().given_up == 0);
}

TEST_CASE("what was given up passes when it comes after all, once; then it is a duplicate") {
    Rig rig;
    rig.hold.begin(Seq31(10));
    REQUIRE(rig.hold.place(Seq31(12)) == Place::wait);
    CHECK(rig.keep(12));
    rig.hold.release_through(Seq31(12));
    CHECK(rig.pop_all() == std::vector<int>{12});
    CHECK(rig.hold.figures().given_up == 2);
    CHECK(rig.hold.place(Seq31(10)) == Place::pass);
    CHECK(rig.hold.place(Seq31(10)) == Place::duplicate);
    CHECK(rig.hold.place(Seq31(12)) == Place::duplicate);
    CHECK(rig.hold.figures().late == 1);
    CHECK(rig.hold.figures().duplicates == 2);
}

TEST_CASE("a sequence that the server asks for again is no duplicate") {
    Rig rig;
    rig.hold.begin(Seq31(10));
    CHECK(rig.hold.place(Seq31(10)) == Place::pass);
    rig.hold.forget(Seq31(10));
    CHECK(rig.hold.place(Seq31(10)) == Place::pass);
    CHECK(rig.hold.place(Seq31(10)) == Place::duplicate);
    // One that still waits here stays what it is.
    REQUIRE(rig.hold.place(Seq31(12)) == Place::wait);
    CHECK(rig.keep(12));
    rig.hold.forget(Seq31(12));
    CHECK(rig.hold.place(Seq31(12)) == Place::duplicate);
}

TEST_CASE("sequences too far ahead give up the oldest gap, not more") {
    Rig rig;
    rig.hold.begin(Seq31(0));
    for (const std::uint32_t s : {2u, 5u}) {
        REQUIRE(rig.hold.place(Seq31(s)) == Place::wait);
        CHECK(rig.keep(s));
    }
    const Seq31 far(ReorderHold::ahead_max + 1);
    REQUIRE(rig.hold.place(far) == Place::wait);
    CHECK(rig.hold.make_room_for(far));
    CHECK(rig.pop_all() == std::vector<int>{2});
    CHECK(rig.hold.next_expected() == Seq31(3));
    CHECK(rig.hold.place(far) == Place::wait);
    CHECK_FALSE(rig.hold.make_room_for(far));
    CHECK(rig.keep(far.raw()));
    CHECK(rig.hold.figures().bounded == 1);
    CHECK(rig.hold.is_consistent());
}

TEST_CASE("a full store or a pool with little left: the oldest gap goes first, and nothing is refused") {
    Rig rig;
    rig.hold.begin(Seq31(0));
    REQUIRE(rig.store.capacity() == 32);
    std::vector<int> out;
    for (std::uint32_t s = 1; s < 100; s += 2) {
        REQUIRE(rig.hold.place(Seq31(s)) == Place::wait);
        if (rig.hold.make_room_for(Seq31(s))) {
            const auto popped = rig.pop_all();
            out.insert(out.end(), popped.begin(), popped.end());
        }
        REQUIRE(rig.keep(s));
        REQUIRE(rig.pool.free_slots() >= 32);
    }
    // 26 of 32: four times what is left.
    CHECK(out.size() == 50 - 26);
    CHECK(rig.hold.depth() == 26);
    // Others take the pool's rest: with each packet one that was held goes.
    std::vector<BufferId> hoard;
    while (rig.pool.free_slots() > 7) hoard.push_back(rig.pool.take());
    const Seq31 s(101);
    REQUIRE(rig.hold.place(s) == Place::wait);
    CHECK(rig.hold.make_room_for(s));
    CHECK(rig.pop_all().size() == 1);
    for (const BufferId b : hoard) rig.pool.release(b);
}

TEST_CASE("a group that holds all it can leaves room for others to hold") {
    Rig rig;
    rig.hold.begin(Seq31(0));
    ReorderHold other;
    other.attach(rig.store, rig.counters, 8);
    other.begin_group(true);
    other.begin(Seq31(0));
    const auto wait = [&](ReorderHold& hold, std::uint32_t s) {
        const BufferId b = rig.pool.take();
        REQUIRE(hold.place(Seq31(s)) == Place::wait);
        const bool full = hold.make_room_for(Seq31(s));
        if (!full) REQUIRE(hold.keep(Seq31(s), {b, 0, 1}, rig.now + 1_s, rig.now));
        rig.pool.release(b);
        return !full;
    };
    std::uint32_t s = 1;
    while (wait(rig.hold, s)) ++s;
    CHECK(wait(other, 1));
    CHECK(wait(other, 2));
    other.begin(std::nullopt);
}

TEST_CASE("a new session lets go of the old one's packets and begins where its handshake says") {
    Rig rig;
    rig.hold.begin(Seq31(10));
    REQUIRE(rig.hold.place(Seq31(12)) == Place::wait);
    CHECK(rig.keep(12));
    rig.hold.begin(Seq31(5));
    CHECK(rig.store.size() == 0);
    CHECK(rig.pool.free_slots() == rig.pool.slots());
    CHECK(rig.hold.place(Seq31(6)) == Place::wait);
    CHECK(rig.hold.place(Seq31(5)) == Place::pass);
}

TEST_CASE("without a handshake the first packet says where the sequences begin") {
    Rig rig;
    CHECK_FALSE(rig.hold.next_expected());
    CHECK(rig.hold.place(Seq31(0x7FFFFFFF)) == Place::pass);
    CHECK(rig.hold.place(Seq31(1)) == Place::wait);
    CHECK(rig.hold.place(Seq31(0)) == Place::pass);
    CHECK(rig.hold.next_expected() == Seq31(1));
}

TEST_CASE("sequences that begin anew far behind are followed after a run of them, not after one") {
    Rig rig;
    rig.hold.begin(Seq31(100'000));
    CHECK(rig.hold.place(Seq31(100'000)) == Place::pass);
    for (const std::uint32_t s : {100'002u, 100'005u}) {
        REQUIRE(rig.hold.place(Seq31(s)) == Place::wait);
        CHECK(rig.keep(s));
    }
    for (std::uint32_t i = 0; i + 1 < ReorderHold::strays_to_follow; ++i) {
        CHECK(rig.hold.place(Seq31(100 + i)) == Place::pass);
        CHECK(rig.hold.next_expected() == Seq31(100'001));
    }
    CHECK(rig.hold.place(Seq31(500)) == Place::pass);
    CHECK(rig.hold.next_expected() == Seq31(501));
    CHECK(rig.hold.place(Seq31(502)) == Place::wait);
    // What was held is let go of, and told.
    CHECK(rig.hold.depth() == 0);
    CHECK(rig.counters[Counter::drop_session_over] == 2);
}

TEST_CASE("what cannot go now is due at once, and what it waits for is not given up a second time") {
    Rig rig;
    rig.hold.begin(Seq31(0));
    for (const std::uint32_t s : {1u, 3u}) {
        REQUIRE(rig.hold.place(Seq31(s)) == Place::wait);
        CHECK(rig.keep(s));
    }
    CHECK(rig.hold.place(Seq31(0)) == Place::pass);
    rig.hold.postpone(rig.now);
    CHECK(rig.store.next_due() == rig.now);
    rig.hold.release_through(rig.store.at(rig.store.first()).sequence);
    CHECK(rig.pop_all() == std::vector<int>{1});
    CHECK(rig.hold.figures().given_up == 0);
    CHECK(rig.store.next_due() == rig.now + 100_ms);
}

TEST_CASE("without holding everything passes, and what has come is followed over gaps that close or are passed by") {
    Rig rig(false);
    rig.hold.begin(Seq31(10));
    for (const std::uint32_t s : {10u, 12u, 12u, 13u}) CHECK(rig.hold.place(Seq31(s)) == Place::pass);
    CHECK(rig.hold.next_expected() == Seq31(11));
    CHECK(rig.hold.place(Seq31(11)) == Place::pass);
    CHECK(rig.hold.next_expected() == Seq31(14));
    CHECK(rig.hold.place(Seq31(20)) == Place::pass);
    rig.hold.release_through(Seq31(15));
    CHECK(rig.pop_all().empty());
    CHECK(rig.hold.next_expected() == Seq31(16));
    CHECK(rig.hold.place(Seq31(16 + ReorderHold::ahead_max)) == Place::pass);
    CHECK(rig.hold.next_expected() == Seq31(17));
    CHECK(rig.hold.is_consistent());
}

TEST_CASE("a release that is long past does not come back when the sequences go around") {
    Rig rig;
    rig.hold.begin(Seq31(0));
    rig.hold.release_through(Seq31(5));
    CHECK(rig.pop_all().empty());
    CHECK(rig.hold.next_expected() == Seq31(6));
    // 2^30 and more sequences later, in leaps that a server's ACKs make.
    for (std::uint32_t s = 6; s < (1u << 30) + 100; s += 60'000'000) {
        rig.hold.release_through(Seq31(s));
        CHECK(rig.pop_all().empty());
    }
    const Seq31 next = *rig.hold.next_expected();
    CHECK(rig.hold.place(next.plus(2)) == Place::wait);
    CHECK(rig.keep(next.plus(2).raw()));
    CHECK(rig.pop_all().empty());
}

// ---- SessionTime

namespace {
constexpr Instant start{500'000'000'000};
std::uint32_t us(Duration d) { return static_cast<std::uint32_t>(d.us()); }
}  // namespace

TEST_CASE("a deadline is the packet's timestamp on our clock plus the latency, however long it was on its way") {
    SessionTime time;
    CHECK_FALSE(time.deadline(0, start));
    time.on_conclusion(1, us(300_ms), start);
    CHECK_FALSE(time.deadline(0, start));
    time.on_latency(2000_ms);
    for (const Duration way : {0_ms, 40_ms, 900_ms})
        CHECK(time.deadline(us(1300_ms), start + 1_s + way) == start + 1_s + 2000_ms);
}

TEST_CASE("of several conclusions of a caller the earliest beginning counts; another caller begins anew") {
    SessionTime time;
    time.on_conclusion(1, us(300_ms), start);
    time.on_conclusion(1, us(550_ms), start + 200_ms);
    time.on_conclusion(1, us(550_ms), start + 400_ms);
    time.on_latency(1_s);
    CHECK(time.deadline(us(550_ms), start + 300_ms) == start + 200_ms + 1_s);
    time.on_conclusion(2, 0, start + 9_s);
    CHECK_FALSE(time.latency());
}

TEST_CASE("deadlines go on over the wrap of the timestamps") {
    SessionTime time;
    const Duration wrap{4'294'967'296'000};
    time.on_conclusion(1, us(wrap - 1_s), start);
    time.on_latency(1_s);
    CHECK(time.deadline(us(wrap - 1_ms), start + 1_s) == start + 999_ms + 1_s);
    CHECK(time.deadline(0, start + 1_s) == start + 1_s + 1_s);
    CHECK(time.deadline(us(500_ms), start + 1500_ms) == start + 1500_ms + 1_s);
    CHECK(time.deadline(us(500_ms), start + 1500_ms + wrap) == start + 1500_ms + wrap + 1_s);
}

TEST_CASE("a caller's clock that drifts moves the deadlines with it, as the server does") {
    // 50 ppm, five hours, a way of 20 to 60 ms: by the end the clocks are 0.9 s apart.
    const int sign = GENERATE(-1, 1);
    SessionTime time;
    time.on_conclusion(1, 0, start + 20_ms);
    time.on_latency(2_s);
    Instant deadline;
    const std::int64_t seconds = 5 * 3600;
    for (std::int64_t i = 0; i <= seconds * 2; ++i) {
        const Duration sent = 500_ms * i;
        const Duration stamp{sent.ns + sign * sent.ns / 20'000};
        const auto d = time.deadline(us(stamp), start + sent + Duration{20'000'000 + i * 7 % 5 * 10'000'000});
        REQUIRE(d);
        deadline = *d;
        // Where the server would have it, by its own drift tracer; within the slope of one window.
        REQUIRE((deadline - (start + sent + 20_ms + 2_s)) < 4_ms);
        REQUIRE((deadline - (start + sent + 20_ms + 2_s)) > Duration{-4'000'000});
    }
}

TEST_CASE("a way that becomes longer is no drift: deadlines move no further than a clock can") {
    SessionTime time;
    time.on_conclusion(1, 0, start);
    time.on_latency(2_s);
    for (std::int64_t i = 0; i <= 1200; ++i) {
        const Duration sent = 100_ms * i;
        const Duration way = i < 300 ? 0_ms : 400_ms;
        const auto d = time.deadline(us(sent), start + sent + way);
        REQUIRE(d);
        REQUIRE(*d >= start + sent + 2_s);
        REQUIRE(*d <= start + sent + 2_s + (sent + way) / 10'000);
    }
}
