// SPDX-License-Identifier: MIT
// One file per group, srtla-group-PORT, with the addresses of its links, one a line: SRT servers that want to know
// who is behind a connection read it by the connection's port (OpenIRL/srtla e9ba6a3, irlserver/srtla 39e324a).
// Written anew by rename on each change, removed with the group and at the end. Links and other people's files in the
// folder are never followed or touched: the temporary file is made exclusively.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/border/event.h"

namespace hawser::app {

class ClientFiles {
public:
    // An empty folder: writes nothing.
    explicit ClientFiles(std::string folder) : folder_(std::move(folder)) {}
    ~ClientFiles();
    ClientFiles(const ClientFiles&) = delete;
    ClientFiles& operator=(const ClientFiles&) = delete;

    void on_event(const Event& event);

private:
    struct Group {
        std::uint16_t port = 0;  // 0: no socket towards the server
        std::map<std::uint8_t, std::string> links;
    };
    [[nodiscard]] std::string path(std::uint16_t port) const;
    void write(const Group& group) const;
    void remove(const Group& group) const;

    std::string folder_;
    std::map<std::uint16_t, Group> groups_;
};

}  // namespace hawser::app
