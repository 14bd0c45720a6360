// SPDX-License-Identifier: MIT
#include "platform/app/client_files.h"

#include <unistd.h>

#include "platform/app/log.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/replace_file.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

ClientFiles::~ClientFiles() {
    for (const auto& [id, group] : groups_) remove(group);
}

std::string ClientFiles::path(std::uint16_t port) const { return folder_ + "/srtla-group-" + std::to_string(port); }

void ClientFiles::remove(const Group& group) const {
    if (group.port != 0) ::unlink(path(group.port).c_str());
}

void ClientFiles::write(const Group& group) const {
    if (group.port == 0) return;
    std::string text;
    for (const auto& [link, address] : group.links) text += address + "\n";
    const std::string target = path(group.port);
    if (const auto done = os::replace_file(target, text); !done)
        log(Level::warn, "cannot write {}: {}", target, os::errno_text(done.error()));
}

void ClientFiles::on_event(const Event& e) {
    if (folder_.empty()) return;
    switch (e.kind) {
        case EventKind::receiver_link_added: {
            Group& group = groups_[e.group.value];
            group.links[e.link.value] = os::address_text(e.endpoint);
            write(group);
            break;
        }
        case EventKind::receiver_link_removed:
        case EventKind::receiver_link_evicted: {
            Group& group = groups_[e.group.value];
            group.links.erase(e.link.value);
            write(group);
            break;
        }
        case EventKind::receiver_server_opened: {
            Group& group = groups_[e.group.value];
            remove(group);
            group.port = static_cast<std::uint16_t>(e.a);
            write(group);
            break;
        }
        case EventKind::receiver_group_removed:
        case EventKind::receiver_group_evicted: {
            const auto found = groups_.find(e.group.value);
            if (found == groups_.end()) break;
            remove(found->second);
            groups_.erase(found);
            break;
        }
        default: break;  // not about who is connected
    }
}

}  // namespace hawser::app
