// SPDX-License-Identifier: MIT
// What the operator asked of a receiver, however it was said: `hawser recv`, or a peer's command line as srtla_rec.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/bond/receiver.h"
#include "platform/app/events/event_sink.h"
#include "platform/app/log.h"
#include "platform/app/pump_service.h"
#include "platform/app/radio/keep.h"
#include "platform/control/rpc/server_settings.h"

namespace hawser::app {

struct ReceiverRequest {
    bool compat = false;  // called as srtla_rec
    std::uint16_t listen_port = 0;
    std::string listen_address = "::";  // both families
    std::string server_host;
    std::uint16_t server_port = 0;
    std::vector<std::string> allowed;  // networks that may register, as parse_prefix() takes them; none: all
    bond::ReceiverOptions bond;
    PumpSettings pump;
    std::string client_files;  // folder for srtla-group-PORT files; empty: none
    KeepRequest radio;
    double stats_seconds = 0;     // 0: none
    rpc::ServerSettings control;  // no path: none
    std::optional<Endpoint> metrics;
    Level log_level = Level::info;
    EventLogSettings events;
    std::string config_file;  // that this came from; empty: none
};

// As RereadSender.
using RereadReceiver = std::function<Result<ReceiverRequest, std::string>()>;

// Runs until a signal; the process's exit code.
int run_receiver(const ReceiverRequest& request, RereadReceiver reread = {});

}  // namespace hawser::app
