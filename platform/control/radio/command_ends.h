// SPDX-License-Identifier: MIT
// Commands whose input is over, until each has ended: all are looked after at once, none is waited for. Each has its
// own patience; one that still runs when that is over is told as such, and looked after until it ends, so that no
// zombie is left of it. For the writer's thread.
#pragma once

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
};

class CommandEnds {
public:
    struct Outcome {
        EndingCommand command;
        std::optional<int> status;  // as wait(2) says; absent: it still runs
    };
    // Between two looks, as long as somebody waits for the answer. Untuned.
    static constexpr Duration look_interval{10'000'000};

    // Its input ends now.
    void add(EndingCommand command, Instant now);
    // Those that have ended since, or whose patience is over: each once.
    [[nodiscard]] std::vector<Outcome> look(Instant now);
    // Whether an answer is waited for, and whether anything is to be looked after.
    [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }
    [[nodiscard]] bool empty() const { return waiting_.empty() && told_.empty(); }

private:
    struct Waiting {
        EndingCommand command;
        Instant until;
    };
    std::vector<Waiting> waiting_;
    std::vector<CommandPipe> told_;  // which still run
};

}  // namespace hawser::control
