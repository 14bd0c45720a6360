// SPDX-License-Identifier: MIT
// hawser status, top, ctl, budgets, dump and log: what a running hawser says and takes over its control socket, which
// -s or the environment's HAWSER_CONTROL names.
#include <unistd.h>

#include <cstdlib>

#include "platform/app/commands/commands.h"
#include "platform/app/commands/options.h"
#include "platform/app/view/watcher.h"

namespace hawser::app {

namespace {

void add_socket_option(cli::App& app, std::string& path) {
    app.add_option("-s,--socket", path,
                   "the control socket of a running hawser (--control of send and recv; default: a service's)")
        ->envname("HAWSER_CONTROL")
        ->type_name("PATH");
}

// False when there is none, which has been said then.
bool has_socket(const cli::App& app, std::string& path) {
    for (const char* usual : {rpc::usual_sender_socket, rpc::usual_receiver_socket})
        if (path.empty() && ::access(usual, F_OK) == 0) path = usual;
    if (!path.empty()) return true;
    std::fprintf(stderr, "%s: no control socket named: -s PATH, or HAWSER_CONTROL in the environment\n",
                 app.get_name().c_str());
    return false;
}

}  // namespace

int command_status(int argc, char** argv) {
    cli::App app("Shows a running sender's or receiver's links once.", "hawser status");
    std::string path;
    bool json = false;
    bool watch = false;
    add_socket_option(app, path);
    app.add_flag("--json", json,
                 "what get_status and get_stats answer (with --watch: get_stats), one line of JSON each");
    app.add_flag("--watch", watch, "each second, until Ctrl-C, through restarts of the program");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return watch ? watch_status(path, json) : show_status(path, json);
}

int command_top(int argc, char** argv) {
    cli::App app("Shows the links live: rate, share, RTT, loss, window, packets in flight, queue, the last 30 s.",
                 "hawser top");
    std::string path;
    bool once = false;
    add_socket_option(app, path);
    app.add_flag("--once", once, "one page, then end");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return show_top(path, once);
}

int command_ctl(int argc, char** argv) {
    cli::App app("Calls a method of a running hawser and prints its result as one line of JSON.", "hawser ctl");
    std::string path;
    std::string method;
    std::string params = "{}";
    add_socket_option(app, path);
    app.add_option("METHOD", method, "its name; rpc.methods lists them")->required();
    app.add_option("PARAMS", params, "its parameters, a JSON object such as '{\"mode\": \"classic\"}'");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return call_method(path, method, params);
}

int command_budgets(int argc, char** argv) {
    cli::App app("Shows what a running sender's uplinks have used of their month.", "hawser budgets");
    std::string path;
    bool json = false;
    add_socket_option(app, path);
    app.add_flag("--json", json, "what budgets.list answers, one line of JSON");
    app.footer("hawser ctl budgets.reset '{\"link\": \"wwan0\"}' begins a month anew.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return show_budgets(path, json);
}

int command_dump(int argc, char** argv) {
    cli::App app("Has a running hawser write its flight recorder: its last packets and what became of each.",
                 "hawser dump");
    std::string path;
    std::string name;
    add_socket_option(app, path);
    app.add_option("NAME", name, "of the file, in the folder for recordings (default: of the role and the time)");
    app.footer(
        "Prints the file's path and how many packets it has. Wireshark shows link and decision as each packet's "
        "comment.");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return dump_recorder(path, name);
}

int command_log(int argc, char** argv) {
    cli::App app("Shows the newest lines of a running hawser's log.", "hawser log");
    std::string path;
    bool follow = false;
    bool json = false;
    add_socket_option(app, path);
    app.add_flag("-f,--follow", follow, "those to come, until Ctrl-C, through restarts of the program");
    app.add_flag("--json", json, "one line of JSON each");
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (!has_socket(app, path)) return exit_usage;
    return show_log(path, follow, json);
}

}  // namespace hawser::app
