// SPDX-License-Identifier: MIT
// The reorder hold between a sender whose packets come in any order, some of them lost or twice, and a server that
// remembers what it got. By seed.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "engine/bond/reorder_hold.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::bond;
using wire::Seq31;

namespace {

constexpr std::uint32_t slots = 1024;

// What the receiver does around the hold, without its bounds on sends.
class Line {
public:
    struct Out {
        std::uint32_t index;  // of the packet, from the session's first
        Instant at;
        bool waited;
    };

    explicit Line(std::uint32_t first, std::uint32_t pool_slots = slots)
        : slab_(std::size_t{pool_slots} * pool_slot_bytes), pool(slab_, pool_slot_bytes), store(pool), first_(first) {
        hold.attach(store, counters, 3);
        hold.begin_group(true);
        hold.begin(Seq31(first));
    }
    ~Line() { hold.begin(std::nullopt); }

    [[nodiscard]] Seq31 sequence(std::uint32_t index) const {
        return Seq31(first_).plus(static_cast<std::int32_t>(index));
    }
    void arrive(std::uint32_t index, Instant due, Instant now) {
        pass_time(now);
        const PacketRef packet = make(index);
        auto place = hold.place(sequence(index));
        if (place == ReorderHold::Place::wait && hold.make_room_for(sequence(index))) {
            drain(now);
            place = hold.place(sequence(index));
        }
        bool waits = false;
        if (place == ReorderHold::Place::wait) waits = hold.keep(sequence(index), packet, due, now);
        if (place != ReorderHold::Place::duplicate && !waits) out.push_back({index, now, false});
        if (place == ReorderHold::Place::duplicate) ++dropped;
        if (waits) due_[index] = due;
        if (place == ReorderHold::Place::pass) drain(now);
        pool.release(packet.buffer);
        REQUIRE(hold.is_consistent());
        REQUIRE(store.is_consistent());
    }
    void pass_time(Instant now) {
        while (store.next_due() <= now) {
            const Instant at = store.next_due();
            hold.release_through(store.at(store.first()).sequence);
            drain(at);
        }
    }
    void drain(Instant now) {
        while (const auto packet = hold.pop(now)) {
            const std::uint32_t index = load_be32(pool.data(*packet));
            REQUIRE(due_.count(index) == 1);
            // Nothing is held past its time.
            REQUIRE(now <= due_.at(index));
            out.push_back({index, now, true});
            pool.release(packet->buffer);
        }
        REQUIRE(hold.is_consistent());
    }
    PacketRef make(std::uint32_t index) {
        const BufferId buffer = pool.take();
        REQUIRE(buffer != no_buffer);
        store_be32(pool.data(buffer), index);
        return {buffer, 0, 1316};
    }

private:
    std::vector<std::uint8_t> slab_;

public:
    Pool pool;
    HeldPackets store;
    Counters counters;
    ReorderHold hold;
    std::vector<Out> out;
    std::uint32_t dropped = 0;

private:
    std::uint32_t first_;
    std::map<std::uint32_t, Instant> due_;
};

struct Arrival {
    Instant at;
    std::uint32_t index;
};

// Packets a millisecond apart over links of differing delay; some lost, some twice.
std::vector<Arrival> arrivals(hawser::Random& random, std::uint32_t count, std::uint32_t delay_ms, std::uint32_t lost,
                              std::uint32_t twice) {
    std::vector<Arrival> all;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Instant sent{1'000'000'000 + std::int64_t{i} * 1'000'000};
        if (random.below(100) < lost) continue;
        const std::uint32_t copies = random.below(100) < twice ? 2 : 1;
        for (std::uint32_t c = 0; c < copies; ++c)
            all.push_back({sent + Duration{std::int64_t{random.below(delay_ms * 1000 + 1)} * 1'000}, i});
    }
    std::stable_sort(all.begin(), all.end(), [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    return all;
}
Instant sent_at(std::uint32_t index) { return Instant{1'000'000'000 + std::int64_t{index} * 1'000'000}; }

}  // namespace

TEST_CASE("packets within their time come out whole and in order, whatever order they came in") {
    const auto seed = GENERATE(range(1u, 13u));
    CAPTURE(seed);
    hawser::Random random(seed);
    const std::uint32_t first = seed % 2 == 0 ? 0x7FFF'FFFFu - 100 : random.below(1u << 31);
    Line line(first);
    constexpr std::uint32_t count = 2000;
    std::set<std::uint32_t> came;
    for (const Arrival& a : arrivals(random, count, 1 + seed * 15, 0, seed % 3 * 10)) {
        line.arrive(a.index, sent_at(a.index) + 500_ms, a.at);
        came.insert(a.index);
    }
    REQUIRE(came.size() == count);
    REQUIRE(line.out.size() == count);
    for (std::uint32_t i = 0; i < count; ++i) REQUIRE(line.out[i].index == i);
    CHECK(line.hold.figures().given_up == 0);
    CHECK(line.hold.depth() == 0);
    CHECK(line.hold.next_expected() == line.sequence(count));
    CHECK(line.hold.figures().duplicates == line.dropped);
}

TEST_CASE("with losses and late packets: nothing that came is lost, nothing waits past its time, order but for gaps") {
    const auto seed = GENERATE(range(1u, 25u));
    CAPTURE(seed);
    hawser::Random random(seed);
    // Small pools meet the bound on packets held.
    Line line(0x7FFF'FFFFu - random.below(3000), seed % 4 == 0 ? 128 : slots);
    constexpr std::uint32_t count = 2500;
    std::map<std::uint32_t, std::uint32_t> came;
    // Every twelfth packet has less time than the slowest way needs.
    for (const Arrival& a : arrivals(random, count, 20 + random.below(300), random.below(20), 15)) {
        line.arrive(a.index, std::max(a.at, sent_at(a.index) + Duration{a.index % 12 == 0 ? 5'000'000 : 200'000'000}),
                    a.at);
        ++came[a.index];
    }
    line.pass_time(sent_at(count) + 2_s);
    CHECK(line.hold.depth() == 0);
    // Each that came left once; the rest were copies.
    std::map<std::uint32_t, std::uint32_t> left;
    for (const Line::Out& o : line.out) ++left[o.index];
    for (const auto& [index, times] : left) REQUIRE(times == 1);
    REQUIRE(left.size() == came.size());
    std::uint32_t copies = 0;
    for (const auto& [index, times] : came) copies += times - 1;
    REQUIRE(line.dropped == copies);
    // What steps back is a sequence that had been given up, and each of them is counted.
    std::uint64_t back = 0;
    std::uint32_t newest = 0;
    bool any = false;
    for (const Line::Out& o : line.out) {
        if (any && o.index < newest) {
            ++back;
            REQUIRE_FALSE(o.waited);
        }
        newest = any ? std::max(newest, o.index) : o.index;
        any = true;
    }
    REQUIRE(back == line.hold.figures().late);
    REQUIRE(line.hold.figures().late <= line.hold.figures().given_up);
    // Up to the newest that came, each sequence came in its turn, was given up, or both.
    REQUIRE(line.hold.figures().given_up + (left.size() - line.hold.figures().late) == newest + 1u);
    CHECK(line.hold.next_expected() == line.sequence(newest + 1));
    if (line.pool.slots() == slots) CHECK(line.hold.figures().bounded == 0);
}

TEST_CASE("arbitrary operations keep the hold's books, and every buffer comes home") {
    const auto seed = GENERATE(range(1u, 9u));
    CAPTURE(seed);
    hawser::Random random(seed);
    std::vector<std::uint8_t> slab(std::size_t{256} * pool_slot_bytes);
    Pool pool(slab, pool_slot_bytes);
    Counters counters;
    {
        HeldPackets store(pool);
        std::vector<ReorderHold> holds(3);
        for (std::uint16_t g = 0; g < 3; ++g) holds[g].attach(store, counters, g);
        for (ReorderHold& h : holds) h.begin_group(true);
        Instant now{1'000'000'000};
        std::uint32_t at = 0x7FFF'F000;
        for (int i = 0; i < 6000; ++i) {
            now = now + Duration{std::int64_t{random.below(3'000'000)}};
            const std::uint32_t g = random.below(3);
            ReorderHold& hold = holds[g];
            at += random.below(500) == 0 ? random.below(70'000) : 1;
            const Seq31 s = Seq31(at).plus(static_cast<std::int32_t>(random.below(100)) - 50);
            switch (random.below(24)) {
                case 0: hold.release_through(s); break;
                case 1: hold.forget(s); break;
                case 2: hold.postpone(now); break;
                case 3:
                    if (random.below(20) == 0) hold.begin(std::nullopt);
                    break;
                case 4:
                    if (random.below(20) == 0) hold.begin_group(random.below(3) != 0);
                    break;
                case 5: hold.release_all(); break;
                case 6:
                case 7:
                    // A drain that was cut short.
                    if (const auto p = hold.pop(now)) pool.release(p->buffer);
                    break;
                default: {
                    auto place = hold.place(s);
                    if (place == ReorderHold::Place::wait && hold.make_room_for(s)) {
                        if (const auto p = hold.pop(now)) pool.release(p->buffer);
                        place = hold.place(s);
                    }
                    if (place != ReorderHold::Place::wait) break;
                    const BufferId buffer = pool.take();
                    REQUIRE(buffer != no_buffer);
                    static_cast<void>(hold.keep(s, {buffer, 0, 100}, now + Duration{random.below(50'000'000)}, now));
                    pool.release(buffer);
                }
            }
            while (store.next_due() <= now) {
                ReorderHold& due = holds[store.at(store.first()).group];
                due.release_through(store.at(store.first()).sequence);
                while (const auto p = due.pop(now)) pool.release(p->buffer);
            }
            std::uint32_t depth = 0;
            for (const ReorderHold& h : holds) {
                REQUIRE(h.is_consistent());
                depth += h.depth();
            }
            REQUIRE(store.size() == depth);
            REQUIRE(store.is_consistent());
            REQUIRE(pool.slots() - pool.free_slots() == depth);
        }
        for (ReorderHold& h : holds) h.begin(std::nullopt);
    }
    CHECK(pool.free_slots() == pool.slots());
}
