// SPDX-License-Identifier: MIT
// Receiving with UDP GRO: what a sender's segmentation joins comes apart again as it was, each packet with a reference
// of its own to the one buffer. Only real models can; the simulated one has no kernel to join anything.
#include <algorithm>

#include "tests/io/bench.h"

namespace hawser::test {
namespace {

// A model whose slots hold a whole joined receive.
template <class IoModel>
struct Joining {
    explicit Joining(std::uint32_t slot_bytes = joined_slot_bytes)
        : slab(os::Slab::create(std::size_t{256} * slot_bytes, os::Slab::Pages::on_demand).value()),
          pool(slab.bytes(), slot_bytes),
          io(std::move(IoModel::create(pool)).value()) {
        io->keep_order(false);  // so that equal packets leave as one
    }
    ~Joining() {
        io.reset();
        CHECK(pool.free_slots() == pool.slots());
    }

    SocketId open(const Endpoint& local, bool joins, std::optional<Endpoint> remote = {}) {
        SocketSpec spec;
        spec.local = local;
        spec.tag = joins ? 22 : 11;
        spec.join_segments = joins;
        spec.receive_buffer_bytes = 4u << 20;
        spec.connected = remote.has_value();
        if (remote) spec.remote = *remote;
        const auto opened = io->open(spec);
        REQUIRE(opened.has_value());
        return *opened;
    }
    // False without a free slot.
    bool send(SocketId from, const std::string& text, const Endpoint* to = nullptr) {
        const BufferId b = pool.take();
        if (b == no_buffer) return false;
        REQUIRE(text.size() <= pool.slot_bytes());
        std::memcpy(pool.data(b), text.data(), text.size());
        io->send(from, {b, 0, static_cast<std::uint16_t>(text.size())}, to);
        pool.release(b);
        return true;
    }
    // Until `count` packets have come to `to`.
    void receive(SocketId to, std::size_t count) {
        const Instant end = io->now() + patience;
        while (got.size() < count && io->now() < end) {
            for (const Completion& c : io->wait(end, {}).completions) {
                REQUIRE(c.kind == Completion::Kind::received);
                CHECK(c.socket == to);
                CHECK(c.tag == 22);
                const Bytes b = pool.bytes(c.packet);
                got.emplace_back(b.begin(), b.end());
                sources.push_back(c.from);
                pool.release(c.packet.buffer);
            }
        }
    }

    os::Slab slab;
    Pool pool;
    std::unique_ptr<IoModel> io;
    std::vector<std::string> got;
    std::vector<Endpoint> sources;
};

std::vector<Endpoint> both_families() {
    std::vector<Endpoint> out{UringModel::loopback_v4()};
    if (const auto v6 = UringModel::loopback_v6()) out.push_back(*v6);
    return out;
}

}  // namespace

#define HAWSER_JOINING_MODELS os::UringIo, os::EpollIo

TEMPLATE_TEST_CASE("what the kernel joins comes apart as it was sent, odd tails and mixed lengths too", "",
                   HAWSER_JOINING_MODELS) {
    const auto lengths = GENERATE(
        std::vector<std::size_t>{1332, 1332}, std::vector<std::size_t>{1332, 1332, 38},
        std::vector<std::size_t>(64, 100), std::vector<std::size_t>(65, 100), std::vector<std::size_t>(49, 1332),
        std::vector<std::size_t>(130, 1332), std::vector<std::size_t>{38, 1332, 1332, 1332},
        std::vector<std::size_t>{1332, 0, 1332, 1332}, std::vector<std::size_t>{10, 9, 8, 8, 9},
        std::vector<std::size_t>{1, 1, 1}, std::vector<std::size_t>{1500}, std::vector<std::size_t>(44, 1472));
    for (const Endpoint& loopback : both_families()) {
        Joining<TestType> bench;
        const SocketId to = bench.open(loopback, true);
        const SocketId from = bench.open(loopback, false, bench.io->local(to));
        std::vector<std::string> expected;
        for (const std::size_t bytes : lengths) {
            expected.push_back(numbered(static_cast<std::uint32_t>(expected.size()), bytes));
            REQUIRE(bench.send(from, expected.back()));
        }
        bench.receive(to, expected.size());
        CHECK(bench.got == expected);
        const Endpoint source = bench.io->local(from);
        CHECK(std::all_of(bench.sources.begin(), bench.sources.end(), [&](const Endpoint& e) { return e == source; }));
        if (lengths.size() > 1 && lengths[0] == lengths[1]) CHECK(bench.io->counters().joined_receives > 0);
    }
}

TEMPLATE_TEST_CASE("the packets of one joined receive share its buffer, and the last release gives it back", "",
                   HAWSER_JOINING_MODELS) {
    Joining<TestType> bench;
    const Endpoint loopback = UringModel::loopback_v4();
    const SocketId to = bench.open(loopback, true);
    const SocketId from = bench.open(loopback, false, bench.io->local(to));
    for (std::uint32_t i = 0; i < 10; ++i) REQUIRE(bench.send(from, numbered(i, 1332)));
    std::vector<PacketRef> held;
    const Instant end = bench.io->now() + patience;
    while (held.size() < 10 && bench.io->now() < end)
        for (const Completion& c : bench.io->wait(end, {}).completions) held.push_back(c.packet);
    REQUIRE(held.size() == 10);
    CHECK(bench.io->counters().joined_receives == 1);
    for (std::uint32_t left = 10; left > 0; --left) {
        const PacketRef p = held[left - 1];
        CHECK(p.buffer == held[0].buffer);
        CHECK(bench.pool.references(p.buffer) == left);
        const Bytes b = bench.pool.bytes(p);
        CHECK(std::string(b.begin(), b.end()) == numbered(left - 1, 1332));
        bench.pool.release(p.buffer);
    }
    CHECK(bench.pool.references(held[0].buffer) == 0);
}

TEMPLATE_TEST_CASE("ten thousand packets of two senders, some of them joined, arrive in each one's order", "",
                   HAWSER_JOINING_MODELS) {
    for (const Endpoint& loopback : both_families()) {
        Joining<TestType> bench;
        const SocketId to = bench.open(loopback, true);
        const Endpoint address = bench.io->local(to);
        const SocketId segmenting = bench.open(loopback, false, address);
        const SocketId single = bench.open(loopback, false);
        std::uint32_t sent = 0;
        while (sent < 10'000) {
            for (const std::uint32_t end = sent + 50; sent < end; ++sent) {
                const bool is_joined = sent % 3 != 0;
                REQUIRE(bench.send(is_joined ? segmenting : single, numbered(sent, sent % 7 == 0 ? 60 : 1332),
                                   is_joined ? nullptr : &address));
            }
            bench.receive(to, sent);
            REQUIRE(bench.got.size() == sent);
        }
        CHECK(bench.io->counters().joined_receives > 0);
        std::vector<std::uint32_t> numbers[2];
        for (const std::string& text : bench.got) {
            const auto number = static_cast<std::uint32_t>(std::stoul(text));
            CHECK(text == numbered(number, number % 7 == 0 ? 60 : 1332));
            numbers[number % 3 == 0 ? 0 : 1].push_back(number);
        }
        for (const auto& list : numbers) CHECK(std::is_sorted(list.begin(), list.end()));
    }
}

TEMPLATE_TEST_CASE("a joining socket reports the length of a lone datagram, and too long ones as too long", "",
                   HAWSER_JOINING_MODELS) {
    Joining<TestType> bench;
    const Endpoint loopback = UringModel::loopback_v4();
    const SocketId to = bench.open(loopback, true);
    const Endpoint address = bench.io->local(to);
    const SocketId from = bench.open(loopback, false);
    const std::vector<std::size_t> lengths{0, 1, 1500, 1501, 2048, 9000, 65507};
    for (const std::size_t bytes : lengths) REQUIRE(bench.send(from, numbered(3, bytes), &address));
    bench.receive(to, lengths.size());
    REQUIRE(bench.got.size() == lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (lengths[i] <= 1500)
            CHECK(bench.got[i] == numbered(3, lengths[i]));
        else
            CHECK(bench.got[i].size() > 1500);
    }
}

TEMPLATE_TEST_CASE("a joined receive longer than what a slot has room for loses its last packet, not the others", "",
                   HAWSER_JOINING_MODELS) {
    // 48 times 1364 is 65472: io_uring needs 68 bytes of a slot for itself, epoll none.
    Joining<TestType> bench;
    const Endpoint loopback = UringModel::loopback_v4();
    const SocketId to = bench.open(loopback, true);
    const SocketId from = bench.open(loopback, false, bench.io->local(to));
    for (std::uint32_t i = 0; i < 48; ++i) REQUIRE(bench.send(from, numbered(i, 1364)));
    bench.receive(to, 48);
    REQUIRE(bench.got.size() == 48);
    for (std::uint32_t i = 0; i < 47; ++i) CHECK(bench.got[i] == numbered(i, 1364));
    CHECK((bench.got[47] == numbered(47, 1364) || bench.got[47].size() > 1500));
}

TEMPLATE_TEST_CASE("with usual slots nothing is joined", "", HAWSER_JOINING_MODELS) {
    Joining<TestType> bench(pool_slot_bytes);
    const Endpoint loopback = UringModel::loopback_v4();
    const SocketId to = bench.open(loopback, true);
    const SocketId from = bench.open(loopback, false, bench.io->local(to));
    for (std::uint32_t i = 0; i < 20; ++i) REQUIRE(bench.send(from, numbered(i, 1332)));
    bench.receive(to, 20);
    CHECK(bench.got.size() == 20);
    CHECK(bench.io->counters().joined_receives == 0);
    CHECK(bench.io->counters().segmented_sends > 0);
}

TEMPLATE_TEST_CASE("a connected socket joins too", "", HAWSER_JOINING_MODELS) {
    Joining<TestType> bench;
    const Endpoint loopback = UringModel::loopback_v4();
    // Either wants to know the other's port first.
    const SocketId placeholder = bench.open(loopback, false);
    const Endpoint from_address = bench.io->local(placeholder);
    bench.io->close(placeholder);
    const SocketId to = bench.open(loopback, true, from_address);
    const SocketId from = bench.open(from_address, false, bench.io->local(to));
    std::vector<std::string> expected;
    for (std::uint32_t i = 0; i < 20; ++i) {
        expected.push_back(numbered(i, i == 19 ? 700 : 1332));
        REQUIRE(bench.send(from, expected.back()));
    }
    bench.receive(to, 20);
    CHECK(bench.got == expected);
    CHECK(bench.io->counters().joined_receives > 0);
}

}  // namespace hawser::test
