// SPDX-License-Identifier: MIT
// Options that several commands share, and how a bad one is refused: which flag, what was given, what was expected.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "platform/app/log.h"
#include "platform/app/pump_service.h"
#include "platform/control/rpc/server_settings.h"

namespace hawser::app {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// Validators whose messages name the expectation.
[[nodiscard]] CLI::Validator port_number();      // 1..65535
[[nodiscard]] CLI::Validator numeric_address();  // IPv4 or IPv6 literal

// --io, --coalesce, --prompt, --cpu, --buffer: how the pump runs.
void add_pump_options(CLI::App& app, PumpSettings& settings);

// --log-level and the peers' --verbose. The level is read after parsing by take().
class LogOptions {
public:
    void add_to(CLI::App& app);
    [[nodiscard]] Level level() const;

private:
    std::string text_ = "info";
    bool verbose_ = false;
};

// --control, --control-group, --control-group-operates: the control socket.
void add_control_options(CLI::App& app, rpc::ServerSettings& settings);

// --metrics: figures over HTTP.
void add_metrics_option(CLI::App& app, std::optional<Endpoint>& at);

void add_selection_options(CLI::App& app, select::Settings& settings);

// Parses; on --help or an error prints what is to be said and answers the exit code, else nothing.
[[nodiscard]] std::optional<int> parse(CLI::App& app, int argc, char** argv, int usage_code);

}  // namespace hawser::app
