// SPDX-License-Identifier: MIT
#include "platform/linux/journal_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hawser::os {

void add_journal_field(std::string& entry, std::string_view name, std::string_view value) {
    entry += name;
    if (value.find('\n') == value.npos) {
        entry += '=';
    } else {
        entry += '\n';
        const std::uint64_t size = value.size();
        for (unsigned i = 0; i < 8; ++i) entry += static_cast<char>(size >> (8 * i) & 0xFF);
    }
    entry += value;
    entry += '\n';
}

Result<Unit, Errno> JournalSocket::send(std::string_view entry) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path_.size() >= sizeof to.sun_path) return Failure{Errno{ENAMETOOLONG, "sendto"}};
    std::memcpy(to.sun_path, path_.data(), path_.size());
    if (!socket_.is_open()) {
        socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!socket_.is_open()) return Failure{Errno{errno, "socket"}};
        // A burst is more than a datagram socket's queue holds: its reader gets this long to make room.
        constexpr timeval patience{2, 0};
        if (::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0) {
            socket_ = Fd();
            return Failure{Errno{errno, "setsockopt"}};
        }
    }
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size() + 1);
    const ssize_t sent = ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&to), bytes);
    if (sent < 0) return Failure{Errno{errno, "sendto"}};
    return Unit{};
}

}  // namespace hawser::os
