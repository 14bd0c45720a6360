// SPDX-License-Identifier: MIT
#include "platform/linux/send_retry.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace hawser::os {
namespace {

int send_alone(const Socket& socket, SendQueue& queue, std::uint16_t index) noexcept {
    const Bytes bytes = queue.pool().bytes(queue[index].packet);
    const SocketAddress& to = queue.address(index);
    const sockaddr* address = socket.connected ? nullptr : &to.generic;
    const socklen_t length = socket.connected ? 0 : socket.is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    const auto sent = ::sendto(socket.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address, length);
    return sent < 0 ? errno : 0;
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

void report_send_failed(SocketId id, const Socket& socket, SendQueue& queue, std::uint16_t index, int error,
                        Completions& out) noexcept {
    Completion& c = out.append();
    c.kind = Completion::Kind::send_failed;
    c.socket = id;
    c.tag = socket.tag;
    c.packet = queue[index].packet;
    c.error = error;
    c.from = socket.connected ? Endpoint{} : from_sockaddr(&queue.address(index));
    queue[index].packet.buffer = no_buffer;
}

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

void settle_refused(SocketId id, Socket& socket, SendQueue& queue, std::uint16_t first, std::uint32_t count, int error,
                    Completions& out, IoCounters& counters) noexcept {
    const std::uint32_t segment = queue[first].packet.length;
    const bool was_run = count > 1;
    std::uint32_t sent = 0;
    int latest = error == EAGAIN ? EAGAIN : 0;
    for (std::uint16_t i = first; count > 0; --count, i = queue[i].next) {
        // Once the buffer is full it stays full for the rest of this run.
        if (latest != EAGAIN) {
            ++counters.system_calls;
            latest = send_alone(socket, queue, i);
        }
        if (latest == 0)
            ++sent;
        else
            report_send_failed(id, socket, queue, i, latest, out);
    }
    if (sent == 0) return;
    if (was_run && is_segmentation_refusal(socket, segment, error))
        ++counters.segmentation_refused;
    else
        report_broken(id, socket, error, out);
}

}  // namespace hawser::os
