// SPDX-License-Identifier: MIT
#include "platform/app/output_thread.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/thread.h"

namespace hawser::app {

namespace {

// Who reads a pipe at all has read by then; nobody waits longer for a program that ends.
constexpr Duration patience_at_end{1'000'000'000};
constexpr int look_again_ms = 2;

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd there{fd, POLLOUT, 0};
            ::poll(&there, 1, -1);
        } else if (errno != EINTR) {
            return;  // nobody is there, or the disk is full: there is no place left to tell it
        }
    }
}

}  // namespace

OutputThread::OutputThread(int fd, const char* thread_name)
    : fd_(fd), name_(thread_name), shared_(std::make_shared<Shared>()) {}

OutputThread::~OutputThread() {
    if (!thread_.joinable()) return;
    bool is_stuck = false;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->is_stopping = true;
        is_stuck = shared_->is_writing;
    }
    shared_->changed.notify_all();
    if (is_stuck)
        thread_.detach();
    else
        thread_.join();
}

bool OutputThread::write(std::string text) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting.size() + text.size() > waiting_bytes_max) return false;
    try {
        if (!thread_.joinable())
            thread_ = std::thread([shared = shared_, fd = fd_, name = name_] { run(*shared, fd, name); });
    } catch (const std::system_error&) {
        // What is said now is why the program cannot run.
        write_all(fd_, text);
        return true;
    }
    shared_->waiting += text;
    shared_->changed.notify_all();
    return true;
}

bool OutputThread::is_busy() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->is_writing || !shared_->waiting.empty();
}

void OutputThread::finish(Duration patience) {
    const Instant end = os::now() + patience;
    while (is_busy() && os::now() < end) ::poll(nullptr, 0, look_again_ms);
}

void OutputThread::run(Shared& s, int fd, const char* name) {
    os::block_all_signals();  // SIGPIPE among them: a reader that is gone is an error of write()
    os::name_this_thread(name);
    std::unique_lock lock(s.mutex);
    while (true) {
        s.changed.wait(lock, [&s] { return s.is_stopping || !s.waiting.empty(); });
        if (s.is_stopping) return;
        const std::string text = std::exchange(s.waiting, {});
        s.is_writing = true;
        lock.unlock();
        write_all(fd, text);
        lock.lock();
        s.is_writing = false;
    }
}

OutputThread& standard_output() {
    static OutputThread& instance = *new OutputThread(STDOUT_FILENO, "hawser-stdout");
    return instance;
}

OutputThread& standard_error() {
    static OutputThread& instance = *new OutputThread(STDERR_FILENO, "hawser-stderr");
    return instance;
}

void finish_outputs() {
    const Instant end = os::now() + patience_at_end;
    for (OutputThread* output : {&standard_error(), &standard_output()}) output->finish(end - os::now());
}

}  // namespace hawser::app
