// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <deque>

#include "engine/base/random.h"
#include "engine/link/rate_cap.h"

using namespace hawser;
using namespace hawser::literals;
using link::RateCaps;

namespace {

constexpr LinkId a{0};
constexpr LinkId b{1};

}  // namespace

TEST_CASE("no window of 100 ms holds more than the cap allows and one packet, however data are offered") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
    Random random(seed);
    constexpr std::array<std::uint64_t, 6> rates{100'000, 512'345, 3'000'000, 8'000'000, 333'333'333, 100'000'000'000};
    const std::uint64_t bits = rates[seed % rates.size()];
    CAPTURE(seed, bits);
    RateCaps caps;
    caps.set(a, bits, seed % 2 == 0 ? 28 : 48);
    const std::uint64_t headers = seed % 2 == 0 ? 28 : 48;
    struct Sent {
        Instant at;
        std::uint64_t bytes;
    };
    std::deque<Sent> window;
    std::uint64_t in_window = 0;
    std::uint64_t total = 0;
    Instant now{1'000'000'000};
    const Instant begin = now;
    // Long enough for a hundred packets, and at fast links for what 40000 steps offer.
    const Duration span{
        std::max<std::int64_t>(2'000'000'000, static_cast<std::int64_t>(1.2e15 / static_cast<double>(bits)))};
    for (int step = 0; step < 40'000 && now - begin < span; ++step) {
        // In bursts, at random times, or as soon as it opens.
        switch (random.below(3)) {
            case 0: break;
            case 1: now = now + Duration{static_cast<std::int64_t>(random.below(3'000'000))}; break;
            default: {
                const Instant opens = caps.opens_at(mask_of(a));
                if (opens != never) now = std::max(now, opens);
            }
        }
        if (caps.closed(now) != 0) continue;
        const std::uint64_t payload = 1 + random.below(1472);
        caps.note_sent(a, payload, now);
        window.push_back({now, payload + headers});
        in_window += payload + headers;
        total += payload + headers;
        while (now - window.front().at >= RateCaps::window) {
            in_window -= window.front().bytes;
            window.pop_front();
        }
        // The newest packet is the one that may be over.
        const double allowed = static_cast<double>(bits) / 8 * 0.1;
        REQUIRE(static_cast<double>(in_window - window.back().bytes) <= allowed + 1);
    }
    CHECK(total > 0);
}

TEST_CASE("a link that always has something to send reaches its cap but for the two percent that keep it strict") {
    RateCaps caps;
    caps.set(a, 8'000'000, 28);
    Instant now{5'000'000'000};
    const Instant end = now + 10_s;
    std::uint64_t bytes = 0;
    while (now < end) {
        if (caps.closed(now) != 0) {
            now = caps.opens_at(mask_of(a));
            continue;
        }
        caps.note_sent(a, 1332, now);
        bytes += 1360;
    }
    CHECK(bytes > 10'000'000 * 97 / 100);
    CHECK(bytes <= 10'000'000);
}

TEST_CASE("links without a cap are never closed, and one that loses its cap opens at once") {
    RateCaps caps;
    CHECK_FALSE(caps.any());
    Instant now{1'000'000'000};
    for (int i = 0; i < 1000; ++i) caps.note_sent(b, 1400, now);
    CHECK(caps.closed(now) == 0);
    caps.set(a, 1'000'000, 28);
    CHECK(caps.any());
    for (int i = 0; i < 10; ++i) caps.note_sent(a, 1400, now);
    CHECK(caps.closed(now) == mask_of(a));
    CHECK(caps.opens_at(mask_of(b)) == never);
    CHECK(caps.opens_at(mask_of(a) | mask_of(b)) > now);
    caps.set(a, 0, 28);
    CHECK_FALSE(caps.any());
    CHECK(caps.closed(now) == 0);
    caps.set(a, 1'000'000, 28);
    CHECK(caps.closed(now) == 0);  // what was sent under the old one is forgotten
}

TEST_CASE("what may not wait is noted, and data wait for it") {
    RateCaps caps;
    caps.set(a, 1'000'000, 28);
    const Instant now{1'000'000'000};
    for (int i = 0; i < 20; ++i) caps.note_sent(a, 38, now);  // 20 keepalives: 10.8 ms at 1 Mbit/s
    CHECK(caps.closed(now) == mask_of(a));
    const Duration wait = caps.opens_at(mask_of(a)) - now;
    CHECK(wait > 8_ms);
    CHECK(wait < 10_ms);
}

TEST_CASE("what did not leave is given back") {
    RateCaps caps;
    caps.set(a, 1'000'000, 28);
    const Instant now{1'000'000'000};
    caps.note_sent(a, 1332, now);
    REQUIRE(caps.closed(now) == mask_of(a));
    caps.note_unsent(a, 1332);
    CHECK(caps.closed(now) == 0);
    caps.note_sent(a, 1332, now);
    const Instant opens = caps.opens_at(mask_of(a));
    caps.note_sent(a, 1332, now);
    caps.note_unsent(a, 1332);
    CHECK(caps.opens_at(mask_of(a)) == opens);
    caps.set(a, 0, 28);
    caps.note_unsent(a, 1332);
    CHECK_FALSE(caps.any());
}
