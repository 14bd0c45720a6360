// SPDX-License-Identifier: MIT
// What the operator asked of a receiver, however it was said: `hawser recv`, or a peer's command line as srtla_rec.
#pragma once

#include <optional>
#include <string>

#include "engine/bond/receiver.h"
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
    bond::ReceiverOptions bond;
    PumpSettings pump;
    std::string client_files;  // folder for srtla-group-PORT files; empty: none
    KeepRequest radio;
    double stats_seconds = 0;     // 0: none
    rpc::ServerSettings control;  // no path: none
    std::optional<Endpoint> metrics;
};

// Runs until a signal; the process's exit code.
int run_receiver(const ReceiverRequest& request);

}  // namespace hawser::app
