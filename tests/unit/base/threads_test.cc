// SPDX-License-Identifier: MIT
// The two lock-free types, each with its two threads. Their worth is largest under the thread sanitizer.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>

#include "engine/base/latest.h"
#include "engine/base/spsc.h"

using namespace hawser;

TEST_CASE("a queue refuses when full and answers nothing when empty", "[spsc]") {
    Spsc<int, 2> queue;
    int value = 7;
    CHECK_FALSE(queue.pop(value));
    CHECK(value == 7);
    CHECK(queue.push(1));
    CHECK(queue.push(2));
    CHECK_FALSE(queue.push(3));
    CHECK(queue.pop(value));
    CHECK(value == 1);
    CHECK(queue.push(3));
    CHECK(queue.pop(value));
    CHECK(queue.pop(value));
    CHECK(value == 3);
    CHECK_FALSE(queue.pop(value));
}

TEST_CASE("all that one thread pushes another pops, once and in order", "[spsc]") {
    struct Item {
        std::uint32_t number;
        std::uint32_t twice;
    };
    constexpr std::uint32_t count = 100'000;
    Spsc<Item, 64> queue;
    std::thread producer([&] {
        for (std::uint32_t i = 0; i < count; ++i)
            while (!queue.push({i, 2 * i})) std::this_thread::yield();
    });
    std::uint32_t wrong = 0;
    for (std::uint32_t expected = 0; expected < count;) {
        Item item;
        if (!queue.pop(item)) {
            std::this_thread::yield();
            continue;
        }
        if (item.number != expected || item.twice != 2 * expected) ++wrong;
        ++expected;
    }
    producer.join();
    CHECK(wrong == 0);
    Item item;
    CHECK_FALSE(queue.pop(item));
}

TEST_CASE("the latest value is read once, and none before the first", "[latest]") {
    Latest<int> latest;
    CHECK_FALSE(latest.read());
    CHECK(latest.value() == 0);
    latest.draft() = 1;
    CHECK_FALSE(latest.read());
    latest.publish();
    latest.draft() = 2;
    latest.publish();
    CHECK(latest.read());
    CHECK(latest.value() == 2);
    CHECK_FALSE(latest.read());
    CHECK(latest.value() == 2);
}

TEST_CASE("a reader sees whole values, never older ones, and the last one in the end", "[latest]") {
    // Larger than a cache line, so that a torn value would show.
    struct Value {
        std::array<std::uint32_t, 64> copies{};
    };
    constexpr std::uint32_t count = 20'000;
    Latest<Value> latest;
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (std::uint32_t i = 1; i <= count; ++i) {
            latest.draft().copies.fill(i);
            latest.publish();
        }
        done.store(true, std::memory_order_release);
    });
    std::uint32_t last = 0;
    std::uint32_t torn = 0;
    std::uint32_t backwards = 0;
    for (bool finished = false; !finished;) {
        // In this order: once done is seen, one more read finds the last value.
        finished = done.load(std::memory_order_acquire);
        if (!latest.read()) continue;
        const auto& copies = latest.value().copies;
        if (std::any_of(copies.begin(), copies.end(), [&](std::uint32_t c) { return c != copies[0]; })) ++torn;
        if (copies[0] <= last) ++backwards;
        last = copies[0];
    }
    writer.join();
    CHECK(torn == 0);
    CHECK(backwards == 0);
    CHECK(last == count);
}
