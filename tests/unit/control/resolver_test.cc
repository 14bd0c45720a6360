// SPDX-License-Identifier: MIT
// Name lookups beside the loop, with lookups that answer when the test lets them.
#include <catch2/catch.hpp>

#include <poll.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "platform/control/resolver.h"

using namespace hawser;

namespace {

std::atomic<int> started{0};
std::atomic<int> finished{0};
std::atomic<bool> is_held{false};

control::Resolution held_lookup(const std::string& host, std::uint16_t port) {
    ++started;
    while (is_held) std::this_thread::yield();
    control::Resolution out;
    out.host = host;
    out.resolved.count = 1;
    out.resolved.addresses[0].port = port;
    ++finished;
    return out;
}

template <class Condition>
bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return condition();
}

}  // namespace

TEST_CASE("an answer makes the descriptor readable and is taken once") {
    is_held = false;
    control::Resolver resolver(held_lookup);
    resolver.ask("relay", 5000);
    pollfd p{resolver.fd(), POLLIN, 0};
    REQUIRE(::poll(&p, 1, 10'000) == 1);
    const auto answer = resolver.take();
    REQUIRE(answer);
    CHECK(answer->host == "relay");
    CHECK(answer->resolved.addresses[0].port == 5000);
    CHECK_FALSE(resolver.take());
}

TEST_CASE("the end does not wait for a lookup that hangs") {
    started = finished = 0;
    is_held = true;
    {
        control::Resolver resolver(held_lookup);
        resolver.ask("relay", 5000);
        REQUIRE(comes_true([] { return started == 1; }));
    }  // would never return if it waited
    CHECK(finished == 0);
    is_held = false;
    CHECK(comes_true([] { return finished == 1; }));
}
