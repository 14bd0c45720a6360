// SPDX-License-Identifier: MIT
#include "perf/bond/media_source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <srt/srt.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "engine/base/bytes.h"
#include "platform/linux/clock.h"
#include "platform/linux/thread.h"

namespace hawser::perf {
namespace {

using namespace literals;

constexpr std::size_t number_at = 4;  // behind the header of the first transport-stream packet
constexpr int dial_patience_ms = 8000;
constexpr Duration redial_after = 500_ms;

void sleep_until(Instant at) {
    const timespec t = os::to_timespec(at.ns);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

}  // namespace

std::optional<std::uint32_t> payload_number(std::span<const std::uint8_t> payload) {
    if (payload.size() != sim::payload_bytes || payload[0] != 0x47) return std::nullopt;
    return load_be32(&payload[number_at]);
}

bool MediaSource::dial() {
    auto socket = demo::live_socket(latency_ms_);
    if (!socket) return false;
    srt_setsockflag(socket->id(), SRTO_CONNTIMEO, &dial_patience_ms, sizeof dial_patience_ms);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (srt_connect(socket->id(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == SRT_ERROR) return false;
    socket_ = std::move(socket.value());
    return true;
}

bool MediaSource::is_connected() const { return socket_.is_open() && srt_getsockstate(socket_.id()) == SRTS_CONNECTED; }

bool MediaSource::connect(Duration patience) {
    const Instant deadline = os::now() + patience;
    for (Instant now = os::now(); now < deadline && !stop_; now = os::now()) {
        look_after_connection(now);
        if (is_connected()) return true;
        sleep_until(now + 1_ms);
    }
    return false;
}

// libsrt tells of a finished handshake, and of a broken connection, only when asked.
void MediaSource::look_after_connection(Instant now) {
    if (socket_.is_open()) {
        const SRT_SOCKSTATUS state = srt_getsockstate(socket_.id());
        if (state == SRTS_CONNECTED && !was_connected_) {
            if (counts_.unique > 0) ++counts_.reconnects;
            was_connected_ = true;
        }
        if (state <= SRTS_CONNECTED) return;
        hang_up();
        next_dial_ = std::max(next_dial_, now);
    }
    if (now < next_dial_) return;
    next_dial_ = now + redial_after;
    static_cast<void>(dial());
}

void MediaSource::play(const sim::Media& media) {
    os::use_exact_timers();
    sent_at_.assign(media.count, never);
    for (std::uint32_t number = 0; number < media.count && !stop_; ++number) {
        const Instant due = media.made_at(number);
        sleep_until(due);
        const Instant now = os::now();
        counts_.late_max = std::max(counts_.late_max, now - due);
        send(number, now);
    }
}

void MediaSource::send(std::uint32_t number, Instant now) {
    std::array<std::uint8_t, sim::payload_bytes> payload;
    payload.fill(0xFF);
    // Null packets of a transport stream (ISO/IEC 13818-1: sync byte, PID 0x1FFF, payload only).
    for (std::size_t at = 0; at < payload.size(); at += 188) {
        payload[at] = 0x47;
        payload[at + 1] = 0x1F;
        payload[at + 3] = 0x10;
    }
    store_be32(&payload[number_at], number);
    look_after_connection(now);
    if (is_connected() && srt_sendmsg(socket_.id(), reinterpret_cast<const char*>(payload.data()),
                                      static_cast<int>(payload.size()), -1, 1) != SRT_ERROR)
        sent_at_[number] = now;
    else
        ++counts_.refused;
}

void MediaSource::hang_up() {
    SRT_TRACEBSTATS stats;
    if (srt_bstats(socket_.id(), &stats, 0) != SRT_ERROR) {
        counts_.unique += static_cast<std::uint64_t>(stats.pktSentUniqueTotal);
        counts_.retransmissions += static_cast<std::uint64_t>(stats.pktRetransTotal);
        counts_.sender_drops += static_cast<std::uint64_t>(stats.pktSndDropTotal);
        counts_.acks += static_cast<std::uint64_t>(stats.pktRecvACKTotal);
        counts_.naks += static_cast<std::uint64_t>(stats.pktRecvNAKTotal);
    }
    socket_.close();
    was_connected_ = false;
}

void MediaSource::close() {
    if (socket_.is_open()) hang_up();
}

}  // namespace hawser::perf
