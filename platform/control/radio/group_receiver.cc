// SPDX-License-Identifier: MIT
#include "platform/control/radio/group_receiver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/linux/errno_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

GroupReceiver::GroupReceiver(Loop& loop, const Settings& settings, Handler handler, Notice notice)
    : loop_(loop),
      settings_(settings),
      handler_(std::move(handler)),
      notice_(std::move(notice)),
      batch_(settings.batch_datagrams, settings.datagram_bytes_max) {
    watch_interfaces();
}

GroupReceiver::~GroupReceiver() {
    for (const GroupSocket& s : sockets_) loop_.unwatch(s.fd());
    if (interfaces_) loop_.unwatch(interfaces_->fd());
}

void GroupReceiver::watch_interfaces() {
    auto opened = InterfaceWatch::open();
    if (!opened) {
        notice_("interfaces that come and go will not be noticed: " + os::errno_text(opened.error()));
        return;
    }
    interfaces_ = std::move(opened).value();
    loop_.watch(interfaces_->fd(), [this] {
        const auto changes = interfaces_->take();
        if (!changes.any) return;
        for (GroupSocket& s : sockets_)
            for (const GroupChange& c : s.refresh(changes.gone))
                notice_(c.fault ? c.fault->text()
                                : os::endpoint_text(c.group) + (c.is_joined ? " joined on " : " lost on ") +
                                      interface_name(c.interface));
        if (on_interfaces_) on_interfaces_();
    });
}

Result<MembershipId, GroupFault> GroupReceiver::join(const GroupSpec& spec) {
    const auto known = std::find_if(joined_.begin(), joined_.end(), [&](const Joined& j) { return j.spec == spec; });
    if (known != joined_.end()) {
        ++known->uses;
        return known->id;
    }
    const MembershipId id(++last_id_);
    const auto socket = join_somewhere(spec, id);
    if (!socket) return Failure{socket.error()};
    joined_.push_back({spec, id, *socket, 1});
    return id;
}

Result<GroupSocket*, GroupFault> GroupReceiver::join_somewhere(const GroupSpec& spec, MembershipId id) {
    const bool v4 = spec.group.is_v4();
    for (GroupSocket& s : sockets_) {
        if (s.is_v4() != v4 || s.port() != spec.group.port || s.has(spec.group)) continue;
        const auto joined = s.join(spec, id);
        if (joined) return &s;
        if (joined.error().error.value != ENOBUFS) return Failure{joined.error()};
    }
    auto opened = GroupSocket::open(spec.group.port, v4, settings_.receive_buffer_bytes);
    if (!opened) return Failure{opened.error()};
    GroupSocket socket = std::move(opened).value();
    if (const auto joined = socket.join(spec, id); !joined) return Failure{joined.error()};
    GroupSocket& kept = sockets_.emplace_back(std::move(socket));
    loop_.watch(kept.fd(), [this, &kept] { on_readable(kept); });
    return &kept;
}

// A socket without groups stays open for the next.
void GroupReceiver::leave(MembershipId id) {
    const auto found = std::find_if(joined_.begin(), joined_.end(), [&](const Joined& j) { return j.id == id; });
    if (found == joined_.end() || --found->uses != 0) return;
    found->socket->leave(id);
    joined_.erase(found);
}

GroupSocket::Figures GroupReceiver::figures() const {
    GroupSocket::Figures sum;
    for (const GroupSocket& s : sockets_) {
        const auto& f = s.figures();
        sum.datagrams += f.datagrams;
        sum.calls += f.calls;
        sum.truncated += f.truncated;
        sum.foreign += f.foreign;
        sum.overrun += f.overrun;
    }
    return sum;
}

void GroupReceiver::take_waiting(std::size_t batches_max) {
    for (GroupSocket& s : sockets_)
        for (std::size_t i = 0; i < batches_max && on_readable(s) == settings_.batch_datagrams; ++i) continue;
}

// Answers how many were taken off the socket, whatever became of them.
std::size_t GroupReceiver::on_readable(GroupSocket& socket) {
    const auto received = socket.receive(batch_);
    const std::size_t count = socket.taken();
    if (!received.empty()) handler_(received);
    if (const auto fault = socket.fault()) notice_("receiving: " + os::errno_text(*fault));
    return count;
}

}  // namespace hawser::control
