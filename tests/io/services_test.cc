// SPDX-License-Identifier: MIT
// Both ends on pump threads of their own, with a real kernel between them and plain sockets at the outer ends: the
// border between threads (run under TSan), and the proof that nothing allocates on a pump's thread after its start.
// The binary links the operator new that aborts on a sealed thread, so an allocation there ends the test.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "engine/bond/receiver.h"
#include "engine/bond/sender.h"
#include "engine/wire/extension.h"
#include "engine/wire/report.h"
#include "platform/app/pump_service.h"
#include "platform/app/random.h"
#include "platform/linux/sanitized.h"
#include "platform/linux/sockaddr.h"

using namespace hawser;
using namespace std::chrono_literals;
using app::PumpService;
using app::PumpSettings;

namespace {

// A plain UDP socket of the test's own.
class Udp {
public:
    Udp() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
        const int room = 4 << 20;
        static_cast<void>(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
        sockaddr_in own{};
        socklen_t length = sizeof own;
        REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &length) == 0);
        port_ = ntohs(own.sin_port);
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    void send(const std::vector<std::uint8_t>& packet, std::uint16_t port) const {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        static_cast<void>(
            ::sendto(fd_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to));
    }
    // Empty when nothing came in time.
    [[nodiscard]] std::vector<std::uint8_t> receive(int wait_ms, std::uint16_t& from) const {
        pollfd p{fd_.get(), POLLIN, 0};
        if (::poll(&p, 1, wait_ms) <= 0) return {};
        std::vector<std::uint8_t> packet(2048);
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        const ssize_t n =
            ::recvfrom(fd_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&peer), &length);
        from = ntohs(peer.sin_port);
        packet.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return packet;
    }

private:
    os::Fd fd_;
    std::uint16_t port_ = 0;
};

std::vector<std::uint8_t> data_packet(std::uint32_t sequence) {
    std::vector<std::uint8_t> p(1332);
    store_be32(p.data(), sequence);
    store_be32(p.data() + 4, 0xC000'0000);
    for (std::size_t i = 16; i < p.size(); ++i) p[i] = static_cast<std::uint8_t>(sequence + i);
    return p;
}

std::vector<std::uint8_t> ack_packet(std::uint32_t next) {
    std::vector<std::uint8_t> p(44);
    store_be16(p.data(), 0x8002);
    store_be32(p.data() + 8, next);
    store_be32(p.data() + 16, next);
    return p;
}

Endpoint loopback(std::uint8_t last, std::uint16_t port) { return Endpoint::from_v4(0x7F00'0000u | last, port); }

template <class Done>
bool until(Done&& done, std::chrono::milliseconds limit = 30s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

using SenderService = PumpService<bond::Sender>;
using ReceiverService = PumpService<bond::Receiver>;

std::unique_ptr<SenderService> start_sender(const PumpSettings& settings) {
    bond::SenderOptions options;
    options.listen = loopback(1, 0);
    wire::GroupKey key;
    app::fill_random(key);
    auto started = SenderService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Sender>(options, pool, key, 1); },
        [](SenderSnapshot&) {});
    REQUIRE(started);
    return std::move(started).value();
}

std::unique_ptr<ReceiverService> start_receiver(const PumpSettings& settings) {
    bond::ReceiverOptions options;
    options.listen = loopback(1, 0);
    options.groups_max = 8;
    // What is lost for good, with an uplink that is removed, keeps what came after it waiting for so long: well below
    // what the tests wait for anything.
    options.hold_without_deadline = Duration{1'000'000'000};
    Entropy entropy;
    app::fill_random(entropy);
    auto started = ReceiverService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Receiver>(options, pool, entropy); },
        [](ReceiverSnapshot& s) { s.reserve(8, 8 * 16); });
    REQUIRE(started);
    return std::move(started).value();
}

// The port that the service says it listens on.
template <class Service>
std::uint16_t listening_port(Service& service, EventKind kind) {
    std::uint16_t port = 0;
    REQUIRE(until([&] {
        Event e;
        while (service.next_event(e))
            if (e.kind == kind) port = e.endpoint.port;
        return port != 0;
    }));
    return port;
}

template <class Service>
void push(Service& service, const Command& c) {
    REQUIRE(until([&] { return service.command(c); }));
}

template <class Service>
void drain(Service& service) {
    Event e;
    while (service.next_event(e)) {
    }
    static_cast<void>(service.read_snapshot());
}

}  // namespace

TEST_CASE("both ends carry a stream between threads, and neither pump allocates after its start") {
    PumpSettings settings;
    settings.io = GENERATE(app::IoKind::epoll, app::IoKind::automatic);
    settings.coalesce = GENERATE(Duration{}, Duration{500'000});
    Udp caller, server;
    auto receiver = start_receiver(settings);
    auto sender = start_sender(settings);
    const std::uint16_t srtla_port = listening_port(*receiver, EventKind::receiver_listening);
    const std::uint16_t srt_port = listening_port(*sender, EventKind::listening);

    Command c;
    c.kind = CommandKind::set_server;
    c.resolved.addresses[0] = loopback(1, server.port());
    c.resolved.count = 1;
    push(*receiver, c);
    c.kind = CommandKind::set_receiver;
    c.resolved.addresses[0] = loopback(1, srtla_port);
    push(*sender, c);
    const auto choose = [&](select::Mode mode) {
        Command s;
        s.kind = CommandKind::set_selection;
        s.selection.mode = mode;
        push(*sender, s);
    };
    choose(select::Mode::adaptive);  // before the group registers, so that it asks for reports
    const auto uplink = [&](std::uint8_t i, CommandKind kind) {
        Command u;
        u.kind = kind;
        u.link = LinkId(i);
        u.uplink.source = loopback(static_cast<std::uint8_t>(i + 2), 0);
        push(*sender, u);
    };
    for (std::uint8_t i = 0; i < 4; ++i) uplink(i, CommandKind::add_uplink);
    const auto connected = [&] {
        drain(*sender);
        int n = 0;
        for (const UplinkSnapshot& u : sender->snapshot().uplinks) n += u.state == UplinkState::connected ? 1 : 0;
        return n;
    };
    REQUIRE(until([&] {
        Command publish;
        publish.kind = CommandKind::publish;
        push(*sender, publish);
        return connected() == 4;
    }));

    // A stream with answers, while uplinks come and go, settings change and snapshots are read.
    constexpr std::uint32_t packets = 3000;
    // What was queued for the uplink at the moment of its removal is lost with its socket: at most a turn's packets.
    // SRT, which is not part of this test, would ask for them again.
    constexpr std::uint32_t lost_max = 64;
    std::set<std::uint32_t> arrived;
    std::uint16_t group_port = 0;
    std::uint32_t acks_back = 0;
    int altered = 0;
    const auto collect = [&](int wait_ms) {
        std::uint16_t from = 0;
        for (auto p = server.receive(wait_ms, from); !p.empty(); p = server.receive(0, from)) {
            group_port = from;
            const std::uint32_t sequence = load_be32(p.data());
            if (p != data_packet(sequence)) ++altered;
            arrived.insert(sequence);
        }
        for (auto p = caller.receive(0, from); !p.empty(); p = caller.receive(0, from)) ++acks_back;
    };
    for (std::uint32_t i = 0; i < packets; ++i) {
        caller.send(data_packet(1000 + i), srt_port);
        if (i % 20 == 19) {
            // As fast as the pumps are, however slow a sanitizer makes them: sockets hold a few hundred packets.
            REQUIRE(until([&] {
                collect(1);
                return arrived.size() + lost_max + 20 >= i;
            }));
            drain(*sender);
            drain(*receiver);
            if (group_port != 0) server.send(ack_packet(1000 + static_cast<std::uint32_t>(arrived.size())), group_port);
        }
        if (i == 1000) uplink(3, CommandKind::remove_uplink);
        if (i == 1500) uplink(3, CommandKind::add_uplink);
        if (i % 500 == 0) choose(static_cast<select::Mode>((i / 500 + 2) % 3));
    }
    REQUIRE(until([&] {
        collect(5);
        return arrived.size() + lost_max >= packets;
    }));
    CHECK(altered == 0);
    CHECK(acks_back > 0);

    // The sender first: what is still under way is refused once the receiver's port is closed.
    sender->stop();
    REQUIRE(until([&] { return sender->finished(); }));
    receiver->stop();
    REQUIRE(until([&] { return receiver->finished(); }));
    sender->join();
    receiver->join();
    CHECK_FALSE(sender->failed());
    drain(*sender);
    const SenderSnapshot& s = sender->snapshot();
    CHECK(s.counters[Counter::srt_data] == packets);
    CHECK(s.counters[Counter::drop_no_uplink] == 0);
    CHECK(s.counters[Counter::reports_in] > 0);
    CHECK(s.pump.events_lost == 0);
}

TEST_CASE("a receiver that reports and puts packets in order does not allocate after its start") {
    PumpSettings settings;
    settings.io = GENERATE(app::IoKind::epoll, app::IoKind::automatic);
    Udp link, server;
    auto receiver = start_receiver(settings);
    const std::uint16_t srtla_port = listening_port(*receiver, EventKind::receiver_listening);
    Command c;
    c.kind = CommandKind::set_server;
    c.resolved.addresses[0] = loopback(1, server.port());
    c.resolved.count = 1;
    push(*receiver, c);

    std::uint16_t from = 0;
    std::size_t reports = 0;
    const auto answer = [&](wire::SrtlaType type) {
        std::vector<std::uint8_t> packet;
        REQUIRE(until([&] {
            packet = link.receive(100, from);
            return wire::packet_type(packet) == static_cast<std::uint16_t>(type);
        }));
        return packet;
    };
    wire::GroupKey key{};
    wire::write_offer(wire::extension_half(MutableBytes(key)), {true, true, 5'000});
    const auto ask = wire::build_registration(wire::SrtlaType::reg1, key);
    link.send({ask.begin(), ask.end()}, srtla_port);
    auto id = answer(wire::SrtlaType::reg2);
    REQUIRE(wire::answer_in(wire::extension_half(Bytes(id).subspan(2))) == wire::Extension{true, true, 5'000});
    link.send(id, srtla_port);
    static_cast<void>(answer(wire::SrtlaType::reg3));

    // Each sixteen packets in reverse, half of them twice; the server gets them in order, once.
    constexpr std::uint32_t first = 0x7FFF'FE00;
    constexpr std::uint32_t packets = 1600;
    const auto packet = [](std::uint32_t i) {
        auto p = data_packet((first + i) & wire::Seq31::mask);
        store_be32(p.data() + 4, 0xC000'0001);  // not parity
        return p;
    };
    link.send(packet(0), srtla_port);
    std::uint32_t next = 0;
    int wrong = 0;
    const auto collect = [&](int wait_ms) {
        for (auto p = server.receive(wait_ms, from); !p.empty(); p = server.receive(0, from))
            if (p != packet(next++)) ++wrong;
        for (auto p = link.receive(0, from); !p.empty(); p = link.receive(0, from))
            reports += wire::packet_type(p) == wire::report_type ? 1u : 0u;
    };
    for (std::uint32_t i = 1; i < packets; i += 16) {
        for (std::uint32_t n = 16; n > 0; --n)
            for (std::uint32_t copy = 0; copy < 1 + n % 2; ++copy) link.send(packet(i + n - 1), srtla_port);
        REQUIRE(until([&] {
            collect(1);
            return next >= i + 16;
        }));
        drain(*receiver);
    }
    CHECK(wrong == 0);
    CHECK(reports > packets / 20);
    receiver->stop();
    REQUIRE(until([&] { return receiver->finished(); }));
    receiver->join();
    drain(*receiver);
    CHECK(receiver->snapshot().counters[Counter::hold_waits] > packets * 3 / 4);
    CHECK(receiver->snapshot().counters[Counter::hold_duplicates] == packets / 2);
}

TEST_CASE("a service that cannot listen says so and ends as failed") {
    Udp taken;
    PumpSettings settings;
    bond::SenderOptions options;
    options.listen = loopback(1, taken.port());
    auto started = SenderService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Sender>(options, pool, wire::GroupKey{}, 1); },
        [](SenderSnapshot&) {});
    REQUIRE(started);
    SenderService& service = **started;
    REQUIRE(until([&] { return service.finished(); }));
    service.join();
    CHECK(service.failed());
    Event e;
    REQUIRE(service.next_event(e));
    CHECK(e.kind == EventKind::listen_failed);
    CHECK(e.a == EADDRINUSE);
}

#if !HAWSER_SANITIZED
TEST_CASE("an allocation on a sealed thread ends the program") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::fclose(stderr);
        os::seal();
        // A direct call: the compiler may leave out a new expression whose memory nobody needs.
        void* const p = ::operator new(100);
        ::_exit(p != nullptr ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
#endif
