// SPDX-License-Identifier: MIT
#include "platform/app/radio/subcommands.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "engine/radio/frequency.h"
#include "platform/app/nearest_word.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/command_status.h"
#include "platform/linux/errno_text.h"

namespace hawser::app {

namespace {

void add_setting(cli::App& app, FieldSettings& settings, const char* flags, const char* path, const char* help,
                 const char* type) {
    app.add_option_function<std::string>(
           flags, [&settings, path](const std::string& value) { settings.emplace_back(path, value); }, help)
        ->type_name(type);
}

std::string no_such_field(const std::string& name, const std::vector<std::string>& known) {
    const std::string nearest = nearest_word(name, known);
    return "there is no such field" + (nearest.empty() ? "" : "; '" + nearest + "' is one");
}

void tell_lost_output(int error) {
    if (error != EPIPE) fail("standard output: " + os::errno_text(Errno{error, "write"}));
}

}  // namespace

int RadioSubcommands::run_parsed() const {
    for (const auto& [sub, run] : entries_)
        if (sub->parsed()) {
            const int code = run();
            return flush_output() || code != exit_ok ? code : exit_failed;
        }
    return exit_usage;  // CLI11 asks for one
}

cli::Option* add_radio_options(cli::App& app, RadioOptions& radio) {
    // Not by CLI11, which lets the environment of one subcommand overrule another's option that was given.
    if (const char* set = std::getenv("RADIO")) radio.name = set;
    cli::Option* name =
        app.add_option("-r,--radio", radio.name, "the radiod: NAME or GROUP, [:PORT][,INTERFACE] (environment: RADIO)")
            ->required(radio.name.empty())
            ->type_name("NAME");
    app.add_option("--iface", radio.interface, "network interface, by name or address")->type_name("NAME");
    app.add_option("-o,--source", radio.source, "only what this address sends")->check(numeric_address());
    app.add_option("--ttl", radio.ttl, "of commands: 0 stays on this host (default 1)")->check(cli::Range(0, 255));
    app.add_option(
           "--cache", radio.cache,
           "what was learned of radiods is kept there; `none` keeps nothing (default ~/.cache/hawser/radio.json)")
        ->type_name("PATH");
    return name;
}

void add_json_option(cli::App& app, bool& json) { app.add_flag("--json", json, "as JSON, a line for each answer"); }

void add_leap_seconds_option(cli::App& app, int& leap_seconds) {
    app.add_option("--leap-seconds", leap_seconds, "by which UTC is behind radiod's GPS time (default 18, since 2017)")
        ->check(cli::Range(0, 3600))
        ->type_name("N");
}

cli::Validator ssrc_number() {
    return cli::Validator(
        [](std::string& text) {
            const auto value = radio::parse_integer(text);
            const bool is_ssrc = value && *value > 0 && *value < radio::poll_all_ssrc;
            return is_ssrc ? std::string() : "'" + text + "' is no channel's number (1 to 4294967294)";
        },
        "SSRC");
}

void add_channel_settings(cli::App& app, FieldSettings& settings) {
    // GAIN switches the AGC off in radiod; the command puts them into the right order.
    add_setting(app, settings, "-f,--frequency", "channel.frequency", "carrier or centre", "HZ");
    add_setting(app, settings, "-m,-p,--mode,--preset", "channel.preset", "preset, such as usb", "NAME");
    add_setting(app, settings, "-R,--samprate", "output.samprate", "output rate", "HZ");
    add_setting(app, settings, "-L,--low", "filter.low_edge", "lower edge of the filter", "HZ");
    add_setting(app, settings, "-H,--high", "filter.high_edge", "upper edge of the filter", "HZ");
    add_setting(app, settings, "-g,--gain", "agc.gain", "fixed gain; switches the AGC off", "DB");
    add_setting(app, settings, "-a,--agc", "agc.enable", "on or off", "ON");
    add_setting(app, settings, "-e,--encoding", "output.encoding", "s16be, f32le, opus ...", "NAME");
    add_setting(app, settings, "-c,--channels", "output.channels", "1 or 2", "N");
    add_setting(app, settings, "-D,--data", "output.dest", "where its RTP goes", "GROUP");
    add_setting(app, settings, "--rfgain", "frontend.gain", "of the front end", "DB");
    add_setting(app, settings, "--rfatten", "frontend.atten", "of the front end", "DB");
    add_setting(app, settings, "--lifetime", "channel.lifetime", "blocks of 20 ms until the channel ends; 0: for ever",
                "BLOCKS");
    app.add_option_function<std::vector<std::string>>(
           "--set",
           [&settings](const std::vector<std::string>& pairs) {
               for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) settings.emplace_back(pairs[i], pairs[i + 1]);
           },
           "any other field and its value; may be repeated")
        ->type_name("FIELD VALUE")
        ->expected(2);
}

bool build_command(const FieldSettings& settings, radio::Command& command) {
    for (const auto& [field, value] : settings) {
        const auto put = command.put_text(field, value);
        if (put) continue;
        std::string why;
        switch (put.error()) {
            case radio::FieldFault::unknown: why = no_such_field(field, settable_paths()); break;
            case radio::FieldFault::not_settable: why = "radiod lets nobody set it"; break;
            case radio::FieldFault::bad_value: why = "that is no value of it"; break;
            case radio::FieldFault::too_much: why = "too much for one command"; break;
        }
        std::fprintf(stderr, "hawser radio: %s %s: %s\n", field.c_str(), value.c_str(), why.c_str());
        return false;
    }
    return true;
}

void print(const std::string& text) {
    const bool had_failed = std::ferror(stdout) != 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && !had_failed) tell_lost_output(errno);
}

bool flush_output() {
    const bool had_failed = std::ferror(stdout) != 0;
    if (std::fflush(stdout) != 0 && !had_failed) tell_lost_output(errno);
    return std::ferror(stdout) == 0;
}

int fail(const std::string& text) {
    std::fflush(stdout);  // what was said before comes before it, where both go to one place
    std::fprintf(stderr, "hawser radio: %s\n", printable(text).c_str());
    return exit_failed;
}

int fail_without_channel(RadioSession& session, std::uint32_t ssrc, bool cut_short) {
    if (session.service().roster().channels(session.radio()).empty())
        return fail("no channel of " + session.full_name() + " answered");
    if (cut_short) return fail(std::to_string(ssrc) + " did not answer, and " + cut_short_text);
    return fail(session.name() + " has no channel " + std::to_string(ssrc));
}

}  // namespace hawser::app
