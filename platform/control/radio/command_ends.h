// SPDX-License-Identifier: MIT
// Commands that get no more audio, until each has ended: all are looked after at once, none is waited for. What still
// waits for one is handed on; then its input is over. Each has its own patience for both. One that still runs when that
// is over is told as such, and looked after until it ends, so that no zombie is left of it; what it did not take is
// told too; one that took nothing in all that time is told to end. One that was told to, here or before, and has not
// ended after end_wait is killed, with whatever it started. For the writer's thread.
#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "platform/control/radio/command_pipe.h"

namespace hawser::control {

// One command, and what is to be said of its recording when it has ended.
struct EndingCommand {
    CommandPipe pipe;
    Duration patience;
    std::uint32_t id = 0;  // of the recording
    std::string text;      // the command
    std::string fault;     // why its audio ended early; empty when it was given all
    std::uint64_t ticks = 0;
    std::uint64_t left_ticks = 0;  // of those, what it did not take; of packets an estimate
};

class CommandEnds {
public:
    struct Outcome {
        EndingCommand command;
        std::optional<int> status;  // as wait(2) says; absent: it still runs
    };
    // Between two looks, as long as somebody waits for the answer. Untuned.
    static constexpr Duration look_interval{10'000'000};

    // Between being told to end and being killed; also for one whose input ended by a fault, until it is told as one
    // that still runs. Untuned.
    static constexpr Duration end_wait{1'000'000'000};
    // For the kernel, when it has been killed. Untuned.
    static constexpr Duration kill_wait{200'000'000};

    // Its input ends as soon as nothing waits for it: now, if it has a fault; such a one has end_wait at most.
    void add(EndingCommand command, Instant now);
    // Those that have ended since, or whose patience is over: each once.
    [[nodiscard]] std::vector<Outcome> look(Instant now);
    // Whether an answer or a kill is waited for, and whether anything is to be looked after.
    [[nodiscard]] bool is_waiting() const { return !waiting_.empty() || has_to_kill(); }
    [[nodiscard]] bool has_to_kill() const;
    // Where something waits to be taken, to be polled for writing.
    void add_fds(std::vector<pollfd>& fds) const;
    [[nodiscard]] bool empty() const { return waiting_.empty() && told_.empty(); }

private:
    struct Waiting {
        EndingCommand command;
        Instant until;
    };
    struct Told {
        CommandPipe pipe;
        Instant kill_at;  // never: nobody told it to end
    };
    static void hand_on(EndingCommand& command, Instant now);
    static void give_up(Waiting& waiting, Instant now);
    std::vector<Waiting> waiting_;
    std::vector<Told> told_;  // which still run, or what they started
};

}  // namespace hawser::control
