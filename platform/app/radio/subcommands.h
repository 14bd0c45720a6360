// SPDX-License-Identifier: MIT
// The subcommands of `hawser radio`, one file for each group of them: a file declares its options and its help beside
// what they do, and hands over what is to be run. What all of them share is here: the radiod's name, JSON, exit codes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "platform/app/commands/options.h"
#include "platform/app/radio/radio_session.h"

namespace hawser::app {

class RadioSubcommands {
public:
    explicit RadioSubcommands(cli::App& app) : app_(app) {}
    // `run` answers the exit code; it is called after parsing, when the subcommand was the one that was given.
    cli::App* add(const char* name, const char* help, std::function<int()> run) {
        cli::App* sub = app_.add_subcommand(name, help);
        entries_.emplace_back(sub, std::move(run));
        return sub;
    }
    [[nodiscard]] int run_parsed() const;

private:
    cli::App& app_;
    std::vector<std::pair<cli::App*, std::function<int()>>> entries_;
};

// Each file's own.
void add_list_subcommands(RadioSubcommands& subcommands);  // list, query
void add_tune_subcommands(RadioSubcommands& subcommands);  // tune, set, remove
void add_dump_subcommand(RadioSubcommands& subcommands);   // dump
void add_create_subcommand(RadioSubcommands& subcommands);
void add_monitor_subcommand(RadioSubcommands& subcommands);
void add_powers_subcommand(RadioSubcommands& subcommands);
void add_record_subcommand(RadioSubcommands& subcommands);
void add_keep_subcommand(RadioSubcommands& subcommands);   // keep
void add_watch_subcommand(RadioSubcommands& subcommands);  // watch

// -r, --iface, -o, --ttl, --cache. Answers -r, which is required unless told otherwise.
cli::Option* add_radio_options(cli::App& app, RadioOptions& radio);
void add_json_option(cli::App& app, bool& json);
// Of what tells UTC by radiod's GPS time.
void add_leap_seconds_option(cli::App& app, int& leap_seconds);
[[nodiscard]] cli::Validator ssrc_number();

// Fields and values, in the order of the command line.
using FieldSettings = std::vector<std::pair<std::string, std::string>>;
// -f, -m, -R ... --set: every way to say what a channel shall be.
void add_channel_settings(cli::App& app, FieldSettings& settings);
// Names the setting at fault on stderr and answers false.
[[nodiscard]] bool build_command(const FieldSettings& settings, radio::Command& command);

void print(const std::string& text);
// What was printed, to whoever reads it; false once any of it could not be written, which is told when it is noticed.
// A reader that has gone away is no complaint, but the end of the work, as the exit code says.
[[nodiscard]] bool flush_output();
// Says it on stderr, printable; answers exit_failed.
int fail(const std::string& text);
// Of a list that met a bound (radio::Discovery).
inline constexpr const char* cut_short_text =
    "the list was cut short, since more answered than radiods have channels, or for too long";
// After a poll that the channel did not answer: whether the radiod is silent, or only the channel not there.
int fail_without_channel(RadioSession& session, std::uint32_t ssrc, bool cut_short);

}  // namespace hawser::app
