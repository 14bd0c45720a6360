// SPDX-License-Identifier: MIT
#include "perf/bond/live_links.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/strong.h"
#include "platform/linux/clock.h"
#include "platform/linux/thread.h"

namespace hawser::perf {
namespace {

constexpr std::uint32_t first_source = 0x7F00'0002;
constexpr std::uint32_t first_upstream = 0x7F00'0102;
constexpr int socket_buffer_bytes = 8 << 20;
constexpr int realtime_priority = 10;  // any: nothing else here is real-time
// Keys of epoll beyond the lanes' indices.
constexpr std::size_t key_listener = links_max;
constexpr std::size_t key_other = links_max + 1;

Failure<std::string> system_error(const std::string& doing) {
    return Failure{"links: " + doing + ": " + std::strerror(errno)};
}

sockaddr_in address(std::uint32_t host_order, std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(host_order);
    a.sin_port = htons(port);
    return a;
}
const sockaddr* generic(const sockaddr_in& a) { return reinterpret_cast<const sockaddr*>(&a); }

// The larger of what root and what anybody may have.
void widen(int fd, int forced, int asked) {
    if (setsockopt(fd, SOL_SOCKET, forced, &socket_buffer_bytes, sizeof socket_buffer_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, asked, &socket_buffer_bytes, sizeof socket_buffer_bytes);
}

Result<os::Fd, std::string> bound_socket(std::uint32_t host, std::uint16_t port) {
    os::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return system_error("socket");
    widen(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF);
    widen(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF);
    const sockaddr_in own = address(host, port);
    if (bind(fd.get(), generic(own), sizeof own) != 0) return system_error("bind");
    return fd;
}

}  // namespace

std::string source_address(std::size_t link) { return "127.0.0." + std::to_string(2 + link); }

Result<std::unique_ptr<LiveLinks>, std::string> LiveLinks::start(const Options& options) {
    std::unique_ptr<LiveLinks> links(new LiveLinks(options));
    if (auto opened = links->open(); !opened) return Failure{opened.error()};
    links->epoch_ = os::now();
    LiveLinks* self = links.get();
    links->thread_ = std::thread([self] { self->run(); });
    const sched_param priority{realtime_priority};
    links->is_realtime_ = pthread_setschedparam(links->thread_.native_handle(), SCHED_FIFO, &priority) == 0;
    return links;
}

Result<Unit, std::string> LiveLinks::open() {
    buffers_.fill(no_buffer);
    epoll_ = os::Fd(epoll_create1(EPOLL_CLOEXEC));
    timer_ = os::Fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    wake_ = os::Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!epoll_.is_open() || !timer_.is_open() || !wake_.is_open()) return system_error("descriptors");
    auto listener = bound_socket(INADDR_LOOPBACK, options_.listen_port);
    if (!listener) return Failure{listener.error()};
    listener_ = std::move(listener).value();
    const sockaddr_in target = address(INADDR_LOOPBACK, options_.target_port);
    for (std::size_t i = 0; i < options_.links.size(); ++i) {
        auto upstream = bound_socket(first_upstream + static_cast<std::uint32_t>(i), 0);
        if (!upstream) return Failure{upstream.error()};
        if (connect(upstream->get(), generic(target), sizeof target) != 0) return system_error("connect");
        // Each direction draws from its own generator, as in a simulated trip.
        const std::uint64_t seed = options_.seed * 1'000'003 + i * 2 + 1;
        const sim::TripLink& link = options_.links[i];
        lanes_.push_back(Lane{.upstream = std::move(upstream).value(),
                              .up = {.line = {link.up, seed, Duration{}}},
                              .down = {.line = {link.down, seed + 1, Duration{}}}});
    }
    const auto watch = [this](int fd, std::size_t key) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = key;
        return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    };
    bool watched =
        watch(listener_.get(), key_listener) && watch(timer_.get(), key_other) && watch(wake_.get(), key_other);
    for (std::size_t i = 0; i < lanes_.size(); ++i) watched = watched && watch(lanes_[i].upstream.get(), i);
    if (!watched) return system_error("epoll_ctl");
    return Unit{};
}

Instant LiveLinks::begin() {
    std::unique_lock lock(mutex_);
    wish_ = Wish::begin;
    eventfd_write(wake_.get(), 1);
    changed_.wait(lock, [this] { return begun_ != never; });
    return begun_;
}

void LiveLinks::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        wish_ = Wish::stop;
    }
    eventfd_write(wake_.get(), 1);
    thread_.join();
}

void LiveLinks::run() {
    os::name_this_thread("links");
    os::use_exact_timers();
    for (;;) {
        std::array<epoll_event, links_max + 3> events;
        const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            const std::size_t key = events[static_cast<std::size_t>(i)].data.u64;
            if (key == key_listener) read_sender();
            if (key < lanes_.size()) read_target(lanes_[key]);
            if (key != key_other) continue;
            eventfd_t wishes = 0;
            if (eventfd_read(wake_.get(), &wishes) != 0) continue;
            const std::lock_guard lock(mutex_);
            if (wish_ == Wish::begin) begin_now();
            if (wish_ == Wish::stop) {
                ended_ = now();
                return;
            }
        }
        release_due();
        arm_timer();
    }
}

void LiveLinks::begin_now() {
    const Instant begun = now();
    begun_ = epoch_ + (begun - Instant{});
    for (Lane& lane : lanes_)
        for (Direction* d : {&lane.up, &lane.down}) {
            d->line.begin(begun);
            d->released = 0;
            d->late_ns_sum = d->late_ns_max = 0;
        }
    wish_ = Wish::none;
    changed_.notify_all();
}

std::size_t LiveLinks::receive(int socket) {
    std::size_t places = 0;
    for (; places < batch_max; ++places) {
        if (buffers_[places] == no_buffer) buffers_[places] = pool_.take();
        if (buffers_[places] == no_buffer) break;
        vectors_[places] = {pool_.data(buffers_[places]), pool_slot_bytes};
        headers_[places] = {};
        headers_[places].msg_hdr.msg_name = &sources_[places];
        headers_[places].msg_hdr.msg_namelen = sizeof sources_[places];
        headers_[places].msg_hdr.msg_iov = &vectors_[places];
        headers_[places].msg_hdr.msg_iovlen = 1;
    }
    if (places == 0) {
        std::uint8_t nowhere;
        if (recv(socket, &nowhere, sizeof nowhere, MSG_DONTWAIT) >= 0) ++unheld_;
        return 0;
    }
    const int n = recvmmsg(socket, headers_.data(), static_cast<unsigned>(places), MSG_DONTWAIT, nullptr);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

void LiveLinks::read_sender() {
    const std::size_t n = receive(listener_.get());
    const Instant now = this->now();
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t link = ntohl(sources_[i].sin_addr.s_addr) - first_source;
        if (link >= lanes_.size()) continue;  // a stranger's; the buffer is read into again
        Lane& lane = lanes_[link];
        lane.sender = sources_[i];
        lane.is_heard = true;
        accept(lane.up, i, now);
    }
}

void LiveLinks::read_target(Lane& lane) {
    const std::size_t n = receive(lane.upstream.get());
    const Instant now = this->now();
    if (!lane.is_heard) return;
    for (std::size_t i = 0; i < n; ++i) accept(lane.down, i, now);
}

void LiveLinks::accept(Direction& direction, std::size_t i, Instant now) {
    const auto length = static_cast<std::uint16_t>(headers_[i].msg_len);
    if (direction.line.push(PacketRef{buffers_[i], 0, length}, length, now)) buffers_[i] = no_buffer;
}

template <class Send>
void LiveLinks::release(Direction& direction, Instant now, Send&& send) {
    PacketRef packet;
    for (Instant due = direction.line.next(); due <= now; due = direction.line.next()) {
        if (!direction.line.pop(now, packet, [this](const PacketRef& lost) { pool_.release(lost.buffer); })) return;
        // A refused datagram (the target is not there) is what a network would lose as well.
        send(pool_.bytes(packet));
        pool_.release(packet.buffer);
        const std::int64_t late_ns = (this->now() - due).ns;
        ++direction.released;
        direction.late_ns_sum += late_ns;
        direction.late_ns_max = std::max(direction.late_ns_max, late_ns);
    }
}

void LiveLinks::release_due() {
    const Instant now = this->now();
    for (Lane& lane : lanes_) {
        release(lane.up, now, [&lane](Bytes b) { ::send(lane.upstream.get(), b.data(), b.size(), 0); });
        release(lane.down, now, [this, &lane](Bytes b) {
            sendto(listener_.get(), b.data(), b.size(), 0, generic(lane.sender), sizeof lane.sender);
        });
    }
}

void LiveLinks::arm_timer() const {
    Instant next = never;
    for (const Lane& lane : lanes_) next = std::min({next, lane.up.line.next(), lane.down.line.next()});
    itimerspec when{};  // all zero disarms
    if (next != never) when.it_value = os::to_timespec((epoch_ + (next - Instant{})).ns);
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

std::vector<sim::LinkOutcome> LiveLinks::outcomes() {
    std::vector<sim::LinkOutcome> all;
    for (Lane& lane : lanes_) {
        sim::LinkOutcome link;
        link.up = lane.up.line.figures(ended_);
        link.down = lane.down.line.figures(ended_);
        all.push_back(std::move(link));
    }
    return all;
}

LiveLinks::Lateness LiveLinks::late() const {
    Lateness worst;
    for (const Lane& lane : lanes_)
        for (const Direction* d : {&lane.up, &lane.down}) {
            if (d->released == 0) continue;
            worst.mean_ms =
                std::max(worst.mean_ms, static_cast<double>(d->late_ns_sum) / 1e6 / static_cast<double>(d->released));
            worst.max_ms = std::max(worst.max_ms, static_cast<double>(d->late_ns_max) / 1e6);
        }
    return worst;
}

}  // namespace hawser::perf
