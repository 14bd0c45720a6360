// SPDX-License-Identifier: MIT
// What can happen to a datagram on its way, one small machine each. Every node has the same four verbs:
//   push(datagram, now, random)   takes a datagram in, or drops it and counts that
//   next()                        the instant at which it next has something to give; never when it has not
//   pop(now, out)                 gives one datagram that is due
//   dropped()                     how many it has dropped
// A Path strings nodes together. A new behaviour (a trace, a burst loss model) is one more struct in the variant.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/sim/datagram.h"

namespace hawser::sim {

inline constexpr std::uint32_t million = 1'000'000;  // probabilities are whole parts per million

// A fixed delay and a uniform extra of up to `jitter`. Datagrams overtake each other only when `reorders`.
class Delay {
public:
    struct Options {
        Duration base{};
        Duration jitter{};
        bool reorders = false;
    };
    explicit Delay(const Options& options) : options_(options) {}

    void set(const Options& options) { options_ = options; }
    void push(Datagram&& datagram, Instant now, Random& random) {
        const auto extra_us = random.below(static_cast<std::uint32_t>(options_.jitter.us()) + 1);
        Instant due = now + options_.base + Duration{std::int64_t{extra_us} * 1000};
        if (!options_.reorders && due < last_) due = last_;
        last_ = std::max(last_, due);
        queue_.push(due, std::move(datagram));
    }
    [[nodiscard]] Instant next() const { return queue_.next(); }
    bool pop(Instant now, Datagram& out) { return queue_.pop(now, out); }
    [[nodiscard]] std::uint64_t dropped() const { return 0; }

private:
    Options options_;
    Instant last_{};
    TimedQueue queue_;
};

// Drops each datagram with the same probability, whatever befell the one before.
class Loss {
public:
    explicit Loss(std::uint32_t per_million) : per_million_(per_million) {}

    void set(std::uint32_t per_million) { per_million_ = per_million; }
    void push(Datagram&& datagram, Instant now, Random& random) {
        if (random.below(million) < per_million_) {
            ++dropped_;
            return;
        }
        queue_.push(now, std::move(datagram));
    }
    [[nodiscard]] Instant next() const { return queue_.next(); }
    bool pop(Instant now, Datagram& out) { return queue_.pop(now, out); }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    std::uint32_t per_million_;
    std::uint64_t dropped_ = 0;
    TimedQueue queue_;
};

// Sends a second copy of some datagrams, `gap` after the first.
class Duplicate {
public:
    explicit Duplicate(std::uint32_t per_million, Duration gap = {}) : per_million_(per_million), gap_(gap) {}

    void set(std::uint32_t per_million) { per_million_ = per_million; }
    void push(Datagram&& datagram, Instant now, Random& random) {
        if (random.below(million) < per_million_) queue_.push(now + gap_, Datagram(datagram));
        queue_.push(now, std::move(datagram));
    }
    [[nodiscard]] Instant next() const { return queue_.next(); }
    bool pop(Instant now, Datagram& out) { return queue_.pop(now, out); }
    [[nodiscard]] std::uint64_t dropped() const { return 0; }

private:
    std::uint32_t per_million_;
    Duration gap_;
    TimedQueue queue_;
};

// A transmitter with a queue before it: one datagram at a time at so many bits per second, and what finds the queue
// full is dropped (drop-tail). A change of rate holds from the next datagram on.
class Rate {
public:
    struct Options {
        std::uint64_t bits_per_second = 0;  // 0: no limit
        std::size_t queue_bytes = 256 * 1024;
    };
    explicit Rate(const Options& options) : options_(options) {}

    void set(const Options& options) { options_ = options; }
    [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }
    void push(Datagram&& datagram, Instant now, Random&) {
        const std::size_t bytes = datagram.bytes.size() + ip_udp_header_bytes;
        if (!queue_.empty() && queued_bytes_ + bytes > options_.queue_bytes) {
            ++dropped_;
            return;
        }
        queued_bytes_ += bytes;
        queue_.push_back(std::move(datagram));
        if (queue_.size() == 1) head_done_ = now + time_on_wire();
    }
    [[nodiscard]] Instant next() const { return queue_.empty() ? never : head_done_; }
    bool pop(Instant now, Datagram& out) {
        if (next() > now || queue_.empty()) return false;
        out = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= out.bytes.size() + ip_udp_header_bytes;
        if (!queue_.empty()) head_done_ = head_done_ + time_on_wire();
        return true;
    }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    [[nodiscard]] Duration time_on_wire() const {
        if (options_.bits_per_second == 0) return {};
        const std::uint64_t bits = (queue_.front().bytes.size() + ip_udp_header_bytes) * 8;
        return {static_cast<std::int64_t>(bits * 1'000'000'000 / options_.bits_per_second)};
    }

    Options options_;
    std::deque<Datagram> queue_;
    std::size_t queued_bytes_ = 0;
    Instant head_done_{};
    std::uint64_t dropped_ = 0;
};

// Dark in given windows, or while told so. In the dark, datagrams are dropped, or held until the light comes back.
class Outage {
public:
    struct Window {
        Instant from;
        Instant to;
    };
    struct Options {
        std::vector<Window> windows;
        bool holds = false;
    };
    explicit Outage(Options options) : options_(std::move(options)) {}

    void set_dark(bool dark) { dark_ = dark; }
    void push(Datagram&& datagram, Instant now, Random&) {
        if (is_dark(now) && !options_.holds) {
            ++dropped_;
            return;
        }
        queue_.push_back(std::move(datagram));
        newest_ = now;
    }
    [[nodiscard]] Instant next() const {
        if (queue_.empty() || dark_) return never;
        // What waits here waits for the end of the window that it came in.
        for (const Window& w : options_.windows)
            if (newest_ >= w.from && newest_ < w.to) return w.to;
        return newest_;
    }
    bool pop(Instant now, Datagram& out) {
        if (next() > now || queue_.empty()) return false;
        out = std::move(queue_.front());
        queue_.pop_front();
        return true;
    }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    [[nodiscard]] bool is_dark(Instant now) const {
        if (dark_) return true;
        for (const Window& w : options_.windows)
            if (now >= w.from && now < w.to) return true;
        return false;
    }

    Options options_;
    bool dark_ = false;
    std::deque<Datagram> queue_;
    Instant newest_{};
    std::uint64_t dropped_ = 0;
};

using Node = std::variant<Outage, Loss, Rate, Delay, Duplicate>;

}  // namespace hawser::sim
