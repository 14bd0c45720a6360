// SPDX-License-Identifier: MIT
#include "engine/base/pool.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "tests/unit/base/aborts.h"

using namespace hawser;

namespace {

constexpr std::uint32_t slot_bytes = 64;
constexpr std::uint32_t slot_count = 8;

struct Fixture {
    std::vector<std::uint8_t> slab = std::vector<std::uint8_t>(slot_bytes * slot_count);
    Pool pool{slab, slot_bytes};
};

}  // namespace

TEST_CASE("a pool hands out each slot once, and then none", "[pool]") {
    Fixture f;
    std::set<std::uint32_t> taken;
    for (std::uint32_t i = 0; i < slot_count; ++i) {
        const BufferId id = f.pool.take();
        REQUIRE(id != no_buffer);
        CHECK(id.value < slot_count);
        taken.insert(id.value);
    }
    CHECK(taken.size() == slot_count);
    CHECK(f.pool.free_slots() == 0);
    CHECK(f.pool.take() == no_buffer);
}

TEST_CASE("a slot returns with its last reference, not earlier", "[pool]") {
    Fixture f;
    const BufferId id = f.pool.take();
    f.pool.add_ref(id);
    f.pool.release(id);
    CHECK(f.pool.references(id) == 1);
    CHECK(f.pool.free_slots() == slot_count - 1);
    f.pool.release(id);
    CHECK(f.pool.free_slots() == slot_count);
}

TEST_CASE("slots are parts of the slab that do not overlap", "[pool]") {
    Fixture f;
    const BufferId a = f.pool.take();
    const BufferId b = f.pool.take();
    CHECK(f.pool.slot(a).size() == slot_bytes);
    const auto distance = f.pool.data(b) - f.pool.data(a);
    CHECK((distance >= slot_bytes || distance <= -static_cast<std::ptrdiff_t>(slot_bytes)));
    CHECK(f.pool.data(a) >= f.slab.data());
    CHECK(f.pool.data(a) + slot_bytes <= f.slab.data() + f.slab.size());
}

TEST_CASE("a packet is the part of its slot that it names", "[pool]") {
    Fixture f;
    const BufferId id = f.pool.take();
    f.pool.data(id)[10] = 0xAB;
    f.pool.data(id)[11] = 0xCD;
    const Bytes bytes = f.pool.bytes({id, 10, 2});
    REQUIRE(bytes.size() == 2);
    CHECK(bytes[0] == 0xAB);
    CHECK(bytes[1] == 0xCD);
}

TEST_CASE("a reference too few stops the program", "[pool]") {
    CHECK(unit::aborts([] {
        Fixture f;
        const BufferId id = f.pool.take();
        f.pool.release(id);
        f.pool.release(id);
    }));
    CHECK(unit::aborts([] {
        Fixture f;
        f.pool.add_ref(BufferId(0));
    }));
}

TEST_CASE("a slot that does not exist stops the program", "[pool]") {
    CHECK(unit::aborts([] {
        Fixture f;
        f.pool.release(no_buffer);
    }));
}

TEST_CASE("a slab that is no whole number of slots stops the program", "[pool]") {
    CHECK(unit::aborts([] {
        std::vector<std::uint8_t> slab(slot_bytes + 1);
        Pool pool(slab, slot_bytes);
    }));
    CHECK(unit::aborts([] {
        std::vector<std::uint8_t> slab(96);
        Pool pool(slab, 48);
    }));
    CHECK(unit::aborts([] { Pool pool({}, slot_bytes); }));
}

TEST_CASE("references balance over any sequence of takes, copies and releases", "[pool]") {
    const auto seed = GENERATE(11u, 12u, 13u);
    Random random(seed);
    Fixture f;
    std::vector<BufferId> held;  // one entry per reference
    for (int step = 0; step < 5000; ++step) {
        const std::uint32_t choice = random.below(3);
        if (choice == 0) {
            const BufferId id = f.pool.take();
            if (id != no_buffer) held.push_back(id);
        } else if (choice == 1 && !held.empty() && held.size() < 40) {
            const BufferId id = held[random.below(static_cast<std::uint32_t>(held.size()))];
            f.pool.add_ref(id);
            held.push_back(id);
        } else if (choice == 2 && !held.empty()) {
            const std::size_t at = random.below(static_cast<std::uint32_t>(held.size()));
            f.pool.release(held[at]);
            held[at] = held.back();
            held.pop_back();
        }
        std::set<std::uint32_t> in_use;
        for (const BufferId id : held) in_use.insert(id.value);
        REQUIRE(f.pool.free_slots() == slot_count - in_use.size());
    }
    for (const BufferId id : held) f.pool.release(id);
    CHECK(f.pool.free_slots() == slot_count);
}
