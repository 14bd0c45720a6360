// SPDX-License-Identifier: MIT
// What the control thread tells a sender when it starts: how to select, where its receiver is, and its uplinks, which
// are 127.0.0.2 and on. For benches that run the sender's pump in process.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/border/border.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

[[nodiscard]] inline std::vector<Command> start_orders(select::Mode mode, const Endpoint& receiver, unsigned links) {
    std::vector<Command> orders(2 + links);
    orders[0].kind = CommandKind::set_selection;
    orders[0].selection.mode = mode;
    orders[1].kind = CommandKind::set_receiver;
    orders[1].resolved.addresses[0] = receiver;
    orders[1].resolved.count = 1;
    for (unsigned i = 0; i < links; ++i) {
        Command& uplink = orders[2 + i];
        uplink.kind = CommandKind::add_uplink;
        uplink.link = LinkId(static_cast<std::uint8_t>(i));
        uplink.uplink.source = Endpoint::from_v4(loopback + 1 + i, 0);
    }
    return orders;
}

}  // namespace hawser::perf
