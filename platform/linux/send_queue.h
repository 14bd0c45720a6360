// SPDX-License-Identifier: MIT
// The sends of one turn: an array in order of arrival, and within it one chain per socket, so that a flush visits each
// socket once and finds its packets in order. Each entry owns a reference; whoever empties the queue gives them up.
// run_length() cuts a chain into what one UDP GSO send may carry.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/pool.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/sockets.h"

namespace hawser::os {

struct QueuedSend {
    PacketRef packet;  // buffer becomes no_buffer when its reference has moved to a completion
    std::uint16_t next = no_send;
    std::uint16_t socket = no_socket.value;
};
static_assert(sizeof(QueuedSend) == 12);

// UDP_MAX_SEGMENTS of Linux before 6.9 (then 128).
inline constexpr std::uint32_t segments_max = 64;
// Largest UDP payload over IPv4: 65535 - 20 - 8.
inline constexpr std::uint32_t segmented_bytes_max = 65507;

class SendQueue {
public:
    // Most sends between two flushes; at the bound a model flushes early. A turn's 512 packets, and as many again.
    static constexpr std::uint32_t capacity = 1024;

    SendQueue(Pool& pool, std::uint32_t sockets_max)
        : pool_(pool),
          sends_(std::make_unique<QueuedSend[]>(capacity)),
          addresses_(std::make_unique<SocketAddress[]>(capacity)),
          dirty_(std::make_unique<std::uint16_t[]>(sockets_max < capacity ? sockets_max : capacity)) {}

    [[nodiscard]] Pool& pool() noexcept { return pool_; }
    [[nodiscard]] bool full() const noexcept { return count_ == capacity; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] QueuedSend& operator[](std::size_t i) noexcept { return sends_[i]; }
    [[nodiscard]] SocketAddress& address(std::size_t i) noexcept { return addresses_[i]; }
    [[nodiscard]] std::uint32_t dirty_count() const noexcept { return dirty_count_; }
    [[nodiscard]] std::uint16_t dirty(std::size_t i) const noexcept { return dirty_[i]; }

    // Call only when not full(), for an open socket; `to` is null exactly on a connected one.
    void push(SocketId id, Socket& socket, PacketRef packet, const Endpoint* to) noexcept {
        pool_.add_ref(packet.buffer);
        const auto index = static_cast<std::uint16_t>(count_++);
        sends_[index] = QueuedSend{packet, no_send, id.value};
        if (to != nullptr) to_sockaddr(*to, socket.is_v4 ? AF_INET : AF_INET6, addresses_[index]);
        if (socket.first_send == no_send) {
            socket.first_send = index;
            dirty_[dirty_count_++] = id.value;
        } else {
            sends_[socket.last_send].next = index;
        }
        socket.last_send = index;
    }

    // How many of the chain from `first` on one GSO send may carry: equal lengths, the last one may be shorter.
    [[nodiscard]] std::uint32_t run_length(const Socket& socket, std::uint16_t first) const noexcept {
        const std::uint32_t segment = sends_[first].packet.length;
        std::uint16_t next = sends_[first].next;
        // An empty datagram is no segment; segment_bytes_max is 0 where GSO is refused or the socket not connected.
        if (next == no_send || segment > socket.segment_bytes_max || segment == 0) return 1;
        std::uint32_t count = 1;
        std::uint32_t room = segmented_bytes_max - segment;
        while (next != no_send && count < segments_max) {
            const std::uint32_t length = sends_[next].packet.length;
            if (length > segment || length == 0 || length > room) break;
            room -= length;
            ++count;
            if (length < segment) break;
            next = sends_[next].next;
        }
        return count;
    }

    // Gives up every reference that has not moved to a completion.
    void clear() noexcept {
        for (std::uint32_t i = 0; i < count_; ++i)
            if (sends_[i].packet.buffer != no_buffer) pool_.release(sends_[i].packet.buffer);
        count_ = 0;
        dirty_count_ = 0;
    }
    // Drops what a socket has queued, when it is closed. Its entries stay in the array without a packet.
    void forget(Socket& socket) noexcept {
        for (std::uint16_t i = socket.first_send; i != no_send; i = sends_[i].next) {
            pool_.release(sends_[i].packet.buffer);
            sends_[i].packet.buffer = no_buffer;
        }
        socket.first_send = socket.last_send = no_send;
    }

private:
    Pool& pool_;
    std::uint32_t count_ = 0;
    std::uint32_t dirty_count_ = 0;
    std::unique_ptr<QueuedSend[]> sends_;
    std::unique_ptr<SocketAddress[]> addresses_;
    std::unique_ptr<std::uint16_t[]> dirty_;
};

}  // namespace hawser::os
