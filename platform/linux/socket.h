// SPDX-License-Identifier: MIT
// Opens the UDP sockets that a SocketSpec describes: non-blocking, bound (to a device too), connected where asked.
// Every failure names the call, so that the operator reads "bind: Address already in use" and not a number.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/socket_spec.h"
#include "platform/linux/fd.h"

namespace hawser::os {

// What open_udp usually costs, for the counters: socket, bind, connect, options, getsockname.
inline constexpr unsigned open_system_calls = 6;

struct OpenedSocket {
    Fd fd;
    int family = 0;               // AF_INET or AF_INET6: the form that addresses on this socket take
    Endpoint local;               // as the kernel chose it
    bool joins_segments = false;  // UDP GRO is on
};

[[nodiscard]] Result<OpenedSocket, Errno> open_udp(const SocketSpec& spec) noexcept;

// Binds a socket of AF_INET or AF_INET6 that somebody else has made as open_udp binds its own: to the spec's device and
// local address.
[[nodiscard]] Result<Unit, Errno> bind_socket(int fd, int family, const SocketSpec& spec) noexcept;

// IPv4 or IPv6 path MTU minus the headers; 0 where the kernel knows none (not connected, no route).
[[nodiscard]] std::uint32_t payload_bytes_max(int fd, int family) noexcept;

// What a receive buffer of `wanted` bytes would really be on this host, for a warning at start (net.core.rmem_max).
[[nodiscard]] std::uint32_t receive_buffer_granted(std::uint32_t wanted) noexcept;

}  // namespace hawser::os
