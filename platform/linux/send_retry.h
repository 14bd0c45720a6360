// SPDX-License-Identifier: MIT
// What becomes of a send that the kernel refused: the one policy of both models. It runs once per failure, never on
// the path of a packet that leaves.
//  - EAGAIN: the socket's buffer is full; every packet of it comes back as send_failed, for another link to take.
//  - Anything else: each packet is tried once more by itself. Where that works, the refusal was not the packet's:
//    either segmentation was refused (the socket goes without, for segments of this size or at all), or the kernel
//    handed an ICMP error to whichever call came next, and that is reported as broken. EMSGSIZE may be either and is
//    taken as both: a segment that no longer fits and a router that says so mean the same.
#pragma once

#include <cstdint>

#include "engine/pump/io.h"
#include "platform/linux/completions.h"
#include "platform/linux/send_queue.h"
#include "platform/linux/sockets.h"

namespace hawser::os {

// `run` is one of the queue's, which one send carried. What comes back goes to `out` with a reference of its own; there
// must be room for one completion more than the run has packets.
void settle_refused(SocketId id, Socket& socket, SendQueue& queue, std::uint16_t run, int error, Completions& out,
                    IoCounters& counters) noexcept;

// A send on a socket that is not open: EBADF. The packet's reference is the completion's already.
void report_closed(SocketId id, PacketRef packet, const Endpoint* to, Completions& out) noexcept;

void report_broken(SocketId id, const Socket& socket, int error, Completions& out) noexcept;

}  // namespace hawser::os
