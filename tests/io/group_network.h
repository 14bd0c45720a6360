// SPDX-License-Identifier: MIT
// A namespace with multicast on loopback and interfaces that the test makes and takes away: TUN devices, which go when
// their descriptor is closed. Needs root; the calling thread alone moves there, for good.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>
#include <optional>
#include <string>

#include "platform/linux/fd.h"
#include "platform/linux/sockaddr.h"

namespace hawser::test {

// Also a home for traffic that no other program on the machine is to see.
inline bool enter_group_network() {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK | IFF_MULTICAST;
    return control.is_open() && ::ioctl(control.get(), SIOCSIFFLAGS, &request) == 0;
}

// Up and with that address, and a network of 24 bits around it. Not open without /dev/net/tun.
inline os::Fd make_interface(const char* name, const char* address) {
    os::Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (!tun.is_open() || ::ioctl(tun.get(), TUNSETIFF, &request) != 0) return {};
    const auto set = [&](unsigned long what, const char* text) {
        os::SocketAddress own{};
        os::to_sockaddr(*os::parse_address(text), AF_INET, own);
        request.ifr_addr = own.generic;
        return ::ioctl(control.get(), what, &request) == 0;
    };
    if (!set(SIOCSIFADDR, address) || !set(SIOCSIFNETMASK, "255.255.255.0")) return {};
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_NOARP;
    return ::ioctl(control.get(), SIOCSIFFLAGS, &request) == 0 ? std::move(tun) : os::Fd();
}

}  // namespace hawser::test
