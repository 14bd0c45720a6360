// SPDX-License-Identifier: MIT
#include "platform/linux/send_retry.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "platform/linux/packet_calls.h"

namespace hawser::os {
namespace {

int send_alone(const Socket& socket, const iovec& packet, const SocketAddress& to) noexcept {
    const sockaddr* address = socket.connected ? nullptr : &to.generic;
    const socklen_t length = socket.connected ? 0 : socket.is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    return ::sendto(socket.fd, packet.iov_base, packet.iov_len, send_flags, address, length) < 0 ? errno : 0;
}

void report_send_failed(SocketId id, const Socket& socket, Pool& pool, const iovec& packet, const SocketAddress& to,
                        int error, Completions& out) noexcept {
    Completion& c = out.append();
    c.kind = Completion::Kind::send_failed;
    c.socket = id;
    c.tag = socket.tag;
    c.packet =
        pool.packet_at(static_cast<const std::uint8_t*>(packet.iov_base), static_cast<std::uint16_t>(packet.iov_len));
    pool.add_ref(c.packet.buffer);
    c.error = error;
    c.from = socket.connected ? Endpoint{} : from_sockaddr(&to);
}

// A refusal that singles did not meet: what it says about segmentation on this socket.
bool is_segmentation_refusal(Socket& socket, std::uint32_t segment, int error) noexcept {
    if (error == EINVAL || error == EIO || error == EOPNOTSUPP) {
        // EINVAL also where a segment exceeds the path's MTU (Linux before 6.13); either way not worth asking again.
        socket.segment_bytes_max = 0;
        return true;
    }
    if (error == EMSGSIZE) {
        socket.segment_bytes_max =
            static_cast<std::uint16_t>(std::min<std::uint32_t>(socket.segment_bytes_max, segment - 1));
        return true;
    }
    return false;
}

}  // namespace

void report_closed(SocketId id, PacketRef packet, const Endpoint* to, Completions& out) noexcept {
    Completion& c = out.append();
    c.kind = Completion::Kind::send_failed;
    c.socket = id;
    c.tag = 0;
    c.packet = packet;
    c.error = EBADF;
    c.from = to != nullptr ? *to : Endpoint{};
}

void report_broken(SocketId id, const Socket& socket, int error, Completions& out) noexcept {
    Completion& c = out.append();
    c.kind = Completion::Kind::broken;
    c.socket = id;
    c.tag = socket.tag;
    c.packet = PacketRef{};
    c.error = error;
    c.from = Endpoint{};
}

void settle_refused(SocketId id, Socket& socket, SendQueue& queue, std::uint16_t run, int error, Completions& out,
                    IoCounters& counters) noexcept {
    const iovec* packet = queue.vectors(run);
    const iovec* const end = packet + queue.length(run);
    const auto segment = static_cast<std::uint32_t>(packet->iov_len);
    const bool was_run = end - packet > 1;
    std::uint32_t sent = 0;
    int latest = error == EAGAIN ? EAGAIN : 0;
    for (; packet != end; ++packet) {
        // Once the buffer is full it stays full for the rest of this run.
        if (latest != EAGAIN) {
            ++counters.system_calls;
            latest = send_alone(socket, *packet, queue.address(run));
        }
        if (latest == 0)
            ++sent;
        else
            report_send_failed(id, socket, queue.pool(), *packet, queue.address(run), latest, out);
    }
    if (sent == 0) return;
    const bool is_segmentation = was_run && is_segmentation_refusal(socket, segment, error);
    if (is_segmentation) ++counters.segmentation_refused;
    // Too large for a run may be a router's message: the path is narrower than its packets, which now go in fragments.
    if (!is_segmentation || error == EMSGSIZE) report_broken(id, socket, error, out);
}

}  // namespace hawser::os
