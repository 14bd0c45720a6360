// SPDX-License-Identifier: MIT
// A path as the address of a Unix socket. The kernel takes 107 bytes.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>
#include <string>

namespace hawser::rpc {

inline constexpr std::size_t socket_path_max = sizeof(sockaddr_un::sun_path) - 1;

// Absent for an empty path and one that is too long.
[[nodiscard]] inline std::optional<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() > socket_path_max) return std::nullopt;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

[[nodiscard]] inline int connect_to(int fd, const sockaddr_un& address) {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace hawser::rpc
