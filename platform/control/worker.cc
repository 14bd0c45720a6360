// SPDX-License-Identifier: MIT
#include "platform/control/worker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "platform/linux/thread.h"

namespace hawser::control {

Worker::Worker(Loop& loop, const char* thread_name, std::size_t threads, std::size_t queue_max)
    : loop_(loop),
      name_(thread_name),
      queue_max_(queue_max),
      shared_(std::make_shared<Shared>()),
      thread_count_(threads) {
    shared_->ready = os::Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!shared_->ready.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
    loop_.watch(shared_->ready.get(), [this] { on_ready(); });
}

Worker::~Worker() {
    loop_.unwatch(shared_->ready.get());
    bool is_busy = false;
    std::deque<Job> dropped;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->is_stopping = true;
        is_busy = shared_->running != 0;
        dropped.swap(shared_->jobs);
    }
    shared_->changed.notify_all();
    for (std::thread& t : threads_) {
        if (is_busy)
            t.detach();
        else
            t.join();
    }
}

// True where there is one, which is enough to begin with: what the system refuses is asked for again by the next job.
bool Worker::start_threads() {
    try {
        while (threads_.size() < thread_count_)
            threads_.emplace_back([shared = shared_, name = name_] { run(*shared, name); });
    } catch (const std::system_error&) {
    }
    return !threads_.empty();
}

bool Worker::post(Job job) {
    if (!start_threads()) return false;
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->jobs.size() >= queue_max_) return false;
        shared_->jobs.push_back(std::move(job));
    }
    shared_->changed.notify_one();
    return true;
}

void Worker::finish() {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return shared_->jobs.empty() && shared_->running == 0; });
}

void Worker::on_ready() {
    std::uint64_t count = 0;
    // Before they are taken: one that comes in between is readable again.
    [[maybe_unused]] const auto read = ::read(shared_->ready.get(), &count, sizeof count);
    std::vector<Done> done;
    {
        const std::lock_guard lock(shared_->mutex);
        done.swap(shared_->done);
    }
    // One of them may end the worker and its owner, and with them the rest.
    const std::shared_ptr<Shared> shared = shared_;
    for (const Done& d : done) {
        {
            const std::lock_guard lock(shared->mutex);
            if (shared->is_stopping) return;
        }
        d();
    }
}

void Worker::run(Shared& s, const char* name) {
    os::block_all_signals();
    os::name_this_thread(name);
    std::unique_lock lock(s.mutex);
    while (true) {
        s.changed.wait(lock, [&s] { return s.is_stopping || !s.jobs.empty(); });
        if (s.is_stopping) return;
        Job job = std::move(s.jobs.front());
        s.jobs.pop_front();
        ++s.running;
        lock.unlock();
        Done done = job();
        job = nullptr;
        lock.lock();
        --s.running;
        if (done) {
            s.done.push_back(std::move(done));
            const std::uint64_t one = 1;
            // A full eventfd counter is readable already.
            [[maybe_unused]] const auto written = ::write(s.ready.get(), &one, sizeof one);
        }
        s.changed.notify_all();
    }
}

}  // namespace hawser::control
