// SPDX-License-Identifier: MIT
// The uplinks that an operator wants in all: of the uplinks file, of the command line or the configuration file, and of
// the control socket.
#pragma once

#include "platform/app/sender_options.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

// Reads the uplinks file. `added`: entries of the control socket. The error is a sentence; a bad line of the file is
// among the list's complaints, and no error while another is good.
[[nodiscard]] Result<control::UplinkList, std::string> wanted_uplinks(const SenderRequest& request,
                                                                      const std::vector<std::string>& added);

}  // namespace hawser::app
