// SPDX-License-Identifier: MIT
// The control thread's loop: descriptors with handlers, one periodic timer at most per use, signals as descriptors.
// Sleeps until something is there: no tick of its own. Handlers run on the thread that called run().
// A Timer is a single deadline that its owner moves about.
#pragma once

#include <csignal>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/base/time.h"
#include "platform/linux/fd.h"

namespace hawser::control {

// Readable when its deadline has come. An absolute time of os::clock; setting it again replaces it.
class Timer {
public:
    // What the host's sleep is to a deadline: time that is added to it, or time that counts.
    enum class Sleep : std::uint8_t { adds, counts };
    explicit Timer(Sleep sleep = Sleep::adds);
    [[nodiscard]] int fd() const { return fd_.get(); }
    // `never` stops it. A time that is over is due at once.
    void set(Instant deadline);
    [[nodiscard]] Instant deadline() const { return deadline_; }
    // To be called by the handler: it is not readable any more.
    void acknowledge();

private:
    os::Fd fd_;
    Sleep sleep_;
    Instant deadline_ = never;
};

class Loop {
public:
    using Handler = std::function<void()>;

    // The descriptor stays its owner's; the handler runs while it is readable. Handlers may watch more.
    void watch(int fd, Handler handler);
    // From a handler too, its own included.
    void unwatch(int fd);
    // What a watched descriptor's handler runs for; readable alone at first. It runs for errors and hang-ups always.
    void set_interest(int fd, bool readable, bool writable);
    // Calls the handler each `period` from now on.
    void every(Duration period, Handler handler);
    // Blocks the signals for this thread and those it starts later, and hands them to the handler one by one.
    void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

    // Runs until quit(), which may have been called before; answers quit's code. May be run again.
    int run();
    // How often it was woken.
    [[nodiscard]] std::uint64_t wakes() const { return wakes_; }
    void quit(int code) {
        running_ = false;
        code_ = code;
    }

private:
    struct Watch {
        int fd;  // -1: given up, to be forgotten between two turns
        Handler handler;
        short events;  // of poll(2)
    };
    std::deque<Watch> watches_;  // a handler stays where it is while it adds another
    std::vector<os::Fd> owned_;
    bool has_given_up_ = false;
    bool running_ = true;
    int code_ = 0;
    std::uint64_t wakes_ = 0;
};

}  // namespace hawser::control
