// SPDX-License-Identifier: MIT
#include "engine/sim/trip_io.h"

#include <algorithm>

namespace hawser::sim {

Result<SocketId, Errno> TripIo::open(const SocketSpec& spec) noexcept {
    Socket s;
    s.local = spec.local;
    s.remote = spec.remote;
    s.tag = spec.tag;
    s.is_connected = spec.connected;
    s.is_open = true;
    if (s.local.port == 0) s.local.port = next_port_++;
    sockets_.push_back(s);
    return SocketId(static_cast<std::uint16_t>(sockets_.size() - 1));
}

void TripIo::close(SocketId socket) noexcept {
    sockets_[socket.index()].is_open = false;
    std::erase_if(inbox_, [&](const Completion& c) {
        if (c.socket != socket) return false;
        pool_.release(c.packet.buffer);
        return true;
    });
}

bool TripIo::deliver(std::uint16_t port, const Endpoint& from, PacketRef packet) noexcept {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        const Socket& s = sockets_[i];
        if (s.local.port != port || !s.is_open || (s.is_connected && !(s.remote == from))) continue;
        Completion& c = inbox_.emplace_back();
        c.kind = Completion::Kind::received;
        c.socket = SocketId(static_cast<std::uint16_t>(i));
        c.tag = s.tag;
        c.packet = packet;
        c.from = from;
        return true;
    }
    pool_.release(packet.buffer);
    return false;
}

Turn TripIo::wait(Instant deadline, Duration linger) noexcept {
    ++counters_.waits;
    if (!is_granted_) {
        deadline_ = deadline;
        linger_ = linger;
        since_ = clock_;
        return Turn{clock_, {}};
    }
    is_granted_ = false;
    completions_.clear();
    if (is_woken_) completions_.push_back(Completion{});
    is_woken_ = false;
    if (completions_.empty() && inbox_.size() <= completions_max) {
        std::swap(completions_, inbox_);
    } else {
        const std::size_t count = std::min(inbox_.size(), completions_max);
        const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(count);
        completions_.insert(completions_.end(), inbox_.begin(), end);
        inbox_.erase(inbox_.begin(), end);
    }
    return Turn{clock_, completions_};
}

}  // namespace hawser::sim
