// SPDX-License-Identifier: MIT
#include "platform/linux/epoll_io.h"

#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "platform/linux/address_memo.h"
#include "platform/linux/joined.h"
#include "platform/linux/send_retry.h"
#include "platform/linux/socket.h"

namespace hawser::os {
namespace {

// Packets that one recvmmsg may bring: as many as one GSO send carries.
constexpr std::uint32_t batch_max = 64;
constexpr std::uint32_t events_max = 64;
constexpr std::uint32_t turn_packets_max = 512;
constexpr std::uint64_t wake_key = ~std::uint64_t{0};

// What one flush and one turn can report at most: a broken beside each send, the packets, an error per socket, a wake.
std::uint32_t flush_completions_max(const EpollOptions& o, const Pool& pool) noexcept {
    const std::uint32_t joined = can_join(pool) ? joined_packets_max : 0;
    return 2 * SendQueue::capacity + turn_packets_max + joined + o.sockets_max + 16;
}
static_assert(batch_max == joined_receives_max);

}  // namespace

// Slots are used from `begin` up and refilled from there down, so that the free ones are always one stretch.
struct EpollIo::Incoming {
    std::uint32_t begin = batch_max;
    BufferId buffers[batch_max];
    iovec vectors[batch_max];
    SocketAddress names[batch_max];
    mmsghdr named[batch_max];  // for sockets that are not connected
    mmsghdr plain[batch_max];
    mmsghdr joined[batch_max];  // for sockets that join segments
    struct Control {
        alignas(cmsghdr) unsigned char bytes[joined_control_bytes];
    } controls[batch_max];
    AddressMemo sources;
    epoll_event events[events_max];

    explicit Incoming(std::size_t slot_bytes)
        : buffers{}, vectors{}, names{}, named{}, plain{}, joined{}, controls{}, events{} {
        for (std::uint32_t i = 0; i < batch_max; ++i) {
            vectors[i].iov_len = slot_bytes;
            for (mmsghdr* m : {&named[i], &plain[i], &joined[i]}) {
                m->msg_hdr.msg_iov = &vectors[i];
                m->msg_hdr.msg_iovlen = 1;
            }
            for (mmsghdr* m : {&named[i], &joined[i]}) {
                m->msg_hdr.msg_name = &names[i];
                m->msg_hdr.msg_namelen = sizeof names[i];
            }
            joined[i].msg_hdr.msg_control = controls[i].bytes;
            joined[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
        }
    }
};

struct EpollIo::Outgoing {
    mmsghdr messages[SendQueue::capacity];
    SegmentControl controls[SendQueue::capacity];
    std::uint16_t runs[SendQueue::capacity];  // of each message

    Outgoing() : messages{}, controls{}, runs{} {}
};

Result<std::unique_ptr<EpollIo>, Errno> EpollIo::create(Pool& pool, EpollOptions options) {
    if (pool.slot_bytes() < 2048) return Failure{Errno{EINVAL, "pool for epoll"}};
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return Failure{Errno{errno, "epoll_create1"}};
    auto wake_fd = open_wake_fd(EFD_NONBLOCK);
    if (!wake_fd) return Failure{wake_fd.error()};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = wake_key;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake_fd->get(), &event) != 0) return Failure{Errno{errno, "epoll_ctl"}};
    return std::unique_ptr<EpollIo>(new EpollIo(pool, options, std::move(epoll), std::move(*wake_fd)));
}

EpollIo::EpollIo(Pool& pool, const EpollOptions& options, Fd epoll, Fd wake_fd)
    : ModelBase(pool, std::move(wake_fd), options.sockets_max, flush_completions_max(options, pool)),
      epoll_(std::move(epoll)),
      in_(std::make_unique<Incoming>(pool.slot_bytes())),
      out_(std::make_unique<Outgoing>()) {}

EpollIo::~EpollIo() { pool_.release_all(std::span(in_->buffers).subspan(in_->begin)); }

Result<SocketId, Errno> EpollIo::open(const SocketSpec& spec) noexcept {
    const auto id = open_socket(spec);
    if (!id) return id;
    const Socket& s = sockets_[id->index()];
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = std::uint64_t{s.generation} << 16 | id->value;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, s.fd, &event) != 0) {
        const int error = errno;
        sockets_.close(*id);
        return Failure{Errno{error, "epoll_ctl"}};
    }
    return id;
}

// Closing takes it out of the epoll set too: nobody else holds the descriptor.
void EpollIo::close(SocketId id) noexcept {
    if (!sockets_.is_open(id)) return;
    if (id == held_) held_ = no_socket;
    close_socket(id);
}

void EpollIo::begin_run(SocketId id, const PacketRef& packet, const Endpoint* to) noexcept {
    if (!can_begin_run(id)) [[unlikely]] {
        if (!can_after_flush(id, packet, to)) return;
        flush();
    }
    Socket& s = sockets_[id.index()];
    if (sends_.keeps_order() & s.connected) {
        if (!has_room_to_report()) [[unlikely]] {
            ++counters_.sends_dropped;
            return;
        }
        end_held_run(id);
        if (sends_at_once_) return send_at_once(id, packet);
        held_ = sent_last_ = id;
        sends_at_once_ = false;
    } else {
        has_gathered_ |= s.connected;
    }
    sends_.begin_run(id, s, packet, to);
}

// The packet in hand goes to `next` and is no part of the run that is held, if there is one.
void EpollIo::end_held_run(SocketId next) noexcept {
    if (held_ != no_socket) {
        finds_company_ = sends_.length(sockets_[held_.index()].last_run) > 1;
        flush_socket(held_.value);
        held_ = no_socket;
    } else if (next == sent_last_) {
        finds_company_ = true;
    }
    update_way();
}

void EpollIo::settle_refused_packet(SocketId id, const PacketRef& packet) noexcept {
    const int error = errno;
    if (sends_.full() || !has_room_to_report()) {
        ++counters_.sends_dropped;
        return;
    }
    Socket& s = sockets_[id.index()];
    sends_.begin_run(id, s, packet, nullptr);
    settle_refused(id, s, sends_, sends_.take_runs(s), error, completions_, counters_);
}

void EpollIo::flush() noexcept {
    for (std::uint32_t i = 0; i < sends_.dirty_count(); ++i) flush_socket(sends_.dirty(i));
    sends_.clear();
    held_ = no_socket;
    has_gathered_ = false;
    update_way();
}

void EpollIo::flush_socket(std::uint16_t socket) noexcept {
    Socket& s = sockets_[socket];
    const std::uint16_t first = sends_.take_runs(s);
    if (first == no_run) return;  // closed since
    if (s.connected && sends_.next(first) == no_run)
        send_run(socket, s, first);
    else
        send_messages(socket, s, gather(s, first));
}

// The usual case: all that a link has in a turn is one run.
void EpollIo::send_run(std::uint16_t socket, Socket& s, std::uint16_t run) noexcept {
    iovec* const vectors = sends_.vectors(run);
    const std::uint32_t length = sends_.length(run);
    ++counters_.system_calls;
    long sent;
    if (length == 1) {
        sent = send_packet(s.fd, vectors->iov_base, vectors->iov_len);
    } else {
        SegmentControl& control = out_->controls[0];
        control.set(vectors->iov_len);
        msghdr h{};
        h.msg_iov = vectors;
        h.msg_iovlen = length;
        h.msg_control = control.bytes;
        h.msg_controllen = sizeof control.bytes;
        ++counters_.segmented_sends;
        sent = send_message(s.fd, h);
    }
    if (sent < 0) [[unlikely]]
        settle_refused(SocketId(socket), s, sends_, run, errno, completions_, counters_);
}

// Makes a message of each run of a socket. Returns their count.
std::uint32_t EpollIo::gather(const Socket& s, std::uint16_t first) noexcept {
    std::uint32_t count = 0;
    for (std::uint16_t run = first; run != no_run; run = sends_.next(run), ++count) {
        out_->runs[count] = run;
        msghdr& h = out_->messages[count].msg_hdr;
        h.msg_iov = sends_.vectors(run);
        h.msg_iovlen = sends_.length(run);
        h.msg_name = s.connected ? nullptr : &sends_.address(run);
        h.msg_namelen = s.connected ? 0 : s.is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        h.msg_control = nullptr;
        h.msg_controllen = 0;
        if (h.msg_iovlen > 1) {
            SegmentControl& control = out_->controls[count];
            control.set(h.msg_iov->iov_len);
            h.msg_control = control.bytes;
            h.msg_controllen = sizeof control.bytes;
            ++counters_.segmented_sends;
        }
    }
    return count;
}

void EpollIo::send_messages(std::uint16_t socket, Socket& s, std::uint32_t count) noexcept {
    const SocketId id(socket);
    for (std::uint32_t at = 0; at < count;) {
        ++counters_.system_calls;
        const long sent = os::send_messages(s.fd, out_->messages + at, count - at);
        if (sent > 0) {
            at += static_cast<std::uint32_t>(sent);
            continue;
        }
        const int error = sent < 0 ? errno : EIO;
        // A full buffer refuses the rest as well; any other error is this message's own.
        do {
            settle_refused(id, s, sends_, out_->runs[at], error, completions_, counters_);
            ++at;
        } while (error == EAGAIN && at < count);
    }
}

Turn EpollIo::wait(Instant deadline, Duration linger) noexcept {
    sockets_.recycle();
    flush();
    if (linger.ns > 0 && !has_unread_ && completions_.count() == 0) {
        ++counters_.system_calls;
        const timespec until = to_timespec(std::min(deadline, os::now() + linger).ns);
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    for (;;) {
        ++counters_.waits;
        const bool has_some = completions_.count() != 0;
        take_ready(poll(has_some ? Instant{} : deadline));
        const Instant at = os::now();
        if (completions_.count() != 0 || at >= deadline || is_starved_) return Turn{at, completions_.take()};
    }
}

// Events that came before the deadline; one that has passed only looks.
std::uint32_t EpollIo::poll(Instant deadline) noexcept {
    ++counters_.system_calls;
    // A ready socket that nothing can be read into would end each wait at once: then only the wake-up counts.
    if (is_starved_ && pool_.free_slots() == 0) [[unlikely]] {
        pollfd wake{wake_fd_.get(), POLLIN, 0};
        const timespec t = to_timespec(std::min((deadline - os::now()).ns, starved_wait_max.ns));
        if (::ppoll(&wake, 1, &t, nullptr) > 0) take_wake();
        return 0;
    }
    is_starved_ = false;
    const std::int64_t left = deadline == never ? 0 : deadline == Instant{} ? 0 : (deadline - os::now()).ns;
    if (has_precise_wait_) {
        const timespec t = to_timespec(left);
        const long n = ::syscall(SYS_epoll_pwait2, epoll_.get(), in_->events, events_max,
                                 deadline == never ? nullptr : &t, nullptr, 0);
        if (n >= 0) return static_cast<std::uint32_t>(n);
        if (errno != ENOSYS) return 0;  // EINTR
        has_precise_wait_ = false;
    }
    const int left_ms =
        deadline == never ? -1 : static_cast<int>(std::clamp<std::int64_t>((left + 999'999) / 1'000'000, 0, 3'600'000));
    return static_cast<std::uint32_t>(std::max(::epoll_wait(epoll_.get(), in_->events, events_max, left_ms), 0));
}

void EpollIo::take_ready(std::uint32_t count) noexcept {
    std::uint32_t packets = 0;
    has_unread_ = count == events_max;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t key = in_->events[i].data.u64;
        if (key == wake_key) [[unlikely]] {
            take_wake();
            continue;
        }
        const auto socket = static_cast<std::uint16_t>(key);
        if (sockets_[socket].generation != static_cast<std::uint16_t>(key >> 16)) continue;
        packets += receive(socket);
        if (packets > turn_packets_max - batch_max) {  // the rest stays ready
            has_unread_ = true;
            return;
        }
    }
}

// Buffers for a whole batch, as far as the pool has them. False when there is none at all.
bool EpollIo::refill() noexcept {
    Incoming& in = *in_;
    const std::uint32_t count = std::min(in.begin, pool_.free_slots());
    in.begin -= count;
    BufferId* buffer = &in.buffers[in.begin];
    iovec* vector = &in.vectors[in.begin];
    pool_.take_each(count, [&](BufferId id, std::uint8_t* data) {
        *buffer++ = id;
        (vector++)->iov_base = data;
    });
    return in.begin != batch_max;
}

void EpollIo::fill(Completion* c, std::uint32_t count, mmsghdr* message, ReceivedHead head, bool is_named) noexcept {
    const BufferId* buffer = &in_->buffers[in_->begin];
    const SocketAddress* name = &in_->names[in_->begin];
    AddressMemo& sources = in_->sources;
    for (const Completion* const end = c + count; c != end; ++c, ++message, ++buffer) {
        head.write(*c);
        c->packet = PacketRef{*buffer, 0, static_cast<std::uint16_t>(message->msg_len)};
        if (!is_named) continue;
        sources.read(name++, c->from);
        message->msg_hdr.msg_namelen = sizeof *name;
    }
}

// The receives of a socket that joins segments. Answers how many packets they were.
std::uint32_t EpollIo::split(std::uint32_t count, mmsghdr* message, ReceivedHead head) noexcept {
    Incoming& in = *in_;
    std::uint32_t packets = 0;
    Endpoint from;
    for (; count > 0; --count, ++message, ++in.begin) {
        msghdr& h = message->msg_hdr;
        in.sources.read(&in.names[in.begin], from);
        packets += report_joined(head, in.buffers[in.begin], 0, message->msg_len,
                                 joined_segment(h.msg_control, h.msg_controllen), from, pool_, completions_, counters_);
        h.msg_namelen = sizeof(SocketAddress);
        h.msg_controllen = sizeof(Incoming::Control);
    }
    return packets;
}

std::uint32_t EpollIo::receive(std::uint16_t socket) noexcept {
    if (!refill()) [[unlikely]] {
        is_starved_ = true;
        ++counters_.receive_starved;
        return 0;
    }
    const Socket& s = sockets_[socket];
    mmsghdr* const messages = (s.joins_segments ? in_->joined : s.connected ? in_->plain : in_->named) + in_->begin;
    ++counters_.system_calls;
    const std::uint32_t wanted = batch_max - in_->begin;
    const long received = receive_messages(s.fd, messages, wanted);
    if (received < 0) [[unlikely]] {
        if (errno != EAGAIN && errno != EINTR) report_broken(SocketId(socket), s, errno, completions_);
        return 0;
    }
    const auto count = static_cast<std::uint32_t>(received);
    has_unread_ = has_unread_ || count == wanted;
    const ReceivedHead head(SocketId(socket), s.tag);
    if (s.joins_segments) return split(count, messages, head);
    Completion* const completions = completions_.append_some(count);
    fill(completions, count, messages, head, !s.connected);
    in_->begin += count;
    return count;
}

void EpollIo::take_wake() noexcept {
    std::uint64_t count;
    ++counters_.system_calls;
    if (::read(wake_fd_.get(), &count, sizeof count) < 0) return;
    report_woken();
}

}  // namespace hawser::os
