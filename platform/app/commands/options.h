// SPDX-License-Identifier: MIT
// Options that several commands share, and how a bad one is refused: which flag, what was given, what was expected.
#pragma once

#include <string>

#include "platform/app/commands/cli.h"
#include "platform/app/events/event_sink.h"
#include "platform/app/log.h"
#include "platform/app/pump_service.h"
#include "platform/control/links/link_policy.h"
#include "platform/control/rpc/server_settings.h"

namespace hawser::app {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// Validators whose messages name the expectation.
[[nodiscard]] cli::Validator port_number();      // 1..65535
[[nodiscard]] cli::Validator numeric_address();  // IPv4 or IPv6 literal

// --io, --coalesce, --prompt, --cpu, --buffer: how the pump runs.
void add_pump_options(cli::App& app, PumpSettings& settings);

// --link: rules for uplinks, before those that are there already.
cli::Option* add_link_rules(cli::App& app, control::LinkPolicies& policies, const std::string& help);

// --recorder-packets, --recorder-payload, --recordings: the flight recorder.
void add_recorder_options(cli::App& app, RecorderSettings& settings);

// --event-log, --event-samples, --event-log-size.
void add_event_log_options(cli::App& app, EventLogSettings& settings);

// --log-level and the peers' --verbose.
void add_log_options(cli::App& app, Level& level);

// -c, --config: a file of which the command line says the rest.
void add_config_option(cli::App& app, std::string& file);

// --control, --control-group, --control-group-operates: the control socket.
void add_control_options(cli::App& app, rpc::ServerSettings& settings);

// --metrics: figures over HTTP.
void add_metrics_option(cli::App& app, std::optional<Endpoint>& at);

void add_selection_options(cli::App& app, select::Settings& settings);

}  // namespace hawser::app
