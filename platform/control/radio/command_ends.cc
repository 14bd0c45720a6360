// SPDX-License-Identifier: MIT
#include "platform/control/radio/command_ends.h"

#include <algorithm>
#include <utility>

#include "platform/linux/errno_text.h"

namespace hawser::control {

namespace {

// As the bytes that wait are to all that it was given.
std::uint64_t left_ticks_of(const EndingCommand& command) {
    const Backlog& b = command.pipe.backlog();
    const auto left = static_cast<double>(b.waiting_bytes());
    const double all = left + static_cast<double>(b.pushed_bytes());
    return all > 0 ? static_cast<std::uint64_t>(static_cast<double>(command.ticks) * left / all) : 0;
}

}  // namespace

void CommandEnds::hand_on(EndingCommand& command, Instant now) {
    if (!command.pipe.is_open()) return;
    if (const auto pushed = command.pipe.push(now); !pushed) {
        if (command.fault.empty()) command.fault = os::errno_text(pushed.error());
        command.left_ticks = left_ticks_of(command);
        command.pipe.close();
    } else if (command.pipe.backlog().empty()) {
        command.pipe.close();
    }
}

// What waits has waited long enough.
void CommandEnds::give_up(Waiting& waiting, Instant now) {
    EndingCommand& c = waiting.command;
    c.left_ticks = left_ticks_of(c);
    const auto stuck = c.pipe.backlog().stuck_since();
    const bool is_stuck = stuck && now - *stuck >= c.patience;
    c.fault = is_stuck ? took_nothing(c.patience) : "took too little of its input in the time that it had for the rest";
    c.pipe.close();
    if (!is_stuck) return;
    c.pipe.terminate();
    waiting.until = now + end_wait;
}

void CommandEnds::add(EndingCommand command, Instant now) {
    const bool has_fault = !command.fault.empty();
    if (has_fault) {
        command.left_ticks = left_ticks_of(command);
        command.pipe.close();
    } else {
        hand_on(command, now);
    }
    const Duration patience = has_fault ? std::min(command.patience, end_wait) : command.patience;
    waiting_.push_back({std::move(command), now + patience});
}

std::vector<CommandEnds::Outcome> CommandEnds::look(Instant now) {
    std::erase_if(told_, [now](Told& told) {
        const bool has_ended = told.pipe.ended().has_value();
        if (now >= told.kill_at) told.pipe.kill();
        if (!told.pipe.is_to_be_killed()) told.kill_at = never;
        return has_ended && told.kill_at == never;
    });
    std::vector<Outcome> out;
    std::vector<Waiting> still;
    for (Waiting& w : waiting_) {
        hand_on(w.command, now);
        if (w.command.pipe.is_open() && now >= w.until) give_up(w, now);
        const auto status = w.command.pipe.ended();
        // Open while others than it have its input, and take from it.
        const bool has_ended = status && !w.command.pipe.is_open();
        if (!has_ended && now >= w.until && w.command.pipe.is_to_be_killed()) {
            w.command.pipe.kill();
            w.until = now + kill_wait;
        }
        if (!has_ended && now < w.until) {
            still.push_back(std::move(w));
            continue;
        }
        // What it started was told to end when it was.
        const bool is_to_be_killed = w.command.pipe.is_to_be_killed();
        if (!status || is_to_be_killed) told_.push_back({std::move(w.command.pipe), is_to_be_killed ? w.until : never});
        out.push_back({std::move(w.command), status});
    }
    waiting_ = std::move(still);
    return out;
}

bool CommandEnds::has_to_kill() const {
    return std::any_of(told_.begin(), told_.end(), [](const Told& t) { return t.kill_at != never; }) ||
           std::any_of(waiting_.begin(), waiting_.end(),
                       [](const Waiting& w) { return w.command.pipe.is_to_be_killed(); });
}

void CommandEnds::add_fds(std::vector<pollfd>& fds) const {
    for (const Waiting& w : waiting_)
        if (w.command.pipe.is_open()) fds.push_back({w.command.pipe.fd(), POLLOUT, 0});
}

}  // namespace hawser::control
