// SPDX-License-Identifier: MIT
// The simulated network itself: what its nodes do to datagrams, and what its sockets, hosts and translators do.
#include <catch2/catch.hpp>

#include <cerrno>

#include "engine/sim/port.h"
#include "engine/sim/world.h"

using namespace hawser;
using namespace hawser::literals;
using sim::LinkShape;
using sim::Port;
using sim::World;

namespace {

const Endpoint a_address = Endpoint::from_v4(0x0A000001, 1000);
const Endpoint b_address = Endpoint::from_v4(0x0A000002, 2000);

struct TwoHosts {
    explicit TwoHosts(const LinkShape& shape, std::uint64_t seed = 1) : world(seed) {
        a_host = world.add_host();
        b_host = world.add_host();
        world.add_address(a_host, a_address);
        world.add_address(b_host, b_address);
        path = &world.add_path(a_address, b_address, shape);
        a.emplace(world, a_host, a_address);
        b.emplace(world, b_host, b_address);
    }
    // Numbers each datagram in its first byte.
    void send(int count, std::size_t bytes = 100) {
        for (int i = 0; i < count; ++i) {
            std::vector<std::uint8_t> packet(bytes, static_cast<std::uint8_t>(sent++));
            CHECK(a->send(b_address, packet) == 0);
        }
    }
    std::vector<int> got() {
        std::vector<int> numbers;
        while (const auto d = b->take()) numbers.push_back(d->bytes.at(0));
        return numbers;
    }
    World world;
    sim::HostId a_host, b_host;
    sim::Path* path = nullptr;
    std::optional<Port> a, b;
    int sent = 0;
};

LinkShape delayed(Duration delay) {
    LinkShape shape;
    shape.delay = delay;
    return shape;
}

}  // namespace

TEST_CASE("a delay holds a datagram as long as it says, and jitter alone does not reorder") {
    TwoHosts net(delayed(10_ms));
    net.send(1);
    net.world.run_for(9999_us);
    CHECK(net.got().empty());
    net.world.run_for(1_us);
    CHECK(net.got() == std::vector<int>{0});
    net.path->node<sim::Delay>().set({10_ms, 20_ms, false});
    for (int i = 0; i < 50; ++i) {
        net.send(1);
        net.world.run_for(1_ms);
    }
    net.world.run_for(1_s);
    auto numbers = net.got();
    CHECK(numbers.size() == 50);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    net.path->node<sim::Delay>().set({10_ms, 20_ms, true});
    for (int i = 0; i < 50; ++i) {
        net.send(1);
        net.world.run_for(1_ms);
    }
    net.world.run_for(1_s);
    numbers = net.got();
    CHECK(numbers.size() == 50);
    CHECK_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST_CASE("a rate passes its bits per second, and its queue drops what does not fit") {
    LinkShape shape;
    shape.bits_per_second = 1'024'000;  // 128 bytes, headers included, in a millisecond
    shape.queue_bytes = 128 * 10;
    TwoHosts net(shape);
    net.send(25);
    net.world.run_for(5_ms);
    CHECK(net.got().size() == 5);
    net.world.run_for(1_s);
    CHECK(net.got().size() == 5);
    CHECK(net.path->dropped() == 15);
    CHECK(net.path->offered() == 25);
}

TEST_CASE("loss and duplication hit about their share, the same ones for the same seed") {
    const auto count = [](std::uint64_t seed) {
        LinkShape shape;
        shape.loss_per_million = 100'000;
        shape.duplicates_per_million = 50'000;
        TwoHosts net(shape, seed);
        for (int i = 0; i < 100; ++i) {
            net.send(100);
            net.world.run_for(1_ms);
        }
        return net.path->dropped() * 1'000'000 + net.got().size();
    };
    const std::uint64_t first = count(3);
    CHECK(count(3) == first);
    CHECK(count(4) != first);
    CHECK(first / 1'000'000 > 850);
    CHECK(first / 1'000'000 < 1150);
    CHECK(first % 1'000'000 > 9200);
    CHECK(first % 1'000'000 < 9700);
}

TEST_CASE("an outage drops what comes in the dark, or holds it until the light is back") {
    const bool holds = GENERATE(false, true);
    LinkShape shape;
    shape.outages = {{Instant{} + 10_ms, Instant{} + 20_ms}};
    shape.outages_hold = holds;
    TwoHosts net(shape);
    net.world.run_for(10_ms);
    net.send(3);
    net.world.run_for(9999_us);
    CHECK(net.got().empty());
    net.world.run_for(1_us);
    CHECK(net.got().size() == (holds ? 3u : 0u));
    net.send(1);
    net.world.run_for(1_ms);
    CHECK(net.got() == std::vector<int>{3});
}

TEST_CASE("a bind needs an address of the host and a free port, and a fault asked for comes first") {
    TwoHosts net(LinkShape{});
    sim::Inbox inbox;
    SocketSpec spec;
    const auto error = [&](const Endpoint& local) {
        spec.local = local;
        const auto opened = net.world.open(net.a_host, spec, inbox);
        if (opened.has_value()) net.world.close(*opened);
        return opened.has_value() ? 0 : opened.error().value;
    };
    CHECK(error(b_address) == EADDRNOTAVAIL);
    CHECK(error(a_address) == EADDRINUSE);
    Endpoint other = a_address;
    other.port = 1001;
    CHECK(error(other) == 0);
    Endpoint any;
    any.port = 1000;
    CHECK(error(any) == EADDRINUSE);
    net.world.fail_open(Endpoint::from_v4(0x0A000001, 0), EMFILE);
    CHECK(error(other) == EMFILE);
    net.world.fail_open(Endpoint::from_v4(0x0A000001, 0), 0);
    CHECK(error(other) == 0);
}

TEST_CASE("a closed port refuses to a connected socket, over the paths that the datagram took") {
    TwoHosts net(delayed(5_ms));
    net.world.add_path(b_address, a_address, delayed(7_ms));
    net.b.reset();
    sim::Inbox inbox;
    SocketSpec spec;
    spec.local = Endpoint::from_v4(0x0A000001, 0);
    spec.remote = b_address;
    spec.connected = true;
    const auto opened = net.world.open(net.a_host, spec, inbox);
    REQUIRE(opened.has_value());
    const std::array<std::uint8_t, 4> bytes{};
    CHECK(net.world.send(*opened, nullptr, bytes) == 0);
    net.world.run_for(11_ms);
    CHECK(inbox.empty());
    net.world.run_for(1_ms);
    REQUIRE(inbox.size() == 1);
    CHECK(inbox.front().datagram.error == ECONNREFUSED);
    net.world.close(*opened);
    CHECK(inbox.empty());
}

TEST_CASE("a translator shows one address, lets answers back, and forgets when told") {
    TwoHosts net(LinkShape{});
    const Endpoint outside = Endpoint::from_v4(0xC6336401, 0);
    net.world.set_nat(a_address, outside);
    net.send(1);
    net.world.run_for(1_ms);
    const auto first = net.b->take();
    REQUIRE(first.has_value());
    CHECK(first->from.address == outside.address);
    const std::array<std::uint8_t, 1> back{7};
    net.b->send(first->from, back);
    net.world.run_for(1_ms);
    REQUIRE(net.a->take().has_value());
    net.world.renumber(a_address);
    net.b->send(first->from, back);
    net.world.run_for(1_ms);
    CHECK_FALSE(net.a->take().has_value());
    net.send(1);
    net.world.run_for(1_ms);
    const auto second = net.b->take();
    REQUIRE(second.has_value());
    CHECK(second->from.address == outside.address);
    CHECK(second->from.port != first->from.port);
}

TEST_CASE("a full receive buffer drops, and what is taken out makes room") {
    TwoHosts net(LinkShape{});
    sim::Inbox inbox;
    SocketSpec spec;
    spec.local = Endpoint::from_v4(0x0A000002, 2001);
    spec.receive_buffer_bytes = 4096;
    const auto opened = net.world.open(net.b_host, spec, inbox);
    REQUIRE(opened.has_value());
    const std::vector<std::uint8_t> packet(1000);
    for (int i = 0; i < 10; ++i) net.a->send(spec.local, packet);
    net.world.run_for(1_ms);
    CHECK(inbox.size() == 2);
    CHECK(net.world.receive_buffer_drops() == 8);
    while (!inbox.empty()) {
        net.world.took(inbox.front());
        inbox.pop_front();
    }
    net.a->send(spec.local, packet);
    net.world.run_for(1_ms);
    CHECK(inbox.size() == 1);
    net.world.close(*opened);
}

TEST_CASE("time is the driver's: nothing runs ahead of it, and an empty world still passes time") {
    World world(1);
    CHECK(world.next() == never);
    world.run_for(3_s);
    CHECK(world.now() == Instant{} + 3_s);
}
