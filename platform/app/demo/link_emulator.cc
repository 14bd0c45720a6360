// SPDX-License-Identifier: MIT
#include "platform/app/demo/link_emulator.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/thread.h"

namespace hawser::demo {
namespace {

using namespace literals;

constexpr std::size_t header_bytes = 28;  // IPv4 (RFC 791) and UDP (RFC 768), without options
constexpr std::size_t batch_max = 64;     // datagrams per recvmmsg; untuned
// Of an unlimited direction, and the most of any: 16384 x 1.5 kB, taken from the kernel only as it fills.
constexpr std::size_t held_max = 16384;
constexpr int socket_buffer_bytes = 4 << 20;

// Packets that queue and delay can hold at this rate if they are as small as 150 bytes on average.
std::size_t capacity_of(const LinkShape& shape) {
    if (shape.rate_kbps == 0) return held_max;
    const std::int64_t held_ms = (shape.queue + shape.delay).ms() + 100;
    const std::int64_t bytes = held_ms * shape.rate_kbps / 8;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(bytes / 150, 64, held_max));
}

// An IPv4 address as the calls want it.
struct Address {
    Address(std::uint32_t host_order, std::uint16_t port)
        : size(os::to_sockaddr(Endpoint::from_v4(host_order, port), AF_INET, any)) {}
    os::SocketAddress any{};
    socklen_t size;
};

Outcome<os::Fd> bound_socket(std::uint32_t address) {
    os::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return system_problem("link emulator: socket");
    // Beside what the emulator holds itself; a smaller buffer than asked for only makes it less patient.
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &socket_buffer_bytes, sizeof socket_buffer_bytes);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer_bytes, sizeof socket_buffer_bytes);
    const Address own(address, 0);
    if (bind(fd.get(), &own.any.generic, own.size) != 0)
        return system_problem("link emulator: bind " + os::address_text(Endpoint::from_v4(address, 0)));
    return fd;
}

}  // namespace

// Datagrams of one recvmmsg with their sources.
struct LinkEmulator::Batch {
    std::array<std::array<std::uint8_t, Direction::packet_bytes_max>, batch_max> bytes;
    std::array<sockaddr_in, batch_max> sources{};
    std::array<iovec, batch_max> vectors{};
    std::array<mmsghdr, batch_max> headers{};

    // How many came; 0 when there is nothing more to read now.
    std::size_t receive(int socket) {
        for (std::size_t i = 0; i < batch_max; ++i) {
            vectors[i] = {bytes[i].data(), bytes[i].size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_name = &sources[i];
            headers[i].msg_hdr.msg_namelen = sizeof sources[i];
            headers[i].msg_hdr.msg_iov = &vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        const int n = recvmmsg(socket, headers.data(), batch_max, MSG_DONTWAIT, nullptr);
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
};

Direction::Direction(const LinkShape& shape, std::uint64_t seed)
    : shape_(shape), random_(seed), capacity_(capacity_of(shape)), ring_(new Held[capacity_]) {}

void Direction::accept(const std::uint8_t* bytes, std::size_t size, bool dark, Instant now) {
    ++counts_.packets_in;
    counts_.bytes_in += size;
    if (dark) {
        ++counts_.lost_dark;
        return;
    }
    const Instant start = std::max(now, free_at_);
    if (count_ == capacity_ || (shape_.rate_kbps != 0 && start - now > shape_.queue)) {
        ++counts_.lost_queue;
        return;
    }
    if (shape_.rate_kbps != 0) {
        const auto bits = static_cast<std::int64_t>((size + header_bytes) * 8);
        free_at_ = start + Duration{bits * 1'000'000 / shape_.rate_kbps};
    } else {
        free_at_ = start;
    }
    // The loss comes after the bottleneck: a lost packet has used its share of the rate.
    if (shape_.loss > 0 && random_.below(1'000'000) < shape_.loss * 1e6) {
        ++counts_.lost_random;
        return;
    }
    Held& held = ring_[(first_ + count_) % capacity_];
    held.release = free_at_ + shape_.delay;
    held.size = static_cast<std::uint16_t>(std::min(size, held.bytes.size()));
    std::memcpy(held.bytes.data(), bytes, held.size);
    ++count_;
}

const Direction::Held* Direction::due(Instant now) const {
    if (count_ == 0 || ring_[first_].release > now) return nullptr;
    return &ring_[first_];
}

void Direction::drop_first(bool sent) {
    if (sent) {
        ++counts_.packets_out;
        counts_.bytes_out += ring_[first_].size;
    } else {
        ++counts_.lost_dark;
    }
    first_ = (first_ + 1) % capacity_;
    --count_;
}

Instant Direction::next_release() const { return count_ == 0 ? never : ring_[first_].release; }

LinkEmulator::LinkEmulator(const Options& options) : options_(options) {}

Outcome<std::unique_ptr<LinkEmulator>> LinkEmulator::start(const Options& options) {
    std::unique_ptr<LinkEmulator> emulator(new LinkEmulator(options));
    if (auto opened = emulator->open(); !opened) return Failure{opened.error()};
    LinkEmulator* self = emulator.get();
    emulator->thread_ = std::thread([self] { self->run(); });
    return emulator;
}

Outcome<Unit> LinkEmulator::open() {
    epoll_ = os::Fd(epoll_create1(EPOLL_CLOEXEC));
    timer_ = os::Fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    stop_ = os::Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!epoll_.is_open() || !timer_.is_open() || !stop_.is_open()) return system_problem("link emulator: descriptors");
    auto listener = bound_socket(INADDR_LOOPBACK);
    if (!listener) return Failure{listener.error()};
    sender_side_ = std::move(listener.value());
    Address own(INADDR_LOOPBACK, 0);
    if (getsockname(sender_side_.get(), &own.any.generic, &own.size) != 0)
        return system_problem("link emulator: getsockname");
    port_ = ntohs(own.any.v4.sin_port);

    const Address target(INADDR_LOOPBACK, options_.target_port);
    lanes_.reserve(options_.links.size());
    for (std::size_t i = 0; i < options_.links.size(); ++i) {
        const Link& link = options_.links[i];
        auto upstream = bound_socket(link.upstream);
        if (!upstream) return Failure{upstream.error()};
        if (connect(upstream->get(), &target.any.generic, target.size) != 0)
            return system_problem("link emulator: connect");
        lanes_.push_back(Lane{.link = link,
                              .upstream = std::move(upstream.value()),
                              .up = Direction(link.shape, options_.seed * 64 + 2 * i),
                              .down = Direction(link.shape, options_.seed * 64 + 2 * i + 1)});
    }
    // data.u64: a lane's index, or one of the three beyond them.
    const auto watch = [this](int fd, std::size_t key) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = key;
        return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    };
    bool watched = watch(sender_side_.get(), demo_links_max) && watch(timer_.get(), demo_links_max + 1) &&
                   watch(stop_.get(), demo_links_max + 2);
    for (std::size_t i = 0; i < lanes_.size(); ++i) watched = watched && watch(lanes_[i].upstream.get(), i);
    if (!watched) return system_problem("link emulator: epoll_ctl");
    return Unit{};
}

LinkEmulator::~LinkEmulator() {
    if (!thread_.joinable()) return;
    eventfd_write(stop_.get(), 1);
    thread_.join();
}

void LinkEmulator::begin_scenario(Instant now) {
    const std::lock_guard lock(mutex_);
    scenario_start_ = now;
}

bool LinkEmulator::is_dark(std::size_t link, Instant now) const {
    const std::lock_guard lock(mutex_);
    return dark_now(link, now);
}

bool LinkEmulator::dark_now(std::size_t link, Instant now) const {
    if (scenario_start_ == never) return false;
    const Duration at = now - scenario_start_;
    return std::any_of(options_.dark.begin(), options_.dark.end(), [&](const DarkWindow& window) {
        return window.link == link && at >= window.start && at < window.start + window.length;
    });
}

std::vector<LinkCounts> LinkEmulator::counts() const {
    const std::lock_guard lock(mutex_);
    std::vector<LinkCounts> all;
    for (const Lane& lane : lanes_) all.push_back({lane.up.counts(), lane.down.counts()});
    return all;
}

void LinkEmulator::run() {
    os::name_this_thread("demo-links");
    os::use_exact_timers();
    const auto batch = std::make_unique<Batch>();
    for (;;) {
        std::array<epoll_event, demo_links_max + 3> events;
        const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        if (n < 0 && errno != EINTR) return;
        const std::lock_guard lock(mutex_);
        const Instant now = os::now();
        for (int i = 0; i < n; ++i) {
            const std::size_t key = events[static_cast<std::size_t>(i)].data.u64;
            if (key == demo_links_max + 2) return;
            if (key == demo_links_max) read_sender(*batch, now);
            if (key < lanes_.size()) read_target(*batch, lanes_[key], key, now);
        }
        release_due(now);
        arm_timer();
    }
}

void LinkEmulator::read_sender(Batch& batch, Instant now) {
    const std::size_t n = batch.receive(sender_side_.get());
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t source = ntohl(batch.sources[i].sin_addr.s_addr);
        const auto lane =
            std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& l) { return l.link.source == source; });
        if (lane == lanes_.end()) continue;
        lane->sender_port = ntohs(batch.sources[i].sin_port);
        lane->up.accept(batch.bytes[i].data(), batch.headers[i].msg_len,
                        dark_now(static_cast<std::size_t>(lane - lanes_.begin()), now), now);
    }
}

void LinkEmulator::read_target(Batch& batch, Lane& lane, std::size_t index, Instant now) {
    const std::size_t n = batch.receive(lane.upstream.get());
    for (std::size_t i = 0; i < n; ++i)
        lane.down.accept(batch.bytes[i].data(), batch.headers[i].msg_len, dark_now(index, now), now);
}

void LinkEmulator::release_due(Instant now) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        Lane& lane = lanes_[i];
        const bool dark = dark_now(i, now);
        while (const Direction::Held* held = lane.up.due(now)) {
            // A refused datagram (the target is not there yet) is what a network would lose as well.
            if (!dark) send(lane.upstream.get(), held->bytes.data(), held->size, 0);
            lane.up.drop_first(!dark);
        }
        const Address back(lane.link.source, lane.sender_port);
        while (const Direction::Held* held = lane.down.due(now)) {
            if (!dark) sendto(sender_side_.get(), held->bytes.data(), held->size, 0, &back.any.generic, back.size);
            lane.down.drop_first(!dark);
        }
    }
}

void LinkEmulator::arm_timer() const {
    Instant next = never;
    for (const Lane& lane : lanes_) next = std::min({next, lane.up.next_release(), lane.down.next_release()});
    itimerspec when{};  // all zero disarms
    if (next != never) when.it_value = os::to_timespec(std::max<std::int64_t>(next.ns, 1));
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace hawser::demo
