// SPDX-License-Identifier: MIT
// [sender] of the configuration file: every key that it takes. What a key is: platform/app/config/key.h.
#pragma once

#include "platform/app/config/key.h"
#include "platform/app/sender_options.h"

namespace hawser::app {

// Keeps references into the request.
[[nodiscard]] KeySection sender_section(SenderRequest& request);

}  // namespace hawser::app
