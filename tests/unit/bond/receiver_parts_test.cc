// SPDX-License-Identifier: MIT
// The receiver's tables and limits, each alone.
#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <vector>

#include "engine/base/random.h"
#include "engine/bond/receiver_acks.h"
#include "engine/bond/receiver_addresses.h"
#include "engine/bond/receiver_groups.h"
#include "engine/bond/receiver_ids.h"
#include "engine/bond/receiver_limits.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::bond;

namespace {
Endpoint at(std::uint32_t n) { return Endpoint::from_v4(0x0A000000 + n / 7, static_cast<std::uint16_t>(n % 7)); }
// Any three words with about as many ones as zeros.
const KeyedHash some_keys(0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0xD6E8FEB86659FD93u);
}  // namespace

TEST_CASE("the address map answers as std::map does, through churn at its capacity") {
    // A hash with few homes makes long probes: keys that cancel, so that only the port counts.
    const bool crowded = GENERATE(false, true);
    const KeyedHash hash = crowded ? KeyedHash(0, 0, 0) : some_keys;
    AddressMap map(64, hash);
    std::map<std::uint32_t, Owner> model;
    hawser::Random random(crowded ? 1 : 2);
    for (int i = 0; i < 20000; ++i) {
        const std::uint32_t n = random.below(200);
        if (random.below(2) == 0 && (model.size() < 64 || model.count(n) != 0)) {
            const Owner owner = Owner::link(random.below(32768));
            map.set(at(n), owner);
            model[n] = owner;
        } else {
            map.erase(at(n));
            model.erase(n);
        }
        const std::uint32_t asked = random.below(200);
        const auto it = model.find(asked);
        REQUIRE(map.find(at(asked)) == (it == model.end() ? Owner{} : it->second));
        REQUIRE(map.size() == model.size());
        if (i % 50 == 0) REQUIRE(map.is_consistent());
    }
}

TEST_CASE("groups are found by their whole id only, after any order of removals") {
    GroupTable table(32, 4, some_keys);
    Entropy entropy{};
    SecretRandom secret(entropy);
    hawser::Random random(3);
    std::map<std::uint32_t, wire::GroupKey> model;
    for (std::uint32_t i = 0; i < 2000; ++i) {
        if (random.below(2) == 0 && !table.full()) {
            wire::GroupKey id{};
            secret.fill(MutableBytes(id).subspan(wire::group_id_sender_bytes));
            const std::uint32_t g = table.add_group(id, Instant{});
            REQUIRE(model.count(g) == 0);
            REQUIRE(table.key(g) == id);
            model[g] = id;
        } else if (!model.empty()) {
            auto it = model.begin();
            std::advance(it, random.below(static_cast<std::uint32_t>(model.size())));
            REQUIRE(table.find(it->second) == it->first);
            table.remove_group(it->first);
            REQUIRE(table.find(it->second) == no_slot);
            model.erase(it);
        }
        for (const auto& [g, key] : model) {
            REQUIRE(table.find(key) == g);
            auto other = key;
            other[random.below(256)] ^= 0x10;
            REQUIRE(table.find(other) == no_slot);
        }
        REQUIRE(table.is_consistent());
    }
}

TEST_CASE("the ACK queue keeps due times in order through leavers from its middle") {
    GroupTable table(4, 4, some_keys);
    std::vector<std::uint32_t> slots;
    for (std::uint32_t g = 0; g < 4; ++g) {
        wire::GroupKey id{};
        id[200] = static_cast<std::uint8_t>(g);
        const std::uint32_t group = table.add_group(id, Instant{});
        for (std::uint32_t l = 0; l < 4; ++l) slots.push_back(table.add_link(group, at(g * 4 + l), Instant{}));
    }
    AckQueue queue(table);
    CHECK(queue.due() == never);
    hawser::Random random(4);
    for (int i = 0; i < 5000; ++i) {
        const std::uint32_t slot = slots[random.below(16)];
        wire::SrtlaAckBuilder& ack = table.link(slot).ack;
        if (ack.empty()) {
            ack.add(wire::Seq31(1));
            queue.push(slot, Instant{i});
        } else {
            queue.remove(slot);
            ack.clear();
        }
        REQUIRE(queue.is_consistent());
    }
}

TEST_CASE("an id that was made here tells who asked, for a minute at least and two at most") {
    SecretRandom secret(Entropy{});
    const GroupIds ids(secret);
    const GroupIds others(secret);
    std::array<std::uint8_t, wire::group_id_sender_bytes> half{};
    half[7] = 1;
    Endpoint from = at(1);
    from.scope = 3;
    const Instant made{GroupIds::period.ns * 1000 - 1};
    // With an answer to an offer in it, and without.
    std::optional<wire::Extension> answer;
    if (GENERATE(false, true)) answer = wire::Extension{true, true, 10'000};
    const wire::GroupKey id = ids.make(half, answer, from, made);
    CHECK(wire::answer_in(wire::extension_half(Bytes(id))) == answer);
    CHECK(std::equal(half.begin(), half.end(), id.begin()));
    for (const Duration age : {Duration{0}, Duration{1}, GroupIds::period})
        CHECK(ids.registrant(id, made + age) == std::optional<Endpoint>(from));
    CHECK_FALSE(ids.registrant(id, made + GroupIds::period + Duration{1}));
    CHECK_FALSE(ids.registrant(id, made - GroupIds::period));
    CHECK_FALSE(others.registrant(id, made));
    CHECK_FALSE(ids.registrant(wire::GroupKey{}, made));
    // Each bit of it counts.
    for (std::size_t bit = 0; bit < id.size() * 8; ++bit) {
        CAPTURE(bit);
        wire::GroupKey forged = id;
        forged[bit / 8] = static_cast<std::uint8_t>(forged[bit / 8] ^ (1u << (bit % 8)));
        CHECK_FALSE(ids.registrant(forged, made));
    }
}

TEST_CASE("ids are the same for the same question, and alike in nothing of ours for any other") {
    SecretRandom secret(Entropy{});
    const GroupIds ids(secret);
    const std::array<std::uint8_t, wire::group_id_sender_bytes> half{};
    auto other_half = half;
    other_half[127] = 1;
    const Instant t{};
    const wire::GroupKey id = ids.make(half, std::nullopt, at(1), t);
    CHECK(ids.make(half, std::nullopt, at(1), t + 59_s) == id);
    for (const auto& other : {ids.make(half, std::nullopt, at(2), t), ids.make(other_half, std::nullopt, at(1), t),
                              ids.make(half, std::nullopt, at(1), t + 60_s)}) {
        int equal = 0;
        for (std::size_t i = wire::group_id_sender_bytes; i < id.size(); ++i) equal += id[i] == other[i] ? 1 : 0;
        CHECK(equal < 8);  // one in 256 of 128
    }
}

TEST_CASE("a token bucket lets its burst through at once and its rate after") {
    TokenBucket bucket;
    const Duration interval = 250_ms;
    Instant now{0};
    const auto take_all = [&] {
        int taken = 0;
        for (; bucket.has_token(now, interval, 5); ++taken) bucket.take(now, interval);
        return taken;
    };
    CHECK(take_all() == 5);
    now = now + 249_ms;
    CHECK(take_all() == 0);
    now = now + 1_ms;
    CHECK(take_all() == 1);
    now = now + 1_s;
    CHECK(take_all() == 4);
    now = now + 3600_s;
    CHECK(take_all() == 5);
}

TEST_CASE("a prefix's bucket is its own; loopback has none; all share the global one") {
    ReceiverOptions o;
    o.prefix_burst = 3;
    o.global_burst = 50;
    RegistrationLimiter limiter(o, some_keys);
    const Instant now{5'000'000'000};
    const auto admitted = [&](auto address, int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i) {
            if (!limiter.allows(address(i), now)) continue;
            limiter.take(address(i), now);
            ++count;
        }
        return count;
    };
    CHECK(admitted([](int i) { return Endpoint::from_v4(0xC0000200u + static_cast<std::uint32_t>(i), 1); }, 100) == 3);
    const auto v6 = [](int i) {
        Endpoint e;
        e.address[0] = 0x20;
        e.address[7] = static_cast<std::uint8_t>(i);  // beyond the first 56 bits
        return e;
    };
    CHECK(admitted(v6, 100) == 3);
    CHECK(admitted([](int) { return Endpoint::from_v4(0x7F000001, 1); }, 20) == 20);
    CHECK(admitted([](int i) { return Endpoint::from_v4(static_cast<std::uint32_t>(i) << 16 | 1u << 31, 1); }, 1000) ==
          24);
}

TEST_CASE("answers are limited by the network that they go to, and by nothing else") {
    ReceiverOptions o;
    o.answers_burst = 30;
    o.answers_per_second = 10;
    AnswerLimiter limiter(o, some_keys);
    Instant now{5'000'000'000};
    const auto admitted = [&](auto address, int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i) count += limiter.admit(address(i), now) ? 1 : 0;
        return count;
    };
    const auto v4 = [](int i) { return Endpoint::from_v4(0xC0000200u + static_cast<std::uint32_t>(i & 255), 1); };
    const auto v6 = [](int i) {
        Endpoint e;
        e.address[0] = 0x20;
        e.address[6] = static_cast<std::uint8_t>(i);  // beyond the first 48 bits
        return e;
    };
    CHECK(admitted(v4, 1000) == 30);
    CHECK(admitted(v6, 1000) == 30);
    CHECK(admitted([](int) { return Endpoint::from_v4(0x7F000001, 1); }, 1000) == 1000);
    now = now + 1_s;
    CHECK(admitted(v4, 1000) == 10);
    // Five times as many networks as there are cells: to block one, a flood must fill both of its cells.
    CHECK(admitted([](int i) { return Endpoint::from_v4(static_cast<std::uint32_t>(i) << 8 | 1u << 31, 1); }, 10'000) ==
          10'000);
}

TEST_CASE("source prefixes compare whole bytes and the bits beyond") {
    SourcePrefix p;
    p.address = Endpoint::from_v4(0xC0A80180, 0).address;
    p.bits = 96 + 25;
    CHECK(p.holds(Endpoint::from_v4(0xC0A80180, 1)));
    CHECK(p.holds(Endpoint::from_v4(0xC0A801FF, 1)));
    CHECK_FALSE(p.holds(Endpoint::from_v4(0xC0A8017F, 1)));
    p.bits = 128;
    CHECK_FALSE(p.holds(Endpoint::from_v4(0xC0A80181, 1)));
    p.bits = 0;
    CHECK(p.holds(Endpoint{}));
}

TEST_CASE("refusals are told by reason, once, and a quiet tally has nothing due") {
    RefusalTally tally;
    CHECK(tally.due() == never);
    tally.add(RefusalReason::rate, Instant{0});
    tally.add(RefusalReason::rate, Instant{500});
    tally.add(RefusalReason::group_full, Instant{900});
    CHECK(tally.due() == Instant{1'000'000'000});
    std::map<std::uint32_t, std::uint32_t> told;
    tally.flush([&](EventKind, std::uint32_t a, std::uint32_t b) { told[a] = b; });
    CHECK(told == std::map<std::uint32_t, std::uint32_t>{{static_cast<std::uint32_t>(RefusalReason::rate), 2},
                                                         {static_cast<std::uint32_t>(RefusalReason::group_full), 1}});
    CHECK(tally.due() == never);
}
