// SPDX-License-Identifier: MIT
// What the running program writes to standard output and error, each by a thread of its own: a pipe that nobody drains
// or a terminal that was stopped holds up that thread alone, and not the one that takes orders and signals.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/time.h"

namespace hawser::app {

// Order is kept. Any thread may write; one begins and finishes.
class OutputThread {
public:
    static constexpr std::size_t waiting_bytes_max = 256 * 1024;

    // The descriptor stays its owner's and open. The thread begins with the first text; its name has 15 characters.
    OutputThread(int fd, const char* thread_name);
    // Does not wait: what has not been written by then may be lost.
    ~OutputThread();
    OutputThread(const OutputThread&) = delete;
    OutputThread& operator=(const OutputThread&) = delete;

    // False when nobody reads and too much waits: nothing of it is written then.
    [[nodiscard]] bool write(std::string text);
    // Until all is written, for so long at most.
    void finish(Duration patience);

private:
    // What both threads touch; each holds a share.
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::string waiting;
        bool is_writing = false;
        bool is_stopping = false;
    };
    static void run(Shared& shared, int fd, const char* name);
    [[nodiscard]] bool is_busy() const;

    int fd_;
    const char* name_;
    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

// Of the whole program; never destroyed.
[[nodiscard]] OutputThread& standard_output();
[[nodiscard]] OutputThread& standard_error();
// Before the program ends: waits for both, a second at most.
void finish_outputs();

}  // namespace hawser::app
