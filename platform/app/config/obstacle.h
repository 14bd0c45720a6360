// SPDX-License-Identifier: MIT
// What keeps a configuration from running on this machine as it is now, beyond what its words tell: folders that are
// not there or cannot be written to, a process that cannot be signalled, a group that cannot be given, an address that
// cannot be listened on. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "platform/app/receiver_options.h"
#include "platform/app/sender_options.h"

namespace hawser::app {

struct Obstacle {
    std::string text;  // "encoder: bitrate_file: /no/such: No such file or directory"
    // It may be none where the program runs: another user, or folders that the service manager makes at the start.
    bool may_pass = false;
};

[[nodiscard]] std::vector<Obstacle> obstacles_to(const SenderRequest& request);
[[nodiscard]] std::vector<Obstacle> obstacles_to(const ReceiverRequest& request);

// Apart from the others, since whoever starts finds it out himself, and a port that a process is just leaving is free a
// moment later: each address that is to be listened on is bound, and let go of. `running`: has its own, which are not
// tried; may be null. One that is in use may pass: it may be by the very program.
[[nodiscard]] std::vector<Obstacle> port_obstacles_to(const SenderRequest& request, const SenderRequest* running);
[[nodiscard]] std::vector<Obstacle> port_obstacles_to(const ReceiverRequest& request, const ReceiverRequest* running);

}  // namespace hawser::app
