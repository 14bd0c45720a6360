// SPDX-License-Identifier: MIT
// UDP GRO: one receive that carries several packets of one sender, all of one length but the last. The kernel tells the
// length in a control message; report_joined() makes each packet a completion of its own, with a reference to the one
// buffer, in order. A slot must hold the longest UDP payload for it (joined_slot_bytes); with shorter ones nothing is
// joined.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/base/pool.h"
#include "platform/linux/completions.h"

#ifndef UDP_GRO
#define UDP_GRO 104  // Linux 5.0
#endif

namespace hawser::os {

// UDP_MAX_SEGMENTS since Linux 6.9; before 64. A sender on this host, or a TAP device, may have joined that many.
inline constexpr std::uint32_t segments_received_max = 128;
// Receives of a joining socket in one turn, at most. With segments_received_max it bounds the packets of a turn.
inline constexpr std::uint32_t joined_receives_max = 64;
inline constexpr std::uint32_t joined_packets_max = joined_receives_max * segments_received_max;

// The length that a packet is given which cannot be reported whole: that of a datagram which overfills a usual slot.
inline constexpr std::uint16_t too_long = pool_slot_bytes;

inline constexpr std::size_t joined_control_bytes = CMSG_SPACE(sizeof(int));

[[nodiscard]] inline bool can_join(const Pool& pool) noexcept { return pool.slot_bytes() == joined_slot_bytes; }

// The length of all packets but the last; 0 where the receive carries one packet.
[[nodiscard]] inline std::uint32_t joined_segment(const void* control, std::size_t bytes) noexcept {
    if (bytes < CMSG_LEN(sizeof(int))) return 0;
    cmsghdr header;
    std::memcpy(&header, control, sizeof header);
    if (header.cmsg_level != IPPROTO_UDP || header.cmsg_type != UDP_GRO) return 0;
    int segment;
    std::memcpy(&segment, static_cast<const char*>(control) + CMSG_LEN(0), sizeof segment);
    return segment > 0 ? static_cast<std::uint32_t>(segment) : 0;
}

// The receive's bytes begin at `offset` of the buffer, which has one reference. What goes beyond segments_received_max
// packets is lost, and the last of them marked by its length. Answers how many completions it made.
inline std::uint32_t report_joined(ReceivedHead head, BufferId buffer, std::uint32_t offset, std::uint32_t bytes,
                                   std::uint32_t segment, const Endpoint& from, Pool& pool, Completions& out,
                                   IoCounters& counters) noexcept {
    const bool is_one = segment == 0 || segment >= bytes;
    const std::uint32_t wanted = is_one ? 1 : (bytes + segment - 1) / segment;
    const std::uint32_t count = std::min(wanted, segments_received_max);
    if (count > 1) {
        pool.add_ref(buffer, count - 1);
        ++counters.joined_receives;
    }
    const std::uint32_t step = is_one ? bytes : segment;
    Completion* c = out.append_some(count);
    for (const Completion* const end = c + count; c != end; ++c) {
        const std::uint32_t length = std::min(step, bytes);
        head.write(*c);
        c->packet = PacketRef{buffer, static_cast<std::uint16_t>(offset), static_cast<std::uint16_t>(length)};
        c->from = from;
        offset += length;
        bytes -= length;
    }
    if (wanted > count) [[unlikely]]
        c[-1].packet = PacketRef{buffer, 0, too_long};
    return count;
}

}  // namespace hawser::os
