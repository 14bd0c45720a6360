// SPDX-License-Identifier: MIT
// When a forwarder wakes: epoll, edge-triggered, and where asked a wait for company before it.
// Prompt: blocks until something is there. Coalescing: sleeps `coalesce` first and only then looks, so that one timer
// wake serves all that came meanwhile; but only while the measured rate promises at least company_min packets in that
// time, since a sleep that gathers nobody is a second wake-up for the same packet. Nothing waits longer than
// `coalesce`.
#pragma once

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <span>

#include "perf/wire/udp.h"

namespace hawser::perf {

class Waiter {
public:
    explicit Waiter(std::int64_t coalesce_ns) : epoll_(epoll_create1(EPOLL_CLOEXEC)), coalesce_ns_(coalesce_ns) {
        if (epoll_ < 0) die("epoll_create1");
        // The default slack of 50 us would be added to every sleep.
        prctl(PR_SET_TIMERSLACK, 1);
        before_ns_ = now_ns();
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    void watch(int fd, std::uint32_t id) const {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.u32 = id;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    }
    // `gathered`: packets of the measured direction in the turn that ends here. `more`: something was left unread.
    [[nodiscard]] std::span<const epoll_event> wait(unsigned gathered, bool more) {
        if (coalesce_ns_ > 0) {
            measure(gathered);
            if (!more && rate_ * static_cast<double>(coalesce_ns_) >= company_min) {
                const timespec pause{0, static_cast<long>(coalesce_ns_)};
                clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
            }
        }
        const int n = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), more ? 0 : -1);
        return std::span<const epoll_event>(events_).first(n > 0 ? static_cast<std::size_t>(n) : 0);
    }

private:
    // Two: the sleep then replaces at least two wake-ups by one.
    static constexpr double company_min = 2;
    static constexpr double memory_ns = 10e6;  // untuned: a few turns at the rates where the wait matters

    void measure(unsigned gathered) {
        if (gathered == 0) return;
        const std::int64_t now = now_ns();
        const auto elapsed = static_cast<double>(std::max<std::int64_t>(now - before_ns_, 1));
        before_ns_ = now;
        rate_ += (gathered / elapsed - rate_) * std::min(1.0, elapsed / memory_ns);
    }

    int epoll_;
    std::int64_t coalesce_ns_;
    std::int64_t before_ns_ = 0;
    double rate_ = 0;  // packets per ns
    std::array<epoll_event, 64> events_{};
};

}  // namespace hawser::perf
