// SPDX-License-Identifier: MIT
#include "platform/app/commands/service_options.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace hawser::app {

void add_automatic_options(cli::App& app, control::AutomaticUplinks& automatic) {
    app.add_option("--auto-include", automatic.include,
                   "of auto, only interfaces whose name or MAC address is like this pattern; may be repeated")
        ->type_name("PATTERN");
    app.add_option("--auto-exclude", automatic.exclude,
                   "of auto, none like this pattern, name or MAC address; may be repeated (default tun* tap* wg* "
                   "tailscale* zt* docker* br-* "
                   "virbr* veth*)")
        ->type_name("PATTERN");
}

std::string unit_runtime_folder() {
    const char* const folders = std::getenv("RUNTIME_DIRECTORY");
    // Several are apart by colons; the unit's own is the first.
    return folders == nullptr ? std::string() : std::string(folders, std::strcspn(folders, ":"));
}

void use_unit_socket(rpc::ServerSettings& settings) {
    const std::string folder = unit_runtime_folder();
    settings.is_usual = settings.path.empty() && !folder.empty() && ::access(folder.c_str(), W_OK | X_OK) == 0;
    if (settings.is_usual) settings.path = folder + "/control";
}

}  // namespace hawser::app
