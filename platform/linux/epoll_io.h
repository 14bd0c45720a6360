// SPDX-License-Identifier: MIT
// The Io model on epoll: readiness is met with one recvmmsg per ready socket and turn, so that what leaves here is
// completions, as from io_uring. Sends of a turn go out with one sendmmsg (or send) per socket, or as they come where
// order is to be kept. Laws: engine/pump/io.h.
//  - A socket that still has datagrams after its batch is ready again in the next turn; none is read twice in one.
//  - A linger is slept before anything is polled, so that it costs one wake-up whatever arrives. After a turn that may
//    have left something unread there is none.
//  - A turn brings turn_packets_max packets at most, and what the last socket's receives had joined.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/pool.h"
#include "engine/pump/io.h"
#include "platform/linux/fd.h"
#include "platform/linux/model_base.h"
#include "platform/linux/packet_calls.h"

namespace hawser::os {

struct EpollOptions {
    std::uint32_t sockets_max = 1024;
};

class EpollIo : public ModelBase {
public:
    // The pool's slots have at least 2048 bytes; EINVAL otherwise.
    [[nodiscard]] static Result<std::unique_ptr<EpollIo>, Errno> create(Pool& pool, EpollOptions options = {});

    ~EpollIo();

    [[nodiscard]] Result<SocketId, Errno> open(const SocketSpec& spec) noexcept;
    void close(SocketId id) noexcept;

    void send(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept {
        if (sends_at_once_ && id != sent_last_ && sockets_.is_connected(id)) [[likely]] {
            send_at_once(id, packet);
        } else if (!extend_run(id, packet)) {
            begin_run(id, packet, to);
        }
    }
    void keep_order(bool keep) noexcept {
        sends_.keep_order(keep);
        update_way();
    }
    [[nodiscard]] Turn wait(Instant deadline, Duration linger) noexcept;

private:
    struct Incoming;
    struct Outgoing;
    EpollIo(Pool& pool, const EpollOptions& options, Fd epoll, Fd wake_fd);

    void begin_run(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept;
    void send_at_once(SocketId id, const PacketRef& packet) noexcept {
        sent_last_ = id;
        ++counters_.system_calls;
        if (send_packet(sockets_[id.index()].fd, pool_.data(packet), packet.length) < 0) [[unlikely]]
            settle_refused_packet(id, packet);
    }
    void end_held_run(SocketId next) noexcept;
    // A packet overtakes none of its own socket, and none that was queued in order. Where a turn gathers first and
    // keeps order then, it may overtake what other sockets have gathered.
    void update_way() noexcept {
        sends_at_once_ = sends_.keeps_order() && held_ == no_socket && !has_gathered_ && !finds_company_;
    }
    [[gnu::noinline]] void settle_refused_packet(SocketId id, const PacketRef& packet) noexcept;
    void flush() noexcept;
    void flush_socket(std::uint16_t socket) noexcept;
    void send_run(std::uint16_t socket, Socket& s, std::uint16_t run) noexcept;
    std::uint32_t gather(const Socket& s, std::uint16_t first) noexcept;
    void send_messages(std::uint16_t socket, Socket& s, std::uint32_t count) noexcept;
    std::uint32_t poll(Instant deadline) noexcept;
    void take_ready(std::uint32_t count) noexcept;
    [[nodiscard]] bool refill() noexcept;
    void fill(Completion* c, std::uint32_t count, mmsghdr* message, ReceivedHead head, bool is_named) noexcept;
    std::uint32_t split(std::uint32_t count, mmsghdr* message, ReceivedHead head) noexcept;
    std::uint32_t receive(std::uint16_t socket) noexcept;
    void take_wake() noexcept;

    Fd epoll_;
    std::unique_ptr<Incoming> in_;
    std::unique_ptr<Outgoing> out_;
    // Packets of connected sockets in their order. Each leaves at once while none has had company, which costs neither
    // a place in the queue nor a reference; else each is held back until the next one goes elsewhere.
    SocketId sent_last_ = no_socket;
    SocketId held_ = no_socket;   // whose run is queued
    bool has_gathered_ = false;   // runs are queued from before order was to be kept
    bool finds_company_ = false;  // the last run was of more than one packet
    bool sends_at_once_ = true;

    bool is_starved_ = false;       // the pool had no slot for a socket that is ready
    bool has_unread_ = false;       // the last poll's sockets, or one of them, may hold more
    bool has_precise_wait_ = true;  // epoll_pwait2, Linux 5.11
};

static_assert(Io<EpollIo>);

}  // namespace hawser::os
