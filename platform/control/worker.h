// SPDX-License-Identifier: MIT
// Work that may block, off the control loop: a few threads behind one bounded queue. A job runs on a thread of the
// worker's; the function that it answers, if any, runs on the loop's thread.
//  - A job owns what it works on: the worker may be gone before the job is over.
//  - The destructor drops what has not begun and does not wait for what has: nothing can hurry a name server or a disk.
//    finish() before it waits for all that was posted.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/control/loop.h"
#include "platform/linux/fd.h"

namespace hawser::control {

class Worker {
public:
    using Done = std::function<void()>;
    using Job = std::function<Done()>;

    // The threads begin with the first job. Thread names have 15 characters.
    Worker(Loop& loop, const char* thread_name, std::size_t threads = 1, std::size_t queue_max = 64);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // False when the queue is full, or when no thread can be started: nothing happens then, and it may be tried again.
    [[nodiscard]] bool post(Job job);
    // Until every job that was posted is over. What they answered waits for the loop still.
    void finish();
    // What jobs answered so far runs now, not by the loop.
    void hand_out() { on_ready(); }

private:
    // What the threads touch; each holds a share.
    struct Shared {
        os::Fd ready;
        std::mutex mutex;
        std::condition_variable changed;
        bool is_stopping = false;
        std::size_t running = 0;
        std::deque<Job> jobs;
        std::vector<Done> done;
    };
    static void run(Shared& shared, const char* name);
    [[nodiscard]] bool start_threads();
    void on_ready();

    Loop& loop_;
    const char* name_;
    std::size_t queue_max_;
    std::shared_ptr<Shared> shared_;
    std::size_t thread_count_;
    std::vector<std::thread> threads_;
};

}  // namespace hawser::control
