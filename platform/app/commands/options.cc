// SPDX-License-Identifier: MIT
#include "platform/app/commands/options.h"

#include <charconv>

#include "platform/app/config/config_file.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/thread.h"

namespace hawser::app {

namespace {

constexpr std::uint32_t buffer_mib_max = 128;  // 65536 slots: what io_uring's 16-bit buffer ids can name

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

cli::Validator usable_cpu() {
    return cli::Validator(
        [](std::string& text) {
            unsigned cpu = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
            const bool is_number = error == std::errc() && end == text.data() + text.size();
            if (is_number && os::may_run_on(cpu)) return std::string();
            return in_quotes(text) + " is no processor that this process may run on";
        },
        "N");
}

}  // namespace

cli::Validator port_number() {
    return cli::Validator(
        [](std::string& text) {
            unsigned value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool is_port =
                error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 65535;
            return is_port ? std::string() : in_quotes(text) + " is no port number (1 to 65535)";
        },
        "PORT");
}

cli::Validator numeric_address() {
    return cli::Validator(
        [](std::string& text) {
            return os::parse_address(text) ? std::string() : in_quotes(text) + " is no IPv4 or IPv6 address";
        },
        "ADDRESS");
}

void add_pump_options(cli::App& app, PumpSettings& settings) {
    const std::string group = "Packet pump";
    app.add_option_function<std::string>(
           "--io", [&settings](const std::string& text) { settings.io = *parse_io_kind(text); },
           "how packets move: auto, uring (io_uring) or epoll")
        ->check(cli::IsMember({"auto", "uring", "epoll"}))
        ->group(group);
    app.add_option_function<std::uint32_t>(
           "--coalesce", [&settings](std::uint32_t us) { settings.coalesce = Duration{std::int64_t{us} * 1000}; },
           "longest wait for company in microseconds, used only at rates where it pays; 0 is --prompt (default 500)")
        ->check(cli::Range(0u, 20'000u))
        ->type_name("US")
        ->group(group);
    app.add_flag_function(
           "--prompt", [&settings](std::int64_t) { settings.coalesce = Duration{}; }, "never hold a packet back")
        ->group(group);
    app.add_option_function<unsigned>(
           "--cpu", [&settings](unsigned cpu) { settings.cpu = cpu; }, "run the pump on this processor only")
        ->check(usable_cpu())
        ->group(group);
    app.add_option_function<std::uint32_t>(
           "--buffer", [&settings](std::uint32_t mib) { settings.pool_slots = mib * 1024 * 1024 / pool_slot_bytes; },
           "packet memory in MiB (default 32)")
        ->check(cli::Range(4u, buffer_mib_max))
        ->type_name("MIB")
        ->group(group);
}

cli::Option* add_link_rules(cli::App& app, control::LinkPolicies& policies, const std::string& help) {
    return app
        .add_option_function<std::vector<std::string>>(
            "--link",
            [&policies](const std::vector<std::string>& rules) {
                auto at = policies.rules.begin();
                for (const std::string& rule : rules)
                    at = policies.rules.insert(at, *control::parse_link_rule(rule)) + 1;
            },
            help)
        ->check([](const std::string& text) {
            const auto rule = control::parse_link_rule(text);
            return rule ? std::string() : rule.error();
        })
        ->type_name("RULE");
}

void add_recorder_options(cli::App& app, RecorderSettings& settings) {
    const std::string group = "Flight recorder";
    app.add_option("--recorder-packets", settings.packets,
                   "keeps what became of the last so many packets for hawser dump and SIGUSR2, 64 bytes each; 0: off "
                   "(default 65536)")
        ->check(cli::Range(0u, recorder_packets_bound))
        ->type_name("N")
        ->group(group);
    app.add_option("--recorder-payload", settings.payload_bytes,
                   "and so many bytes of each data packet's payload (default 0: headers alone)")
        ->check(cli::Range(0u, recorder_payload_bound))
        ->type_name("BYTES")
        ->group(group);
    app.add_option("--recordings", settings.folder,
                   "the folder that recordings are written to (default: recordings in the state folder)")
        ->type_name("DIR")
        ->group(group);
}

void add_event_log_options(cli::App& app, EventLogSettings& settings) {
    const std::string group = "Log";
    app.add_option("--event-log", settings.to,
                   "writes what happens there at once, and samples of the figures: a file of JSON lines, or journal")
        ->type_name("FILE|journal")
        ->group(group);
    app.add_option("--event-samples", settings.samples_s,
                   "samples are taken each second and written each so many seconds; 0: none (default 10)")
        ->check(cli::Range(0u, 3600u))
        ->type_name("SECONDS")
        ->group(group);
    app.add_option("--event-log-size", settings.size_mib,
                   "a file that would grow beyond it becomes FILE.1, and one is kept (default 16)")
        ->check(cli::Range(1u, 4096u))
        ->type_name("MIB")
        ->group(group);
}

void add_log_options(cli::App& app, Level& level) {
    app.add_option_function<std::string>(
           "--log-level,--log_level", [&level](const std::string& text) { level = *parse_level(text); },
           "trace, debug, info, warn, error or off (default info)")
        ->check([](const std::string& text) {
            return parse_level(text) ? std::string()
                                     : in_quotes(text) + " is no log level (trace, debug, info, warn, error, off)";
        })
        ->type_name("LEVEL")
        ->group("Log");
    app.add_flag_function(
           "--verbose,--debug", [&level](std::int64_t) { level = Level::debug; }, "the same as --log-level debug")
        ->group("Log");
}

void add_config_option(cli::App& app, std::string& file) {
    app.add_option("-c,--config", file,
                   std::string("a configuration file, read again on SIGHUP; the command line goes before it (default "
                               "where nothing says what to run: ") +
                       usual_config_file + "); hawser check tells of it")
        ->type_name("FILE");
}

void add_control_options(cli::App& app, rpc::ServerSettings& settings) {
    const std::string group = "Control socket and metrics";
    app.add_option("--control,--control-socket", settings.path,
                   "take orders and tell figures on this Unix socket (default: none); root and the program's own user "
                   "may operate, the file's group may observe")
        ->type_name("PATH")
        ->group(group);
    app.add_option("--control-group", settings.group, "the socket file's group (default: the program's own)")
        ->type_name("GROUP")
        ->group(group);
    app.add_flag("--control-group-operates", settings.group_operates, "its group may operate too")->group(group);
}

void add_metrics_option(cli::App& app, std::optional<Endpoint>& at) {
    const auto endpoint_of = [](const std::string& text) {
        const bool is_port = text.find_first_not_of("0123456789") == std::string::npos;
        return os::parse_endpoint(is_port ? "127.0.0.1:" + text : text);
    };
    app.add_option_function<std::string>(
           "--metrics,--metrics-bind", [&at, endpoint_of](const std::string& text) { at = endpoint_of(text); },
           "figures over HTTP: /metrics for Prometheus, / lists the others; a port alone is one of 127.0.0.1 (default: "
           "none)")
        ->check([endpoint_of](const std::string& text) {
            return endpoint_of(text) ? std::string() : in_quotes(text) + " is no port, nor ADDRESS:PORT";
        })
        ->type_name("[ADDRESS:]PORT")
        ->group("Control socket and metrics");
}

void add_selection_options(cli::App& app, select::Settings& settings) {
    const std::string group = "Uplink selection";
    app.add_option_function<std::string>(
           "--select,--mode", [&settings](const std::string& text) { settings.mode = select::mode_of(text); },
           "adaptive (default: packets leave when an uplink has room, on the one where they arrive first; losses are "
           "repaired within SRT's latency; where it is chosen while running, reports come from the next registration "
           "on), enhanced, or classic")
        ->check(cli::IsMember({"classic", "enhanced", "adaptive"}))
        ->group(group);
    app.add_option_function<std::uint32_t>(
           "--latency", [&settings](std::uint32_t ms) { settings.latency = Duration{std::int64_t{ms} * 1'000'000}; },
           "adaptive: the time in which a packet is worth sending (default: SRT's latency, from its handshake)")
        ->check(cli::Range(20u, 30'000u))
        ->type_name("MS")
        ->group(group);
    app.add_flag_function(
           "--no-quality", [&settings](std::int64_t) { settings.quality = false; },
           "enhanced: do not weigh uplinks by NAKs and RTT")
        ->group(group);
    app.add_flag_function(
           "--no-stall-gate,--no-stall-deselect", [&settings](std::int64_t) { settings.stall_gate = false; },
           "enhanced: keep sending on uplinks that have gone quiet with packets in flight")
        ->group(group);
    app.add_flag_function(
           "--explore", [&settings](std::int64_t) { settings.exploration = true; },
           "enhanced: now and then try another uplink than the best")
        ->group(group);
    app.add_option("--stall-min-in-flight", settings.stall_min_in_flight,
                   "packets in flight before an uplink can count as stalled (default 32)")
        ->check(cli::Range(1u, 100'000u))
        ->type_name("N")
        ->group(group);
    app.add_option_function<std::uint32_t>(
           "--stall-ack-stale-ms",
           [&settings](std::uint32_t ms) { settings.stall_ack_stale = Duration{std::int64_t{ms} * 1'000'000}; },
           "longest time without proof of delivery before an uplink counts as stalled (default 3000)")
        ->check(cli::Range(100u, 60'000u))
        ->type_name("MS")
        ->group(group);
}

}  // namespace hawser::app
