// SPDX-License-Identifier: MIT
// A command of the operator's that is fed with a channel's audio on its standard input, by `sh -c`; and the command's
// text from a pattern in which `$` and a letter stand for what the channel is, with the letters of ka9q-radio's
// pcmrecord. For the writer's thread.
//  - Its input never blocks the writer: what the pipe does not take waits in a backlog. Its bound, and the patience
//    with a command that takes nothing, are the caller's.
//  - What comes from the network cannot leave its word: everything but letters, digits and + - . _ becomes '_'.
//  - A `$` before any other letter is left to the shell; `$$` is one `$`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "platform/control/radio/backlog.h"
#include "platform/linux/fd.h"

namespace hawser::control {

struct CommandFields {
    std::uint32_t channels = 1;  // $c
    std::string description;     // $d, of the front end
    std::string encoding;        // $f, of what the command is given: s16le, f32le, opus
    double frequency = 0;        // $h in Hz, $k in kHz, $m in MHz
    std::uint32_t samprate = 0;  // $r
    std::uint32_t ssrc = 0;      // $s
};
[[nodiscard]] std::string command_text(const std::string& pattern, const CommandFields& fields);

class CommandPipe {
public:
    // It has our standard output and error, and default signals.
    [[nodiscard]] static Result<CommandPipe, Errno> start(const std::string& command);
    CommandPipe(CommandPipe&& other) noexcept;
    CommandPipe& operator=(CommandPipe&& other) noexcept;
    // Does not wait: a command that still runs goes on by itself, unless it was told to end: then it is killed.
    ~CommandPipe();

    // Behind what waits already. The error stays: the command reads no more.
    Result<Unit, Errno> write(Bytes bytes, Instant now);
    Result<Unit, Errno> write_zeros(std::uint64_t count, Instant now);
    // Hands on what waits, as much as goes without waiting.
    Result<Unit, Errno> push(Instant now);
    // To be polled for writing while something waits; stays this one's.
    [[nodiscard]] int fd() const { return input_.get(); }
    [[nodiscard]] bool is_open() const { return input_.is_open(); }
    [[nodiscard]] const Backlog& backlog() const { return backlog_; }
    // Its input is over, what waits included.
    void close() { input_.reset(); }
    // Tells it, and what it started, to end (SIGTERM).
    void terminate();
    // Ends both, where they were told to and are there still (SIGKILL).
    void kill();
    // What wait(2) says of it; absent as long as it runs. Does not wait.
    [[nodiscard]] std::optional<int> ended();
    // It was told to end, and by the last ended() it, or what it started, had not: kill() is to follow.
    [[nodiscard]] bool is_to_be_killed() const { return to_kill_ > 0; }

private:
    CommandPipe(os::Fd input, pid_t child) : input_(std::move(input)), child_(child) {}
    os::Fd input_;
    Backlog backlog_{};
    pid_t child_ = -1;    // none: it has ended, or is another's
    pid_t to_kill_ = -1;  // its group, as long as kill() is to follow
    std::optional<int> status_{};
};

// "ended with 3", "was ended by signal 9"; empty when all is well.
[[nodiscard]] std::string complaint_of(int status);
// What is said of one that is not waited for any longer.
[[nodiscard]] std::string took_nothing(Duration patience);

}  // namespace hawser::control
