// SPDX-License-Identifier: MIT
// A network where nobody answers: a TAP device in a namespace of its own, whose neighbours never reply to ARP. Packets
// to them wait in the kernel and count against their socket's send buffer, which loopback never lets happen.
// Needs root; the calling thread alone moves there, for good.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>
#include <optional>

#include "platform/linux/fd.h"
#include "platform/linux/sockaddr.h"

namespace hawser::test {

struct SilentNetwork {
    os::Fd tap;          // keeps the device alive
    Endpoint local;      // 10.71.0.1
    Endpoint neighbour;  // 10.71.0.2, which is not there
};

inline std::optional<SilentNetwork> enter_silent_network() {
    SilentNetwork n;
    n.local = Endpoint::from_v4(0x0A470001, 0);
    n.neighbour = Endpoint::from_v4(0x0A470002, 9);
    if (::unshare(CLONE_NEWNET) != 0) return std::nullopt;
    n.tap = os::Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, "silent0", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(n.tap.get(), TUNSETIFF, &request) != 0) return std::nullopt;
    const auto set_address = [&](unsigned long what, const char* text) {
        os::SocketAddress address{};
        os::to_sockaddr(*os::parse_address(text), AF_INET, address);
        request.ifr_addr = address.generic;
        return ::ioctl(control.get(), what, &request) == 0;
    };
    if (!set_address(SIOCSIFADDR, "10.71.0.1") || !set_address(SIOCSIFNETMASK, "255.255.255.0")) return std::nullopt;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) return std::nullopt;
    return n;
}

}  // namespace hawser::test
