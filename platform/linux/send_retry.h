// SPDX-License-Identifier: MIT
// What becomes of a send that the kernel refused: the one policy of both models. It runs once per failure, never on
// the path of a packet that leaves.
//  - EAGAIN: the socket's buffer is full; every packet of it comes back as send_failed, for another link to take.
//  - Anything else: each packet is tried once more by itself. Where that works, the refusal was not the packet's: either
//    segmentation was refused (the socket goes without, for segments of this size or at all), or the kernel handed an
//    ICMP error to whichever call came next, and that is reported as broken.
#pragma once

#include <cstdint>

#include "engine/pump/io.h"
#include "platform/linux/completions.h"
#include "platform/linux/send_queue.h"
#include "platform/linux/sockets.h"

namespace hawser::os {

// `first` heads `count` packets of the queue that one send carried. References of what comes back move to `out`, which
// must have room for count + 1.
void settle_refused(SocketId id, Socket& socket, SendQueue& queue, std::uint16_t first, std::uint32_t count, int error,
                    Completions& out, IoCounters& counters) noexcept;

// Fills in a send_failed for one queued packet, and takes over its reference.
void report_send_failed(SocketId id, const Socket& socket, SendQueue& queue, std::uint16_t index, int error,
                        Completions& out) noexcept;

// A send on a socket that is not open: EBADF. The packet's reference is the completion's already.
void report_closed(SocketId id, PacketRef packet, const Endpoint* to, Completions& out) noexcept;

void report_broken(SocketId id, const Socket& socket, int error, Completions& out) noexcept;

}  // namespace hawser::os
