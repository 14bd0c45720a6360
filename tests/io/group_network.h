// SPDX-License-Identifier: MIT
// A namespace with multicast on loopback and interfaces that the test makes and takes away: TUN devices, which go when
// their descriptor is closed, or TAP devices, by which frames come in as from a network. Needs root; the calling thread
// alone moves there, for good.
#pragma once

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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

// Down and without an address. Not open without /dev/net/tun.
inline os::Fd make_idle_interface(const char* name, short kind = IFF_TUN) {
    os::Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(kind | IFF_NO_PI);
    return tun.is_open() && ::ioctl(tun.get(), TUNSETIFF, &request) == 0 ? std::move(tun) : os::Fd();
}

// Up from then on, with that address and a network of 24 bits around it.
inline bool bring_up(const char* name, const char* address) {
    const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    const auto set = [&](unsigned long what, const char* text) {
        os::SocketAddress own{};
        os::to_sockaddr(*os::parse_address(text), AF_INET, own);
        request.ifr_addr = own.generic;
        return ::ioctl(control.get(), what, &request) == 0;
    };
    if (!set(SIOCSIFADDR, address) || !set(SIOCSIFNETMASK, "255.255.255.0")) return false;
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_NOARP;
    return ::ioctl(control.get(), SIOCSIFFLAGS, &request) == 0;
}

inline os::Fd make_interface(const char* name, const char* address, short kind = IFF_TUN) {
    os::Fd made = make_idle_interface(name, kind);
    return made.is_open() && bring_up(name, address) ? std::move(made) : os::Fd();
}

// A UDP datagram to a group that comes in by a TAP device, in an Ethernet frame to the group (RFC 1112 section 6.4).
inline bool come_in(const os::Fd& tap, const Endpoint& from, const Endpoint& group, const std::string& text) {
    std::string frame;
    const auto put = [&frame](std::uint32_t value, int bytes) {
        while (--bytes >= 0) frame += static_cast<char>(value >> (8 * bytes));
    };
    put(0x0100'5E00u | ((group.v4() >> 16) & 0x7F), 4);
    put(group.v4() & 0xFFFF, 2);
    put(0x0200'0000, 4);
    put(1, 2);
    put(0x0800, 2);
    const auto length = static_cast<std::uint32_t>(text.size());
    const std::size_t header = frame.size();
    put(0x4500'0000u | (28 + length), 4);
    put(0, 4);
    put(0x0111'0000, 4);  // TTL 1, UDP, and its checksum's place
    put(from.v4(), 4);
    put(group.v4(), 4);
    std::uint32_t sum = 0;
    for (std::size_t i = header; i < frame.size(); i += 2)
        sum += (std::uint32_t{static_cast<std::uint8_t>(frame[i])} << 8) | static_cast<std::uint8_t>(frame[i + 1]);
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
    frame[header + 10] = static_cast<char>(~sum >> 8);
    frame[header + 11] = static_cast<char>(~sum);
    put((std::uint32_t{from.port} << 16) | group.port, 4);
    put((8 + length) << 16, 4);  // no checksum
    frame += text;
    return ::write(tap.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

// Catch2 2 takes assertions of one thread only, so a test returns what it saw: a line for each thing that was not so.
using Faults = std::vector<std::string>;

inline void expect(Faults& faults, bool condition, const std::string& what) {
    if (!condition) faults.push_back(what);
}

// Runs it on a thread of its own, which moves to such a namespace.
inline void in_namespace(const std::function<void(Faults&)>& body) {
    bool has_entered = false;
    Faults faults;
    std::thread([&] {
        has_entered = enter_group_network();
        if (has_entered) body(faults);
    }).join();
    if (!has_entered) {
        WARN("skipped: no network namespace with multicast on loopback (needs root)");
        return;
    }
    CHECK(faults == Faults{});
}

}  // namespace hawser::test
