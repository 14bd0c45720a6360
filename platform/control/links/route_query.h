// SPDX-License-Identifier: MIT
// Asks the kernel where a packet would go, by the same lookup (rules, tables, metrics) that a socket's send makes.
// Answers at once, changes nothing, needs no right. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"

namespace hawser::control {

struct Way {
    std::uint32_t interface = 0;      // the kernel's number
    std::optional<Endpoint> gateway;  // absent: the destination is taken to be on the link itself
    std::uint32_t table = 0;          // of the route; 254 is main
};

// `source` absent: the kernel chooses. `interface` 0: any; else only ways out through it, as for a socket bound to it.
// The error is the kernel's: ENETUNREACH when no route leads there, EINVAL when no interface has the source.
[[nodiscard]] Result<Way, Errno> way_to(const Endpoint& destination, const std::optional<Endpoint>& source,
                                        std::uint32_t interface);

}  // namespace hawser::control
