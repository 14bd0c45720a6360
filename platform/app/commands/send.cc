// SPDX-License-Identifier: MIT
// hawser send, and srtla_send: the same sender behind two command lines.
#include "platform/app/commands/commands.h"
#include "platform/app/commands/config_option.h"
#include "platform/app/commands/options.h"
#include "platform/app/commands/service_options.h"
#include "platform/app/lookup_text.h"
#include "platform/app/sender_options.h"

#include <sys/socket.h>

#include "platform/linux/fd.h"
#include "platform/linux/process.h"

namespace hawser::app {

namespace {

// A number is a process's id, anything else a path.
cli::Validator process_or_file() {
    return cli::Validator(
        [](std::string& text) {
            const bool is_number = !text.empty() && text.find_first_not_of("+-0123456789") == std::string::npos;
            if (text.empty() || (is_number && !os::parse_process_id(text)))
                return std::string("'").append(text).append("' is no process id (2 or more) and no file");
            return std::string();
        },
        "");
}

void add_bitrate(cli::App& app, const std::string& name, std::uint64_t& bits, const std::string& help) {
    app.add_option(name, bits, help)
        ->check(cli::Range(std::uint64_t{10'000}, std::uint64_t{1'000'000'000}))
        ->type_name("BITS")
        ->group("Encoder");
}

// What the sender tells its encoder.
void add_encoder_options(cli::App& app, BitrateFileSettings& settings) {
    app.add_option("--bitrate-file", settings.path,
                   "keeps in this file what the encoder may send now: two lines, --bitrate-min and the safe bitrate, "
                   "in bit/s, as belacoder reads them; what follows needs it, here or in a configuration file")
        ->type_name("PATH")
        ->group("Encoder");
    app.add_option("--bitrate-signal", settings.signal,
                   "sends SIGHUP when the file has changed, to this process or to the one whose id is in this file")
        ->check(process_or_file())
        ->type_name("PID|PID-FILE")
        ->group("Encoder");
    add_bitrate(app, "--bitrate-min", settings.min, "the least that is ever told, in bit/s (default 300000)");
    add_bitrate(app, "--bitrate-max", settings.max, "the most, in bit/s (default 30000000)");
}

// What the operator says of uplinks, by the words that they are named by.
void add_limit_options(cli::App& app, SenderRequest& request) {
    const std::string group = "Classes, caps and budgets";
    add_link_rules(
        app, request.policies,
        "an uplink, or interfaces like a pattern, and of priority=1..4, cap=RATE, budget=AMOUNT, billing-day=1..31, "
        "at-limit=demote|stop, metered, dns=SERVER (several with blanks between), with commas between; the first that "
        "fits an uplink counts; may be repeated")
        ->group(group);
    app.add_option_function<std::string>(
           "--lookups", [&request](const std::string& word) { request.lookups = *parse_lookups(word); },
           "who is asked for the receiver's name: auto, the system's resolver, and where it fails or has said nothing "
           "for 2 s each uplink's name servers through that uplink; system or links, these alone (default auto)")
        ->check(cli::IsMember({"auto", "system", "links"}))
        ->type_name("WHO");
    app.add_option("--state-dir", request.state_folder,
                   "where budgets are kept (default: the service's, /var/lib/hawser for root, else "
                   "~/.local/state/hawser)")
        ->type_name("DIR")
        ->group(group);
}

void add_shared(cli::App& app, SenderRequest& request) {
    add_selection_options(app, request.selection);
    add_pump_options(app, request.pump);
    add_recorder_options(app, request.pump.recorder);
    add_event_log_options(app, request.events);
    app.add_option_function<std::uint32_t>(
           "--conn-timeout-ms,--link-timeout",
           [&request](std::uint32_t ms) { request.bond.link_silence = Duration{std::int64_t{ms} * 1'000'000}; },
           "silence in milliseconds after which an uplink counts as lost (default 4000)")
        ->check(cli::Range(1'000u, 60'000u))
        ->type_name("MS");
    app.add_option("--metered", request.metered,
                   "the uplink ADDRESS or ADDRESS%DEVICE costs by the byte, as the word metered after it in the file "
                   "says too: adaptive sends second copies by others; may be repeated")
        ->type_name("ADDRESS");
    add_limit_options(app, request);
    add_encoder_options(app, request.bitrate);
    add_control_options(app, request.control);
    add_metrics_option(app, request.metrics);
    if (!request.compat) add_radio_channels(app, request.radio);
    app.add_option("--stats", request.stats_seconds, "print a table of the uplinks every so many seconds")
        ->check(cli::Range(0.1, 86'400.0))
        ->type_name("SECONDS");
}

// [::] takes both families; where the kernel has no IPv6, every IPv4 address.
std::string every_address() {
    const os::Fd probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return probe.is_open() ? "::" : "0.0.0.0";
}

std::optional<int> parse_send(int argc, char** argv, SenderRequest& request, std::string& config) {
    cli::App app("Takes SRT on a local port and spreads it over several uplinks to an SRTLA receiver.", "hawser send");
    app.add_option("SRT_LISTEN_PORT", request.listen_port, "local UDP port for the SRT caller")->check(port_number());
    app.add_option("SRTLA_HOST", request.receiver_host, "the receiver's name or address");
    app.add_option("SRTLA_PORT", request.receiver_port, "the receiver's UDP port")->check(port_number());
    app.add_option("UPLINKS_FILE", request.uplinks_file, "uplinks, one a line; read again on SIGHUP");
    add_config_option(app, config);
    app.add_option("--runtime-dir", request.runtime_folder,
                   "keeps the group's id there, so that the SRT session lives on through a restart by SIGTERM (SIGINT "
                   "ends it; default: systemd's RUNTIME_DIRECTORY)")
        ->type_name("FOLDER");
    app.add_option("-u,--uplink", request.uplinks,
                   "a source address, ADDRESS%DEVICE, an interface with whatever address it has, or auto: every "
                   "interface with a default route; may be repeated")
        ->type_name("UPLINK");
    add_automatic_options(app, request.automatic);
    app.add_option("--listen", request.listen_address, "local address for the SRT caller (default 127.0.0.1)")
        ->check(numeric_address());
    app.add_flag("--give-up", request.bond.give_up,
                 "exit with code 1 when no uplink can be established for 10 s, instead of trying for ever");
    add_shared(app, request);
    add_log_options(app, request.log_level);
    app.footer(
        "SIGHUP reads FILE and UPLINKS_FILE again, SIGUSR1 prints all figures as one line of JSON, "
        "SIGUSR2 writes a recording.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return code;
    if (request.runtime_folder.empty()) request.runtime_folder = unit_runtime_folder();
    use_unit_socket(request.control);
    return std::nullopt;
}

// The words that a file may say instead; null: all are there.
const char* missing_word(const SenderRequest& r) {
    if (r.listen_port == 0) return "SRT_LISTEN_PORT";
    if (r.receiver_host.empty()) return "SRTLA_HOST";
    return r.receiver_port == 0 ? "SRTLA_PORT" : nullptr;
}

}  // namespace

int command_send(int argc, char** argv) {
    const auto is_bare = [](const SenderRequest& r) { return r.listen_port == 0; };
    auto wanted = configured<SenderRequest>("hawser send", argc, argv, parse_send, &Config::sender, is_bare);
    if (!wanted) return wanted.error();
    SenderRequest& request = wanted->request;
    if (const char* word = missing_word(request)) return fail_usage("hawser send", word);
    if (fails_alone("hawser send", request)) return exit_usage;
    set_up_log(request.log_level, false);
    if (request.listen_address.empty()) request.listen_address = "127.0.0.1";
    return run_sender(request, std::move(wanted->reread));
}

int command_srtla_send(int argc, char** argv) {
    SenderRequest request;
    request.compat = true;
    request.bond.give_up = true;
    cli::App app("SRTLA sender (hawser " HAWSER_VERSION ")", "srtla_send");
    app.set_version_flag("-v,--version", HAWSER_VERSION);
    app.add_option("SRT_LISTEN_PORT", request.listen_port)->required()->check(port_number());
    app.add_option("SRTLA_HOST", request.receiver_host)->required();
    app.add_option("SRTLA_PORT", request.receiver_port)->required()->check(port_number());
    app.add_option("BIND_IPS_FILE", request.uplinks_file)->required();
    add_shared(app, request);
    add_log_options(app, request.log_level);
    if (const auto code = app.parse(argc, argv, exit_failed)) return *code;
    if (fails_alone("srtla_send", request)) return exit_failed;
    set_up_log(request.log_level, true);
    request.listen_address = every_address();
    return run_sender(request);
}

}  // namespace hawser::app
