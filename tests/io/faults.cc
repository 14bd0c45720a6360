// SPDX-License-Identifier: MIT
// What goes wrong comes back with its packet, once, and what is closed stays silent.
#include <cerrno>
#include <thread>

#include "tests/io/bench.h"
#include "tests/io/silent_network.h"

namespace hawser::test {

TEMPLATE_TEST_CASE("a socket that cannot be opened says which call refused and why", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        Bench<TestType> bench;
        SocketSpec spec;
        spec.local = *os::parse_address("192.0.2.1");  // TEST-NET-1: nobody's
        auto opened = bench.io().open(spec);
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().value == EADDRNOTAVAIL);
        CHECK(std::string(opened.error().call) == "bind");

        const SocketId taken = bench.open(TestType::loopback_v4());
        spec.local = bench.io().local(taken);
        opened = bench.io().open(spec);
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().value == EADDRINUSE);

        spec.local.port = 0;
        std::strncpy(spec.device, "no-such-dev", sizeof spec.device - 1);
        opened = bench.io().open(spec);
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().value == ENODEV);
        CHECK(std::string(opened.error().call) == "setsockopt(SO_BINDTODEVICE)");
    }
}

namespace {

// The part that runs in the silent network. Catch2 2 takes assertions of one thread only, so it just returns what it
// saw.
template <class Model>
std::optional<std::vector<Seen>> overfill(std::uint32_t total, std::size_t bytes) {
    const auto network = enter_silent_network();
    if (!network) return std::nullopt;
    Model model(1024);
    SocketSpec spec;
    spec.tag = 2;
    spec.local = network->local;
    spec.remote = network->neighbour;
    spec.connected = true;
    spec.send_buffer_bytes = 1;  // the kernel makes it the least it knows, a few packets
    const auto socket = model.io().open(spec);
    if (!socket) return std::nullopt;
    std::vector<Seen> seen;
    for (std::uint32_t i = 0; i < total; ++i) {
        const std::string text = numbered(i, bytes + i % 2);
        const PacketRef p{model.pool().take(), 0, static_cast<std::uint16_t>(text.size())};
        std::memcpy(model.pool().data(p.buffer), text.data(), text.size());
        model.io().send(*socket, p, nullptr);
        model.pool().release(p.buffer);
        if (i % 10 != 9) continue;
        for (const Completion& c : model.io().wait(Instant{}, {}).completions) {
            const Bytes b = model.pool().bytes(c.packet);
            seen.push_back({c, std::string(b.begin(), b.end()), {}});
            model.pool().release(c.packet.buffer);
        }
    }
    return seen;
}

}  // namespace

TEMPLATE_TEST_CASE("a full send buffer gives the packets back as send_failed", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        std::optional<std::vector<Seen>> seen;
        std::thread([&] { seen = overfill<TestType>(200, 1332); }).join();
        if (!seen) {
            WARN("skipped: a network namespace and a TAP device need root");
            return;
        }
        CHECK(seen->size() > 100);
        CHECK(seen->size() < 200);
        for (const Seen& s : *seen) {
            CHECK(s.completion.kind == Completion::Kind::send_failed);
            CHECK(s.completion.error == EAGAIN);
            CHECK(s.completion.tag == 2);
            CHECK(s.bytes == numbered(static_cast<std::uint32_t>(std::stoul(s.bytes)), s.bytes.size()));
        }
    }
}

TEMPLATE_TEST_CASE("a packet that cannot be sent comes back with its destination", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        Bench<TestType> bench;
        const SocketId from = bench.open(TestType::loopback_v4(), 5);
        const Endpoint broadcast = *os::parse_endpoint("255.255.255.255:9");  // EACCES without SO_BROADCAST
        bench.send(from, "to all", &broadcast);
        REQUIRE(bench.until([&] { return !bench.seen.empty(); }));
        const Completion& c = bench.seen.at(0).completion;
        CHECK(c.kind == Completion::Kind::send_failed);
        CHECK((c.error == EACCES || c.error == ENETUNREACH || c.error == EINVAL));
        CHECK(c.from == broadcast);
        CHECK(bench.seen.at(0).bytes == "to all");
        // The socket lives on.
        const Endpoint self = bench.io().local(from);
        bench.send(from, "to me", &self);
        REQUIRE(bench.until([&] { return bench.seen.size() == 2; }));
        CHECK(bench.seen.at(1).bytes == "to me");
    }
}

TEMPLATE_TEST_CASE("a refused connection is reported as broken, and the socket works when the peer is back", "",
                   HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        Bench<TestType> bench;
        const SocketId gone = bench.open(TestType::loopback_v4());
        const Endpoint address = bench.io().local(gone);
        bench.io().close(gone);
        const SocketId from = bench.open(TestType::loopback_v4(), 9, address);
        bench.send(from, "anybody there?");
        REQUIRE(bench.until([&] { return bench.count(Completion::Kind::broken) > 0; }));
        CHECK(bench.seen.at(0).completion.error == ECONNREFUSED);
        CHECK(bench.seen.at(0).completion.socket == from);
        CHECK(bench.seen.at(0).completion.tag == 9);

        // Two in one turn: whether the second meets the error of the first is the kernel's affair; none is lost unseen.
        bench.seen.clear();
        const SocketId back = bench.open(address, 1);
        bench.send(from, "one");
        bench.send(from, "two, longer");
        REQUIRE(bench.until([&] { return bench.received(back).size() == 2; }));
        const Endpoint to = bench.io().local(from);
        bench.send(back, "welcome", &to);
        REQUIRE(bench.until([&] { return bench.received(from).size() == 1; }));
    }
}

TEMPLATE_TEST_CASE("a pending error costs no packet: the send that meets it is tried again", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        Bench<TestType> bench;
        const SocketId gone = bench.open(TestType::loopback_v4());
        const Endpoint address = bench.io().local(gone);
        bench.io().close(gone);
        const SocketId from = bench.open(TestType::loopback_v4(), 9, address);
        for (int round = 0; round < 20; ++round) {
            // The first makes the error, the rest of the same turn may meet it.
            for (std::uint32_t i = 0; i < 5; ++i) bench.send(from, numbered(i, 100 + i));
            bench.turn(bench.io().now());
        }
        bench.pass(5_ms);
        CHECK(bench.count(Completion::Kind::broken) > 0);
        // Loopback refuses each anew, so a retry may fail too; but only ever with this error.
        for (const Seen& s : bench.seen) CHECK(s.completion.error == ECONNREFUSED);
    }
}

TEMPLATE_TEST_CASE("nothing of a closed socket is reported, and its queued sends are dropped", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId other = bench.open(TestType::loopback_v4(), 2);
    const SocketId from = bench.open(TestType::loopback_v4(), 3);
    const Endpoint to_address = bench.io().local(to);
    const Endpoint other_address = bench.io().local(other);
    // On the wire, but not read yet.
    for (int i = 0; i < 10; ++i) bench.send(from, "late", &to_address);
    bench.send(from, "flush", &other_address);
    REQUIRE(bench.until([&] { return bench.received(other).size() == 1; }));
    const std::size_t before = bench.received(to).size();
    for (int i = 0; i < 10; ++i) bench.send(from, "later", &to_address);
    bench.send(to, "never sent", &other_address);
    bench.io().close(to);
    bench.pass(20_ms);
    CHECK(bench.received(to).size() == before);
    CHECK(bench.received(other).size() == 1);
    CHECK(bench.io().local(to) == Endpoint{});
}

TEMPLATE_TEST_CASE("a closed socket's port is free at once, and its number only after the next wait", "",
                   HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    SocketId socket = bench.open(TestType::loopback_v4(), 0);
    const Endpoint address = bench.io().local(socket);
    const SocketId from = bench.open(TestType::loopback_v4(), 1000);
    for (std::uint32_t i = 1; i <= 50; ++i) {
        bench.io().close(socket);
        const SocketId again = bench.open(address, i);
        CHECK(again != socket);
        socket = again;
        bench.send(from, numbered(i, 30), &address);
        REQUIRE(bench.until([&] { return bench.seen.size() >= i; }));
        CHECK(bench.seen.back().completion.tag == i);
    }
}

TEMPLATE_TEST_CASE("closing what a turn still names does not invalidate the turn", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    for (std::uint32_t i = 0; i < 20; ++i) bench.send(from, numbered(i, 50));
    const Turn turn = bench.io().wait(bench.io().now() + patience, 5_ms);
    REQUIRE_FALSE(turn.completions.empty());
    bench.io().close(to);
    for (const Completion& c : turn.completions) {
        const Bytes b = bench.pool().bytes(c.packet);
        CHECK(std::string(b.begin(), b.end()).size() == 50);
        bench.pool().release(c.packet.buffer);
    }
}

TEMPLATE_TEST_CASE("a send on a socket that is not open comes back", "", HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        Bench<TestType> bench;
        const SocketId to = bench.open(TestType::loopback_v4(), 1);
        bench.io().close(to);
        const Endpoint anywhere = TestType::loopback_v4();
        bench.send(to, "too late", &anywhere);
        REQUIRE(bench.until([&] { return !bench.seen.empty(); }));
        CHECK(bench.seen.at(0).completion.kind == Completion::Kind::send_failed);
        CHECK(bench.seen.at(0).completion.error == EBADF);
    }
}

TEMPLATE_TEST_CASE("a pool without free slots delays packets, and giving slots back brings them", "",
                   HAWSER_IO_MODELS) {
    Bench<TestType> bench(1024);
    const SocketId to = bench.open(TestType::loopback_v4(), 1);
    const SocketId from = bench.open(TestType::loopback_v4(), 2, bench.io().local(to));
    bench.send(from, "first");
    REQUIRE(bench.until([&] { return bench.received(to).size() == 1; }));
    // The test hoards what is free and everything that it receives.
    std::vector<BufferId> hoard;
    for (BufferId b = bench.pool().take(); b != no_buffer; b = bench.pool().take()) hoard.push_back(b);
    const PacketRef p{hoard.back(), 0, 100};
    std::uint32_t sent = 0, got = 0;
    const auto take = [&](Instant deadline) {
        for (const Completion& c : bench.io().wait(deadline, {}).completions) {
            hoard.push_back(c.packet.buffer);
            ++got;
        }
    };
    for (; sent < 1000; ++sent) {
        bench.io().send(from, p, nullptr);
        if (sent % 50 == 0) take(bench.io().now());
    }
    for (int i = 0; i < 5; ++i) take(bench.io().now() + 2_ms);
    CHECK(got < sent);
    if (TestType::has_kernel) CHECK(bench.io().counters().receive_starved > 0);

    const Instant end = bench.io().now() + patience;
    while (got < sent && bench.io().now() < end) {
        for (const BufferId b : hoard) bench.pool().release(b);
        hoard.clear();
        take(end);
    }
    CHECK(got == sent);
    for (const BufferId b : hoard) bench.pool().release(b);
}

}  // namespace hawser::test
