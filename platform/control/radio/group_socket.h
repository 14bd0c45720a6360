// SPDX-License-Identifier: MIT
// Multicast of the radio control plane. A GroupSocket listens to several groups on one port and tells for each datagram
// to which group it was sent, from whom, and by which interface; a GroupSender sends to any group of its family.
//  - A socket has a group once: the same group by another interface or from another source takes another socket, which
//    is how the kernel keeps them apart.
//  - Nothing of other groups, whoever on this host joined them (IP_MULTICAST_ALL is off).
//  - A group is joined on the interface that was named, or where its route goes, and on loopback beside it.
//  - refresh() after word of changes: an interface that vanished and came back is joined again.
//  - Nothing blocks. Control thread only. Facts of the kernel: Linux 6.1, net/ipv4/igmp.c.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "platform/linux/fd.h"

namespace hawser::control {

struct GroupSpec {
    Endpoint group;                  // address and port
    std::string interface;           // its name or one of its addresses; empty: where the route to the group goes
    std::optional<Endpoint> source;  // only what comes from there (source-specific multicast)
    bool loopback = true;            // there too: radiod sends channels of TTL 0 nowhere else
    friend bool operator==(const GroupSpec&, const GroupSpec&) = default;
};

// What was joined as one: a group, by an interface, from a source. Its owner's number for it.
using MembershipId = Strong<struct MembershipTag, std::uint32_t>;

struct GroupFault {
    Errno error;
    Endpoint group;
    std::string interface;
    // "239.1.2.3:5006 on eth0: join: No such device"
    [[nodiscard]] std::string text() const;
};

struct Datagram {
    Bytes bytes;
    Endpoint source;
    Endpoint group;
    std::uint32_t interface = 0;
    MembershipId membership{};
};

// Room for what one receive() takes; Datagrams are views of it.
class ReceiveBatch {
public:
    ReceiveBatch(std::size_t datagrams, std::size_t bytes_each);
    ReceiveBatch(ReceiveBatch&&) noexcept;
    ReceiveBatch& operator=(ReceiveBatch&&) noexcept;
    ~ReceiveBatch();

private:
    friend class GroupSocket;
    struct Slots;
    std::unique_ptr<Slots> slots_;
};

// radiod's longest status is as long as UDP allows; its RTP payload is 1440 bytes at most.
inline constexpr std::size_t status_bytes_max = 65536;
inline constexpr std::size_t rtp_bytes_max = 2048;
// A block of each of 500 channels arrives in one burst: 500 packets of 1.5 KiB, some doubled.
inline constexpr std::uint32_t group_receive_buffer_bytes = 8 << 20;  // untuned

struct GroupChange {
    Endpoint group;
    std::uint32_t interface = 0;
    bool is_joined = false;             // else left, because it is gone
    std::optional<GroupFault> fault{};  // instead: it is there, and cannot be joined
};

class GroupSocket {
public:
    struct Figures {
        std::uint64_t datagrams = 0;
        std::uint64_t calls = 0;
        std::uint64_t truncated = 0;  // longer than the batch's room, dropped
        std::uint64_t foreign = 0;    // to no group of ours, dropped
        std::uint64_t overrun = 0;    // dropped by the kernel, the receive buffer being full
    };

    [[nodiscard]] static Result<GroupSocket, GroupFault> open(std::uint16_t port, bool v4,
                                                              std::uint32_t receive_buffer_bytes);
    // Of the socket's port and family. A group that is there is joined anew with what is told now. Succeeds when it is
    // joined on the named interface, or, if none is named, anywhere. ENOBUFS: the kernel allows no more on one socket.
    Result<Unit, GroupFault> join(const GroupSpec& spec, MembershipId id = {});
    void leave(const Endpoint& group);
    void leave(MembershipId id);
    [[nodiscard]] bool has(const Endpoint& group) const { return member_of(group) != nullptr; }
    // Interfaces came or went; `gone` are those that vanished in between.
    std::vector<GroupChange> refresh(std::span<const std::uint32_t> gone);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool is_v4() const { return v4_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    // At most one batch, without waiting.
    [[nodiscard]] std::span<const Datagram> receive(ReceiveBatch& batch);
    // By the last receive(), with those that were dropped: a whole batch means that more may wait.
    [[nodiscard]] std::size_t taken() const { return taken_; }
    // Of the last receive() that came back short: another sickness than "nothing there".
    [[nodiscard]] std::optional<Errno> fault() const { return fault_; }
    [[nodiscard]] const Figures& figures() const { return figures_; }
    [[nodiscard]] std::size_t group_count() const { return members_.size(); }
    [[nodiscard]] std::uint32_t receive_buffer_granted() const;

private:
    struct Member {
        GroupSpec spec;
        MembershipId id;
        std::uint32_t index = 0;     // where it is joined; 0: nowhere
        std::uint32_t loopback = 0;  // the same
        int told_error = 0;          // of refresh(), until it is another
    };
    GroupSocket(os::Fd fd, std::uint16_t port, bool v4) : fd_(std::move(fd)), port_(port), v4_(v4) {}
    [[nodiscard]] Result<Unit, Errno> change(const GroupSpec& spec, std::uint32_t index, bool join) const;
    std::optional<Errno> move_to(const GroupSpec& spec, std::uint32_t& joined, std::uint32_t wanted,
                                 std::vector<GroupChange>& changes) const;
    std::optional<Errno> update(Member& member, std::vector<GroupChange>& changes) const;
    [[nodiscard]] const Member* member_of(const Endpoint& group) const;
    void forget(std::vector<Member>::iterator member);

    os::Fd fd_;
    std::uint16_t port_;
    bool v4_;
    std::vector<Member> members_;
    std::vector<Datagram> received_;
    std::optional<Errno> fault_;
    Figures figures_;
    std::size_t taken_ = 0;
    std::uint32_t overrun_seen_ = 0;
};

class GroupSender {
public:
    // TTL 0 stays on this host, 1 on the network.
    [[nodiscard]] static Result<GroupSender, GroupFault> open(bool v4, int ttl);
    // By the interface of that number; 0: as the route goes.
    Result<Unit, GroupFault> send(Bytes bytes, const Endpoint& group, std::uint32_t interface);
    [[nodiscard]] const Endpoint& local() const { return local_; }

private:
    GroupSender(os::Fd fd, bool v4, const Endpoint& local) : fd_(std::move(fd)), v4_(v4), local_(local) {}
    os::Fd fd_;
    bool v4_;
    Endpoint local_;
};

// The interface that a GroupSpec's commands go out by: the named one, the route's, or loopback where there is no route.
[[nodiscard]] std::uint32_t sending_interface(const GroupSpec& spec);
// The interface's name where it was named by one of its addresses; else as it was named.
[[nodiscard]] std::string plain_interface(const std::string& named);
// Whether all that is heard by `narrow` is heard by `wide`: the same group, and the same interface however it is named,
// or loopback, which is listened to beside every other.
[[nodiscard]] bool hears_all_of(const GroupSpec& wide, const GroupSpec& narrow);
[[nodiscard]] bool is_multicast(const Endpoint& address);

}  // namespace hawser::control
