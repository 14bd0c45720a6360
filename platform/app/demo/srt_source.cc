// SPDX-License-Identifier: MIT
#include "platform/app/demo/srt_source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <srt/srt.h>
#include <sys/eventfd.h>

#include <cstring>
#include <memory>

#include "platform/linux/clock.h"
#include "platform/linux/thread.h"

namespace hawser::demo {
namespace {

using namespace literals;

// A caller tries this long before it begins anew; it is also how soon a lost one dials again.
constexpr int connect_patience_ms = 1000;
constexpr Duration redial_after = 200_ms;
constexpr int poll_connecting_ms = 10;  // libsrt tells of a finished handshake only when asked
constexpr int poll_playing_ms = 100;    // a broken connection of a silent feed is seen this late

}  // namespace

Outcome<std::unique_ptr<SrtSource>> SrtSource::start(Options options) {
    std::unique_ptr<SrtSource> source(new SrtSource(std::move(options)));
    source->wake_ = os::Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!source->wake_.is_open()) return system_problem("SRT source: eventfd");
    SrtSource* self = source.get();
    source->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
    return source;
}

SrtSource::~SrtSource() { end_feed(); }

void SrtSource::end_feed() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    eventfd_write(wake_.get(), 1);
    thread_.join();
}

SrtSource::Status SrtSource::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void SrtSource::set_state(State state, const std::string& problem) {
    const std::lock_guard lock(mutex_);
    status_.state = state;
    status_.problem = problem;
}

void SrtSource::run(const std::stop_token& stop) {
    os::name_this_thread("demo-encoder");
    std::optional<TsFeed> feed;
    Payload payload;
    while (!stop.stop_requested()) {
        keep_connected(os::now());
        if (connected_ && !feed) {
            auto opened = options_.open_feed();
            if (!opened) {
                set_state(State::failed, opened.error().text);
                return;
            }
            feed.emplace(std::move(opened.value()));
            set_state(State::playing);
        }
        pollfd wanted[2] = {{wake_.get(), POLLIN, 0}, {feed ? feed->fd() : -1, POLLIN, 0}};
        poll(wanted, 2, connected_ ? poll_playing_ms : poll_connecting_ms);
        if (!feed || wanted[1].revents == 0) continue;
        auto got = TsFeed::Got::nothing_yet;
        while (!stop.stop_requested() && (got = feed->next(payload)) == TsFeed::Got::payload) send(payload);
        if (got == TsFeed::Got::ended) {
            set_state(State::ended);
            break;
        }
    }
    count_retransmissions();
}

// Dials where there is no connection, and sees what became of the one that there is.
void SrtSource::keep_connected(Instant now) {
    if (socket_.is_open()) {
        const SRT_SOCKSTATUS state = srt_getsockstate(socket_.id());
        if (state == SRTS_CONNECTED && !connected_) {
            connected_ = true;
            const std::lock_guard lock(mutex_);
            ++status_.connections;
        }
        if (state <= SRTS_CONNECTED) return;
        count_retransmissions();
        retransmitted_before_ = status().retransmitted;
        socket_.close();
        connected_ = false;
        next_dial_ = now + redial_after;
    }
    if (now < next_dial_) return;
    next_dial_ = now + redial_after;
    auto socket = live_socket(options_.latency_ms);
    if (!socket) return;
    srt_setsockflag(socket->id(), SRTO_CONNTIMEO, &connect_patience_ms, sizeof connect_patience_ms);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(options_.port);
    inet_pton(AF_INET, options_.host.c_str(), &to.sin_addr);
    if (options_.local_port != 0) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(options_.local_port);
        if (srt_bind(socket->id(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == SRT_ERROR) return;
    }
    if (srt_connect(socket->id(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == SRT_ERROR) return;
    socket_ = std::move(socket.value());
}

void SrtSource::send(const Payload& payload) {
    const Instant now = os::now();
    SRT_MSGCTRL control = srt_msgctrl_default;
    if (connected_ && srt_sendmsg2(socket_.id(), reinterpret_cast<const char*>(payload.data()),
                                   static_cast<int>(payload.size()), &control) != SRT_ERROR) {
        options_.on_payload(payload, static_cast<std::uint32_t>(control.pktseq), now);
        return;
    }
    options_.on_payload(payload, std::nullopt, now);
}

void SrtSource::count_retransmissions() {
    SRT_TRACEBSTATS stats;
    if (!socket_.is_open() || srt_bstats(socket_.id(), &stats, 0) == SRT_ERROR) return;
    const std::lock_guard lock(mutex_);
    status_.retransmitted = retransmitted_before_ + static_cast<std::uint64_t>(stats.pktRetransTotal);
}

}  // namespace hawser::demo
