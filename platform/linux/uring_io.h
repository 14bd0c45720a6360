// SPDX-License-Identifier: MIT
// The Io model on io_uring: one multishot receive per socket into buffers of the pool, sends of a turn in the very
// system call that waits for the next one. Laws: engine/pump/io.h.
//  - A send that succeeds makes no completion (it would end the wait that submitted it); it never blocks, so its fate
//    is known when the enter returns, and then the references of all that were queued are given up.
//  - Every completion that is there after an enter is taken in that turn. The kernel holds at most buffers_held_max
//    buffers, which bounds the packets of a turn.
//  - Sockets go by descriptor: registered files saved nothing measurable, with a second thread in the process too.
//  - The thread that first opens or waits owns the model from then on. Create it on any thread.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/pool.h"
#include "engine/pump/io.h"
#include "platform/linux/address_memo.h"
#include "platform/linux/model_base.h"
#include "platform/linux/uring_ring.h"

namespace hawser::os {

struct UringOptions {
    std::uint32_t sockets_max = 1024;
    // A power of two. From 64 to 1024 the speed is the same; the longest burst between two turns is not. Halved until
    // it is a quarter of the pool at most. With joined_slot_bytes to a slot, joined_receives_max at most.
    std::uint32_t buffers_held_max = 512;
};

class UringIo : public ModelBase {
public:
    // The pool has at most 65536 slots (the kernel's buffer ids have 16 bits) of at least 2048 bytes; EINVAL otherwise.
    [[nodiscard]] static Result<std::unique_ptr<UringIo>, Errno> create(Pool& pool, UringOptions options = {});
    // What create() would meet on this host, without keeping anything.
    [[nodiscard]] static Result<Unit, Errno> probe() noexcept;

    ~UringIo();

    [[nodiscard]] Result<SocketId, Errno> open(const SocketSpec& spec) noexcept;
    void close(SocketId id) noexcept;

    void send(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept {
        if (!extend_run(id, packet)) begin_run(id, packet, to);
    }
    void keep_order(bool keep) noexcept { sends_.keep_order(keep); }
    [[nodiscard]] Turn wait(Instant deadline, Duration linger) noexcept;

private:
    struct Segments;  // message header and control of GSO sends
    UringIo(Pool& pool, const UringOptions& options, Ring ring, Fd wake_fd);

    void begin_run(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept;
    [[nodiscard]] bool start() noexcept;
    [[nodiscard]] io_uring_sqe& entry() noexcept;
    void submit_sends() noexcept;
    void submit_socket(std::uint16_t socket) noexcept;
    void submit_run(std::uint16_t socket, const Socket& s, std::uint16_t run) noexcept;
    void arm(std::uint16_t socket) noexcept;
    void arm_ended() noexcept;
    void arm_wake() noexcept;
    void enter(std::uint32_t wait_for, Instant deadline, std::uint32_t min_wait_us) noexcept;
    void take_unread() noexcept;
    void wait_once(Instant deadline, Duration linger) noexcept;
    void settle() noexcept;
    void top_up() noexcept;
    void reap() noexcept;
    void take_received(const io_uring_cqe& cqe) noexcept;
    void take_joined(BufferId buffer, std::uint32_t filled, ReceivedHead head) noexcept;
    void receive_ended(const io_uring_cqe& cqe) noexcept;
    void report_empty(std::uint16_t socket, const Socket& s) noexcept;
    void take_rare(const io_uring_cqe& cqe) noexcept;

    Ring ring_;
    SocketId queued_last_ = no_socket;  // in order: the connected socket whose run may still grow
    AddressMemo sources_;
    std::uint32_t buffers_held_ = 0;  // buffers in the kernel's hands
    std::uint32_t buffers_held_max_;
    std::unique_ptr<std::uint16_t[]> ended_;  // sockets whose receive has ended and is to be armed again
    std::uint32_t ended_count_ = 0;
    std::unique_ptr<Segments> segments_;
    bool started_ = false;
    std::uint64_t wake_value_ = 0;  // the kernel reads the eventfd into it
    msghdr receive_header_{};       // only its lengths matter to a multishot receive
    msghdr joined_header_{};        // the same for sockets that join segments
};

static_assert(Io<UringIo>);

}  // namespace hawser::os
