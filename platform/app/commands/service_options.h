// SPDX-License-Identifier: MIT
// What hawser send, recv and doctor share beside the options of options.h: which interfaces are uplinks by themselves,
// and what a service manager provides.
#pragma once

#include <string>

#include "platform/app/commands/cli.h"
#include "platform/control/rpc/server_settings.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

// A configuration file whose words are refused at the start, as sysexits(3) has it: for the units no reason to try
// again.
inline constexpr int exit_config = 78;

// --auto-include, --auto-exclude.
void add_automatic_options(cli::App& app, control::AutomaticUplinks& automatic);

// The runtime folder that the service manager made (RUNTIME_DIRECTORY); empty: none.
[[nodiscard]] std::string unit_runtime_folder();
// A service has its control socket there where none was named.
void use_unit_socket(rpc::ServerSettings& settings);

}  // namespace hawser::app
