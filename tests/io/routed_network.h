// SPDX-License-Identifier: MIT
// A network behind a router that the test plays: a TUN device in a namespace of its own. Every packet that leaves can
// be read as the router gets it, and the router can answer that one is too big for what lies behind (ICMPv6, RFC 4443
// section 3.2), which the device itself knows nothing of. Needs root; the calling thread alone moves there, for good.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "platform/linux/fd.h"
#include "platform/linux/sockaddr.h"

namespace hawser::test {

class RoutedNetwork {
public:
    // Without root, a TUN device or IPv6 there is none.
    static std::optional<RoutedNetwork> enter() {
        RoutedNetwork n;
        if (::unshare(CLONE_NEWNET) != 0) return std::nullopt;
        n.tun_ = os::Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
        ifreq device{};
        std::strncpy(device.ifr_name, "routed0", IFNAMSIZ - 1);
        device.ifr_flags = IFF_TUN | IFF_NO_PI;
        if (!n.tun_.is_open() || ::ioctl(n.tun_.get(), TUNSETIFF, &device) != 0) return std::nullopt;
        const os::Fd control(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        // NOARP: no neighbours to ask for, nor whether somebody else has the address.
        device.ifr_flags = IFF_UP | IFF_RUNNING | IFF_NOARP;
        if (!control.is_open() || ::ioctl(control.get(), SIOCSIFFLAGS, &device) != 0) return std::nullopt;
        // in6_ifreq of <linux/ipv6.h>, which does not go together with <netinet/in.h>.
        struct {
            in6_addr address;
            std::uint32_t prefix_length;
            int device;
        } own{{}, 64, static_cast<int>(::if_nametoindex(device.ifr_name))};
        std::memcpy(&own.address, local().address.data(), sizeof own.address);
        if (::ioctl(control.get(), SIOCSIFADDR, &own) != 0) return std::nullopt;
        if (!own_address_is_ready(control)) return std::nullopt;
        return n;
    }

    static Endpoint local() { return *os::parse_address("fd71::1"); }
    static Endpoint far() { return *os::parse_endpoint("[fd71::2]:9"); }

    // What has left since the last call, whole IPv6 packets: a send puts them here before it returns.
    std::vector<std::string> take() {
        std::vector<std::string> packets;
        std::array<char, 4096> bytes;
        for (;;) {
            const ssize_t n = ::read(tun_.get(), bytes.data(), bytes.size());
            if (n <= 0) return packets;
            // The kernel's own multicast (router solicitation, group membership) is nobody's payload.
            if (static_cast<std::uint8_t>(bytes[24]) != 0xFF)
                packets.emplace_back(bytes.data(), static_cast<std::size_t>(n));
        }
    }
    // When this returns, the kernel has handed it to the socket that sent `packet`.
    bool answer_too_big(const std::string& packet, std::uint16_t mtu) {
        // What fits into the least MTU of IPv6 beside the headers.
        const std::string quoted = packet.substr(0, 1280 - 48);
        const auto icmp_bytes = static_cast<std::uint16_t>(8 + quoted.size());
        std::string m(48, '\0');
        m[0] = 0x60;
        put16(m, 4, icmp_bytes);
        m[6] = 58;  // ICMPv6
        m[7] = 64;
        // From the far end to where the packet came from.
        m.replace(8, 16, packet, 24, 16);
        m.replace(24, 16, packet, 8, 16);
        m[40] = 2;  // packet too big
        put16(m, 46, mtu);
        m += quoted;
        put16(m, 42, checksum(m, icmp_bytes));
        return ::write(tun_.get(), m.data(), m.size()) == static_cast<ssize_t>(m.size());
    }

private:
    // Until a worker of the kernel has looked at it, a new address cannot be bound to.
    static bool own_address_is_ready(const os::Fd& control) {
        constexpr timespec pause{0, 1'000'000};
        constexpr int tries = 10'000;
        os::SocketAddress own{};
        const socklen_t length = os::to_sockaddr(local(), AF_INET6, own);
        int left = tries;
        while (::bind(control.get(), &own.generic, length) != 0 && --left > 0) ::nanosleep(&pause, nullptr);
        return left > 0;
    }
    static void put16(std::string& bytes, std::size_t at, std::uint16_t value) {
        bytes[at] = static_cast<char>(value >> 8);
        bytes[at + 1] = static_cast<char>(value & 0xFF);
    }
    // Over both addresses, the length, the protocol and the message (RFC 8200 section 8.1).
    static std::uint16_t checksum(const std::string& packet, std::uint32_t icmp_bytes) {
        std::uint32_t sum = icmp_bytes + 58;
        for (std::size_t i = 8; i < packet.size(); ++i)
            sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(packet[i])) << (i % 2 == 0 ? 8 : 0);
        while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum);
    }

    os::Fd tun_;
};

}  // namespace hawser::test
