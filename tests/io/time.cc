// SPDX-License-Identifier: MIT
// When wait() returns: deadlines, lingers, wakes.
#include <atomic>
#include <thread>

#include "platform/linux/thread.h"
#include "tests/io/bench.h"

namespace hawser::test {
namespace {

// Another machine's load may stretch any single wait, never shorten one: of several tries the best counts.
template <class Try>
Duration best_of(int tries, Try once) {
    Duration best{patience};
    for (int i = 0; i < tries; ++i) best = std::min(best, once());
    return best;
}

}  // namespace

TEMPLATE_TEST_CASE("an idle wait lasts until its deadline, not shorter and not much longer", "", HAWSER_IO_MODELS) {
    os::use_exact_timers();
    Bench<TestType> bench;
    bench.open(TestType::loopback_v4());
    for (const Duration wanted : {0_us, 100_us, 3_ms, 20_ms}) {
        const Duration late = best_of(20, [&] {
            const Instant deadline = bench.io().now() + wanted;
            const Turn turn = bench.io().wait(deadline, {});
            CHECK(turn.completions.empty());
            CHECK(turn.now >= deadline);
            return turn.now - deadline;
        });
        CHECK(late < 1_ms);
    }
}

TEMPLATE_TEST_CASE("a deadline that has passed only looks", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    const Duration taken = best_of(20, [&] {
        const Instant before = bench.io().now();
        bench.turn(before - 1_s);
        return bench.io().now() - before;
    });
    CHECK(taken < 5_ms);
    // A simulated clock does not move while one only looks.
    if constexpr (!TestType::has_kernel) return;
    bench.send(from, "look");
    const Instant end = bench.io().now() + patience;
    while (bench.seen.empty() && bench.io().now() < end) bench.turn(Instant{});
    CHECK(bench.received(to).size() == 1);
}

TEMPLATE_TEST_CASE("without a linger a packet ends the wait at once", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    const Duration taken = best_of(10, [&] {
        const Instant before = bench.io().now();
        bench.send(from, "quick");
        const Turn turn = bench.turn(never);
        CHECK(turn.completions.size() == 1);
        return turn.now - before;
    });
    CHECK(taken < 5_ms);
}

TEMPLATE_TEST_CASE("a linger gathers what comes during it, and ends by itself", "", HAWSER_IO_MODELS) {
    os::use_exact_timers();
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    for (const Instant deadline : {never, bench.io().now() + patience}) {
        const Duration taken = best_of(10, [&] {
            const Instant before = bench.io().now();
            for (std::uint32_t i = 0; i < 10; ++i) bench.send(from, numbered(i, 30 + i));
            const Turn turn = bench.turn(deadline, 3_ms);
            CHECK(turn.completions.size() == 10);
            return turn.now - before;
        });
        CHECK(taken >= 2_ms);
        CHECK(taken < 5_ms);
    }
}

TEMPLATE_TEST_CASE("a linger does not outlast the deadline", "", HAWSER_IO_MODELS) {
    os::use_exact_timers();
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    for (const bool busy : {false, true}) {
        const Duration late = best_of(20, [&] {
            if (busy) bench.send(from, "x");
            const Instant deadline = bench.io().now() + 1_ms;
            return bench.turn(deadline, 500_ms).now - deadline;
        });
        CHECK(late < 1_ms);
    }
}

TEMPLATE_TEST_CASE("a burst beyond one turn's batch is worked off without a linger in between", "", HAWSER_IO_MODELS) {
    // UringIo keeps a quarter of the pool ready, 256 datagrams; EpollIo reads 64 of a socket in a turn.
    Bench<TestType> bench(1024);
    constexpr std::uint32_t burst = 500;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    constexpr Duration linger = 400_ms;
    const Duration taken = best_of(3, [&] {
        bench.seen.clear();
        for (std::uint32_t i = 0; i < burst; ++i) bench.send(from, numbered(i, 30));
        const Instant before = bench.io().now();
        while (bench.received(to).size() < burst && bench.io().now() < before + patience)
            bench.turn(before + patience, linger);
        CHECK(bench.received(to).size() == burst);
        return bench.io().now() - before;
    });
    // The first wait may linger.
    CHECK(taken < linger + linger / 2);
}

TEMPLATE_TEST_CASE("an idle linger ends in a wait for the first packet", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::can_thread) {
        Bench<TestType> bench;
        const SocketId to = bench.open(TestType::loopback_v4(), 1);
        const Endpoint address = bench.io().local(to);
        bool sent = false;
        std::thread sender([&] {
            const os::Fd fd(::socket(AF_INET, SOCK_DGRAM, 0));
            os::SocketAddress a{};
            const socklen_t length = os::to_sockaddr(address, AF_INET, a);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            sent = ::sendto(fd.get(), "late", 4, 0, &a.generic, length) == 4;
        });
        const Turn turn = bench.turn(never, 1_ms);
        CHECK(turn.completions.size() == 1);
        sender.join();
        CHECK(sent);
    }
}

TEMPLATE_TEST_CASE("a wake ends an endless wait from another thread", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::can_thread) {
        Bench<TestType> bench;
        bench.open(TestType::loopback_v4());
        for (const Duration linger : {0_us, 300_us}) {
            std::atomic<int> asked{0};
            std::thread other([&] {
                for (int i = 0; i < 50; ++i) {
                    while (asked.load(std::memory_order_acquire) <= i) std::this_thread::yield();
                    bench.io().wake();
                }
            });
            for (int i = 0; i < 50; ++i) {
                asked.store(i + 1, std::memory_order_release);
                const Turn turn = bench.turn(never, linger);
                REQUIRE(turn.completions.size() == 1);
                CHECK(turn.completions[0].kind == Completion::Kind::woken);
            }
            other.join();
        }
    }
}

TEMPLATE_TEST_CASE("a wake before the wait is not lost, and several may be one", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    for (int i = 0; i < 3; ++i) bench.io().wake();
    bench.turn(never);
    CHECK(bench.count(Completion::Kind::woken) >= 1);
    // None is left over for ever.
    const Instant deadline = bench.io().now() + 5_ms;
    bench.pass(5_ms);
    const std::size_t settled = bench.count(Completion::Kind::woken);
    CHECK(settled <= 3);
    bench.pass(5_ms);
    CHECK(bench.count(Completion::Kind::woken) == settled);
    CHECK(bench.io().now() >= deadline);
}

}  // namespace hawser::test
