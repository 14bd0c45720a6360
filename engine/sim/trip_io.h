// SPDX-License-Identifier: MIT
// The Io of one end of a trip: sockets by port, packets handed over by reference within the trip's one pool,
// completions in order of arrival. Nothing is copied on the way, so a trip costs little more than the bonds' own work.
//
// Between grants wait() only notes what is waited for; the trip runs the pump at due(). The laws are those of
// engine/pump/io.h; no send is ever refused, no socket fails to open.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/pool.h"
#include "engine/pump/io.h"

namespace hawser::sim {

class TripIo {
public:
    // Takes a datagram at once; adds a reference if it keeps it. `to` is the socket's peer where it is connected.
    struct Network {
        void* self = nullptr;
        void (*send)(void*, const Endpoint& from, const Endpoint& to, PacketRef packet) = nullptr;
    };

    TripIo(Pool& pool, const Instant& clock, Network network) : pool_(pool), clock_(clock), network_(network) {}
    ~TripIo() {
        for (const Completion& c : inbox_) pool_.release(c.packet.buffer);
    }
    TripIo(const TripIo&) = delete;
    TripIo& operator=(const TripIo&) = delete;

    Result<SocketId, Errno> open(const SocketSpec& spec) noexcept;
    void close(SocketId socket) noexcept;
    Endpoint local(SocketId socket) noexcept { return sockets_[socket.index()].local; }
    std::uint32_t payload_bytes_max(SocketId) noexcept { return 0; }
    void send(SocketId socket, PacketRef packet, const Endpoint* to) noexcept {
        const Socket& s = sockets_[socket.index()];
        if (s.is_open) network_.send(network_.self, s.local, to != nullptr ? *to : s.remote, packet);
    }
    void keep_order(bool) noexcept {}
    Turn wait(Instant deadline, Duration linger) noexcept;
    Instant now() noexcept { return clock_; }
    void wake() noexcept { is_woken_ = true; }
    const IoCounters& counters() const noexcept { return counters_; }

    // A datagram for the socket of this port; its reference comes along. False, and released, when there is none.
    bool deliver(std::uint16_t port, const Endpoint& from, PacketRef packet) noexcept;
    void grant() noexcept { is_granted_ = true; }
    [[nodiscard]] Instant due() const noexcept {
        if (is_woken_) return clock_;
        return inbox_.empty() ? deadline_ : std::min(deadline_, since_ + linger_);
    }

private:
    // As many as a busy wait of the kernel models reports.
    static constexpr std::size_t completions_max = 256;
    struct Socket {
        Endpoint local;
        Endpoint remote;
        std::uint32_t tag = 0;
        bool is_connected = false;
        bool is_open = false;
    };

    Pool& pool_;
    const Instant& clock_;
    Network network_;
    std::vector<Socket> sockets_;  // never used twice: a trip opens few
    std::vector<Completion> inbox_;
    std::vector<Completion> completions_;
    std::uint16_t next_port_ = 32768;
    IoCounters counters_;
    Instant deadline_{};
    Duration linger_{};
    Instant since_{};
    bool is_granted_ = false;
    bool is_woken_ = false;
};
static_assert(Io<TripIo>);

}  // namespace hawser::sim
