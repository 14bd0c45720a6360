// SPDX-License-Identifier: MIT
// Speed of a receiver on the wire: the figures of bench_send in the other direction, for one group or for hundreds.
// See perf/README.md.
#include <memory>
#include <string>

#include "perf/wire/bench_main.h"
#include "perf/wire/recv_ends.h"

int main(int argc, char** argv) {
    using namespace hawser::perf;
    Options options(argc, argv,
                    "bench_recv [--command C] [--forwarder] [--coalesce US] [--peer C] ...\n"
                    "  C is a command with {port} {host} {srt_port} {links} {groups} in it, run without a shell, e.g.\n"
                    "    --command 'hawser recv {port} {host} {srt_port}'\n"
                    "  A load of 200x500 is 200 groups of 500 packets/s each.\n" +
                        common_usage());
    Bench bench;
    bench.name = "recv";
    bench.forwarder = "forwarder_recv";
    bench.placeholders = "{port} {host} {srt_port}";
    bench.loads = "1000,10000,50000,window,200x500";
    bench.make_ends = [](const Program& program, const Load& load, const Place& place) -> std::unique_ptr<Ends> {
        return std::make_unique<RecvEnds>(program.registration, load, place.links);
    };
    return bench_main(bench, options);
}
