// SPDX-License-Identifier: MIT
#include "perf/wire/send_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "perf/wire/far_end.h"
#include "perf/wire/near_end.h"
#include "perf/wire/statistics.h"

namespace hawser::perf {

namespace {

constexpr std::int64_t ms = 1'000'000;
// libsrt's full ACK period.
constexpr std::int64_t srt_ack_period = 10 * ms;
constexpr unsigned window_srt_ack_packets = 100;
// A window that stands still this long has lost what is missing, and is filled anew.
constexpr std::int64_t stall = 100 * ms;
// Far from the wrap: wraps are a matter of tests, not of speed.
constexpr std::uint32_t initial_sequence = 1'000'000;
// More than any program here moves in a second; bounds the arrival table of a saturated run.
constexpr double packets_per_second_max = 1'000'000;

class SourcesFile {
public:
    explicit SourcesFile(unsigned links) {
        const int fd = mkstemp(path_);
        if (fd < 0) die("mkstemp");
        close(fd);
        std::ofstream file(path_);
        for (unsigned i = 0; i < links; ++i) file << "127.0.0." << 2 + i << '\n';
    }
    SourcesFile(const SourcesFile&) = delete;
    SourcesFile& operator=(const SourcesFile&) = delete;
    ~SourcesFile() { unlink(path_); }
    [[nodiscard]] std::string path() const { return path_; }

private:
    char path_[32] = "/tmp/hawser-perf-XXXXXX";
};

struct Edge {
    std::int64_t at = 0;
    std::int64_t cpu = 0;
    std::uint64_t received = 0;
    Switches switches;
};

class Run {
public:
    Run(const Program& program, const Load& load, const Place& place)
        : load_(load), place_(place), sources_(place.links), far_(far_settings(program, load)), srt_port_(free_port()),
          child_(fill(program.command, {{"srt_port", std::to_string(srt_port_)},
                                        {"host", "127.0.0.1"},
                                        {"port", std::to_string(far_.port())},
                                        {"ips", sources_.path()},
                                        {"links", std::to_string(place.links)}}),
                 place.child_cpu, place.log),
          near_(srt_port_, initial_sequence) {}

    Measurement go() {
        if (!establish()) return result_;
        switch (load_.kind) {
            case Load::Kind::paced: paced(1); break;
            case Load::Kind::bursts: paced(burst_ns); break;
            case Load::Kind::window: window(); break;
            case Load::Kind::idle: idle(); break;
        }
        finish();
        return result_;
    }

private:
    static FarEnd::Settings far_settings(const Program& program, const Load& load) {
        FarEnd::Settings s;
        s.registration = program.registration;
        s.initial_sequence = initial_sequence;
        const double rate = load.kind == Load::Kind::window ? packets_per_second_max : load.rate;
        s.packets_max = static_cast<std::uint64_t>(rate * (load.seconds + load.warmup_seconds)) + 1000;
        if (load.packets != 0) s.packets_max = load.packets;
        if (load.kind == Load::Kind::window) s.srt_ack_packets = window_srt_ack_packets;
        return s;
    }

    bool establish() {
        const std::int64_t start = now_ns();
        const auto deadline = start + static_cast<std::int64_t>(load_.start_seconds * 1e9);
        for (std::int64_t said = 0;;) {
            const std::int64_t now = now_ns();
            far_.poll(now);
            if (now - said > 20 * ms) {
                said = now;
                if (near_.handshake() && far_.links() >= place_.links) return true;
                if (far_.links() < place_.links) near_.keepalive();
            }
            if (!child_.alive()) return fail("it ended before its session stood");
            if (now > deadline)
                return fail("no session: " + std::to_string(far_.links()) + " links of " +
                            std::to_string(place_.links));
            usleep(200);
        }
    }

    bool fail(const std::string& why) {
        result_.error = why;
        return false;
    }

    Edge edge() {
        Edge e;
        // Slow to read, hence before the clocks at the start of the span and after them at its end.
        if (!begin_) e.switches = child_.switches();
        e.cpu = child_.cpu_ns();
        e.at = now_ns();
        e.received = far_.received();
        if (begin_) e.switches = child_.switches();
        return e;
    }

    void housekeeping(std::int64_t now, bool timed_acks) {
        if (now >= drain_due_) {
            near_.drain();
            drain_due_ = now + ms;
        }
        if (timed_acks && now >= ack_due_) {
            far_.srt_acks(now);
            ack_due_ = now + srt_ack_period;
        }
    }

    // Packets fall due one by one, and are looked at every `tick` ns.
    void paced(std::int64_t tick) {
        const double interval = 1e9 / load_.rate;
        const auto warm = static_cast<std::uint64_t>(load_.rate * load_.warmup_seconds);
        const std::uint64_t total = warm + static_cast<std::uint64_t>(load_.rate * load_.seconds);
        const std::int64_t start = now_ns();
        std::uint64_t late = 0;
        while (sent_ < total) {
            if (sent_ >= warm && !begin_) begin_ = edge();
            const std::int64_t now = now_ns();
            const auto elapsed = static_cast<double>((now - start) / tick * tick);
            const auto due = std::min<std::uint64_t>(total, 1 + static_cast<std::uint64_t>(elapsed / interval));
            if (due > sent_) {
                std::uint64_t limit = NearEnd::batch_max;
                if (!begin_) limit = std::min(limit, warm - sent_);  // the span starts at a packet's edge
                const auto n = static_cast<unsigned>(std::min(due - sent_, limit));
                near_.send(sent_, n, now);
                sent_ += n;
                if (n > 1 && begin_) late += n - 1;
            }
            far_.poll(now_ns());
            housekeeping(now, true);
        }
        end_ = edge();
        first_ = warm;
        result_.late_share = static_cast<double>(late) / static_cast<double>(std::max<std::uint64_t>(1, total - warm));
        drain();
    }

    void window() {
        const std::int64_t start = now_ns();
        const bool counted = load_.packets != 0;
        const auto warm_end = start + (counted ? 0 : static_cast<std::int64_t>(load_.warmup_seconds * 1e9));
        const auto end = warm_end + static_cast<std::int64_t>(load_.seconds * 1e9);
        const std::uint64_t total = far_.latency_ns().size();
        std::uint64_t written_off = 0;
        std::int64_t moved = start;
        for (std::int64_t now = start; sent_ < total && (counted || now < end); now = now_ns()) {
            if (!begin_ && now >= warm_end) {
                first_ = sent_;
                begin_ = edge();
            }
            const std::uint64_t in_flight = sent_ - std::min(sent_, far_.received() + written_off);
            if (in_flight < load_.window) {
                const auto n = static_cast<unsigned>(
                    std::min<std::uint64_t>({load_.window - in_flight, NearEnd::batch_max, total - sent_}));
                near_.send(sent_, n, now);
                sent_ += n;
            }
            if (far_.poll(now_ns())) moved = now;
            if (now - moved > stall) {
                written_off = sent_ - far_.received();
                moved = now;
                ++result_.lost;  // replaced by the true count in finish(); here so that a stall is never silent
            }
            housekeeping(now, false);
        }
        if (!begin_) begin_ = edge();
        end_ = edge();
        drain();
    }

    void idle() {
        const std::int64_t until = now_ns() + static_cast<std::int64_t>(load_.warmup_seconds * 1e9);
        const auto rest = [&](std::int64_t deadline) {
            while (now_ns() < deadline) {
                far_.poll(now_ns());
                usleep(1000);
            }
        };
        rest(until);
        begin_ = edge();
        rest(until + static_cast<std::int64_t>(load_.seconds * 1e9));
        end_ = edge();
    }

    // Until everything has come, or nothing has for a while.
    void drain() {
        std::int64_t moved = now_ns();
        while (far_.received() < sent_ && now_ns() - moved < stall)
            if (far_.poll(now_ns())) moved = now_ns();
    }

    void finish() {
        if (!child_.alive()) {
            fail("it ended under load");
            return;
        }
        near_.drain();
        const double span = static_cast<double>(end_.at - begin_->at);
        const auto forwarded = end_.received - begin_->received;
        const auto cpu = static_cast<double>(end_.cpu - begin_->cpu);
        result_.sent = sent_;
        result_.forwarded = forwarded;
        result_.lost = sent_ - far_.received();
        result_.duplicates = far_.duplicates();
        result_.span_seconds = span / 1e9;
        result_.rate = static_cast<double>(forwarded) / span * 1e9;
        result_.cpu_share = cpu / span;
        result_.cpu_us = load_.kind == Load::Kind::idle ? cpu / span * 1e6
                                                        : cpu / 1e3 / static_cast<double>(std::max<std::uint64_t>(1, forwarded));
        result_.wakeups = static_cast<double>(end_.switches.voluntary - begin_->switches.voluntary) / span * 1e9;
        result_.switches = static_cast<double>(end_.switches.involuntary - begin_->switches.involuntary) / span * 1e9;
        result_.returned = near_.returned();
        for (const std::uint64_t n : far_.by_link()) result_.links_used += n > 0 ? 1 : 0;
        latencies();
        if (place_.signal_after != 0) {
            child_.signal(place_.signal_after);
            usleep(300'000);
        }
    }

    void latencies() {
        std::vector<std::uint32_t> sample;
        const auto& all = far_.latency_ns();
        for (std::uint64_t i = first_; i < std::min<std::uint64_t>(sent_, all.size()); ++i)
            if (all[i] != 0) sample.push_back(all[i]);
        const auto at = [&](double q) { return static_cast<double>(quantile(sample, q)) / 1000; };
        result_.p50_us = at(0.5);
        result_.p90_us = at(0.9);
        result_.p99_us = at(0.99);
        result_.max_us = at(1);
    }

    Load load_;
    Place place_;
    SourcesFile sources_;
    FarEnd far_;
    std::uint16_t srt_port_;
    Child child_;
    NearEnd near_;
    Measurement result_;
    std::uint64_t sent_ = 0;
    std::uint64_t first_ = 0;  // index of the measured span's first packet
    std::optional<Edge> begin_;
    Edge end_;
    std::int64_t ack_due_ = 0;
    std::int64_t drain_due_ = 0;
};

}  // namespace

Measurement measure_send(const Program& program, const Load& load, const Place& place) {
    return Run(program, load, place).go();
}

}  // namespace hawser::perf
