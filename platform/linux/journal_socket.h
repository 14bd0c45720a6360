// SPDX-License-Identifier: MIT
// systemd's journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): each entry is a datagram of fields to
// a socket, which a journal that is restarted finds again. Waits for a journal that does not keep up: not for a loop.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::os {

// NAME=VALUE, or the form with a length where the value has a line end. The name has capitals, digits and '_'.
void add_journal_field(std::string& entry, std::string_view name, std::string_view value);

class JournalSocket {
public:
    static constexpr const char* usual_path = "/run/systemd/journal/socket";

    explicit JournalSocket(std::string path = usual_path) : path_(std::move(path)) {}
    // EAGAIN: the journal did not keep up for two seconds. ENOENT, ECONNREFUSED: there is none.
    [[nodiscard]] Result<Unit, Errno> send(std::string_view entry);

private:
    std::string path_;
    Fd socket_;
};

}  // namespace hawser::os
