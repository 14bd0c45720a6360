// SPDX-License-Identifier: MIT
// The sender without the kernel: how many nanoseconds the engine itself takes per packet, and a program for an
// instruction counter. The run is the same every time, which the printed hash of the chosen links shows.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/bond/sender.h"
#include "engine/pump/pump.h"
#include "perf/pump/far_io.h"
#include "perf/pump/start_orders.h"
#include "perf/wire/options.h"
#include "perf/wire/statistics.h"
#include "perf/wire/udp.h"

namespace hawser::perf {
namespace {

// The bench's own part of a packet (its header, the receiver's bookkeeping) is in the figure; it is small beside it.
class Bench {
public:
    Bench(unsigned links, unsigned batch, select::Mode mode)
        : slab_(std::size_t{pool_slots_default} * pool_slot_bytes),
          pool_(slab_, pool_slot_bytes),
          io_(pool_, batch, std::int64_t{batch} * packet_ns),
          sender_(std::make_unique<bond::Sender>(bond::SenderOptions{}, pool_, wire::GroupKey{}, seed)),
          border_(std::make_unique<Border<SenderSnapshot>>()),
          pump_(std::make_unique<Pump<FarIo, bond::Sender>>(io_, pool_, *sender_, *border_, Duration{})) {
        pump_->start();
        for (const Command& order : start_orders(mode, Endpoint::from_v4(loopback, 5000), links)) {
            if (!border_->commands.push(order)) die("the command ring is full");
            io_.say_woken();
            pump_->turn();
        }
    }

    // False when the session does not come to stand in a simulated while.
    bool open() {
        for (unsigned turn = 0; turn < 10'000; ++turn) {
            pump_->turn();
            if (turn % 50 == 49) io_.knock();
            if (io_.session()) return true;
        }
        return false;
    }
    void run(std::uint64_t packets) {
        io_.flow(packets);
        while (io_.flowing()) pump_->turn();
    }
    [[nodiscard]] const FarIo& io() const { return io_; }

private:
    // 50 k packets/s: the clock's pace, which decides how often timers and snapshots fall due.
    static constexpr std::int64_t packet_ns = 20'000;
    static constexpr std::uint64_t seed = 7;

    std::vector<std::uint8_t> slab_;
    Pool pool_;
    FarIo io_;
    std::unique_ptr<bond::Sender> sender_;
    std::unique_ptr<Border<SenderSnapshot>> border_;
    std::unique_ptr<Pump<FarIo, bond::Sender>> pump_;
};

constexpr const char* usage =
    "sender_pump [--links N (4)] [--packets N (1000000)] [--batch N (16)] [--repeat N (9)] [--select "
    "classic|enhanced]\n"
    "  Packets through the engine's sender and nothing else. One line of JSON on stdout.\n";

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) {
    using namespace hawser;
    using namespace hawser::perf;
    Options options(argc, argv, usage);
    const unsigned links = std::clamp(options.count("--links", 4), 1u, 32u);
    const std::uint64_t packets = options.count("--packets", 1'000'000);
    const unsigned batch = std::max(1u, options.count("--batch", 16));
    const unsigned repeat = options.count("--repeat", 9);
    const std::string mode = options.text("--select", "classic");
    if (mode != "classic" && mode != "enhanced") options.fail("--select wants classic or enhanced");
    static_cast<void>(options.positional(0));

    std::vector<double> ns;
    std::uint64_t delivered = 0;
    std::uint64_t hash = 0;
    for (unsigned i = 0; i < repeat; ++i) {
        Bench bench(links, batch, mode == "classic" ? select::Mode::classic : select::Mode::enhanced);
        if (!bench.open()) options.fail("the session does not stand");
        const std::int64_t start = now_ns();
        bench.run(packets);
        ns.push_back(static_cast<double>(now_ns() - start) / static_cast<double>(packets));
        delivered = bench.io().delivered();
        hash = bench.io().hash();
    }
    std::fprintf(stderr, "%u links, %s: %.1f ns per packet (+- %.1f), %llu of %llu delivered\n", links, mode.c_str(),
                 median(ns), spread(ns), static_cast<unsigned long long>(delivered),
                 static_cast<unsigned long long>(packets));
    std::printf(
        "{\"bench\":\"sender_pump\",\"links\":%u,\"select\":\"%s\",\"batch\":%u,\"ns\":%.2f,\"ns_spread\":%.2f,"
        "\"packets\":%llu,\"delivered\":%llu,\"hash\":\"%016llx\"}\n",
        links, mode.c_str(), batch, median(ns), spread(ns), static_cast<unsigned long long>(packets),
        static_cast<unsigned long long>(delivered), static_cast<unsigned long long>(hash));
    return delivered == packets ? 0 : 1;
}
