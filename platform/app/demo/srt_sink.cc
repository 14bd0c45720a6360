// SPDX-License-Identifier: MIT
#include "platform/app/demo/srt_sink.h"

#include <srt/srt.h>

#include <array>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/thread.h"

namespace hawser::demo {
namespace {

constexpr std::int64_t stop_seen_after_ms = 50;
constexpr int backlog = 4;  // untuned: one caller is expected

}  // namespace

Outcome<std::unique_ptr<SrtSink>> SrtSink::start(Options options) {
    std::unique_ptr<SrtSink> sink(new SrtSink(std::move(options)));
    if (auto listening = sink->listen(); !listening) return Failure{listening.error()};
    SrtSink* self = sink.get();
    sink->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
    return sink;
}

SrtSink::~SrtSink() {
    end();
    if (epoll_ >= 0) srt_epoll_release(epoll_);
}

void SrtSink::end() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    count_losses();
}

void SrtSink::count_losses() {
    SRT_TRACEBSTATS stats;
    if (!caller_.is_open() || srt_bstats(caller_.id(), &stats, 0) == SRT_ERROR) return;
    const std::lock_guard lock(mutex_);
    status_.given_up = static_cast<std::uint64_t>(stats.pktRcvDropTotal);
    status_.belated = static_cast<std::uint64_t>(stats.pktRcvBelated);
    status_.repeated = static_cast<std::uint64_t>(stats.pktRecvTotal - stats.pktRecvUniqueTotal);
}

Outcome<Unit> SrtSink::listen() {
    auto socket = live_socket(options_.latency_ms, options_.reorder_tolerance);
    if (!socket) return Failure{socket.error()};
    auto at = os::parse_address(options_.host);
    if (!at) return Failure{Problem{options_.host + " is no address to listen on"}};
    at->port = options_.port;
    os::SocketAddress own{};
    int own_bytes = static_cast<int>(os::to_sockaddr(*at, at->is_v4() ? AF_INET : AF_INET6, own));
    const std::string doing = "SRT listener on " + os::endpoint_text(*at);
    if (srt_bind(socket->id(), &own.generic, own_bytes) == SRT_ERROR || srt_listen(socket->id(), backlog) == SRT_ERROR)
        return srt_problem(doing);
    own_bytes = sizeof own;
    if (srt_getsockname(socket->id(), &own.generic, &own_bytes) == SRT_ERROR) return srt_problem(doing);
    port_ = os::from_sockaddr(&own).port;
    listener_ = std::move(socket.value());
    epoll_ = srt_epoll_create();
    const int events = static_cast<int>(SRT_EPOLL_IN) | static_cast<int>(SRT_EPOLL_ERR);
    if (epoll_ < 0 || srt_epoll_add_usock(epoll_, listener_.id(), &events) == SRT_ERROR) return srt_problem(doing);
    return Unit{};
}

SrtSink::Status SrtSink::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void SrtSink::run(const std::stop_token& stop) {
    os::name_this_thread("demo-viewer");
    while (!stop.stop_requested()) {
        std::array<SRT_EPOLL_EVENT, 4> ready{};
        const int n = srt_epoll_uwait(epoll_, ready.data(), static_cast<int>(ready.size()), stop_seen_after_ms);
        for (int i = 0; i < n; ++i) {
            const SRTSOCKET who = ready[static_cast<std::size_t>(i)].fd;
            if (who == listener_.id())
                accept();
            else if (who == caller_.id())
                read_all();
        }
    }
}

void SrtSink::accept() {
    SrtSocket caller(srt_accept(listener_.id(), nullptr, nullptr));
    if (!caller.is_open()) return;
    const int no = 0;
    const int events = static_cast<int>(SRT_EPOLL_IN) | static_cast<int>(SRT_EPOLL_ERR);
    if (srt_setsockflag(caller.id(), SRTO_RCVSYN, &no, sizeof no) == SRT_ERROR ||
        srt_epoll_add_usock(epoll_, caller.id(), &events) == SRT_ERROR)
        return;
    caller_ = std::move(caller);
    const std::lock_guard lock(mutex_);
    ++status_.connections;
    status_.connected = true;
}

void SrtSink::read_all() {
    std::array<char, SRT_LIVE_MAX_PLSIZE> payload;
    for (;;) {
        SRT_MSGCTRL control = srt_msgctrl_default;
        const int n = srt_recvmsg2(caller_.id(), payload.data(), static_cast<int>(payload.size()), &control);
        if (n > 0) {
            options_.on_payload({reinterpret_cast<const std::uint8_t*>(payload.data()), static_cast<std::size_t>(n)},
                                static_cast<std::uint32_t>(control.pktseq), os::now());
            continue;
        }
        if (n == SRT_ERROR && srt_getsockstate(caller_.id()) > SRTS_CONNECTED) {
            caller_.close();
            const std::lock_guard lock(mutex_);
            status_.connected = false;
        }
        return;
    }
}

}  // namespace hawser::demo
