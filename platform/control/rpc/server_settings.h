// SPDX-License-Identifier: MIT
// Where a control socket is, and who may do what there; apart from the server, so that options need no JSON.
#pragma once

#include <string>

namespace hawser::rpc {

// Where the services (systemd) have theirs, and where the commands look first.
inline constexpr const char* usual_sender_socket = "/run/hawser/send/control";
inline constexpr const char* usual_receiver_socket = "/run/hawser/recv/control";

struct ServerSettings {
    std::string path;
    bool is_usual = false;        // nobody named that path: a program that cannot have it goes on without a socket
    std::string group;            // of the socket file; empty: the process's own
    bool group_operates = false;  // not only observes
};

}  // namespace hawser::rpc
