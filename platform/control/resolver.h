// SPDX-License-Identifier: MIT
// A name's addresses, and how they were come by; and the system's own way to them. What goes out by uplinks:
// platform/control/links/link_lookup.h. Blocks: a worker's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/time.h"
#include "engine/border/command.h"

namespace hawser::control {

// Which uplink a name was asked through, of whom, and how long that took.
struct AnsweredBy {
    std::string link;
    Endpoint server;
    Duration took;
};

struct Resolution {
    std::string host;
    Resolved resolved;             // count 0 when it failed
    std::string error;             // why; empty when it did not fail
    bool is_final = false;         // the name does not exist: asking again soon is no use
    bool could_ask = true;         // false: there was nobody to ask
    std::size_t left_out = 0;      // addresses beyond resolved_max
    std::optional<AnsweredBy> by;  // absent: the system's resolver, or nobody had to be asked

    [[nodiscard]] bool is_good() const { return resolved.count != 0; }
    // Each address once; those beyond resolved_max are counted.
    void add(const Endpoint& address);
};

// Blocks. Both families, in the order of the system's resolver (RFC 6724), each address once.
[[nodiscard]] Resolution resolve(const std::string& host, std::uint16_t port);

}  // namespace hawser::control
