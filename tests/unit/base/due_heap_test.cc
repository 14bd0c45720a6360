// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <utility>

#include "engine/base/due_heap.h"
#include "engine/base/random.h"

using namespace hawser;

TEST_CASE("the heap names the id that is due first, as a sorted set does, through moves and removals") {
    constexpr std::uint32_t ids = 40;
    DueHeap heap(ids);
    std::set<std::pair<std::int64_t, std::uint32_t>> model;
    std::map<std::uint32_t, std::int64_t> due;
    hawser::Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint32_t id = random.below(ids);
        const auto it = due.find(id);
        if (it != due.end()) model.erase({it->second, id});
        if (random.below(3) == 0) {
            heap.remove(id);
            due.erase(id);
        } else {
            const std::int64_t at = random.below(1000);
            heap.set(id, Instant{at});
            due[id] = at;
            model.emplace(at, id);
        }
        REQUIRE(heap.is_consistent());
        REQUIRE(heap.size() == model.size());
        REQUIRE(heap.empty() == model.empty());
        REQUIRE(heap.next() == (model.empty() ? never : Instant{model.begin()->first}));
        if (!heap.empty()) REQUIRE(due.at(heap.first()) == model.begin()->first);
        REQUIRE(heap.contains(id) == (due.count(id) != 0));
    }
}
