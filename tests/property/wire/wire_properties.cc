// SPDX-License-Identifier: MIT
// engine/wire against plain models, by seed. A failing seed is printed by Catch2 and becomes a named case.
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "engine/base/random.h"
#include "engine/wire/loss_list.h"
#include "engine/wire/seq.h"
#include "engine/wire/srtla.h"

using namespace hawser;
using namespace hawser::wire;

namespace {

constexpr std::uint64_t space = std::uint64_t{1} << 31;

// Numbers near the wrap and near half the space, where mistakes live, and anything else.
std::uint32_t interesting(Random& random) {
    static constexpr std::uint32_t anchors[] = {0, 0x3FFF'FFFF, 0x4000'0000, 0x7FFF'FFFF};
    if (random.below(3) == 0) return static_cast<std::uint32_t>(random.next()) & Seq31::mask;
    return (anchors[random.below(4)] + random.below(41) - 20) & Seq31::mask;
}

// A loss list read the slow way: 64-bit arithmetic, a copy of everything.
std::optional<std::vector<std::uint32_t>> model_of(const std::vector<std::uint32_t>& words, std::uint64_t limit) {
    std::vector<std::uint32_t> lost;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::uint64_t first = words[i];
        std::uint64_t steps = 0;
        if (first >= space) {
            first -= space;
            if (++i == words.size() || words[i] >= space) return std::nullopt;
            steps = (words[i] + space - first) % space;
            if (steps >= space / 2) return std::nullopt;
        }
        if (lost.size() + steps + 1 > limit) return std::nullopt;
        for (std::uint64_t step = 0; step <= steps; ++step)
            lost.push_back(static_cast<std::uint32_t>((first + step) % space));
    }
    if (lost.empty()) return std::nullopt;
    return lost;
}

std::vector<std::uint8_t> bytes_of(const std::vector<std::uint32_t>& words) {
    std::vector<std::uint8_t> bytes(words.size() * 4);
    for (std::size_t i = 0; i < words.size(); ++i) store_be32(bytes.data() + 4 * i, words[i]);
    return bytes;
}

std::vector<std::uint32_t> random_list(Random& random) {
    std::vector<std::uint32_t> words;
    for (std::uint32_t entries = random.below(12); entries > 0; --entries) {
        const std::uint32_t first = interesting(random);
        switch (random.below(8)) {
            case 0:  // hostile: any word at all
                words.push_back(static_cast<std::uint32_t>(random.next()));
                break;
            case 1:  // hostile: any two ends
                words.push_back(first | ~Seq31::mask);
                words.push_back(interesting(random));
                break;
            case 2:
            case 3:
            case 4:
                words.push_back(first | ~Seq31::mask);
                words.push_back(Seq31(first).plus(static_cast<std::int32_t>(random.below(40))).raw());
                break;
            default: words.push_back(first);
        }
    }
    return words;
}

}  // namespace

TEST_CASE("distance and plus are inverse, and distance is antisymmetric short of half the space", "[seq][property]") {
    const auto seed = GENERATE(range(100u, 110u));
    Random random(seed);
    for (int i = 0; i < 20'000; ++i) {
        const Seq31 a(interesting(random)), b(interesting(random));
        const std::int32_t d = distance(a, b);
        REQUIRE(a.plus(d) == b);
        REQUIRE(d >= -(1 << 30));
        REQUIRE(d < (1 << 30));
        if (d != -(1 << 30)) REQUIRE(distance(b, a) == -d);
        // The model: the 64-bit difference, folded into the half-open range around zero.
        std::int64_t folded = (static_cast<std::int64_t>(b.raw()) - a.raw()) % static_cast<std::int64_t>(space);
        if (folded >= (1 << 30)) folded -= static_cast<std::int64_t>(space);
        if (folded < -(1 << 30)) folded += static_cast<std::int64_t>(space);
        REQUIRE(d == folded);
    }
}

TEST_CASE("a loss list is accepted, counted and walked as the plain model says", "[loss_list][property]") {
    const auto seed = GENERATE(range(200u, 210u));
    Random random(seed);
    int accepted = 0;
    for (int i = 0; i < 5'000; ++i) {
        const auto words = random_list(random);
        const auto limit = static_cast<std::int32_t>(1 + random.below(300));
        const auto body = bytes_of(words);
        const auto list = LossList::over(body, limit);
        const auto expected = model_of(words, static_cast<std::uint64_t>(limit));
        REQUIRE(list.has_value() == expected.has_value());
        if (!list) continue;
        ++accepted;
        std::vector<std::uint32_t> lost;
        list->each([&](Seq31 sequence) { lost.push_back(sequence.raw()); });
        REQUIRE(lost == *expected);
        REQUIRE(list->count() == static_cast<std::int32_t>(expected->size()));
    }
    // Neither branch of the property may starve.
    CHECK(accepted > 500);
    CHECK(accepted < 4'500);
}

TEST_CASE("telemetry survives the wire", "[srtla][property]") {
    Random random(300);
    for (int i = 0; i < 2'000; ++i) {
        Telemetry t;
        t.connection = static_cast<std::uint32_t>(random.next());
        t.window = static_cast<std::int32_t>(static_cast<std::uint32_t>(random.next()));
        t.in_flight = static_cast<std::int32_t>(static_cast<std::uint32_t>(random.next()));
        t.rtt_ms = static_cast<std::uint32_t>(random.next());
        t.naks = static_cast<std::uint32_t>(random.next());
        t.bytes_per_second = static_cast<std::uint32_t>(random.next());
        const std::uint64_t timestamp = random.next();
        const auto packet = build_keepalive(timestamp, t);
        const auto read = keepalive_telemetry(packet);
        REQUIRE(read);
        REQUIRE(keepalive_timestamp(packet) == timestamp);
        REQUIRE(read->connection == t.connection);
        REQUIRE(read->window == t.window);
        REQUIRE(read->in_flight == t.in_flight);
        REQUIRE(read->rtt_ms == t.rtt_ms);
        REQUIRE(read->naks == t.naks);
        REQUIRE(read->bytes_per_second == t.bytes_per_second);
    }
}

TEST_CASE("an ACK tells the sequences it was built from", "[srtla][property]") {
    Random random(400);
    for (int i = 0; i < 2'000; ++i) {
        SrtlaAckBuilder builder;
        std::vector<Seq31> sequences;
        for (std::uint32_t n = 1 + random.below(srtla_ack_entries); n > 0; --n) {
            sequences.emplace_back(interesting(random));
            builder.add(sequences.back());
        }
        const auto ack = SrtlaAck::over(builder.bytes());
        REQUIRE(ack);
        REQUIRE(ack->count() == sequences.size());
        for (std::size_t at = 0; at < sequences.size(); ++at) REQUIRE(ack->at(at) == sequences[at]);
    }
}
