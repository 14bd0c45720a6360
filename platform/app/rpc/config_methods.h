// SPDX-License-Identifier: MIT
// What a running program was configured with, asked over its control socket.
#pragma once

#include <functional>
#include <string>

#include "platform/app/config/key.h"
#include "platform/control/rpc/methods.h"

namespace hawser::app {

// `section` describes what holds now. `file`: where it came from; empty: the command line alone.
void add_config_methods(rpc::Methods& methods, std::function<KeySection()> section, std::string file);

}  // namespace hawser::app
