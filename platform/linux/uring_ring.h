// SPDX-License-Identifier: MIT
// One io_uring as UringIo needs it: set-up with named refusals, a submission queue that is filled without a check per
// entry, one enter that submits and waits, and the provided-buffer ring. Kernel constants that liburing 2.3 predates
// are defined here with the version that brought them.
// The ring is made disabled and belongs to the thread that calls enable().
#pragma once

#include <liburing.h>

#include <cstdint>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace hawser::os {

inline constexpr unsigned feature_min_timeout = 1u << 15;  // IORING_FEAT_MIN_TIMEOUT, Linux 6.12
inline constexpr unsigned enter_absolute_timer = 1u << 5;  // IORING_ENTER_ABS_TIMER, Linux 6.12

// struct io_uring_getevents_arg as Linux 6.12 has it; before, min_wait_us was padding that must be zero.
struct EnterArgument {
    std::uint64_t signal_mask = 0;
    std::uint32_t signal_mask_bytes = 0;
    std::uint32_t min_wait_us = 0;
    std::uint64_t timeout = 0;
};
static_assert(sizeof(EnterArgument) == 24);

struct RingOptions {
    std::uint32_t sends_entries = 1024;   // submission queue, a power of two
    std::uint32_t events_entries = 8192;  // completion queue, a power of two
    std::uint32_t buffers = 512;          // provided buffers, a power of two
};

class Ring {
public:
    // Errno::call says what was refused: "io_uring_setup" (EPERM, ENOSYS, EINVAL, ENOMEM), "io_uring features",
    // "io_uring operations" (kernel before 6.1), "io_uring_register(...)".
    [[nodiscard]] static Result<Ring, Errno> create(const RingOptions& options) noexcept;

    Ring(Ring&& other) noexcept;
    Ring& operator=(Ring&& other) noexcept;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring();

    [[nodiscard]] bool has_min_timeout() const noexcept { return (ring_.features & feature_min_timeout) != 0; }
    [[nodiscard]] bool is_enabled() const noexcept { return enabled_; }
    // On the thread that will use the ring from now on.
    [[nodiscard]] Result<Unit, Errno> enable() noexcept;

    [[nodiscard]] bool sends_full() const noexcept { return tail_ - submitted_ == ring_.sq.ring_entries; }
    [[nodiscard]] std::uint32_t pending() const noexcept { return tail_ - submitted_; }
    // A cleared entry. Call only when not sends_full().
    [[nodiscard]] io_uring_sqe& next_entry() noexcept {
        io_uring_sqe& sqe = ring_.sq.sqes[tail_++ & (ring_.sq.ring_entries - 1)];
        __builtin_memset(&sqe, 0, sizeof sqe);
        return sqe;
    }
    // Submits all entries, runs deferred work, and waits for wait_for completions until `deadline` (never: without
    // end; ignored when wait_for is 0), at least min_wait_us where the kernel can and wait_for is above 1.
    // Returns 0 or a negative errno; -ETIME and -EINTR are ends of a wait like any other.
    int enter(std::uint32_t wait_for, Instant deadline, std::uint32_t min_wait_us) noexcept;

    // Completions: from head to tail, then advance.
    [[nodiscard]] std::uint32_t head() const noexcept { return *ring_.cq.khead; }
    [[nodiscard]] std::uint32_t tail() const noexcept { return __atomic_load_n(ring_.cq.ktail, __ATOMIC_ACQUIRE); }
    [[nodiscard]] const io_uring_cqe& completion(std::uint32_t at) const noexcept {
        return ring_.cq.cqes[at & (ring_.cq.ring_entries - 1)];
    }
    void advance_to(std::uint32_t head) noexcept { __atomic_store_n(ring_.cq.khead, head, __ATOMIC_RELEASE); }
    [[nodiscard]] bool has_overflow() const noexcept {
        return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
    }

    // Provided buffers: add some, then publish them at once.
    void add_buffer(std::uint8_t* data, std::uint32_t bytes, std::uint16_t id) noexcept {
        io_uring_buf& b = buffers_->bufs[buffers_tail_++ & (buffer_entries_ - 1)];
        b.addr = reinterpret_cast<std::uint64_t>(data);
        b.len = bytes;
        b.bid = id;
    }
    void publish_buffers() noexcept {
        __atomic_store_n(&buffers_->tail, static_cast<std::uint16_t>(buffers_tail_), __ATOMIC_RELEASE);
    }

    // The ids of the last `count` buffers added: those that no completion has named, when all requests have ended.
    template <class Visit>
    void visit_latest_buffers(std::uint32_t count, Visit visit) const noexcept {
        for (std::uint32_t i = buffers_tail_ - count; i != buffers_tail_; ++i)
            visit(buffers_->bufs[i & (buffer_entries_ - 1)].bid);
    }

    // Ends every request; their completions are in the queue after the next enter.
    void cancel_all() noexcept;

private:
    Ring() = default;
    [[nodiscard]] Result<Unit, Errno> check_operations() noexcept;
    [[nodiscard]] Result<Unit, Errno> register_buffers(std::uint32_t entries) noexcept;

    io_uring ring_{};
    io_uring_buf_ring* buffers_ = nullptr;
    std::uint32_t tail_ = 0;       // submission entries filled
    std::uint32_t submitted_ = 0;  // of them, taken by the kernel
    std::uint32_t buffer_entries_ = 0;
    std::uint32_t buffers_tail_ = 0;  // its low 16 bits are what the kernel sees
    bool made_ = false;
    bool enabled_ = false;
    int enter_fd_ = -1;
    unsigned enter_flags_ = 0;
};

}  // namespace hawser::os
