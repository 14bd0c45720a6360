// SPDX-License-Identifier: MIT
// The sender's pump over a real Io, with the caller and the receiver on the same thread and a clock that counts
// packets: for an instruction counter. One thread, so that valgrind can follow io_uring; a clock of our own, so that
// the pump takes the path that belongs to the rate it is told, however slow the counter makes it.
// counted_turn() is what is to be counted: tell callgrind --toggle-collect='*counted_turn*'.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/bond/sender.h"
#include "engine/pump/pump.h"
#include "perf/pump/start_orders.h"
#include "perf/wire/options.h"
#include "perf/wire/send_ends.h"
#include "perf/wire/udp.h"
#include "platform/linux/epoll_io.h"
#include "platform/linux/uring_io.h"

namespace hawser::perf {
namespace {

// An Io whose time is ours: it never sleeps, and a turn takes as long as it is told.
template <Io IoModel>
class Clocked {
public:
    explicit Clocked(IoModel& io) : io_(io) {}

    void advance(std::int64_t ns) { now_ = now_ + Duration{ns}; }
    void say_woken() { woken_ = true; }

    Result<SocketId, Errno> open(const SocketSpec& spec) noexcept { return io_.open(spec); }
    void close(SocketId id) noexcept { io_.close(id); }
    Endpoint local(SocketId id) noexcept { return io_.local(id); }
    std::uint32_t payload_bytes_max(SocketId id) noexcept { return io_.payload_bytes_max(id); }
    void send(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept { io_.send(id, packet, to); }
    void keep_order(bool keep) noexcept { io_.keep_order(keep); }
    Instant now() noexcept { return now_; }
    void wake() noexcept { woken_ = true; }
    [[nodiscard]] const IoCounters& counters() const noexcept { return io_.counters(); }

    Turn wait(Instant, Duration) noexcept {
        if (woken_) {
            woken_ = false;
            io_.wake();
        }
        return Turn{now_, io_.wait(Instant{}, Duration{}).completions};
    }

private:
    IoModel& io_;
    Instant now_{1'000'000'000};
    bool woken_ = false;
};

template <class SenderPump>
[[gnu::noinline]] void counted_turn(SenderPump& pump) {
    pump.turn();
}

struct Outcome {
    std::uint64_t delivered = 0;
    std::uint64_t segmented = 0;  // sends that carried more than one packet
};

template <Io IoModel>
class Bench {
public:
    Bench(IoModel& io, Pool& pool, select::Mode mode, unsigned links, std::uint64_t packets, double rate,
          unsigned recorded)
        : real_(io),
          io_(io),
          ends_(true, load_of(packets), links),
          sender_(std::make_unique<bond::Sender>(options_of(ends_), pool, wire::GroupKey{}, seed)),
          border_(std::make_unique<Border<SenderSnapshot>>()),
          pump_(std::make_unique<SenderPump>(io_, pool, *sender_, *border_, Duration{})),
          packet_ns_(1e9 / rate),
          records_(recorded) {
        sender_->recorder().attach({reinterpret_cast<std::uint8_t*>(records_.data()), recorded * sizeof(FlightRecord)},
                                   0);
        pump_->start();
        const Endpoint receiver = Endpoint::from_v4(loopback, port_of(ends_, "port"));
        for (const Command& order : start_orders(mode, receiver, links)) {
            if (!border_->commands.push(order)) die("the command ring is full");
            io_.say_woken();
            pump_->turn();
        }
    }

    // False when the session does not come to stand in a simulated while.
    bool open() {
        for (int step = 0; step < 10'000; ++step) {
            io_.advance(1'000'000);
            pump_->turn();
            while (ends_.poll(now_ns())) {
            }
            if (ends_.open(std::int64_t{step} * 5'000'000)) return true;
        }
        return false;
    }

    // Always one window on its way: the sender's turn finds it whole, and the answers to the one before.
    Outcome run(std::uint64_t packets) {
        constexpr unsigned window = 64;
        std::int64_t quiet = 0;
        for (std::uint64_t sent = 0; ends_.received() < packets && quiet < turns_quiet_max; ++quiet) {
            const std::uint64_t in_flight = sent - ends_.received();
            const auto n = static_cast<unsigned>(std::min<std::uint64_t>(window - in_flight, packets - sent));
            if (n > 0) ends_.send(sent, n, now_ns());
            sent += n;
            io_.advance(static_cast<std::int64_t>(packet_ns_ * n));
            counted_turn(*pump_);
            while (ends_.poll(now_ns())) quiet = 0;
            ends_.drain();
        }
        return {ends_.received(), real_.counters().segmented_sends};
    }

private:
    using SenderPump = Pump<Clocked<IoModel>, bond::Sender>;
    static constexpr std::uint64_t seed = 7;
    static constexpr std::int64_t turns_quiet_max = 1000;

    static Load load_of(std::uint64_t packets) {
        Load load;
        load.kind = Load::Kind::window;
        load.packets = packets;
        return load;
    }
    static std::uint16_t port_of(const SendEnds& ends, const std::string& name) {
        for (const Placeholder& p : ends.placeholders())
            if (p.name == name) return static_cast<std::uint16_t>(std::stoul(p.value));
        die("no such placeholder: " + name);
    }
    static bond::SenderOptions options_of(const SendEnds& ends) {
        bond::SenderOptions o;
        o.listen = Endpoint::from_v4(loopback, port_of(ends, "srt_port"));
        return o;
    }

    IoModel& real_;
    Clocked<IoModel> io_;
    SendEnds ends_;
    std::unique_ptr<bond::Sender> sender_;
    std::unique_ptr<Border<SenderSnapshot>> border_;
    std::unique_ptr<SenderPump> pump_;
    double packet_ns_;
    std::vector<FlightRecord> records_;
};

template <class IoModel>
Outcome run(select::Mode mode, unsigned links, std::uint64_t packets, double rate, unsigned recorded) {
    std::vector<std::uint8_t> slab(std::size_t{pool_slots_default} * pool_slot_bytes);
    Pool pool(slab, pool_slot_bytes);
    auto io = IoModel::create(pool);
    if (!io) die(io.error().call);
    Bench<IoModel> bench(**io, pool, mode, links, packets, rate, recorded);
    if (!bench.open()) die("the session does not stand");
    return bench.run(packets);
}

constexpr const char* usage =
    "socket_pump [--io epoll|io_uring (epoll)] [--links N (4)] [--packets N (20000)] [--rate N (50000)] [--recorder N "
    "(0)]\n"
    "            [--select classic|enhanced|adaptive (classic)]\n"
    "  Packets through the sender's pump on loopback sockets, all ends on one thread. --rate: packets per second of "
    "its\n"
    "  clock; --recorder: records of the flight recorder. One line of JSON on stdout.\n";

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) {
    using namespace hawser;
    using namespace hawser::perf;
    Options options(argc, argv, usage);
    const std::string io = options.text("--io", "epoll");
    const unsigned links = std::clamp(options.count("--links", 4), 1u, 32u);
    const std::uint64_t packets = options.count("--packets", 20'000);
    const unsigned rate = std::max(1u, options.count("--rate", 50'000));
    if (io != "epoll" && io != "io_uring") options.fail("--io wants epoll or io_uring");
    const unsigned recorded = options.count("--recorder", 0);
    const std::string select = options.text("--select", "classic");
    const auto mode = std::find(select::mode_names.begin(), select::mode_names.end(), select);
    if (mode == select::mode_names.end()) options.fail("--select wants classic, enhanced or adaptive");
    static_cast<void>(options.positional(0));

    const auto selection = static_cast<select::Mode>(mode - select::mode_names.begin());
    const Outcome outcome = io == "epoll" ? run<os::EpollIo>(selection, links, packets, rate, recorded)
                                          : run<os::UringIo>(selection, links, packets, rate, recorded);
    std::printf(
        "{\"bench\":\"socket_pump\",\"io\":\"%s\",\"links\":%u,\"rate\":%u,\"results\":[{\"packets\":%llu,"
        "\"lost\":%llu,\"segmented_sends\":%llu}]}\n",
        io.c_str(), links, rate, static_cast<unsigned long long>(packets),
        static_cast<unsigned long long>(packets - outcome.delivered),
        static_cast<unsigned long long>(outcome.segmented));
    return outcome.delivered == packets ? 0 : 1;
}
