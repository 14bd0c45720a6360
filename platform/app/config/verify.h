// SPDX-License-Identifier: MIT
// What a file's or a command line's words alone do not tell: whether what they name is there and fits together.
#pragma once

#include <string>

#include "platform/app/receiver_options.h"
#include "platform/app/sender_options.h"

namespace hawser::app {

// Words that need another one, wherever that stands, or do not go with it. A sentence; empty: there is none such.
[[nodiscard]] std::string lonely_word(const SenderRequest& request);
[[nodiscard]] std::string lonely_word(const ReceiverRequest& request);
// A sentence; empty: it can run, where no obstacle (obstacle.h) is in the way. Reads the files that are named, and
// changes nothing.
[[nodiscard]] std::string complaint_of(const SenderRequest& request);
[[nodiscard]] std::string complaint_of(const ReceiverRequest& request);
// The same, and the first obstacle: what a start or a reload in this process would meet.
[[nodiscard]] std::string complaint_here(const SenderRequest& request);
[[nodiscard]] std::string complaint_here(const ReceiverRequest& request);

}  // namespace hawser::app
