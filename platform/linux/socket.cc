// SPDX-License-Identifier: MIT
#include "platform/linux/socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

#ifndef UDP_GRO
#define UDP_GRO 104  // Linux 5.0
#endif

namespace hawser::os {
namespace {

constexpr int ipv4_headers_bytes = 20 + 8;
constexpr int ipv6_headers_bytes = 40 + 8;

// A process that is killed gives its io_uring's sockets back only after it is reaped: up to 40 ms later (measured,
// Linux 6.18). Whoever starts the program again at once waits for the port, this often and this long at a time. Only
// listening sockets ask for a port by number, and they are opened at start.
constexpr int port_tries = 30;
constexpr Duration port_pause{10'000'000};

[[nodiscard]] Failure<Errno> failed(const char* call) noexcept { return Failure{Errno{errno, call}}; }

bool set_option(int fd, int level, int name, int value) noexcept {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

int int_option(int fd, int level, int name) noexcept {
    int value = 0;
    socklen_t length = sizeof value;
    return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : 0;
}

// The plain option stops at the sysctl's limit without an error; the forced one needs CAP_NET_ADMIN.
void set_buffer(int fd, int name, int forced_name, std::uint32_t bytes) noexcept {
    const int wanted = static_cast<int>(bytes);
    if (!set_option(fd, SOL_SOCKET, name, wanted)) return;
    // The kernel doubles the value for its bookkeeping and reports the double.
    if (int_option(fd, SOL_SOCKET, name) / 2 < wanted) set_option(fd, SOL_SOCKET, forced_name, wanted);
}

// The all-zero local address takes both families, unless the peer fixes one.
int wanted_family(const SocketSpec& spec) noexcept {
    if (spec.local.is_v4()) return AF_INET;
    if (spec.connected && spec.local.is_any() && spec.remote.is_v4()) return AF_INET;
    return AF_INET6;
}

}  // namespace

Result<Unit, Errno> bind_socket(int fd, int family, const SocketSpec& spec) noexcept {
    if (family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, spec.local.is_any() ? 0 : 1))
        return failed("setsockopt(IPV6_V6ONLY)");
    if (spec.device[0] != '\0' && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec.device,
                                               static_cast<socklen_t>(::strnlen(spec.device, sizeof spec.device))) != 0)
        return failed("setsockopt(SO_BINDTODEVICE)");
    SocketAddress address{};
    const socklen_t length = to_sockaddr(spec.local, family, address);
    int result = ::bind(fd, &address.generic, length);
    for (int i = 0; i < port_tries && result != 0 && errno == EADDRINUSE && spec.local.port != 0; ++i) {
        const timespec pause = to_timespec(port_pause.ns);
        ::nanosleep(&pause, nullptr);
        result = ::bind(fd, &address.generic, length);
    }
    if (result != 0) return failed("bind");
    return Unit{};
}

Result<OpenedSocket, Errno> open_udp(const SocketSpec& spec) noexcept {
    OpenedSocket s;
    s.family = wanted_family(spec);
    constexpr int type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    s.fd = Fd(::socket(s.family, type, 0));
    if (!s.fd.is_open() && errno == EAFNOSUPPORT && s.family == AF_INET6 && spec.local.is_any()) {
        s.family = AF_INET;  // a kernel without IPv6: "both families" is one
        s.fd = Fd(::socket(s.family, type, 0));
    }
    if (!s.fd.is_open()) return failed("socket");
    const int fd = s.fd.get();

    if (spec.receive_buffer_bytes != 0) set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, spec.receive_buffer_bytes);
    if (spec.send_buffer_bytes != 0) set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, spec.send_buffer_bytes);
    if (const auto bound = bind_socket(fd, s.family, spec); !bound) return Failure{bound.error()};
    if (spec.connected) {
        if (s.family == AF_INET && !spec.remote.is_v4()) return Failure{Errno{EAFNOSUPPORT, "connect"}};
        SocketAddress address{};
        const socklen_t length = to_sockaddr(spec.remote, s.family, address);
        if (::connect(fd, &address.generic, length) != 0) return failed("connect");
    }
    if (spec.join_segments) s.joins_segments = set_option(fd, IPPROTO_UDP, UDP_GRO, 1);

    SocketAddress local{};
    socklen_t length = sizeof local;
    if (::getsockname(fd, &local.generic, &length) != 0) return failed("getsockname");
    s.local = from_sockaddr(&local);
    return s;
}

std::uint32_t payload_bytes_max(int fd, int family) noexcept {
    const bool v4 = family == AF_INET;
    const int mtu = v4 ? int_option(fd, IPPROTO_IP, IP_MTU) : int_option(fd, IPPROTO_IPV6, IPV6_MTU);
    const int headers = v4 ? ipv4_headers_bytes : ipv6_headers_bytes;
    return mtu > headers ? static_cast<std::uint32_t>(mtu - headers) : 0;
}

std::uint32_t receive_buffer_granted(std::uint32_t wanted) noexcept {
    const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return 0;
    set_buffer(fd.get(), SO_RCVBUF, SO_RCVBUFFORCE, wanted);
    return static_cast<std::uint32_t>(int_option(fd.get(), SOL_SOCKET, SO_RCVBUF) / 2);
}

}  // namespace hawser::os
