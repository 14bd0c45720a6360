// SPDX-License-Identifier: MIT
#include "platform/control/loop.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "platform/linux/clock.h"

namespace hawser::control {

namespace {

// A limit of the process or of the machine: nothing of the program works without these.
[[nodiscard]] os::Fd opened(int fd, const char* call) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), call);
    return os::Fd(fd);
}

}  // namespace

Timer::Timer(Sleep sleep)
    : fd_(opened(
          ::timerfd_create(sleep == Sleep::counts ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
          "timerfd_create")),
      sleep_(sleep) {}

void Timer::set(Instant deadline) {
    if (deadline == deadline_) return;
    deadline_ = deadline;
    itimerspec when{};
    // All zero would stop it.
    if (deadline != never && sleep_ == Sleep::counts) deadline = deadline + os::slept();
    if (deadline != never) when.it_value = os::to_timespec(std::max<std::int64_t>(deadline.ns, 1));
    HAWSER_CHECK(::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

void Timer::acknowledge() {
    std::uint64_t expirations = 0;
    if (::read(fd_.get(), &expirations, sizeof expirations) > 0) deadline_ = never;
}

void Loop::watch(int fd, Handler handler) { watches_.push_back(Watch{fd, std::move(handler), POLLIN}); }

void Loop::set_interest(int fd, bool readable, bool writable) {
    for (Watch& w : watches_)
        if (w.fd == fd) w.events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

void Loop::unwatch(int fd) {
    for (Watch& w : watches_)
        if (w.fd == fd) w.fd = -1;
    has_given_up_ = true;
}

void Loop::every(Duration period, Handler handler) {
    os::Fd timer = opened(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create");
    itimerspec when{};
    when.it_interval = when.it_value = os::to_timespec(period.ns);
    HAWSER_CHECK(::timerfd_settime(timer.get(), 0, &when, nullptr) == 0);
    watch(timer.get(), [fd = timer.get(), handler = std::move(handler)] {
        std::uint64_t expirations = 0;
        if (::read(fd, &expirations, sizeof expirations) > 0) handler();
    });
    owned_.push_back(std::move(timer));
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int s : signals) ::sigaddset(&set, s);
    HAWSER_CHECK(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
    os::Fd fd = opened(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
    watch(fd.get(), [number = fd.get(), handler = std::move(handler)] {
        signalfd_siginfo info;
        while (::read(number, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
            handler(static_cast<int>(info.ssi_signo));
    });
    owned_.push_back(std::move(fd));
}

int Loop::run() {
    std::vector<pollfd> polled;
    while (running_) {
        if (std::exchange(has_given_up_, false))
            watches_.erase(std::remove_if(watches_.begin(), watches_.end(), [](const Watch& w) { return w.fd < 0; }),
                           watches_.end());
        polled.clear();
        for (const Watch& w : watches_) polled.push_back(pollfd{w.fd, w.events, 0});
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return 1;
        ++wakes_;
        for (std::size_t i = 0; i < polled.size() && running_; ++i)
            if (polled[i].revents != 0 && watches_[i].fd >= 0) watches_[i].handler();
    }
    running_ = true;
    return code_;
}

}  // namespace hawser::control
