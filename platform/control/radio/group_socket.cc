// SPDX-License-Identifier: MIT
#include "platform/control/radio/group_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "platform/control/interfaces.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29  // Linux 4.20
#endif

namespace hawser::control {

namespace {

bool set_option(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The plain option stops at net.core.rmem_max; the forced one needs CAP_NET_ADMIN.
void set_receive_buffer(int fd, std::uint32_t bytes) {
    const int wanted = static_cast<int>(bytes);
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, wanted)) set_option(fd, SOL_SOCKET, SO_RCVBUF, wanted);
}

bool same_address(const Endpoint& a, const Endpoint& b) { return a.address == b.address; }

// What a control message says of one datagram.
struct Arrival {
    Endpoint to;
    std::uint32_t interface = 0;
    std::optional<std::uint32_t> overrun;  // since the socket was opened
};

Arrival arrival_of(msghdr& header) {
    Arrival out;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            in_pktinfo info;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            out.to = Endpoint::from_v4(ntohl(info.ipi_addr.s_addr), 0);
            out.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            std::memcpy(out.to.address.data(), &info.ipi6_addr, 16);
            out.interface = info.ipi6_ifindex;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            std::uint32_t dropped = 0;
            std::memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
            out.overrun = dropped;
        }
    }
    return out;
}

GroupFault fault_of(Errno error, const Endpoint& group, std::string interface) {
    return GroupFault{error, group, std::move(interface)};
}

}  // namespace

std::string GroupFault::text() const {
    std::string out = os::endpoint_text(group);
    if (!interface.empty()) out += " on " + interface;
    out += ": " + os::errno_text(error);
    if (error.value == ENOBUFS) out += " (too many groups on one socket: net.ipv4.igmp_max_memberships)";
    return out;
}

bool is_multicast(const Endpoint& address) {
    return address.is_v4() ? (address.v4() >> 28) == 0xE : address.address[0] == 0xFF;
}

std::uint32_t sending_interface(const GroupSpec& spec) {
    if (!spec.interface.empty()) return interface_index(spec.interface);
    const std::uint32_t index = interface_toward(spec.group);
    return index != 0 ? index : loopback_index();
}

std::string plain_interface(const std::string& named) {
    const std::uint32_t index = named.empty() ? 0 : interface_index(named);
    return index != 0 ? interface_name(index) : named;
}

bool hears_all_of(const GroupSpec& wide, const GroupSpec& narrow) {
    if (wide.group != narrow.group) return false;
    const std::uint32_t by = sending_interface(narrow);
    return by != 0 && (by == sending_interface(wide) || (wide.loopback && by == loopback_index()));
}

struct ReceiveBatch::Slots {
    union Control {
        char bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint32_t))];
        cmsghdr aligned;
    };
    std::size_t bytes_each;
    std::vector<std::uint8_t> room;
    std::vector<mmsghdr> headers;
    std::vector<iovec> vectors;
    std::vector<os::SocketAddress> sources;
    std::vector<Control> controls;
};

ReceiveBatch::ReceiveBatch(std::size_t datagrams, std::size_t bytes_each) : slots_(std::make_unique<Slots>()) {
    Slots& s = *slots_;
    s.bytes_each = bytes_each;
    s.room.resize(datagrams * bytes_each);
    s.headers.resize(datagrams);
    s.vectors.resize(datagrams);
    s.sources.resize(datagrams);
    s.controls.resize(datagrams);
    for (std::size_t i = 0; i < datagrams; ++i) {
        s.vectors[i] = iovec{s.room.data() + i * bytes_each, bytes_each};
        msghdr& h = s.headers[i].msg_hdr;
        h.msg_iov = &s.vectors[i];
        h.msg_iovlen = 1;
        h.msg_name = &s.sources[i];
        h.msg_control = s.controls[i].bytes;
    }
}
ReceiveBatch::ReceiveBatch(ReceiveBatch&&) noexcept = default;
ReceiveBatch& ReceiveBatch::operator=(ReceiveBatch&&) noexcept = default;
ReceiveBatch::~ReceiveBatch() = default;

Result<GroupSocket, GroupFault> GroupSocket::open(std::uint16_t port, bool v4, std::uint32_t receive_buffer_bytes) {
    Endpoint any = v4 ? Endpoint::from_v4(0, port) : Endpoint{};
    any.port = port;
    const auto failed = [&](const char* call) { return Failure{fault_of(Errno{errno, call}, any, "")}; };
    const int family = v4 ? AF_INET : AF_INET6;
    os::Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return failed("socket");
    const int n = fd.get();
    // Every client of a radiod on this host listens to the same port. Without SO_REUSEPORT, which multicast does not
    // need: with it Linux (6.18) gives what comes from a network for the only member of a group to any one of the
    // sockets that share the port.
    if (!set_option(n, SOL_SOCKET, SO_REUSEADDR, 1)) return failed("setsockopt(SO_REUSEADDR)");
    if (v4) {
        if (!set_option(n, IPPROTO_IP, IP_MULTICAST_ALL, 0)) return failed("setsockopt(IP_MULTICAST_ALL)");
        if (!set_option(n, IPPROTO_IP, IP_PKTINFO, 1)) return failed("setsockopt(IP_PKTINFO)");
    } else {
        if (!set_option(n, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return failed("setsockopt(IPV6_V6ONLY)");
        if (!set_option(n, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)) return failed("setsockopt(IPV6_MULTICAST_ALL)");
        if (!set_option(n, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) return failed("setsockopt(IPV6_RECVPKTINFO)");
    }
    // A figure less is no reason to stop.
    set_option(n, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_receive_buffer(n, receive_buffer_bytes);
    os::SocketAddress address{};
    const socklen_t length = os::to_sockaddr(any, family, address);
    if (::bind(n, &address.generic, length) != 0) return failed("bind");
    return GroupSocket(std::move(fd), port, v4);
}

std::uint32_t GroupSocket::receive_buffer_granted() const {
    int value = 0;
    socklen_t length = sizeof value;
    // The kernel reports the double of what it was asked for.
    return ::getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &value, &length) == 0 ? static_cast<std::uint32_t>(value / 2)
                                                                                : 0;
}

Result<Unit, Errno> GroupSocket::change(const GroupSpec& spec, std::uint32_t index, bool join) const {
    const int family = v4_ ? AF_INET : AF_INET6;
    const int level = v4_ ? IPPROTO_IP : IPPROTO_IPV6;
    const auto put = [family](const Endpoint& from, sockaddr_storage& to) {
        os::SocketAddress address{};
        const socklen_t length = os::to_sockaddr(from, family, address);
        std::memcpy(&to, &address, length);
    };
    group_source_req request{};
    request.gsr_interface = index;
    put(spec.group, request.gsr_group);
    if (spec.source) {
        put(*spec.source, request.gsr_source);
        const int name = join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
        if (::setsockopt(fd_.get(), level, name, &request, sizeof request) == 0) return Unit{};
        if (join) return Failure{Errno{errno, "join of the source"}};
        // An interface that is gone is not left that way, and the membership goes on to count against the socket's; the
        // group's own leave asks for no interface, and there is no other source of it.
    }
    group_req plain{};
    plain.gr_interface = index;
    plain.gr_group = request.gsr_group;
    if (::setsockopt(fd_.get(), level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &plain, sizeof plain) == 0)
        return Unit{};
    return Failure{Errno{errno, join ? "join" : "leave"}};
}

// From one interface to another; 0 is none. What is left behind may be gone already, which is as good.
std::optional<Errno> GroupSocket::move_to(const GroupSpec& spec, std::uint32_t& joined, std::uint32_t wanted,
                                          std::vector<GroupChange>& changes) const {
    if (joined == wanted) return std::nullopt;
    if (joined != 0) {
        [[maybe_unused]] const auto left = change(spec, joined, false);
        changes.push_back({spec.group, joined, false, {}});
        joined = 0;
    }
    if (wanted == 0) return std::nullopt;
    if (const auto done = change(spec, wanted, true); !done) return done.error();
    joined = wanted;
    changes.push_back({spec.group, wanted, true, {}});
    return std::nullopt;
}

std::optional<Errno> GroupSocket::update(Member& m, std::vector<GroupChange>& changes) const {
    const bool is_named = !m.spec.interface.empty();
    const std::uint32_t wanted = is_named ? interface_index(m.spec.interface) : interface_toward(m.spec.group);
    const std::uint32_t lo = m.spec.loopback ? loopback_index() : 0;
    std::optional<Errno> fault = move_to(m.spec, m.index, wanted, changes);
    // Once is enough where both are the same.
    const auto also = move_to(m.spec, m.loopback, lo == m.index ? 0 : lo, changes);
    // Another socket has room for both.
    if (also && also->value == ENOBUFS) return also;
    if (!fault && wanted == 0) fault = Errno{ENODEV, "join"};
    if (is_named) return fault;
    if (m.index != 0 || m.loopback != 0) return std::nullopt;
    return also ? also : fault;
}

Result<Unit, GroupFault> GroupSocket::join(const GroupSpec& spec, MembershipId id) {
    if (!is_multicast(spec.group) || spec.group.is_v4() != v4_ || spec.group.port != port_ ||
        (spec.source && spec.source->is_v4() != v4_))
        return Failure{fault_of(Errno{EINVAL, "join"}, spec.group, spec.interface)};
    leave(spec.group);
    Member member{spec, id, 0, 0};
    std::vector<GroupChange> changes;
    if (const auto fault = update(member, changes)) {
        move_to(spec, member.index, 0, changes);
        move_to(spec, member.loopback, 0, changes);
        return Failure{fault_of(*fault, spec.group, spec.interface)};
    }
    members_.push_back(std::move(member));
    return Unit{};
}

void GroupSocket::leave(const Endpoint& group) {
    forget(std::find_if(members_.begin(), members_.end(),
                        [&](const Member& m) { return same_address(m.spec.group, group); }));
}

void GroupSocket::leave(MembershipId id) {
    forget(std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.id == id; }));
}

void GroupSocket::forget(std::vector<Member>::iterator member) {
    if (member == members_.end()) return;
    std::vector<GroupChange> changes;
    move_to(member->spec, member->index, 0, changes);
    move_to(member->spec, member->loopback, 0, changes);
    members_.erase(member);
}

std::vector<GroupChange> GroupSocket::refresh(std::span<const std::uint32_t> gone) {
    std::vector<GroupChange> changes;
    for (Member& m : members_) {
        // A new interface may have the number of the old one, and nothing is joined there.
        for (std::uint32_t* joined : {&m.index, &m.loopback})
            if (*joined != 0 && std::find(gone.begin(), gone.end(), *joined) != gone.end())
                move_to(m.spec, *joined, 0, changes);
        // Where it cannot be joined now, the next change is the next try. That it is not there has been told as lost.
        const auto fault = update(m, changes);
        const int error = fault && fault->value != ENODEV ? fault->value : 0;
        if (error != 0 && error != m.told_error)
            changes.push_back({m.spec.group, 0, false, fault_of(*fault, m.spec.group, m.spec.interface)});
        m.told_error = error;
    }
    return changes;
}

const GroupSocket::Member* GroupSocket::member_of(const Endpoint& group) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const Member& m) { return same_address(m.spec.group, group); });
    return found == members_.end() ? nullptr : &*found;
}

std::span<const Datagram> GroupSocket::receive(ReceiveBatch& batch) {
    ReceiveBatch::Slots& s = *batch.slots_;
    received_.clear();
    taken_ = 0;
    fault_.reset();
    for (mmsghdr& h : s.headers) {
        h.msg_hdr.msg_namelen = sizeof(os::SocketAddress);
        h.msg_hdr.msg_controllen = sizeof(ReceiveBatch::Slots::Control);
        h.msg_hdr.msg_flags = 0;
    }
    ++figures_.calls;
    const int count =
        ::recvmmsg(fd_.get(), s.headers.data(), static_cast<unsigned>(s.headers.size()), MSG_DONTWAIT, nullptr);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) fault_ = Errno{errno, "recvmmsg"};
        return {};
    }
    taken_ = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < taken_; ++i) {
        msghdr& header = s.headers[i].msg_hdr;
        const Arrival arrival = arrival_of(header);
        if (arrival.overrun) {
            figures_.overrun += *arrival.overrun - overrun_seen_;  // modulo 2^32, as the kernel counts
            overrun_seen_ = *arrival.overrun;
        }
        if ((header.msg_flags & MSG_TRUNC) != 0) {
            ++figures_.truncated;
            continue;
        }
        const Member* const member = member_of(arrival.to);
        if (member == nullptr) {
            ++figures_.foreign;
            continue;
        }
        ++figures_.datagrams;
        Datagram d;
        d.bytes = Bytes(s.room.data() + i * s.bytes_each, s.headers[i].msg_len);
        d.source = os::from_sockaddr(&s.sources[i]);
        d.group = arrival.to;
        d.group.port = port_;
        d.interface = arrival.interface;
        d.membership = member->id;
        received_.push_back(d);
    }
    return received_;
}

Result<GroupSender, GroupFault> GroupSender::open(bool v4, int ttl) {
    const Endpoint any = v4 ? Endpoint::from_v4(0, 0) : Endpoint{};
    const auto failed = [&](const char* call) { return Failure{fault_of(Errno{errno, call}, any, "")}; };
    const int family = v4 ? AF_INET : AF_INET6;
    os::Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return failed("socket");
    // A radiod on this host hears the group by the loop.
    const bool is_set = v4 ? set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, ttl) &&
                                 set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, 1)
                           : set_option(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl) &&
                                 set_option(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
    if (!is_set) return failed("setsockopt(IP_MULTICAST_TTL)");
    os::SocketAddress address{};
    socklen_t length = os::to_sockaddr(any, family, address);
    if (::bind(fd.get(), &address.generic, length) != 0) return failed("bind");
    length = sizeof address;
    if (::getsockname(fd.get(), &address.generic, &length) != 0) return failed("getsockname");
    return GroupSender(std::move(fd), v4, os::from_sockaddr(&address));
}

Result<Unit, GroupFault> GroupSender::send(Bytes bytes, const Endpoint& group, std::uint32_t interface) {
    if (group.is_v4() != v4_) return Failure{fault_of(Errno{EAFNOSUPPORT, "send"}, group, "")};
    os::SocketAddress address{};
    iovec vector{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_name = &address;
    header.msg_namelen = os::to_sockaddr(group, v4_ ? AF_INET : AF_INET6, address);
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    if (interface != 0) {
        header.msg_control = control.data();
        header.msg_controllen = v4_ ? CMSG_SPACE(sizeof(in_pktinfo)) : CMSG_SPACE(sizeof(in6_pktinfo));
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        if (v4_) {
            in_pktinfo info{};
            info.ipi_ifindex = static_cast<int>(interface);
            c->cmsg_level = IPPROTO_IP;
            c->cmsg_type = IP_PKTINFO;
            c->cmsg_len = CMSG_LEN(sizeof info);
            std::memcpy(CMSG_DATA(c), &info, sizeof info);
        } else {
            in6_pktinfo info{};
            info.ipi6_ifindex = interface;
            c->cmsg_level = IPPROTO_IPV6;
            c->cmsg_type = IPV6_PKTINFO;
            c->cmsg_len = CMSG_LEN(sizeof info);
            std::memcpy(CMSG_DATA(c), &info, sizeof info);
        }
    }
    ssize_t sent = 0;
    do sent = ::sendmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent == static_cast<ssize_t>(bytes.size())) return Unit{};
    const int error = errno;
    return Failure{fault_of(Errno{error, "send"}, group, interface == 0 ? "" : interface_name(interface))};
}

}  // namespace hawser::control
