// SPDX-License-Identifier: MIT
// The seam between the pump and the world. Three models: UringIo and EpollIo (platform/linux) and SimIo
// (engine/sim). All three report completions: what has happened, with the packet in hand, never mere readiness.
//
// Laws, which tests/io asserts of every model:
//  - One thread calls everything but wake().
//  - wait() first puts every queued send on the wire, then sleeps. It returns at the deadline, or earlier with
//    completions. With linger zero it returns as soon as there is one; with a linger it may let that much time pass
//    first, so that more can come, but not past the deadline, nor after a turn that left packets with the kernel: a
//    backlog is worked off, not slept on. A wake() ends any wait at once, except that a linger
//    may pass first. Short of buffers to receive into, it may return early with nothing, so that the pump frees some.
//  - A received completion carries one reference to its buffer; the pump releases it after the bond has seen it.
//    Packets of one socket come in the order of arrival. A datagram longer than wire::datagram_bytes_max comes with
//    its length cut to anything above that, so that the bond can count and drop it.
//  - send() takes its own reference and gives it up when the kernel has finished with the bytes. Sends on one socket
//    leave in the order they were queued; after keep_order(true), which is how a model starts, those of different
//    connected sockets do so too; after keep_order(false) the packets of a turn may be gathered by socket. What the
//    kernel refused comes back as send_failed, with a reference to the packet (like received); what it took is not
//    reported.
//  - close() is final: no completion of that socket is reported after it returns, and its sends that have not left are
//    dropped. Completions of the turn in hand may still name it; its SocketId is not given out again before the next
//    wait().
//  - Nothing here allocates once the constructor has returned, open() and close() included.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include "engine/base/completion.h"
#include "engine/base/endpoint.h"
#include "engine/base/pool.h"
#include "engine/base/result.h"
#include "engine/base/socket_spec.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/io_counters.h"

namespace hawser {

struct Turn {
    Instant now;                              // read once, after the wait
    std::span<const Completion> completions;  // valid until the next wait()
};

// clang-format off: version 14 tears compound requirements apart
template <class T>
concept Io = requires(T io, const T& constant, const SocketSpec& spec, SocketId socket, PacketRef packet,
                      const Endpoint* to, Instant deadline, Duration linger) {
    { io.open(spec) }
    noexcept->std::same_as<Result<SocketId, Errno>>;
    { io.close(socket) }
    noexcept;
    { io.local(socket) }
    noexcept->std::same_as<Endpoint>;
    // The largest payload that leaves a connected socket unfragmented as the path is known now; 0: not known.
    { io.payload_bytes_max(socket) }
    noexcept->std::same_as<std::uint32_t>;
    // `to` is null for a connected socket, else read before send() returns.
    { io.send(socket, packet, to) }
    noexcept;
    { io.wait(deadline, linger) }
    noexcept->std::same_as<Turn>;
    { io.now() }
    noexcept->std::same_as<Instant>;
    { io.wake() }
    noexcept;  // any thread
    { constant.counters() }
    noexcept->std::same_as<const IoCounters&>;
};
// clang-format on

}  // namespace hawser
