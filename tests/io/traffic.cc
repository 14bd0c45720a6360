// SPDX-License-Identifier: MIT
// What goes in comes out: bytes, order, addresses, lengths, and every reference.
#include "tests/io/bench.h"

namespace hawser::test {
namespace {

// Two sockets that hear each other; the first is connected to the second, or neither is.
template <class Model>
struct Pair {
    Pair(Bench<Model>& bench, const Endpoint& loopback, bool connected) {
        to = bench.open(loopback, 22);
        to_address = bench.io().local(to);
        from = bench.open(loopback, 11, connected ? std::optional(to_address) : std::nullopt);
        from_address = bench.io().local(from);
        destination = connected ? nullptr : &to_address;
    }
    SocketId from, to;
    Endpoint from_address, to_address;
    const Endpoint* destination;
};

std::vector<Endpoint> loopbacks(Endpoint v4, std::optional<Endpoint> v6) {
    std::vector<Endpoint> out{v4};
    if (v6) out.push_back(*v6);
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("a packet arrives with its bytes, its tag and its sender, on both families", "", HAWSER_IO_MODELS) {
    for (const bool connected : {false, true}) {
        for (const Endpoint& loopback : loopbacks(TestType::loopback_v4(), TestType::loopback_v6())) {
            Bench<TestType> bench;
            Pair<TestType> pair(bench, loopback, connected);
            CHECK(pair.to_address.port != 0);
            CHECK(pair.to_address.is_v4() == loopback.is_v4());
            bench.send(pair.from, "hello", pair.destination);
            REQUIRE(bench.until([&] { return !bench.seen.empty(); }));
            const Completion& c = bench.seen.at(0).completion;
            CHECK(c.kind == Completion::Kind::received);
            CHECK(c.socket == pair.to);
            CHECK(c.tag == 22);
            CHECK(bench.seen.at(0).bytes == "hello");
            CHECK(c.from == pair.from_address);
            // And the way back, to the address that it came from.
            bench.send(pair.to, "back", &c.from);
            REQUIRE(bench.until([&] { return bench.seen.size() >= 2; }));
            CHECK(bench.seen.at(1).completion.socket == pair.from);
            CHECK(bench.seen.at(1).bytes == "back");
        }
    }
}

TEMPLATE_TEST_CASE("an any-address socket hears both families and answers them", "", HAWSER_IO_MODELS) {
    if (!TestType::loopback_v6()) return;
    Bench<TestType> bench;
    const SocketId both = bench.open(Endpoint{}, 1);
    const std::uint16_t port = bench.io().local(both).port;
    int number = 0;
    for (Endpoint peer : loopbacks(TestType::loopback_v4(), TestType::loopback_v6())) {
        peer.port = port;
        Endpoint local = peer;
        local.port = 0;
        const SocketId from = bench.open(local, 2, peer);
        bench.seen.clear();
        bench.send(from, numbered(static_cast<std::uint32_t>(++number), 20));
        REQUIRE(bench.until([&] { return bench.received(both).size() == 1; }));
        const Endpoint source = bench.seen.at(0).completion.from;
        CHECK(source == bench.io().local(from));
        bench.send(both, "answer", &source);
        REQUIRE(bench.until([&] { return bench.received(from).size() == 1; }));
    }
}

TEMPLATE_TEST_CASE("a connected socket hears nobody else", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    Pair<TestType> pair(bench, TestType::loopback_v4(), true);
    const SocketId stranger = bench.open(TestType::loopback_v4(), 3);
    bench.send(stranger, "psst", &pair.from_address);
    bench.send(pair.to, "friend", &pair.from_address);
    REQUIRE(bench.until([&] { return bench.received(pair.from).size() == 1; }));
    bench.pass(20_ms);
    CHECK(bench.received(pair.from) == std::vector<std::string>{"friend"});
}

TEMPLATE_TEST_CASE("ten thousand packets arrive intact and in order, and no slot stays behind", "", HAWSER_IO_MODELS) {
    for (const bool connected : {true, false}) {
        Bench<TestType> bench;
        Pair<TestType> pair(bench, TestType::loopback_v4(), connected);
        constexpr std::uint32_t total = 10'000;
        constexpr std::uint32_t burst = 100;
        for (std::uint32_t sent = 0; sent < total;) {
            for (const std::uint32_t end = sent + burst; sent < end; ++sent)
                bench.send(pair.from, numbered(sent, 10 + sent % 1300), pair.destination);
            REQUIRE(bench.until([&] { return bench.seen.size() >= sent; }));
        }
        const auto got = bench.received(pair.to);
        REQUIRE(got.size() == total);
        std::uint32_t wrong = 0;
        for (std::uint32_t i = 0; i < total; ++i) wrong += got[i] == numbered(i, 10 + i % 1300) ? 0 : 1;
        CHECK(wrong == 0);
    }
}

TEMPLATE_TEST_CASE("equal packets of a turn leave as one and arrive as they were, odd tails too", "",
                   HAWSER_IO_MODELS) {
    // Lengths of the packets of one turn, in order.
    const auto lengths =
        GENERATE(std::vector<std::size_t>{1332, 1332}, std::vector<std::size_t>{1332, 1332, 38},
                 std::vector<std::size_t>(64, 100), std::vector<std::size_t>(65, 100),
                 std::vector<std::size_t>(130, 1332), std::vector<std::size_t>{38, 1332, 1332, 1332},
                 std::vector<std::size_t>{1332, 0, 1332, 1332}, std::vector<std::size_t>{10, 9, 8, 8, 9},
                 std::vector<std::size_t>{1, 1, 1}, std::vector<std::size_t>{1500, 1500, 1499});
    for (const Endpoint& loopback : loopbacks(TestType::loopback_v4(), TestType::loopback_v6())) {
        Bench<TestType> bench;
        bench.io().keep_order(false);
        Pair<TestType> pair(bench, loopback, true);
        std::vector<std::string> expected;
        for (const std::size_t bytes : lengths) {
            expected.push_back(numbered(static_cast<std::uint32_t>(expected.size()), bytes));
            bench.send(pair.from, expected.back());
        }
        REQUIRE(bench.until([&] { return bench.seen.size() >= expected.size(); }));
        CHECK(bench.received(pair.to) == expected);
        if (TestType::has_kernel && lengths[0] == lengths[1]) CHECK(bench.io().counters().segmented_sends > 0);
        CHECK(bench.io().counters().segmentation_refused == 0);
    }
}

TEMPLATE_TEST_CASE("sends of one turn on many sockets each keep their order", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    std::vector<SocketId> from, to;
    for (std::uint32_t i = 0; i < 8; ++i) {
        to.push_back(bench.open(TestType::loopback_v4(), i));
        from.push_back(bench.open(TestType::loopback_v4(), 100 + i, bench.io().local(to.back())));
    }
    for (std::uint32_t n = 0; n < 400; ++n) bench.send(from[n % 8], numbered(n, n % 3 == 0 ? 40 : 1332));
    REQUIRE(bench.until([&] { return bench.seen.size() >= 400; }));
    for (std::uint32_t i = 0; i < 8; ++i) {
        std::vector<std::string> expected;
        for (std::uint32_t n = i; n < 400; n += 8) expected.push_back(numbered(n, n % 3 == 0 ? 40 : 1332));
        CHECK(bench.received(to[i]) == expected);
    }
}

TEMPLATE_TEST_CASE("more sends than the queue holds are flushed early, not lost", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    Pair<TestType> pair(bench, TestType::loopback_v4(), false);
    const PacketRef p = bench.make("again and again");
    for (int i = 0; i < 2500; ++i) bench.io().send(pair.from, p, &pair.to_address);
    bench.pool().release(p.buffer);
    REQUIRE(bench.until([&] { return bench.seen.size() >= 2500; }));
    CHECK(bench.received(pair.to).size() == 2500);
    CHECK(bench.io().counters().sends_dropped == 0);
}

TEMPLATE_TEST_CASE("one packet sent on two sockets is two references and no copy", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    bench.io().keep_order(false);
    Pair<TestType> one(bench, TestType::loopback_v4(), true);
    Pair<TestType> two(bench, TestType::loopback_v4(), true);
    const PacketRef p = bench.make("twice");
    bench.io().send(one.from, p, nullptr);
    bench.io().send(two.from, p, nullptr);
    CHECK(bench.pool().references(p.buffer) == 3);
    REQUIRE(bench.until([&] { return bench.seen.size() >= 2; }));
    CHECK(bench.pool().references(p.buffer) == 1);
    bench.pool().release(p.buffer);
}

TEMPLATE_TEST_CASE("the length of a datagram is kept up to 1500 bytes and seen to be above that beyond", "",
                   HAWSER_IO_MODELS) {
    for (const bool connected : {false, true}) {
        Bench<TestType> bench;
        Pair<TestType> pair(bench, TestType::loopback_v4(), connected);
        for (const std::size_t bytes : {0u, 1u, 1472u, 1500u, 1501u, 2000u, 2048u})
            bench.send(pair.to, numbered(7, bytes), &pair.from_address);
        REQUIRE(bench.until([&] { return bench.seen.size() >= 7; }));
        const auto got = bench.received(pair.from);
        CHECK(got.at(0).empty());
        CHECK(got.at(1).size() == 1);
        CHECK(got.at(2).size() == 1472);
        CHECK(got.at(3) == numbered(7, 1500));
        CHECK(got.at(4).size() > 1500);
        CHECK(got.at(5).size() > 1500);
        CHECK(got.at(6).size() > 1500);
        // An empty datagram does not end what comes after it.
        bench.send(pair.to, "still here", &pair.from_address);
        REQUIRE(bench.until([&] { return bench.seen.size() >= 8; }));
    }
}

TEMPLATE_TEST_CASE("what is received may be sent on from where it lies", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    Pair<TestType> in(bench, TestType::loopback_v4(), false);
    Pair<TestType> out(bench, TestType::loopback_v4(), true);
    constexpr std::uint32_t total = 300;
    for (std::uint32_t i = 0; i < total; ++i) bench.send(in.from, numbered(i, 1332), in.destination);
    std::vector<std::string> arrived;
    const Instant end = bench.io().now() + patience;
    while (arrived.size() < total && bench.io().now() < end) {
        for (const Completion& c : bench.io().wait(end, {}).completions) {
            REQUIRE(c.kind == Completion::Kind::received);
            if (c.socket == in.to) {
                bench.io().send(out.from, c.packet, nullptr);
            } else {
                const Bytes b = bench.pool().bytes(c.packet);
                arrived.emplace_back(b.begin(), b.end());
            }
            bench.pool().release(c.packet.buffer);
        }
    }
    REQUIRE(arrived.size() == total);
    for (std::uint32_t i = 0; i < total; ++i) CHECK(arrived[i] == numbered(i, 1332));
}

}  // namespace hawser::test
