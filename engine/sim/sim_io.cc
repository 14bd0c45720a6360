// SPDX-License-Identifier: MIT
#include "engine/sim/sim_io.h"

#include <algorithm>
#include <cerrno>

namespace hawser::sim {

SimIo::~SimIo() {
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        if (sockets_[i].open) close(SocketId(static_cast<std::uint16_t>(i)));
    for (const Unsent& u : unsent_) pool_.release(u.packet.buffer);
    for (const Completion& c : refused_) pool_.release(c.packet.buffer);
}

Result<SocketId, Errno> SimIo::open(const SocketSpec& spec) noexcept {
    ++counters_.system_calls;
    const auto opened = world_.open(host_, spec, inbox_);
    if (!opened) return Failure{opened.error()};
    const auto is_free = [](const Socket& s) { return !s.open && !s.named; };
    auto slot = std::find_if(sockets_.begin(), sockets_.end(), is_free);
    if (slot == sockets_.end()) slot = sockets_.insert(slot, Socket{});
    *slot = Socket{*opened, spec.tag, spec.connected, true, false};
    return SocketId(static_cast<std::uint16_t>(slot - sockets_.begin()));
}

void SimIo::close(SocketId socket) noexcept {
    Socket& s = sockets_[socket.index()];
    HAWSER_CHECK(s.open);
    ++counters_.system_calls;
    world_.close(s.handle);
    s.open = false;
    s.named = true;
    std::erase_if(unsent_, [&](const Unsent& u) {
        if (u.socket != socket) return false;
        pool_.release(u.packet.buffer);
        return true;
    });
    std::erase_if(refused_, [&](const Completion& c) {
        if (c.socket != socket) return false;
        pool_.release(c.packet.buffer);
        return true;
    });
}

Endpoint SimIo::local(SocketId socket) noexcept {
    const Socket& s = sockets_[socket.index()];
    return s.open ? world_.local(s.handle) : Endpoint{};
}

std::uint32_t SimIo::payload_bytes_max(SocketId socket) noexcept {
    const Socket& s = sockets_[socket.index()];
    return s.open ? world_.payload_bytes_max(s.handle) : 0;
}

void SimIo::send(SocketId socket, PacketRef packet, const Endpoint* to) noexcept {
    const Socket& s = sockets_[socket.index()];
    HAWSER_CHECK(!s.open || s.connected == (to == nullptr));
    pool_.add_ref(packet.buffer);
    unsent_.push_back(Unsent{socket, packet, to != nullptr ? *to : Endpoint{}});
}

void SimIo::flush() noexcept {
    for (; !unsent_.empty(); unsent_.pop_front()) {
        const Unsent& u = unsent_.front();
        const Socket& s = sockets_[u.socket.index()];
        const int error = s.open ? world_.send(s.handle, s.connected ? nullptr : &u.to, pool_.bytes(u.packet)) : EBADF;
        if (error == 0) {
            pool_.release(u.packet.buffer);
            continue;
        }
        // The reference goes to the completion.
        refused_.push_back(Completion{Completion::Kind::send_failed, u.socket, s.tag, u.packet, error, u.to});
    }
}

Instant SimIo::due() const noexcept {
    if (!waiting_ || woken_ || !refused_.empty()) return world_.now();
    const bool arrived = !inbox_.empty() && (pool_.free_slots() > 0 || inbox_.front().datagram.error != 0);
    return arrived ? std::min(deadline_, waiting_since_ + linger_) : deadline_;
}

Turn SimIo::wait(Instant deadline, Duration linger) noexcept {
    ++counters_.waits;
    ++counters_.system_calls;
    completions_.clear();
    for (Socket& s : sockets_) s.named = false;
    flush();
    if (stepped_ && granted_) {
        granted_ = waiting_ = false;
        collect();
        return Turn{world_.now(), completions_};
    }
    deadline_ = deadline;
    linger_ = has_unread_ ? Duration{} : linger;
    waiting_since_ = world_.now();
    waiting_ = true;
    if (stepped_) return Turn{world_.now(), {}};
    // Even a wait that only looks sees what arrives at this very instant.
    while (world_.next() <= world_.now()) world_.step(world_.now());
    while (due() > world_.now()) world_.step(due());
    waiting_ = false;
    collect();
    return Turn{world_.now(), completions_};
}

SocketId SimIo::socket_of(Handle handle) const noexcept {
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        if (sockets_[i].open && sockets_[i].handle == handle) return SocketId(static_cast<std::uint16_t>(i));
    return no_socket;
}

void SimIo::collect() noexcept {
    take_arrived();
    has_unread_ = !inbox_.empty();
}

void SimIo::take_arrived() noexcept {
    if (woken_) completions_.push_back(Completion{});
    woken_ = false;
    for (; !refused_.empty() && completions_.size() < completions_max; refused_.pop_front())
        completions_.push_back(refused_.front());
    for (; !inbox_.empty() && completions_.size() < completions_max; inbox_.pop_front()) {
        const Arrival& a = inbox_.front();
        const SocketId socket = socket_of(a.socket);
        HAWSER_CHECK(socket != no_socket);
        Completion c;
        c.socket = socket;
        c.tag = sockets_[socket.index()].tag;
        c.from = a.datagram.from;
        c.error = a.datagram.error;
        c.kind = c.error != 0 ? Completion::Kind::broken : Completion::Kind::received;
        if (c.error == 0) {
            const BufferId buffer = pool_.take();
            if (buffer == no_buffer) {
                ++counters_.receive_starved;
                return;
            }
            const std::size_t length =
                std::min<std::size_t>(a.datagram.bytes.size(), pool_.slot_bytes() - receive_offset);
            std::copy_n(a.datagram.bytes.begin(), length, pool_.data(buffer) + receive_offset);
            c.packet = PacketRef{buffer, receive_offset, static_cast<std::uint16_t>(length)};
        }
        completions_.push_back(c);
        world_.took(a);
    }
}

}  // namespace hawser::sim
