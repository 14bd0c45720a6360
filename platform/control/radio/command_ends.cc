// SPDX-License-Identifier: MIT
#include "platform/control/radio/command_ends.h"

#include <utility>

namespace hawser::control {

void CommandEnds::add(EndingCommand command, Instant now) {
    command.pipe.close();
    const Instant until = now + command.patience;
    waiting_.push_back({std::move(command), until});
}

std::vector<CommandEnds::Outcome> CommandEnds::look(Instant now) {
    std::erase_if(told_, [](CommandPipe& pipe) { return pipe.ended().has_value(); });
    std::vector<Outcome> out;
    std::vector<Waiting> still;
    for (Waiting& w : waiting_) {
        const auto status = w.command.pipe.ended();
        if (!status && now < w.until)
            still.push_back(std::move(w));
        else
            out.push_back({std::move(w.command), status});
    }
    waiting_ = std::move(still);
    for (Outcome& o : out)
        if (!o.status) told_.push_back(std::move(o.command.pipe));
    return out;
}

}  // namespace hawser::control
