// SPDX-License-Identifier: MIT
// [receiver] of the configuration file: every key that it takes. What a key is: platform/app/config/key.h.
#pragma once

#include "platform/app/config/key.h"
#include "platform/app/receiver_options.h"

namespace hawser::app {

// Keeps references into the request.
[[nodiscard]] KeySection receiver_section(ReceiverRequest& request);

}  // namespace hawser::app
