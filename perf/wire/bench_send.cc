// SPDX-License-Identifier: MIT
// Speed of a sender on the wire: CPU per forwarded packet, latency, loss, wake-ups; beside the forwarder and beside
// another peer. See perf/README.md.
#include <memory>
#include <string>

#include "perf/wire/bench_main.h"
#include "perf/wire/send_ends.h"

int main(int argc, char** argv) {
    using namespace hawser::perf;
    Options options(argc, argv,
                    "bench_send [--command C] [--forwarder] [--coalesce US] [--peer C] ...\n"
                    "  C is a command with {srt_port} {host} {port} {ips} {links} in it, run without a shell, e.g.\n"
                    "    --command 'hawser send {srt_port} {host} {port} {ips}'\n" +
                        common_usage());
    Bench bench;
    bench.name = "send";
    bench.forwarder = "forwarder";
    bench.placeholders = "{srt_port} {host} {port} {ips}";
    bench.loads = "1000,10000,50000,window";
    bench.make_ends = [](const Program& program, const Load& load, const Place& place) -> std::unique_ptr<Ends> {
        return std::make_unique<SendEnds>(program.registration, load, place.links);
    };
    return bench_main(bench, options);
}
