// SPDX-License-Identifier: MIT
// What is wrong with an uplink, if anything, and the commands that mend it: from the machine's interfaces, the kernel's
// word on where a packet would go, and what a probe showed. Judges facts; asks nobody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/border/command.h"
#include "platform/app/doctor/egress_probe.h"
#include "platform/control/links/interface_table.h"
#include "platform/control/links/route_query.h"

namespace hawser::app {

enum class Ailment : std::uint8_t {
    none,
    no_interface,     // of that name
    interface_down,   // switched off, or without a carrier
    no_address,       // no interface has the address, or the interface has none of the receiver's family
    shared_address,   // several interfaces have it, and the uplink does not say which
    no_route,         // out of the interface
    wrong_interface,  // packets leave by another
    refused,          // the kernel refuses to open or to send
    replies_dropped,  // packets leave; strict reverse path filtering drops what comes back
    port_closed,      // the receiver's host is reached, and nothing listens there
    no_answer,
};
[[nodiscard]] std::string_view name_of(Ailment ailment);

struct UplinkFacts {
    std::string name;
    UplinkSpec uplink;
    Endpoint receiver;
    std::optional<Result<control::Way, Errno>> way;  // absent: there was nothing to ask about
    Egress egress;
    bool can_see = false;
    bool filters_strictly = false;  // net.ipv4.conf.*.rp_filter is 1 on its interface
};

struct Diagnosis {
    Ailment ailment = Ailment::none;
    std::string interface;              // that the uplink is meant to use; empty: not known
    std::string text;                   // one sentence
    std::vector<std::string> commands;  // as root, in order
};

// The interface that the uplink means; null when there is none, or no single one.
[[nodiscard]] const control::Interface* interface_for(const UplinkSpec& uplink,
                                                      const std::vector<control::Interface>& interfaces);
[[nodiscard]] Diagnosis diagnose(const UplinkFacts& facts, const std::vector<control::Interface>& interfaces);

}  // namespace hawser::app
