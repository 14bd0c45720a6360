// SPDX-License-Identifier: MIT
// What a file's or a command line's words alone do not tell: whether what they name is there and fits together.
#pragma once

#include <string>

#include "platform/app/receiver_options.h"
#include "platform/app/sender_options.h"

namespace hawser::app {

// What keeps a request from running: a sentence, empty where nothing does, and whether its words alone say so, so that
// no time mends it.
struct Fault {
    std::string text{};
    bool is_of_words = false;
};

// Words that need another one, wherever that stands, or do not go with it. A sentence; empty: there is none such.
[[nodiscard]] std::string lonely_word(const SenderRequest& request);
[[nodiscard]] std::string lonely_word(const ReceiverRequest& request);
// A sentence; empty: it can run, where no obstacle (obstacle.h) is in the way and a socket is there for what is said of
// one: a service has one that its file does not name. Reads the files that are named, and changes nothing.
[[nodiscard]] std::string complaint_of(const SenderRequest& request);
[[nodiscard]] std::string complaint_of(const ReceiverRequest& request);
// The same, a lonely word of the socket, and the first obstacle: what a start or a reload in this process would meet.
[[nodiscard]] Fault fault_here(const SenderRequest& request);
[[nodiscard]] Fault fault_here(const ReceiverRequest& request);

}  // namespace hawser::app
