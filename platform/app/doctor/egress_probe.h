// SPDX-License-Identifier: MIT
// Sends registrations of no group from sockets as the sender would open them, to the sender's receiver, and watches:
// which interface each leaves by (a packet socket sees it, where CAP_NET_RAW allows one), and what comes back. Every
// SRTLA receiver answers one at most (REG_NGP: it knows no such group) and remembers nothing of it. Blocks for as long
// as it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/socket_spec.h"
#include "engine/base/time.h"

namespace hawser::app {

struct Egress {
    std::optional<Errno> refused;           // no socket could be opened, or no packet sent
    Endpoint local;                         // as the kernel chose it
    std::vector<std::uint32_t> interfaces;  // that a packet was seen leaving by
    std::optional<Duration> round_trip;     // of the first answer
    bool port_closed = false;               // the receiver's host said so (ICMP port unreachable)
};

struct EgressResult {
    std::vector<Egress> rows;  // as the specs
    bool can_see = false;      // packets could be watched; else `interfaces` says nothing
};

// Ends early when all have been answered. A probe is sent each 400 ms.
[[nodiscard]] EgressResult probe_egress(std::span<const SocketSpec> specs, Duration wait);

}  // namespace hawser::app
