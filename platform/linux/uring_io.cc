// SPDX-License-Identifier: MIT
#include "platform/linux/uring_io.h"

#include <netinet/udp.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/linux/joined.h"
#include "platform/linux/packet_calls.h"
#include "platform/linux/send_retry.h"
#include "platform/linux/socket.h"

namespace hawser::os {
namespace {

// user_data of a request: what it is, and for whom.
//   receive      kind 0 | generation (16) | socket (16)
//   send         kind 1 | run (16) | socket (16)
//   wake, other  kind
constexpr std::uint64_t kind_shift = 56;
constexpr std::uint64_t kind_receive = 0;
constexpr std::uint64_t kind_send = 1;
constexpr std::uint64_t kind_wake = 2;
constexpr std::uint64_t kind_cancel = 3;

std::uint64_t receive_data(std::uint16_t socket, std::uint16_t generation) noexcept {
    return std::uint64_t{generation} << 16 | socket;
}
std::uint64_t send_data(std::uint16_t socket, std::uint16_t run) noexcept {
    return kind_send << kind_shift | std::uint64_t{run} << 16 | socket;
}

// What a multishot recvmsg writes before the payload: its own header, then the room asked for the name.
constexpr std::uint32_t name_bytes = sizeof(sockaddr_in6);
constexpr std::uint32_t payload_offset = sizeof(io_uring_recvmsg_out) + name_bytes;
// With the control message of a socket that joins segments. A receive of more bytes than remain in the slot is cut.
constexpr std::uint32_t joined_payload_offset = payload_offset + joined_control_bytes;

// Stands in for "never" where the kernel wants some timeout.
constexpr Duration far_away{3'600'000'000'000};
constexpr int submission_tries_max = 1000;  // untuned
// Above what a linger can gather, so that only its end ends it.
constexpr std::uint32_t wait_for_company = 4096;

// What one flush can report at most: a broken beside each send, a turn's packets, two errors per socket, one wake.
std::uint32_t flush_completions_max(const UringOptions& o, const Pool& pool) noexcept {
    const std::uint32_t packets = can_join(pool) ? joined_packets_max : o.buffers_held_max;
    return 2 * SendQueue::capacity + packets + 2 * o.sockets_max + 16;
}

}  // namespace

struct UringIo::Segments {
    struct Message {
        msghdr header{};
        SegmentControl control;
    };
    Message messages[SendQueue::capacity / 2];  // a run has at least two packets
    std::uint32_t count = 0;

    Segments() {
        for (Message& m : messages) {
            m.header.msg_control = m.control.bytes;
            m.header.msg_controllen = sizeof m.control.bytes;
        }
    }
};

Result<std::unique_ptr<UringIo>, Errno> UringIo::create(Pool& pool, UringOptions options) {
    if (pool.slots() > 65536 || pool.slot_bytes() < 2048) return Failure{Errno{EINVAL, "pool for io_uring"}};
    if (can_join(pool)) options.buffers_held_max = std::min(options.buffers_held_max, joined_receives_max);
    // A quarter of a small pool at most: the rest is for what is being sent and kept.
    while (options.buffers_held_max > 8 && options.buffers_held_max > pool.slots() / 4) options.buffers_held_max /= 2;
    auto ring = Ring::create({.buffers = options.buffers_held_max});
    if (!ring) return Failure{ring.error()};
    // Blocking on purpose: a read of a non-blocking descriptor would not wait in the ring.
    auto wake_fd = open_wake_fd(0);
    if (!wake_fd) return Failure{wake_fd.error()};
    return std::unique_ptr<UringIo>(new UringIo(pool, options, std::move(*ring), std::move(*wake_fd)));
}

Result<Unit, Errno> UringIo::probe() noexcept {
    const auto ring = Ring::create({.sends_entries = 8, .events_entries = 16, .buffers = 8});
    if (!ring) return Failure{ring.error()};
    return Unit{};
}

UringIo::UringIo(Pool& pool, const UringOptions& options, Ring ring, Fd wake_fd)
    : ModelBase(pool, std::move(wake_fd), options.sockets_max, flush_completions_max(options, pool)),
      ring_(std::move(ring)),
      buffers_held_max_(options.buffers_held_max),
      ended_(std::make_unique<std::uint16_t[]>(options.sockets_max)),
      segments_(std::make_unique<Segments>()) {
    receive_header_.msg_namelen = name_bytes;
    joined_header_.msg_namelen = name_bytes;
    joined_header_.msg_controllen = joined_control_bytes;
}

UringIo::~UringIo() {
    if (started_) {
        ring_.cancel_all();
        ring_.enter(0, never, 0);
    }
    reap();
    ring_.visit_latest_buffers(buffers_held_, [this](std::uint16_t id) { pool_.release(BufferId(id)); });
}

// On the thread that keeps the model.
bool UringIo::start() noexcept {
    if (started_) return true;
    if (!ring_.enable()) return false;
    started_ = true;
    arm_wake();
    top_up();
    return true;
}

Result<SocketId, Errno> UringIo::open(const SocketSpec& spec) noexcept {
    if (!start()) return Failure{Errno{EPERM, "io_uring_register(enable)"}};
    const auto id = open_socket(spec);
    if (id) arm(id->value);
    return id;
}

void UringIo::close(SocketId id) noexcept {
    if (!sockets_.is_open(id)) return;
    const Socket& s = sockets_[id.index()];
    // The receive holds the descriptor open until its end has run, which the same enter does. Its arming may be queued
    // still, before this.
    if (s.is_receiving) {
        io_uring_sqe& sqe = entry();
        sqe.opcode = IORING_OP_ASYNC_CANCEL;
        sqe.addr = receive_data(id.value, s.generation);
        sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
        sqe.user_data = kind_cancel << kind_shift;
    }
    // Sends may be prepared too, and name the descriptor.
    if (ring_.pending() != 0) enter(0, never, 0);
    const auto end = std::remove(ended_.get(), ended_.get() + ended_count_, id.value);
    ended_count_ = static_cast<std::uint32_t>(end - ended_.get());
    close_socket(id);
}

void UringIo::begin_run(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept {
    if (!can_begin_run(id)) [[unlikely]] {
        if (!can_after_flush(id, packet, to)) return;
        submit_sends();
        enter(0, never, 0);
        settle();
    }
    Socket& s = sockets_[id.index()];
    if (sends_.keeps_order() & s.connected) {
        // The run before it is complete.
        if (queued_last_ != no_socket) submit_socket(queued_last_.value);
        queued_last_ = id;
    }
    sends_.begin_run(id, s, packet, to);
}

io_uring_sqe& UringIo::entry() noexcept {
    if (ring_.sends_full()) [[unlikely]]
        enter(0, never, 0);
    return ring_.next_entry();
}

void UringIo::submit_sends() noexcept {
    for (std::uint32_t i = 0; i < sends_.dirty_count(); ++i) submit_socket(sends_.dirty(i));
    queued_last_ = no_socket;
}

void UringIo::submit_socket(std::uint16_t socket) noexcept {
    Socket& s = sockets_[socket];
    for (std::uint16_t run = sends_.take_runs(s); run != no_run; run = sends_.next(run)) submit_run(socket, s, run);
}

void UringIo::submit_run(std::uint16_t socket, const Socket& s, std::uint16_t run) noexcept {
    iovec* const vectors = sends_.vectors(run);
    const std::uint32_t length = sends_.length(run);
    io_uring_sqe& sqe = entry();
    sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
    sqe.fd = s.fd;
    sqe.msg_flags = send_flags;
    sqe.user_data = send_data(socket, run);
    if (length == 1) {
        sqe.opcode = IORING_OP_SEND;
        sqe.addr = reinterpret_cast<std::uint64_t>(vectors->iov_base);
        sqe.len = static_cast<std::uint32_t>(vectors->iov_len);
        if (!s.connected) {
            sqe.addr2 = reinterpret_cast<std::uint64_t>(&sends_.address(run));
            sqe.addr_len = s.is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        }
        return;
    }
    Segments::Message& m = segments_->messages[segments_->count++];
    m.control.set(vectors->iov_len);
    m.header.msg_iov = vectors;
    m.header.msg_iovlen = length;
    sqe.opcode = IORING_OP_SENDMSG;
    sqe.addr = reinterpret_cast<std::uint64_t>(&m.header);
    sqe.len = 1;
    ++counters_.segmented_sends;
}

void UringIo::arm(std::uint16_t socket) noexcept {
    Socket& s = sockets_[socket];
    io_uring_sqe& sqe = entry();
    sqe.flags = IOSQE_BUFFER_SELECT;
    sqe.fd = s.fd;
    sqe.ioprio = IORING_RECV_MULTISHOT;
    sqe.buf_group = 0;
    if (s.connected && !s.joins_segments) {
        sqe.opcode = IORING_OP_RECV;
    } else {
        sqe.opcode = IORING_OP_RECVMSG;
        sqe.addr = reinterpret_cast<std::uint64_t>(s.joins_segments ? &joined_header_ : &receive_header_);
        sqe.len = 1;
    }
    sqe.user_data = receive_data(socket, s.generation);
    s.is_receiving = true;
}

// Without a buffer in the kernel's hands an armed receive would end at once.
void UringIo::arm_ended() noexcept {
    if (ended_count_ == 0 || buffers_held_ == 0) return;
    for (std::uint32_t i = 0; i < ended_count_; ++i) arm(ended_[i]);
    ended_count_ = 0;
}

void UringIo::arm_wake() noexcept {
    io_uring_sqe& sqe = entry();
    sqe.opcode = IORING_OP_READ;
    sqe.fd = wake_fd_.get();
    sqe.addr = reinterpret_cast<std::uint64_t>(&wake_value_);
    sqe.len = sizeof wake_value_;
    sqe.user_data = kind_wake << kind_shift;
}

void UringIo::enter(std::uint32_t wait_for, Instant deadline, std::uint32_t min_wait_us) noexcept {
    ++counters_.system_calls;
    ring_.enter(wait_for, deadline, min_wait_us);
    // The kernel stops short when it has no memory for a request, or completions that found no room in the queue.
    for (int tries = 0; ring_.pending() != 0; ++tries) {
        HAWSER_CHECK(tries < submission_tries_max);
        ++counters_.system_calls;
        reap();
        ring_.enter(0, never, 0);
    }
}

// After an enter: takes all completions, gives up what was sent, and hands the kernel new buffers.
void UringIo::settle() noexcept {
    reap();
    sends_.clear();
    segments_->count = 0;
    top_up();
}

Turn UringIo::wait(Instant deadline, Duration linger) noexcept {
    const bool is_started = start();
    HAWSER_CHECK(is_started);
    sockets_.recycle();
    submit_sends();
    // A receive that ran out of buffers has left packets behind: take them, and do not sleep.
    bool has_unread = ended_count_ != 0;
    for (;;) {
        arm_ended();
        if (std::exchange(has_unread, false) && ended_count_ == 0) [[unlikely]]
            take_unread();
        else
            wait_once(deadline, linger);
        settle();
        const Instant at = os::now();
        const bool is_starved = ended_count_ != 0 && buffers_held_ == 0;
        if (completions_.count() != 0 || at >= deadline || is_starved) return Turn{at, completions_.take()};
        linger = Duration{};
    }
}

// An enter that is content with one completion stops in the middle of a long queue; one that wants many does not.
void UringIo::take_unread() noexcept {
    ++counters_.waits;
    enter(wait_for_company, os::now(), 0);
}

void UringIo::wait_once(Instant deadline, Duration linger) noexcept {
    ++counters_.waits;
    const bool is_starved = ended_count_ != 0;
    if (completions_.count() != 0 || (is_starved && !sends_.empty())) [[unlikely]] {
        enter(0, never, 0);
        return;
    }
    if (is_starved) [[unlikely]] {
        enter(1, std::min(deadline, os::now() + starved_wait_max), 0);
        return;
    }
    if (linger.ns <= 0) {
        enter(1, deadline, 0);
        return;
    }
    const Instant at = os::now();
    const Instant linger_end = std::min(deadline, at + linger);
    if (!ring_.has_min_timeout()) {
        enter(wait_for_company, linger_end, 0);
        return;
    }
    // A least wait counts only beside a timeout.
    const Instant end = deadline == never ? at + far_away : deadline;
    enter(wait_for_company, end, static_cast<std::uint32_t>(std::max<std::int64_t>((linger_end - at).us(), 0)));
}

void UringIo::top_up() noexcept {
    const std::uint32_t count = std::min(buffers_held_max_ - buffers_held_, pool_.free_slots());
    if (count == 0) return;
    const std::uint32_t bytes = pool_.slot_bytes();
    pool_.take_each(count, [&](BufferId id, std::uint8_t* data) {
        ring_.add_buffer(data, bytes, static_cast<std::uint16_t>(id.value));
    });
    ring_.publish_buffers();
    buffers_held_ += count;
}

void UringIo::reap() noexcept {
    if (ring_.has_overflow()) [[unlikely]]
        ++counters_.completion_overflows;
    std::uint32_t head = ring_.head();
    const std::uint32_t tail = ring_.tail();
    while (head != tail) {
        const io_uring_cqe& cqe = ring_.completion(head++);
        if ((cqe.user_data >> kind_shift) == kind_receive)
            take_received(cqe);
        else
            take_rare(cqe);
    }
    ring_.advance_to(head);
}

void UringIo::take_received(const io_uring_cqe& cqe) noexcept {
    const auto socket = static_cast<std::uint16_t>(cqe.user_data);
    const Socket& s = sockets_[socket];
    if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
        const BufferId buffer(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
        --buffers_held_;
        const bool is_current = s.generation == static_cast<std::uint16_t>(cqe.user_data >> 16);
        if (!is_current || cqe.res < 0) [[unlikely]] {
            pool_.release(buffer);
        } else if (s.joins_segments) {
            take_joined(buffer, static_cast<std::uint32_t>(cqe.res), ReceivedHead(SocketId(socket), s.tag));
        } else {
            Completion& c = completions_.append();
            ReceivedHead(SocketId(socket), s.tag).write(c);
            if (s.connected) {
                c.packet = PacketRef{buffer, 0, static_cast<std::uint16_t>(cqe.res)};
            } else {
                const std::uint32_t length = static_cast<std::uint32_t>(cqe.res) - payload_offset;
                c.packet = PacketRef{buffer, payload_offset, static_cast<std::uint16_t>(length)};
                sources_.read(pool_.data(buffer) + sizeof(io_uring_recvmsg_out), c.from);
            }
        }
    }
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) [[unlikely]]
        receive_ended(cqe);
}

// A receive of `filled` bytes of a slot, on a socket that joins segments.
void UringIo::take_joined(BufferId buffer, std::uint32_t filled, ReceivedHead head) noexcept {
    const std::uint8_t* const data = pool_.data(buffer);
    io_uring_recvmsg_out out;
    __builtin_memcpy(&out, data, sizeof out);
    Endpoint from;
    sources_.read(data + sizeof out, from);
    const std::uint32_t segment = joined_segment(data + payload_offset, out.controllen);
    const std::uint32_t bytes = filled - joined_payload_offset;
    report_joined(head, buffer, joined_payload_offset, bytes, segment, from, pool_, completions_, counters_);
    // The last packet lacks its end.
    if ((out.flags & MSG_TRUNC) != 0) [[unlikely]]
        completions_.latest().packet = PacketRef{buffer, 0, too_long};
}

// A multishot receive ends at an error, an empty datagram, or without a buffer to receive into.
void UringIo::receive_ended(const io_uring_cqe& cqe) noexcept {
    const auto socket = static_cast<std::uint16_t>(cqe.user_data);
    Socket& s = sockets_[socket];
    if (s.generation != static_cast<std::uint16_t>(cqe.user_data >> 16) || !s.is_open) return;
    s.is_receiving = false;
    ended_[ended_count_++] = socket;
    ++counters_.receive_rearmed;
    if (cqe.res == 0 && (cqe.flags & IORING_CQE_F_BUFFER) == 0)
        report_empty(socket, s);
    else if (cqe.res == -ENOBUFS)
        ++counters_.receive_starved;
    else if (cqe.res < 0 && cqe.res != -ECANCELED && cqe.res != -EAGAIN && cqe.res != -EINTR)
        report_broken(SocketId(socket), s, -cqe.res, completions_);
}

// An empty datagram on a connected socket comes without a buffer.
void UringIo::report_empty(std::uint16_t socket, const Socket& s) noexcept {
    const BufferId buffer = pool_.take();
    if (buffer == no_buffer) {
        ++counters_.receive_starved;
        return;
    }
    Completion& c = completions_.append();
    c.kind = Completion::Kind::received;
    c.socket = SocketId(socket);
    c.tag = s.tag;
    c.packet = PacketRef{buffer, 0, 0};
}

void UringIo::take_rare(const io_uring_cqe& cqe) noexcept {
    if ((cqe.user_data >> kind_shift) == kind_send) {
        const auto socket = static_cast<std::uint16_t>(cqe.user_data);
        if (cqe.res >= 0 || !sockets_[socket].is_open) return;
        settle_refused(SocketId(socket), sockets_[socket], sends_, static_cast<std::uint16_t>(cqe.user_data >> 16),
                       -cqe.res, completions_, counters_);
        return;
    }
    // A cancel that came too late, or the read of the eventfd when the model ends.
    if (cqe.res < 0) return;
    report_woken();
    arm_wake();
}

}  // namespace hawser::os
