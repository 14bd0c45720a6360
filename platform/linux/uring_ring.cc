// SPDX-License-Identifier: MIT
#include "platform/linux/uring_ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/linux/clock.h"

namespace hawser::os {
namespace {

constexpr int buffer_group = 0;

std::size_t buffer_ring_bytes(std::uint32_t entries) noexcept { return entries * sizeof(io_uring_buf); }

Failure<Errno> failed(int negative_errno, const char* call) noexcept { return Failure{Errno{-negative_errno, call}}; }

}  // namespace

Result<Ring, Errno> Ring::create(const RingOptions& options) noexcept {
    Ring r;
    io_uring_params params{};
    // DEFER_TASKRUN (6.1) keeps completions out of the data path's way until it asks; SUBMIT_ALL sends the rest of a
    // batch when one entry is refused.
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = options.events_entries;
    if (const int e = ::io_uring_queue_init_params(options.sends_entries, &r.ring_, &params); e != 0)
        return failed(e, "io_uring_setup");
    r.made_ = true;
    r.enter_fd_ = r.ring_.ring_fd;

    constexpr unsigned needed =
        IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
    if ((r.ring_.features & needed) != needed) return failed(-EOPNOTSUPP, "io_uring features");
    if (const auto ok = r.check_operations(); !ok) return Failure{ok.error()};
    if (const auto ok = r.register_buffers(options.buffers); !ok) return Failure{ok.error()};
    // Entry i of the queue is always request i, so filling the queue needs no index.
    for (std::uint32_t i = 0; i < r.ring_.sq.ring_entries; ++i) r.ring_.sq.array[i] = i;
    return r;
}

Result<Unit, Errno> Ring::check_operations() noexcept {
    // Linux 6.1 brought SENDMSG_ZC together with what has no flag to ask for: multishot receive (6.0) and addresses
    // on a plain send (6.1).
    constexpr unsigned operations = IORING_OP_SENDMSG_ZC + 1;
    alignas(io_uring_probe) unsigned char room[sizeof(io_uring_probe) + operations * sizeof(io_uring_probe_op)] = {};
    auto* probe = reinterpret_cast<io_uring_probe*>(room);
    if (const int e = ::io_uring_register_probe(&ring_, probe, operations); e != 0)
        return failed(e, "io_uring_register(probe)");
    if (!::io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC)) return failed(-EOPNOTSUPP, "io_uring operations");
    return Unit{};
}

Result<Unit, Errno> Ring::register_buffers(std::uint32_t entries) noexcept {
    void* p = ::mmap(nullptr, buffer_ring_bytes(entries), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED) return Failure{Errno{errno, "mmap"}};
    buffers_ = static_cast<io_uring_buf_ring*>(p);
    buffer_entries_ = entries;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(p);
    registration.ring_entries = entries;
    registration.bgid = buffer_group;
    if (const int e = ::io_uring_register_buf_ring(&ring_, &registration, 0); e != 0)
        return failed(e, "io_uring_register(buffer ring)");
    return Unit{};
}

Ring::Ring(Ring&& other) noexcept { *this = std::move(other); }

Ring& Ring::operator=(Ring&& other) noexcept {
    std::swap(ring_, other.ring_);
    std::swap(buffers_, other.buffers_);
    std::swap(tail_, other.tail_);
    std::swap(submitted_, other.submitted_);
    std::swap(buffer_entries_, other.buffer_entries_);
    std::swap(buffers_tail_, other.buffers_tail_);
    std::swap(made_, other.made_);
    std::swap(enabled_, other.enabled_);
    std::swap(enter_fd_, other.enter_fd_);
    std::swap(enter_flags_, other.enter_flags_);
    return *this;
}

Ring::~Ring() {
    if (made_) ::io_uring_queue_exit(&ring_);
    if (buffers_ != nullptr) ::munmap(buffers_, buffer_ring_bytes(buffer_entries_));
}

Result<Unit, Errno> Ring::enable() noexcept {
    // liburing 2.3 declares io_uring_enable_rings but does not export it.
    if (::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0)
        return failed(-errno, "io_uring_register(enable)");
    enabled_ = true;
    // A wish: it spares the descriptor look-up of each enter.
    if (::io_uring_register_ring_fd(&ring_) == 1) {
        enter_fd_ = ring_.enter_ring_fd;
        enter_flags_ = IORING_ENTER_REGISTERED_RING;
    }
    return Unit{};
}

int Ring::enter(std::uint32_t wait_for, Instant deadline, std::uint32_t min_wait_us) noexcept {
    EnterArgument argument;
    timespec timeout;
    unsigned flags = enter_flags_ | IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (wait_for != 0) {
        argument.min_wait_us = min_wait_us;
        if (deadline != never) {
            std::int64_t ns = deadline.ns;
            if (has_min_timeout())
                flags |= enter_absolute_timer;
            else
                ns -= now().ns;
            timeout = to_timespec(ns);
            argument.timeout = reinterpret_cast<std::uint64_t>(&timeout);
        }
    }
    __atomic_store_n(ring_.sq.ktail, tail_, __ATOMIC_RELEASE);
    const long r =
        ::syscall(__NR_io_uring_enter, enter_fd_, tail_ - submitted_, wait_for, flags, &argument, sizeof argument);
    submitted_ = __atomic_load_n(ring_.sq.khead, __ATOMIC_ACQUIRE);
    return r < 0 ? -errno : 0;
}

void Ring::cancel_all() noexcept {
    io_uring_sync_cancel_reg r{};
    r.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    r.timeout.tv_sec = r.timeout.tv_nsec = -1;
    ::io_uring_register_sync_cancel(&ring_, &r);
}

}  // namespace hawser::os
