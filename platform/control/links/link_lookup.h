// SPDX-License-Identifier: MIT
// Names asked for through uplinks: a carrier's resolver answers on its own link alone, and the machine's may be on a
// link that is dark. Over c-ares, with sockets that are bound as the uplinks' are.
//  - All uplinks are asked at once, the servers of one after each other, so that an uplink has one question in flight.
//  - A server has one second, and another two once all others were asked; a whole lookup has lookup_limit.
//  - An answer that names no host on the network (0.0.0.0, 127.0.0.1, a group) is none: filters answer so.
// Blocks: a worker's affair. Holds no state between two calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/socket_spec.h"
#include "engine/base/time.h"
#include "platform/control/links/link_plan.h"
#include "platform/control/resolver.h"

namespace hawser::control {

struct LookupWay {
    std::string link;               // as it is called
    SocketSpec socket;              // of `local` and `device` alone: what is asked leaves by them
    std::vector<Endpoint> servers;  // empty: those that the system knows
};

// The way by an uplink, bound as its own socket is.
[[nodiscard]] LookupWay lookup_way(const std::string& link, const UplinkSpec& uplink, std::vector<Endpoint> servers);
// By each uplink of the plan that is there, with the servers that its rule says.
[[nodiscard]] std::vector<LookupWay> lookup_ways(
    const LinkPlan& plan, const std::function<std::vector<Endpoint>(const LinkWords&)>& servers_of);

inline constexpr Duration lookup_limit{6'000'000'000};

// The first good answer, which ends the lookup; or each way's error. An address as a host, and what /etc/hosts knows,
// asks nobody.
[[nodiscard]] Resolution resolve_by_links(const std::string& host, std::uint16_t port,
                                          const std::vector<LookupWay>& ways);
// What each of them says, in their order; `by` is there and names the link always, the server of a good answer.
[[nodiscard]] std::vector<Resolution> resolve_by_each(const std::string& host, std::uint16_t port,
                                                      const std::vector<LookupWay>& ways);

}  // namespace hawser::control
