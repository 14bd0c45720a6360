// SPDX-License-Identifier: MIT
// What the operator asked of a sender, however it was said: `hawser send`, or a peer's command line as srtla_send.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/bond/sender.h"
#include "platform/app/bitrate_file.h"
#include "platform/app/events/event_sink.h"
#include "platform/app/log.h"
#include "platform/app/pump_service.h"
#include "platform/app/radio/keep.h"
#include "platform/control/links/link_policy.h"
#include "platform/control/name_lookup.h"
#include "platform/control/rpc/server_settings.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

struct SenderRequest {
    bool compat = false;  // called as srtla_send: the C peer's lines and exit codes
    std::uint16_t listen_port = 0;
    std::string listen_address;  // empty: 127.0.0.1, in compat all addresses
    std::string receiver_host;
    std::uint16_t receiver_port = 0;
    std::string uplinks_file;          // empty: only `uplinks`
    std::vector<std::string> uplinks;  // entries as in the file
    control::AutomaticUplinks automatic{
        .wanted = false,  // the list says it
        .include = {},
        // What leads into other uplinks, or to machines inside this one.
        .exclude = {"tun*", "tap*", "wg*", "tailscale*", "zt*", "docker*", "br-*", "virbr*", "veth*"}};
    std::vector<std::string> metered;  // addresses of uplinks, with a device or for each device
    control::LinkPolicies policies;    // classes, caps, budgets and name servers
    control::NameLookup::By lookups = control::NameLookup::By::system_then_links;  // of the receiver's name
    std::string state_folder;  // where budgets are kept; empty: the default one, when there is a budget
    // Ahead over every kind of link: perf/README.md.
    select::Settings selection{.mode = select::Mode::adaptive};
    bond::SenderOptions bond;
    PumpSettings pump;
    BitrateFileSettings bitrate;
    KeepRequest radio;
    double stats_seconds = 0;     // 0: none
    rpc::ServerSettings control;  // no path: none
    std::optional<Endpoint> metrics;
    std::string runtime_folder;  // what is kept for the next run is there; empty: nothing
    Level log_level = Level::info;
    EventLogSettings events;
    std::string config_file;  // that this came from; empty: none
};

// What is wanted now, where that is read again on a reload: the configuration file, and the command line over it. The
// error is a sentence. Empty: only the uplinks file is read again.
using RereadSender = std::function<Result<SenderRequest, std::string>()>;

// Runs until a signal or the end of all hope; the process's exit code.
int run_sender(const SenderRequest& request, RereadSender reread = {});

}  // namespace hawser::app
