// SPDX-License-Identifier: MIT
// The tables of the configuration file that sender and receiver have alike.
#pragma once

#include "platform/app/config/key.h"
#include "platform/app/events/event_sink.h"
#include "platform/app/log.h"
#include "platform/app/pump_service.h"
#include "platform/app/radio/keep.h"
#include "platform/control/rpc/server_settings.h"

namespace hawser::app {

[[nodiscard]] KeyTable pump_table(PumpSettings& settings);
// `folder`: the service's state folder, for the example.
[[nodiscard]] KeyTable recorder_table(RecorderSettings& settings, const std::string& folder);
// `example`: where the service keeps it.
[[nodiscard]] KeyTable control_table(rpc::ServerSettings& settings, const char* example);
[[nodiscard]] KeyTable metrics_table(std::optional<Endpoint>& at);
[[nodiscard]] KeyTable log_table(Level& level, double& stats_seconds);
// `example`: a file of this end's own, as two may not write one.
[[nodiscard]] KeyTable events_table(EventLogSettings& settings, const char* example);
[[nodiscard]] KeyTable radio_table(KeepRequest& request, const std::string& folder);

}  // namespace hawser::app
