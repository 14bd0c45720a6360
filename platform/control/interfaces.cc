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

#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

constexpr std::size_t message_bytes_max = 32768;  // what the kernel fills at most for one read (NLMSG_GOODSIZE)

struct RouteQuestion {
    nlmsghdr header{};
    rtmsg route{};
    rtattr attribute{};
    std::uint8_t address[16]{};
};
static_assert(sizeof(RouteQuestion) == sizeof(nlmsghdr) + sizeof(rtmsg) + sizeof(rtattr) + 16, "as on the wire");

constexpr std::size_t aligned(std::size_t length) {
    return (length + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - std::size_t{1});
}

template <class T>
T load(std::span<const char> bytes) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// Takes the next part off the front: its head of type Head, whose field `length` counts the whole, and what follows it.
template <class Head, class Length>
std::optional<std::pair<Head, std::span<const char>>> next_part(std::span<const char>& bytes, Length length) {
    if (bytes.size() < sizeof(Head)) return std::nullopt;
    const auto head = load<Head>(bytes);
    const std::size_t whole = length(head);
    if (whole < sizeof(Head) || whole > bytes.size()) return std::nullopt;
    const auto body = bytes.first(whole).subspan(std::min(aligned(sizeof(Head)), whole));
    bytes = bytes.subspan(std::min(aligned(whole), bytes.size()));
    return std::pair(head, body);
}
auto next_message(std::span<const char>& bytes) {
    return next_part<nlmsghdr>(bytes, [](const nlmsghdr& h) { return std::size_t{h.nlmsg_len}; });
}
auto next_attribute(std::span<const char>& bytes) {
    return next_part<rtattr>(bytes, [](const rtattr& a) { return std::size_t{a.rta_len}; });
}

// The interface of a RTM_NEWROUTE message; 0 for anything else.
std::uint32_t interface_of_route(std::span<const char> answer) {
    const auto message = next_message(answer);
    if (!message || message->first.nlmsg_type != RTM_NEWROUTE || message->second.size() < sizeof(rtmsg)) return 0;
    auto attributes = message->second.subspan(aligned(sizeof(rtmsg)));
    while (const auto a = next_attribute(attributes))
        if (a->first.rta_type == RTA_OIF && a->second.size() >= sizeof(std::uint32_t))
            return load<std::uint32_t>(a->second);
    return 0;
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
    const os::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd.is_open()) return 0;
    const bool v4 = destination.is_v4();
    const std::uint16_t length = v4 ? 4 : 16;
    RouteQuestion question;
    question.header.nlmsg_len = static_cast<std::uint32_t>(sizeof question - 16 + length);
    question.header.nlmsg_type = RTM_GETROUTE;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.route.rtm_family = v4 ? AF_INET : AF_INET6;
    question.route.rtm_dst_len = static_cast<unsigned char>(length * 8);
    question.attribute.rta_type = RTA_DST;
    question.attribute.rta_len = static_cast<unsigned short>(sizeof(rtattr) + length);
    std::memcpy(question.address, destination.address.data() + (v4 ? 12 : 0), length);
    if (::send(fd.get(), &question, question.header.nlmsg_len, 0) < 0) return 0;
    alignas(nlmsghdr) std::array<char, 4096> answer;
    // The kernel has answered when send() returns.
    const ssize_t n = ::recv(fd.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    return n > 0 ? interface_of_route(std::span(answer).first(static_cast<std::size_t>(n))) : 0;
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
    alignas(nlmsghdr) std::array<char, message_bytes_max> bytes;
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
