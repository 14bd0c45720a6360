// SPDX-License-Identifier: MIT
// Where a control socket is, and who may do what there; apart from the server, so that options need no JSON.
#pragma once

#include <string>

namespace hawser::rpc {

struct ServerSettings {
    std::string path;
    std::string group;            // of the socket file; empty: the process's own
    bool group_operates = false;  // not only observes
};

}  // namespace hawser::rpc
