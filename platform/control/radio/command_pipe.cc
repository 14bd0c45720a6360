// SPDX-License-Identifier: MIT
#include "platform/control/radio/command_pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "platform/control/radio/file_name.h"

namespace hawser::control {

namespace {

// A second of stereo floats at 96 kHz; the kernel gives less where it allows less.
constexpr int pipe_bytes = 1 << 20;

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

// Radiods say it, and whoever pretends to be one: it stays one word, and is no option and no folder above.
std::string word(const std::string& text) { return text.empty() ? "_" : harmless(text); }

std::optional<std::string> value_of(char letter, const CommandFields& f) {
    switch (letter) {
        case '$': return "$";
        case 'c': return std::to_string(f.channels);
        case 'd': return word(f.description);
        case 'f': return word(f.encoding);
        case 'h': return number("%.1f", f.frequency);
        case 'k': return number("%.4f", f.frequency / 1e3);
        case 'm': return number("%.7f", f.frequency / 1e6);
        case 'r': return std::to_string(f.samprate);
        case 's': return std::to_string(f.ssrc);
        default: return std::nullopt;
    }
}

struct Actions {
    Actions() { ::posix_spawn_file_actions_init(&actions); }
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions); }
    posix_spawn_file_actions_t actions;
};
// This thread has every signal blocked, and SIGPIPE may be ignored. In a group of its own: a Ctrl-C at the terminal is
// ours, and the command ends when its input does.
struct SpawnAttributes {
    SpawnAttributes() {
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        ::posix_spawnattr_setpgroup(&attributes, 0);
    }
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes); }
    posix_spawnattr_t attributes;
};

}  // namespace

std::string command_text(const std::string& pattern, const CommandFields& fields) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const auto value =
            pattern[i] == '$' && i + 1 < pattern.size() ? value_of(pattern[i + 1], fields) : std::nullopt;
        if (value) ++i;
        out += value.value_or(std::string(1, pattern[i]));
    }
    return out;
}

Result<CommandPipe, Errno> CommandPipe::start(const std::string& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Failure{Errno{errno, "pipe"}};
    const os::Fd output(ends[0]);
    os::Fd input(ends[1]);
    ::fcntl(input.get(), F_SETPIPE_SZ, pipe_bytes);
    if (::fcntl(input.get(), F_SETFL, O_NONBLOCK) != 0) return Failure{Errno{errno, "fcntl"}};
    Actions actions;
    const SpawnAttributes attributes;
    if (const int error = ::posix_spawn_file_actions_adddup2(&actions.actions, output.get(), STDIN_FILENO); error != 0)
        return Failure{Errno{error, "spawn"}};
    std::string words[] = {"sh", "-c", command};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t child = -1;
    const int error = ::posix_spawn(&child, "/bin/sh", &actions.actions, &attributes.attributes, arguments, environ);
    if (error != 0) return Failure{Errno{error, "spawn"}};
    return CommandPipe(std::move(input), child);
}

Result<Unit, Errno> CommandPipe::write(Bytes bytes, Instant now) {
    backlog_.add(bytes);
    return push(now);
}

Result<Unit, Errno> CommandPipe::write_zeros(std::uint64_t count, Instant now) {
    backlog_.add_zeros(count);
    return push(now);
}

Result<Unit, Errno> CommandPipe::push(Instant now) {
    return input_.is_open() ? backlog_.push(input_.get(), now) : Result<Unit, Errno>(Unit{});
}

void CommandPipe::terminate() {
    // It leads a group of its own, and its number is its own until it has been waited for.
    if (child_ > 0 && ::kill(-child_, SIGTERM) == 0) to_kill_ = child_;
}

void CommandPipe::kill() {
    static_cast<void>(ended());
    if (to_kill_ > 0) ::kill(-to_kill_, SIGKILL);
    to_kill_ = -1;
}

CommandPipe::CommandPipe(CommandPipe&& other) noexcept
    : input_(std::move(other.input_)),
      backlog_(std::move(other.backlog_)),
      child_(std::exchange(other.child_, -1)),
      to_kill_(std::exchange(other.to_kill_, -1)),
      status_(other.status_) {}

CommandPipe& CommandPipe::operator=(CommandPipe&& other) noexcept {
    std::swap(input_, other.input_);
    std::swap(backlog_, other.backlog_);
    std::swap(child_, other.child_);
    std::swap(to_kill_, other.to_kill_);
    std::swap(status_, other.status_);
    return *this;
}

CommandPipe::~CommandPipe() {
    input_.reset();
    kill();
    if (child_ > 0) ::waitpid(child_, nullptr, WNOHANG);
}

std::optional<int> CommandPipe::ended() {
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) {
        child_ = -1;
        status_ = status;
    }
    // A group keeps its number as long as somebody is in it: who looks again soon does not meet another's.
    if (child_ < 0 && to_kill_ > 0 && ::kill(-to_kill_, 0) != 0) to_kill_ = -1;
    return status_;
}

std::string complaint_of(int status) {
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? "" : "ended with " + std::to_string(WEXITSTATUS(status));
    return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status)) : "was stopped";
}

std::string took_nothing(Duration patience) {
    return "took nothing of its input for " + number("%.3g", static_cast<double>(patience.ns) * 1e-9) + " s";
}

}  // namespace hawser::control
