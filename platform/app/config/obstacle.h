// SPDX-License-Identifier: MIT
// What keeps a configuration from running on this machine as it is now, beyond what its words tell: folders that are
// not there or cannot be written to, a process that cannot be signalled, a group that cannot be given. Changes nothing.
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

}  // namespace hawser::app
