// SPDX-License-Identifier: MIT
// One measurement of one sender: start it, register, open a session, load it, and say what it cost.
// The load runs on the calling thread, which polls and never sleeps while packets flow; pin it away from the child.
#pragma once

#include <cstdint>
#include <string>

#include "perf/wire/child.h"

namespace hawser::perf {

struct Program {
    std::string name;
    std::string command;       // {srt_port} {host} {port} {ips} {links}
    bool registration = true;  // false for the forwarder
};

struct Load {
    enum class Kind {
        paced,   // one packet every 1/rate seconds
        bursts,  // the same rate in one burst per burst_ns: what one bench core can still drive at high rates
        window,  // keeps `window` packets in flight
        idle,    // no packets
    };
    Kind kind = Kind::paced;
    double rate = 1000;  // packets/s
    unsigned window = 64;
    double seconds = 2;
    double warmup_seconds = 0.4;
    std::uint64_t packets = 0;  // window: exactly so many, without warm-up, instead of a time (for instruction counts)
    double start_seconds = 10;  // how long the program may take until its session stands
};
inline constexpr std::int64_t burst_ns = 100'000;

struct Place {
    unsigned links = 4;
    int child_cpu = -1;
    std::string log = "/dev/null";
    int signal_after = 0;  // sent to the child at the end of the load, 0: none; and time to act on it
};

struct Measurement {
    std::string error;  // empty: the rest is valid
    std::uint64_t sent = 0;
    std::uint64_t forwarded = 0;  // packets of the measured span
    std::uint64_t lost = 0;
    std::uint64_t duplicates = 0;
    double span_seconds = 0;
    double rate = 0;              // packets/s that came out
    double cpu_us = 0;            // per forwarded packet; idle: per second
    double cpu_share = 0;         // of one CPU
    double wakeups = 0;           // per second
    double switches = 0;          // involuntary, per second
    double p50_us = 0, p90_us = 0, p99_us = 0, max_us = 0;
    double late_share = 0;        // packets that the generator itself sent late, in company
    std::uint64_t returned = 0;   // datagrams that came back to the SRT caller
    unsigned links_used = 0;
};

[[nodiscard]] Measurement measure_send(const Program& program, const Load& load, const Place& place);

}  // namespace hawser::perf
