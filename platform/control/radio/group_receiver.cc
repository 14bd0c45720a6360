// SPDX-License-Identifier: MIT
#include "platform/control/radio/group_receiver.h"

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
                notice_(os::endpoint_text(c.group) + (c.is_joined ? " joined on " : " lost on ") +
                        interface_name(c.interface));
    });
}

Result<Unit, GroupFault> GroupReceiver::join(const GroupSpec& spec) {
    // Known already: it stays with its socket.
    leave(spec.group);
    const bool v4 = spec.group.is_v4();
    for (GroupSocket& s : sockets_) {
        if (s.is_v4() != v4) continue;
        auto joined = s.join(spec);
        if (joined || joined.error().error.value != ENOBUFS) return joined;
    }
    auto opened = GroupSocket::open(settings_.port, v4, settings_.receive_buffer_bytes);
    if (!opened) return Failure{opened.error()};
    GroupSocket socket = std::move(opened).value();
    auto joined = socket.join(spec);
    if (!joined) return joined;
    GroupSocket& kept = sockets_.emplace_back(std::move(socket));
    loop_.watch(kept.fd(), [this, &kept] { on_readable(kept); });
    return joined;
}

void GroupReceiver::leave(const Endpoint& group) {
    for (GroupSocket& s : sockets_) s.leave(group);
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

// Answers how many came.
std::size_t GroupReceiver::on_readable(GroupSocket& socket) {
    const auto received = socket.receive(batch_);
    const std::size_t count = received.size();
    if (count != 0) handler_(received);
    if (const auto fault = socket.fault()) notice_("receiving: " + os::errno_text(*fault));
    return count;
}

}  // namespace hawser::control
