// SPDX-License-Identifier: MIT
// hawser recv, and srtla_rec: the same receiver behind two command lines.
#include "platform/app/commands/commands.h"
#include "platform/app/commands/config_option.h"
#include "platform/app/commands/options.h"
#include "platform/app/commands/service_options.h"
#include "platform/app/receiver_options.h"
#include "platform/app/source_prefix.h"

namespace hawser::app {

namespace {

void add_shared(cli::App& app, ReceiverRequest& request) {
    add_pump_options(app, request.pump);
    add_recorder_options(app, request.pump.recorder);
    add_event_log_options(app, request.events);
    app.add_flag("--gro,!--no-gro", request.bond.join_segments,
                 "let the kernel hand over several packets at once (UDP GRO); pays where senders segment (default off)")
        ->group("Packet pump");
    const std::string group = "Groups";
    app.add_option("--groups", request.bond.groups_max, "most senders at a time (default 200)")
        ->check(cli::Range(1u, bond::receiver_groups_bound))
        ->type_name("N")
        ->group(group);
    app.add_option("--links", request.bond.links_per_group_max, "most uplinks of one sender (default 16)")
        ->check(cli::Range(1u, bond::receiver_links_bound))
        ->type_name("N")
        ->group(group);
    const auto milliseconds = [&app, &group](const char* name, Duration& value, const char* help) {
        app.add_option_function<std::uint32_t>(
               name, [&value](std::uint32_t ms) { value = Duration{std::int64_t{ms} * 1'000'000}; }, help)
            ->check(cli::Range(1'000u, 600'000u))
            ->type_name("MS")
            ->group(group);
    };
    milliseconds("--link-timeout", request.bond.link_silence, "silence that removes an uplink (default 15000)");
    milliseconds("--group-timeout", request.bond.group_silence, "silence that removes a sender (default 30000)");
    app.add_option("--allow", request.allowed, "only senders from this network may register; may be repeated")
        ->check([](const std::string& text) {
            return parse_prefix(text) ? std::string() : "'" + text + "' is no address or network such as 192.0.2.0/24";
        })
        ->type_name("NETWORK")
        ->group(group);
    const std::string asked = "For senders that ask for it";
    app.add_flag("--reports,!--no-reports", request.bond.delivery_reports,
                 "tell them what each uplink brought, and when (default on)")
        ->group(asked);
    app.add_flag("--hold,!--no-hold", request.bond.reorder_hold,
                 "let packets wait for earlier ones, within the SRT latency (default on)")
        ->group(asked);
    // A flag: its folder comes after "=" only, so that it never takes the word that follows it.
    app.add_flag(
           "--client-files{/tmp}", request.client_files,
           "write srtla-group-PORT files with the senders' addresses into /tmp, or with --client-files=FOLDER there")
        ->check(cli::ExistingDirectory());
    add_control_options(app, request.control);
    add_metrics_option(app, request.metrics);
    if (!request.compat) add_radio_channels(app, request.radio);
    app.add_option("--stats", request.stats_seconds, "print a table of senders every so many seconds")
        ->check(cli::Range(0.1, 86'400.0))
        ->type_name("SECONDS");
}

std::optional<int> parse_recv(int argc, char** argv, ReceiverRequest& request, std::string& config) {
    cli::App app("Takes the uplinks of SRTLA senders and hands each sender's SRT to an SRT server.", "hawser recv");
    app.add_option("SRTLA_LISTEN_PORT", request.listen_port, "UDP port for senders")->check(port_number());
    app.add_option("SRT_HOST", request.server_host, "the SRT server's name or address");
    app.add_option("SRT_PORT", request.server_port, "the SRT server's UDP port")->check(port_number());
    add_config_option(app, config);
    app.add_option("--listen", request.listen_address, "local address for senders (default ::, both families)")
        ->check(numeric_address());
    add_shared(app, request);
    add_log_options(app, request.log_level);
    app.footer(
        "SIGHUP reads FILE again and looks the SRT server's name up, SIGUSR1 prints all figures as one line of "
        "JSON, SIGUSR2 writes a recording.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return code;
    use_unit_socket(request.control);
    return std::nullopt;
}

const char* missing_word(const ReceiverRequest& r) {
    if (r.listen_port == 0) return "SRTLA_LISTEN_PORT";
    if (r.server_host.empty()) return "SRT_HOST";
    return r.server_port == 0 ? "SRT_PORT" : nullptr;
}

}  // namespace

int command_recv(int argc, char** argv) {
    const auto is_bare = [](const ReceiverRequest& r) { return r.listen_port == 0; };
    auto wanted = configured<ReceiverRequest>("hawser recv", argc, argv, parse_recv, &Config::receiver, is_bare);
    if (!wanted) return wanted.error();
    if (const char* word = missing_word(wanted->request)) return fail_usage("hawser recv", word);
    if (fails_alone("hawser recv", wanted->request)) return exit_usage;
    set_up_log(wanted->request.log_level, false);
    if (const std::string complaint = complaint_of(wanted->request); !complaint.empty()) {
        log(Level::error, "{}", complaint);
        return exit_usage;
    }
    return run_receiver(wanted->request, std::move(wanted->reread));
}

int command_srtla_rec(int argc, char** argv) {
    ReceiverRequest request;
    request.compat = true;
    std::vector<std::string> words;
    cli::App app("SRTLA receiver (hawser " HAWSER_VERSION ")", "srtla_rec");
    app.set_version_flag("-v,--version", HAWSER_VERSION);
    // BELABOX: three words. irlserver and OpenIRL: long options with defaults of their own.
    app.add_option("words", words, "SRTLA_LISTEN_PORT SRT_HOST SRT_PORT")->expected(0, 3);
    std::string port = "5000";
    std::string host = "127.0.0.1";
    std::string server_port = "4001";
    app.add_option("--srtla_port,--srtla-port", port, "(default 5000)");
    app.add_option("--srt_hostname,--srt-hostname", host, "(default 127.0.0.1)");
    app.add_option("--srt_port,--srt-port", server_port, "(default 4001)");
    add_shared(app, request);
    add_log_options(app, request.log_level);
    if (const auto code = app.parse(argc, argv, exit_failed)) return *code;
    if (words.size() == 3) {
        port = words[0];
        host = words[1];
        server_port = words[2];
    } else if (!words.empty() || argc < 2) {
        std::fputs(app.help().c_str(), stderr);
        return exit_failed;
    }
    for (const auto& [text, target] : {std::pair{&port, &request.listen_port}, {&server_port, &request.server_port}}) {
        if (const std::string complaint = port_number()(*text); !complaint.empty()) {
            std::fprintf(stderr, "srtla_rec: %s\n", complaint.c_str());
            return exit_failed;
        }
        *target = static_cast<std::uint16_t>(std::stoul(*text));
    }
    request.server_host = host;
    if (fails_alone("srtla_rec", request)) return exit_failed;
    set_up_log(request.log_level, true);
    if (const std::string complaint = complaint_of(request); !complaint.empty()) {
        log(Level::error, "{}", complaint);
        return exit_failed;
    }
    return run_receiver(request);
}

}  // namespace hawser::app
