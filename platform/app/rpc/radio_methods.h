// SPDX-License-Identifier: MIT
// What a running program can be asked and told, over its control socket, of the radio channels that it keeps. What is
// changed here counts until the next reload, which reads the file again; the keeper brings it on the air and tells how
// that went, as it does with what the file says.
#pragma once

#include "platform/app/radio/keep.h"
#include "platform/control/rpc/methods.h"

namespace hawser::app {

// `kept` outlives the methods.
void add_radio_methods(rpc::Methods& methods, KeptChannels& kept);

}  // namespace hawser::app
