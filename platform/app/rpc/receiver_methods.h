// SPDX-License-Identifier: MIT
// What a running receiver can be asked over its control socket.
#pragma once

#include <functional>

#include "engine/border/receiver_snapshot.h"
#include "platform/app/figures.h"
#include "platform/control/rpc/methods.h"

namespace hawser::app {

// `figures` answers the newest snapshot, `server` the SRT server as the operator wrote it.
void add_receiver_methods(rpc::Methods& methods, std::function<const ReceiverSnapshot&()> figures,
                          std::function<std::string()> server);

}  // namespace hawser::app
