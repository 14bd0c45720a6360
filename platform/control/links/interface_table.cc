// SPDX-License-Identifier: MIT
#include "platform/control/links/interface_table.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "platform/control/links/netlink_attributes.h"

namespace hawser::control {

namespace {

constexpr std::size_t message_bytes_max = 32768;  // what the kernel fills at most for one read (NLMSG_GOODSIZE)
// Taken at a time: more than a socket's usual buffer holds (208 KiB, a word takes 768 at least), so that a storm costs
// one reading, and one that goes on and on leaves time for others.
constexpr int words_max = 1024;
constexpr int tries_max = 3;  // a table that changes while it is read is read again

constexpr std::uint32_t groups =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

bool is_link_local(const Endpoint& e) { return !e.is_v4() && e.address[0] == 0xFE && (e.address[1] & 0xC0) == 0x80; }

std::string mac_text(const nlattr* attribute) {
    const std::size_t length = attribute == nullptr ? 0 : mnl_attr_get_payload_len(attribute);
    if (length != 6) return {};
    std::array<unsigned char, 6> mac{};
    std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
    if (std::all_of(mac.begin(), mac.end(), [](unsigned char b) { return b == 0; })) return {};
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                  mac[5]);
    return text.data();
}

// One reading, into a table of its own.
struct Reading {
    std::vector<Interface> interfaces;

    Interface* find(std::uint32_t index) {
        for (Interface& i : interfaces)
            if (i.index == index) return &i;
        return nullptr;
    }

    void on_link(const nlmsghdr* message) {
        const auto* const head = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
        const Attributes<IFLA_MAX> attributes(message, sizeof *head);
        const nlattr* const name = attributes[IFLA_IFNAME];
        if (name == nullptr || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0) return;
        Interface i;
        i.index = static_cast<std::uint32_t>(head->ifi_index);
        i.name = mnl_attr_get_str(name);
        i.mac = mac_text(attributes[IFLA_ADDRESS]);
        // IFF_LOWER_UP is the carrier; drivers without one (modems, tunnels) have it set.
        i.is_up = (head->ifi_flags & IFF_UP) != 0 && (head->ifi_flags & IFF_LOWER_UP) != 0;
        i.is_loopback = (head->ifi_flags & IFF_LOOPBACK) != 0;
        i.is_point_to_point = (head->ifi_flags & IFF_POINTOPOINT) != 0;
        i.mtu = attributes.number(IFLA_MTU).value_or(0);
        interfaces.push_back(std::move(i));
    }

    void on_address(const nlmsghdr* message) {
        const auto* const head = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
        const Attributes<IFA_MAX> attributes(message, sizeof *head);
        const std::uint32_t flags = attributes.number(IFA_FLAGS).value_or(head->ifa_flags);
        if ((flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0) return;
        // On a link between two, IFA_ADDRESS is the other end's and IFA_LOCAL ours.
        auto address = attributes.address(IFA_LOCAL);
        if (!address) address = attributes.address(IFA_ADDRESS);
        Interface* const i = find(head->ifa_index);
        if (!address || i == nullptr) return;
        if (is_link_local(*address)) address->scope = head->ifa_index;
        i->addresses.push_back({*address, head->ifa_prefixlen});
    }

    void add_default(std::uint32_t index, const Interface::Gateway& gateway, bool v4) {
        Interface* const i = find(index);
        if (i != nullptr) (v4 ? i->default_v4 : i->default_v6).push_back(gateway);
    }

    void on_route(const nlmsghdr* message) {
        const auto* const head = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
        if (head->rtm_dst_len != 0 || head->rtm_type != RTN_UNICAST || (head->rtm_flags & RTM_F_CLONED) != 0) return;
        const Attributes<RTA_MAX> attributes(message, sizeof *head);
        const bool v4 = head->rtm_family == AF_INET;
        Interface::Gateway gateway;
        gateway.address = attributes.address(RTA_GATEWAY);
        gateway.metric = attributes.number(RTA_PRIORITY).value_or(0);
        gateway.table = attributes.number(RTA_TABLE).value_or(head->rtm_table);
        if (const auto index = attributes.number(RTA_OIF)) add_default(*index, gateway, v4);
        const nlattr* const several = attributes[RTA_MULTIPATH];
        if (several == nullptr) return;
        // A list of next hops, each with attributes of its own.
        const char* at = static_cast<const char*>(mnl_attr_get_payload(several));
        std::size_t left = mnl_attr_get_payload_len(several);
        while (left >= sizeof(rtnexthop)) {
            rtnexthop hop;
            std::memcpy(&hop, at, sizeof hop);
            if (hop.rtnh_len < sizeof hop || hop.rtnh_len > left) return;
            Interface::Gateway one = gateway;
            one.address = Attributes<RTA_GATEWAY>(at + sizeof hop, hop.rtnh_len - sizeof hop).address(RTA_GATEWAY);
            add_default(static_cast<std::uint32_t>(hop.rtnh_ifindex), one, v4);
            const std::size_t step = std::min(left, static_cast<std::size_t>(RTNH_ALIGN(hop.rtnh_len)));
            at += step;
            left -= step;
        }
    }

    static int on_message(const nlmsghdr* message, void* self) {
        auto& reading = *static_cast<Reading*>(self);
        switch (message->nlmsg_type) {
            case RTM_NEWLINK: reading.on_link(message); break;
            case RTM_NEWADDR: reading.on_address(message); break;
            case RTM_NEWROUTE: reading.on_route(message); break;
            default: break;
        }
        return MNL_CB_OK;
    }
};

// Asks for one of the kernel's tables and reads the answer, which is there when the question was sent. False when it
// changed meanwhile or the kernel refused; errno says so.
bool dump(mnl_socket* socket, std::uint16_t type, int family, std::uint32_t sequence, Reading& reading) {
    std::array<char, 64> question{};
    nlmsghdr* const header = mnl_nlmsg_put_header(question.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = sequence;
    auto* const head = static_cast<rtgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
    head->rtgen_family = static_cast<unsigned char>(family);
    if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0) return false;
    alignas(nlmsghdr) std::array<char, message_bytes_max> answer;
    for (;;) {
        const ssize_t n = mnl_socket_recvfrom(socket, answer.data(), answer.size());
        if (n < 0) return false;
        const int more = mnl_cb_run(answer.data(), static_cast<std::size_t>(n), sequence, mnl_socket_get_portid(socket),
                                    &Reading::on_message, &reading);
        if (more < 0) return false;  // EINTR: the table changed while it was read
        if (more == MNL_CB_STOP) return true;
    }
}

bool less(const Interface::Gateway& a, const Interface::Gateway& b) {
    return a.table != b.table ? a.table < b.table : a.metric < b.metric;
}

}  // namespace

bool Interface::has_address(bool v4) const {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const Address& a) { return a.address.is_v4() == v4 && !is_link_local(a.address); });
}

bool Interface::has_address(const Endpoint& address) const {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const Address& a) { return a.address.address == address.address; });
}

void InterfaceTable::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<InterfaceTable::Socket, Errno> InterfaceTable::connect(std::uint32_t wanted_groups) {
    Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | (wanted_groups != 0 ? SOCK_NONBLOCK : 0)));
    if (!socket) return Failure{Errno{errno, "socket(NETLINK_ROUTE)"}};
    if (mnl_socket_bind(socket.get(), wanted_groups, MNL_SOCKET_AUTOPID) != 0)
        return Failure{Errno{errno, "bind(NETLINK_ROUTE)"}};
    return socket;
}

Result<InterfaceTable, Errno> InterfaceTable::open() {
    auto bell = connect(groups);
    if (!bell) return Failure{bell.error()};
    InterfaceTable table(std::move(bell).value());
    // After the bell hangs: what changes from here on rings.
    if (table.read() == Read::failed) return Failure{Errno{errno, "reading the interfaces"}};
    return table;
}

int InterfaceTable::fd() const { return mnl_socket_get_fd(bell_.get()); }

bool InterfaceTable::take() {
    bool rang = false;
    alignas(nlmsghdr) std::array<char, message_bytes_max> bytes;
    for (int i = 0; i < words_max; ++i) {
        const ssize_t n = mnl_socket_recvfrom(bell_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        // Too many words, and one that is longer than any should be (libmnl), ring as well as others.
        const bool is_lost = n < 0 && (errno == ENOBUFS || errno == ENOSPC);
        if (is_lost) ++overruns_;
        if (n < 0 && !is_lost) return rang;
        rang = true;
    }
    return rang;  // what is left makes it readable again
}

InterfaceTable::Read InterfaceTable::read() {
    auto socket = connect(0);
    if (!socket) {
        errno = socket.error().value;
        return Read::failed;
    }
    std::uint32_t sequence = 0;
    for (int i = 0; i < tries_max; ++i) {
        Reading reading;
        const auto part = [&](std::uint16_t type, int family) {
            return dump(socket->get(), type, family, ++sequence, reading);
        };
        // A kernel without IPv6 answers those two with an error, and has no such addresses.
        const bool whole = part(RTM_GETLINK, AF_UNSPEC) && part(RTM_GETADDR, AF_UNSPEC) && part(RTM_GETROUTE, AF_INET);
        const bool v6_changed = whole && !part(RTM_GETROUTE, AF_INET6) && errno == EINTR;
        if (!whole || v6_changed) {
            const int why = errno;
            socket = connect(0);  // what is left of the answer goes with the socket
            errno = why;
            if (!socket) break;
            continue;
        }
        for (Interface& one : reading.interfaces) {
            std::stable_sort(one.default_v4.begin(), one.default_v4.end(), less);
            std::stable_sort(one.default_v6.begin(), one.default_v6.end(), less);
        }
        const auto by_index = [](const Interface& a, const Interface& b) { return a.index < b.index; };
        std::sort(reading.interfaces.begin(), reading.interfaces.end(), by_index);
        if (reading.interfaces == interfaces_) return Read::same;
        interfaces_ = std::move(reading.interfaces);
        return Read::changed;
    }
    return Read::failed;
}

const Interface* InterfaceTable::find(std::string_view name) const {
    for (const Interface& i : interfaces_)
        if (i.name == name) return &i;
    return nullptr;
}

const Interface* InterfaceTable::find(const Endpoint& address) const {
    const Interface* found = nullptr;
    for (const Interface& i : interfaces_)
        if (i.has_address(address) && (found == nullptr || (i.is_up && !found->is_up))) found = &i;
    return found;
}

}  // namespace hawser::control
