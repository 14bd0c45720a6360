// SPDX-License-Identifier: MIT
// Listening to any number of groups: opens another GroupSocket for another port, for a group that the others have by
// another interface or from another source, and when the last has as many as the kernel allows. Watches them on the
// loop, and keeps them joined while interfaces come and go. Control thread only.
// One batch a turn and socket, so that a flood on one port does not keep the loop from the rest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "platform/control/interfaces.h"
#include "platform/control/loop.h"
#include "platform/control/radio/group_socket.h"

namespace hawser::control {

class GroupReceiver {
public:
    struct Settings {
        std::size_t batch_datagrams = 32;
        std::size_t datagram_bytes_max = status_bytes_max;
        std::uint32_t receive_buffer_bytes = group_receive_buffer_bytes;
    };
    using Handler = std::function<void(std::span<const Datagram>)>;
    // An interface that came or went, or a socket's sickness: one line for the operator.
    using Notice = std::function<void(const std::string&)>;

    GroupReceiver(Loop& loop, const Settings& settings, Handler handler, Notice notice);
    ~GroupReceiver();
    GroupReceiver(const GroupReceiver&) = delete;
    GroupReceiver& operator=(const GroupReceiver&) = delete;

    // The datagrams of what was joined have its number. What is joined already is joined once, until it was left as
    // often as it was joined.
    Result<MembershipId, GroupFault> join(const GroupSpec& spec);
    void leave(MembershipId id);
    // After interfaces, addresses or routes changed and the memberships with them. One function, empty for none.
    void on_interfaces(std::function<void()> function) { on_interfaces_ = std::move(function); }
    // What waits in the sockets now goes to the handler, at most so many batches of each. Not from the handler itself.
    void take_waiting(std::size_t batches_max);
    // Of all sockets together.
    [[nodiscard]] GroupSocket::Figures figures() const;
    [[nodiscard]] std::size_t socket_count() const { return sockets_.size(); }

private:
    struct Joined {
        GroupSpec spec;
        MembershipId id;
        GroupSocket* socket;
        std::size_t uses;
    };
    void watch_interfaces();
    std::size_t on_readable(GroupSocket& socket);
    Result<GroupSocket*, GroupFault> join_somewhere(const GroupSpec& spec, MembershipId id);

    Loop& loop_;
    Settings settings_;
    Handler handler_;
    Notice notice_;
    ReceiveBatch batch_;
    std::deque<GroupSocket> sockets_;
    std::vector<Joined> joined_;
    std::uint32_t last_id_ = 0;
    std::function<void()> on_interfaces_;
    std::optional<InterfaceWatch> interfaces_;
};

}  // namespace hawser::control
