// SPDX-License-Identifier: MIT
// One measurement of one program: start it, let both ends open their session through it, load it, say what it cost.
// The load runs on the calling thread, which polls and never sleeps while packets flow; pin it away from the child.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/wire/child.h"

namespace hawser::perf {

struct Program {
    std::string name;
    std::string command;       // with the placeholders of the bench
    bool registration = true;  // false: it knows no SRTLA
};

struct Load {
    enum class Kind {
        paced,   // one packet every 1/rate seconds
        bursts,  // the same rate in one burst per burst_ns: what one bench core can still drive at high rates
        window,  // keeps `window` packets in flight
        idle,    // no packets
    };
    Kind kind = Kind::paced;
    double rate = 1000;   // packets/s, over all groups
    unsigned groups = 1;  // senders at once, for a receiver under test
    unsigned window = 64;
    double seconds = 2;
    double warmup_seconds = 0.4;
    std::uint64_t packets = 0;  // window: exactly so many, without warm-up, instead of a time (for instruction counts)
    double start_seconds = 10;  // how long the program may take until its sessions stand

    // How many packets a run of it sends at most: the size of the arrival table.
    [[nodiscard]] std::uint64_t packets_max() const;
};
inline constexpr std::int64_t burst_ns = 100'000;
// An SRT ACK on every link per so many packets, when saturated; else one each srt_ack_period_ns, as libsrt does.
inline constexpr unsigned window_srt_ack_packets = 100;
inline constexpr std::int64_t srt_ack_period_ns = 10'000'000;
// The first of them after this: out of step with packets that leave every millisecond, as a real one would be.
inline constexpr std::int64_t srt_ack_phase_ns = 3'700'000;

struct Place {
    unsigned links = 4;
    int child_cpu = -1;
    std::string log = "/dev/null";
    int signal_after = 0;  // sent to the child at the end of the load, and time to act on it; 0: none
};

struct Measurement {
    std::string error;            // empty: the rest is valid
    std::uint64_t sent = 0;       // all of them, the warm-up too
    std::uint64_t forwarded = 0;  // packets of the measured span
    std::uint64_t lost = 0;
    std::uint64_t duplicates = 0;
    double span_seconds = 0;
    double rate = 0;       // packets/s that came out
    double cpu_us = 0;     // per forwarded packet; idle: per second
    double cpu_share = 0;  // of one CPU
    double wakeups = 0;    // per second
    double switches = 0;   // involuntary, per second
    double p50_us = 0, p90_us = 0, p99_us = 0, max_us = 0;
    double late_share = 0;       // packets that the generator itself sent late, in company
    std::uint64_t returned = 0;  // datagrams that came back to where the packets came from
    unsigned links_used = 0;
};

// The two ends of the program under test.
class Ends {
public:
    virtual ~Ends() = default;
    // The values for the program's command.
    [[nodiscard]] virtual std::vector<Placeholder> placeholders() const = 0;
    // One step towards open sessions, called every few ms; says again what was not answered. True once all stand.
    virtual bool open(std::int64_t now) = 0;
    // For the error message: how far it came.
    [[nodiscard]] virtual std::string progress() const = 0;
    // Sends packets [index, index + count), count at most batch_max, stamped `now`.
    virtual void send(std::uint64_t index, unsigned count, std::int64_t now) = 0;
    // Takes one batch of arrivals, and acknowledges by count where the load says so. True when there was anything.
    virtual bool poll(std::int64_t now) = 0;
    // Acknowledges by time.
    virtual void acknowledge(std::int64_t now) = 0;
    // Takes one batch of what came back to the sending side.
    virtual void drain() = 0;

    [[nodiscard]] virtual std::uint64_t received() const = 0;  // different packets
    [[nodiscard]] virtual std::uint64_t duplicates() const = 0;
    [[nodiscard]] virtual std::uint64_t returned() const = 0;
    [[nodiscard]] virtual unsigned links_used() const = 0;
    // By packet index; 0 where nothing came.
    [[nodiscard]] virtual const std::vector<std::uint32_t>& latency_ns() const = 0;
    static constexpr unsigned batch_max = 64;
};

[[nodiscard]] Measurement measure(const Program& program, const Load& load, const Place& place, Ends& ends);

}  // namespace hawser::perf
