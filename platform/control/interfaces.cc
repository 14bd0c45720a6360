// SPDX-License-Identifier: MIT
#include "platform/control/interfaces.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "platform/control/links/route_query.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

constexpr std::size_t dump_bytes_max = 32768;  // what the kernel fills at most for one read (NLMSG_GOODSIZE)

constexpr std::size_t aligned(std::size_t length) {
    return (length + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - std::size_t{1});
}

template <class T>
T load(std::span<const char> bytes) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// Takes the next message off the front: its head, and what follows it.
std::optional<std::pair<nlmsghdr, std::span<const char>>> next_message(std::span<const char>& bytes) {
    if (bytes.size() < sizeof(nlmsghdr)) return std::nullopt;
    const auto head = load<nlmsghdr>(bytes);
    const std::size_t whole = head.nlmsg_len;
    if (whole < sizeof head || whole > bytes.size()) return std::nullopt;
    const auto body = bytes.first(whole).subspan(std::min(aligned(sizeof head), whole));
    bytes = bytes.subspan(std::min(aligned(whole), bytes.size()));
    return std::pair(head, body);
}

}  // namespace

std::uint32_t interface_index(const std::string& name_or_address) {
    if (const unsigned index = ::if_nametoindex(name_or_address.c_str()); index != 0) return index;
    const auto wanted = os::parse_address(name_or_address);
    ifaddrs* all = nullptr;
    if (!wanted || ::getifaddrs(&all) != 0) return 0;
    std::uint32_t found = 0;
    for (const ifaddrs* a = all; a != nullptr && found == 0; a = a->ifa_next)
        if (a->ifa_addr != nullptr && os::from_sockaddr(a->ifa_addr).address == wanted->address &&
            (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
            found = ::if_nametoindex(a->ifa_name);
    ::freeifaddrs(all);
    return found;
}

std::uint32_t interface_toward(const Endpoint& destination) {
    if (destination.scope != 0) return destination.scope;
    const auto way = way_to(destination, std::nullopt, 0);
    return way ? way->interface : 0;
}

std::uint32_t loopback_index() { return ::if_nametoindex("lo"); }

std::string interface_name(std::uint32_t index) {
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(index, name.data()) != nullptr ? std::string(name.data()) : std::to_string(index);
}

Result<InterfaceWatch, Errno> InterfaceWatch::open() {
    os::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd.is_open()) return Failure{Errno{errno, "socket(NETLINK_ROUTE)"}};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Failure{Errno{errno, "bind(NETLINK_ROUTE)"}};
    return InterfaceWatch(std::move(fd));
}

InterfaceWatch::Changes InterfaceWatch::take() {
    Changes changes;
    alignas(nlmsghdr) std::array<char, dump_bytes_max> bytes;
    for (;;) {
        const ssize_t n = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
        if (n < 0 && errno == EINTR) continue;
        // ENOBUFS: the kernel had more to say than we read in time. Something changed, then.
        if (n < 0 && errno == ENOBUFS) {
            changes.any = true;
            continue;
        }
        if (n <= 0) return changes;
        changes.any = true;
        auto left = std::span<const char>(bytes).first(static_cast<std::size_t>(n));
        while (const auto m = next_message(left))
            if (m->first.nlmsg_type == RTM_DELLINK && m->second.size() >= sizeof(ifinfomsg))
                changes.gone.push_back(static_cast<std::uint32_t>(load<ifinfomsg>(m->second).ifi_index));
    }
}

}  // namespace hawser::control
