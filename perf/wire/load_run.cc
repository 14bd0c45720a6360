// SPDX-License-Identifier: MIT
#include "perf/wire/load_run.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "perf/wire/statistics.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

namespace {

constexpr std::int64_t ms = 1'000'000;
// A window that stands still this long has lost what is missing, and is filled anew.
constexpr std::int64_t stall = 100 * ms;
// More than any program here moves in a second; bounds the arrival table of a saturated run.
constexpr double packets_per_second_max = 1'000'000;

struct Edge {
    std::int64_t at = 0;
    std::int64_t cpu = 0;
    std::uint64_t received = 0;
    Switches switches;
};

class Run {
public:
    Run(const Program& program, const Load& load, const Place& place, Ends& ends)
        : load_(load),
          place_(place),
          ends_(ends),
          child_(fill(program.command, ends.placeholders()), place.child_cpu, place.log) {}

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
    bool establish() {
        const auto deadline = now_ns() + static_cast<std::int64_t>(load_.start_seconds * 1e9);
        for (std::int64_t said = 0;;) {
            const std::int64_t now = now_ns();
            while (ends_.poll(now)) {
            }
            if (now - said > 5 * ms) {
                said = now;
                if (ends_.open(now)) return true;
            }
            if (!child_.alive()) return fail("it ended before its session stood");
            if (now > deadline) return fail("no session: " + ends_.progress());
            usleep(200);
        }
    }

    bool fail(const std::string& why) {
        result_.error = why;
        return false;
    }

    // Switches are slow to read, hence before the clocks at the start of the span and after them at its end.
    Edge edge() {
        Edge e;
        if (!begin_) e.switches = child_.switches();
        e.cpu = child_.cpu_ns();
        e.at = now_ns();
        e.received = ends_.received();
        if (begin_) e.switches = child_.switches();
        return e;
    }

    void drain_now_and_then(std::int64_t now) {
        if (now < drain_due_) return;
        ends_.drain();
        drain_due_ = now + ms / 4;
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
                std::uint64_t limit = Ends::batch_max;
                if (!begin_) limit = std::min(limit, warm - sent_);  // the span starts at a packet's edge
                const auto n = static_cast<unsigned>(std::min(due - sent_, limit));
                ends_.send(sent_, n, now);
                sent_ += n;
                if (n > 1 && begin_) late += n - 1;
            }
            ends_.poll(now_ns());
            ends_.acknowledge(now);
            drain_now_and_then(now);
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
        const std::uint64_t total = load_.packets_max();
        std::uint64_t written_off = 0;
        std::int64_t moved = start;
        for (std::int64_t now = start; sent_ < total && (counted || now < end); now = now_ns()) {
            if (!begin_ && now >= warm_end) {
                first_ = sent_;
                begin_ = edge();
            }
            const std::uint64_t in_flight = sent_ - std::min(sent_, ends_.received() + written_off);
            if (in_flight < load_.window) {
                const auto n = static_cast<unsigned>(
                    std::min<std::uint64_t>({load_.window - in_flight, Ends::batch_max, total - sent_}));
                ends_.send(sent_, n, now);
                sent_ += n;
            }
            if (ends_.poll(now_ns())) moved = now;
            if (now - moved > stall) {
                written_off = sent_ - ends_.received();
                moved = now;
            }
            drain_now_and_then(now);
        }
        if (!begin_) begin_ = edge();
        end_ = edge();
        drain();
    }

    void idle() {
        const std::int64_t until = now_ns() + static_cast<std::int64_t>(load_.warmup_seconds * 1e9);
        const auto rest = [&](std::int64_t deadline) {
            while (now_ns() < deadline) {
                ends_.poll(now_ns());
                ends_.drain();
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
        while (ends_.received() < sent_ && now_ns() - moved < stall)
            if (ends_.poll(now_ns())) moved = now_ns();
        ends_.drain();
    }

    void finish() {
        if (!child_.alive()) {
            fail("it ended under load");
            return;
        }
        const double span = static_cast<double>(end_.at - begin_->at);
        const auto forwarded = end_.received - begin_->received;
        const auto cpu = static_cast<double>(end_.cpu - begin_->cpu);
        const auto per_second = [&](std::uint64_t from, std::uint64_t to) {
            return static_cast<double>(to - std::min(from, to)) / span * 1e9;
        };
        result_.sent = sent_;
        result_.forwarded = forwarded;
        result_.lost = sent_ - std::min(sent_, ends_.received());
        result_.duplicates = ends_.duplicates();
        result_.span_seconds = span / 1e9;
        result_.rate = static_cast<double>(forwarded) / span * 1e9;
        result_.cpu_share = cpu / span;
        result_.cpu_us = load_.kind == Load::Kind::idle
                             ? cpu / span * 1e6
                             : cpu / 1e3 / static_cast<double>(std::max<std::uint64_t>(1, forwarded));
        result_.wakeups = per_second(begin_->switches.voluntary, end_.switches.voluntary);
        result_.switches = per_second(begin_->switches.involuntary, end_.switches.involuntary);
        result_.returned = ends_.returned();
        result_.links_used = ends_.links_used();
        latencies();
        if (place_.signal_after == 0) return;
        child_.signal(place_.signal_after);
        usleep(300'000);
    }

    void latencies() {
        std::vector<std::uint32_t> sample;
        const auto& all = ends_.latency_ns();
        for (std::uint64_t i = first_; i < std::min<std::uint64_t>(sent_, all.size()); ++i)
            if (all[i] != 0) sample.push_back(all[i]);
        const auto at = [&](double q) { return static_cast<double>(quantile(sample, q)) / 1000; };
        result_.p50_us = at(0.5);
        result_.p90_us = at(0.9);
        result_.p99_us = at(0.99);
        result_.max_us = at(1);
    }

    const Load& load_;
    const Place& place_;
    Ends& ends_;
    Child child_;
    Measurement result_;
    std::uint64_t sent_ = 0;
    std::uint64_t first_ = 0;  // index of the measured span's first packet
    std::optional<Edge> begin_;
    Edge end_;
    std::int64_t drain_due_ = 0;
};

}  // namespace

std::uint64_t Load::packets_max() const {
    if (packets != 0) return packets;
    const double most = kind == Kind::window ? packets_per_second_max : rate;
    return static_cast<std::uint64_t>(most * (seconds + warmup_seconds)) + 1000;
}

Measurement measure(const Program& program, const Load& load, const Place& place, Ends& ends) {
    return Run(program, load, place, ends).go();
}

}  // namespace hawser::perf
