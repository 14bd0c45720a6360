// SPDX-License-Identifier: MIT
// A path that is narrower than the device, which only a router knows. Its ICMP message waits at the socket for
// whichever call comes next; here that is a segmented send.
#include <cerrno>
#include <map>
#include <thread>

#include "tests/io/bench.h"
#include "tests/io/routed_network.h"

namespace hawser::test {
namespace {

constexpr std::uint32_t run_packets = 10;
constexpr std::size_t packet_bytes = 1332;  // 16 SRT header, 1316 payload
constexpr std::uint16_t narrow_mtu = 1280;  // the least that IPv6 has
constexpr std::uint32_t narrow_tag = 7;

// What became of a packet: bytes of it that left, and how often it came back.
struct Fate {
    std::size_t bytes_out = 0;
    std::uint32_t came_back = 0;
};

struct Outcome {
    bool opened = false;
    bool reached_router = false;  // the packet that the router refuses
    std::vector<Completion> broken;
    std::map<std::uint32_t, Fate> fates;  // by the packet's number
    std::size_t widest = 0;               // packet on the wire after the message
    std::uint64_t segmented_sends = 0;
};

// Adds up UDP payload by packet. The fragments of one packet share an identification and come one after another.
class Router {
public:
    void add(const std::string& packet, std::map<std::uint32_t, Fate>& fates) {
        constexpr std::size_t ip = 40, fragment = 8, udp = 8;
        const bool is_fragment = packet.at(6) == 44;
        const bool is_first = !is_fragment || (packet.at(ip + 2) == 0 && (packet.at(ip + 3) & ~7) == 0);
        const std::size_t headers = ip + (is_fragment ? fragment : 0) + (is_first ? udp : 0);
        if (is_first) number_ = static_cast<std::uint32_t>(std::stoul(packet.substr(headers)));
        fates[number_].bytes_out += packet.size() - headers;
    }

private:
    std::uint32_t number_ = 0;
};

// The part that runs in the network. Catch2 2 takes assertions of one thread only, so it just returns what it saw.
template <class Model>
std::optional<Outcome> refuse_and_send() {
    auto network = RoutedNetwork::enter();
    if (!network) return std::nullopt;
    Model model(1024);
    auto& io = model.io();
    SocketSpec spec;
    spec.tag = narrow_tag;
    spec.local = RoutedNetwork::local();
    spec.remote = RoutedNetwork::far();
    spec.connected = true;
    Outcome outcome;
    const auto socket = io.open(spec);
    outcome.opened = socket.has_value();
    if (!outcome.opened) return outcome;
    // A turn's packets for one link are one run.
    io.keep_order(false);

    const auto send = [&](std::uint32_t number) {
        const std::string text = numbered(number, packet_bytes);
        const PacketRef p{model.pool().take(), 0, static_cast<std::uint16_t>(text.size())};
        std::memcpy(model.pool().data(p.buffer), text.data(), text.size());
        io.send(*socket, p, nullptr);
        model.pool().release(p.buffer);
    };
    const auto take = [&](Instant deadline) {
        for (const Completion& c : io.wait(deadline, {}).completions) {
            if (c.kind == Completion::Kind::broken) outcome.broken.push_back(c);
            if (c.packet.buffer == no_buffer) continue;
            const Bytes b = model.pool().bytes(c.packet);
            ++outcome.fates[static_cast<std::uint32_t>(std::stoul(std::string(b.begin(), b.end())))].came_back;
            model.pool().release(c.packet.buffer);
        }
    };
    send(0);
    take(Instant{});
    const auto refused = network->take();
    outcome.reached_router = refused.size() == 1 && network->answer_too_big(refused.front(), narrow_mtu);
    if (!outcome.reached_router) return outcome;

    for (std::uint32_t i = 1; i <= run_packets; ++i) send(i);
    take(Instant{});
    // The report may be left to a later turn.
    const Instant end = io.now() + patience;
    while (outcome.broken.empty() && io.now() < end) take(io.now() + 50_ms);
    outcome.segmented_sends = io.counters().segmented_sends;
    Router router;
    for (const std::string& packet : network->take()) {
        router.add(packet, outcome.fates);
        outcome.widest = std::max(outcome.widest, packet.size());
    }
    return outcome;
}

}  // namespace

TEMPLATE_TEST_CASE("a router's message that a segmented send picks up is told, and costs no packet", "",
                   HAWSER_IO_MODELS) {
    if constexpr (TestType::has_kernel) {
        std::optional<Outcome> outcome;
        std::thread([&] { outcome = refuse_and_send<TestType>(); }).join();
        if (!outcome) {
            WARN("skipped: a network namespace and a TUN device with IPv6 need root");
            return;
        }
        REQUIRE(outcome->opened);
        REQUIRE(outcome->reached_router);
        REQUIRE(outcome->segmented_sends > 0);
        // Once, as too large, and with the tag that names the link.
        REQUIRE(outcome->broken.size() == 1);
        CHECK(outcome->broken[0].error == EMSGSIZE);
        CHECK(outcome->broken[0].tag == narrow_tag);
        // Each has left whole, or has come back.
        CHECK(outcome->widest <= narrow_mtu);
        REQUIRE(outcome->fates.size() == run_packets);
        for (const auto& [number, fate] : outcome->fates) {
            INFO("packet " << number);
            CHECK(fate.bytes_out == (fate.came_back == 0 ? packet_bytes : 0));
            CHECK(fate.came_back <= 1);
        }
    }
}

}  // namespace hawser::test
