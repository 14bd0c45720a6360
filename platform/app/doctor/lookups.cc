// SPDX-License-Identifier: MIT
#include "platform/app/doctor/lookups.h"

#include <fmt/format.h>

#include <csignal>

#include "platform/app/doctor/diagnosis.h"
#include "platform/control/links/link_lookup.h"
#include "platform/control/links/name_servers.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

Lookups look_up(const std::string& host, std::uint16_t port, const std::vector<UplinkSpec>& uplinks,
                const std::vector<control::Interface>& interfaces, const control::LinkPolicies& policies) {
    Lookups out;
    out.chosen = control::resolve(host, port);
    out.system_error = out.chosen.error;
    if (os::parse_address(host)) return out;
    std::vector<control::LookupWay> ways;
    for (const UplinkSpec& uplink : uplinks) {
        const control::Interface* const on = interface_for(uplink, interfaces);
        const std::string name = control::uplink_text(uplink);
        const std::string address = uplink.source.is_any() ? std::string() : os::address_text(uplink.source);
        ways.push_back(control::lookup_way(name, uplink,
                                           policies.of({name, on != nullptr ? on->name : uplink.device, address}).dns));
    }
    // c-ares may write to a connection that the server has closed.
    std::signal(SIGPIPE, SIG_IGN);
    out.by_link = control::resolve_by_each(host, port, ways);
    for (const control::Resolution& answer : out.by_link)
        if (!out.chosen.is_good() && answer.is_good()) out.chosen = answer;
    return out;
}

std::string failure_text(const Lookups& lookups) {
    std::string out = lookups.system_error;
    for (const control::Resolution& r : lookups.by_link) out += fmt::format("; {}: {}", r.by->link, r.error);
    return out;
}

std::string names_text(const control::Resolution& r) {
    return r.is_good()
               ? fmt::format("names: {} answered in {} ms", control::name_server_text(r.by->server), r.by->took.ms())
               : "names: " + r.error;
}

rpc::Json names_json(const control::Resolution& r) {
    if (!r.is_good()) return rpc::Json{{"ok", false}, {"error", r.error}};
    return rpc::Json{{"ok", true}, {"server", control::name_server_text(r.by->server)}, {"took_us", r.by->took.us()}};
}

}  // namespace hawser::app
