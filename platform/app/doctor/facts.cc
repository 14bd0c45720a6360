// SPDX-License-Identifier: MIT
#include "platform/app/doctor/facts.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "platform/app/doctor/egress_probe.h"

namespace hawser::app {

namespace {

constexpr Duration answer_wait{2'000'000'000};

// Of a family that the uplink has; the first where none fits.
Endpoint receiver_for(const UplinkSpec& uplink, const Resolved& resolved,
                      const std::vector<control::Interface>& interfaces) {
    const control::Interface* const on = interface_for(uplink, interfaces);
    for (std::uint32_t i = 0; i < resolved.count; ++i) {
        const bool v4 = resolved.addresses[i].is_v4();
        if (uplink.source.is_any() ? on != nullptr && on->has_address(v4) : uplink.source.is_v4() == v4)
            return resolved.addresses[i];
    }
    return resolved.addresses[0];
}

int number_in(const std::string& path) {
    std::ifstream file(path);
    int value = 0;
    return file >> value ? value : 0;
}

// The kernel takes the higher of the two; 1 is strict (Documentation/networking/ip-sysctl).
bool filters_strictly(const std::string& interface) {
    const std::string folder = "/proc/sys/net/ipv4/conf/";
    return std::max(number_in(folder + "all/rp_filter"), number_in(folder + interface + "/rp_filter")) == 1;
}

SocketSpec socket_for(const UplinkFacts& f) {
    SocketSpec spec;
    spec.local = f.uplink.source;
    if (spec.local.is_any() && f.receiver.is_v4()) spec.local = Endpoint::from_v4(0, 0);
    spec.remote = f.receiver;
    spec.connected = true;
    std::memcpy(spec.device, f.uplink.device, sizeof spec.device);
    return spec;
}

}  // namespace

std::vector<UplinkFacts> gather(const std::vector<UplinkSpec>& uplinks, const Resolved& resolved,
                                const std::vector<control::Interface>& interfaces) {
    std::vector<UplinkFacts> facts;
    std::vector<SocketSpec> specs;
    for (const UplinkSpec& uplink : uplinks) {
        UplinkFacts f;
        f.uplink = uplink;
        f.name = control::uplink_text(uplink);
        f.receiver = receiver_for(uplink, resolved, interfaces);
        const control::Interface* const on = interface_for(uplink, interfaces);
        if (on != nullptr && on->is_up) f.filters_strictly = f.receiver.is_v4() && filters_strictly(on->name);
        specs.push_back(socket_for(f));
        facts.push_back(std::move(f));
    }
    const EgressResult seen = probe_egress(specs, answer_wait);
    for (std::size_t i = 0; i < facts.size(); ++i) {
        UplinkFacts& f = facts[i];
        f.egress = seen.rows[i];
        f.can_see = seen.can_see;
        const control::Interface* const on = interface_for(f.uplink, interfaces);
        if (on == nullptr || !on->is_up) continue;
        // As for the socket itself: its address, which the kernel has chosen by now, may be what a rule goes by.
        const bool has_chosen = f.uplink.source.is_any() && !f.egress.local.is_any();
        f.way = control::way_to(f.receiver, has_chosen ? f.egress.local : f.uplink.source,
                                f.uplink.device[0] != '\0' ? on->index : 0);
    }
    return facts;
}

}  // namespace hawser::app
