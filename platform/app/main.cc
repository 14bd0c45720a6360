// SPDX-License-Identifier: MIT
// The program: picks a subcommand, or a peer's command line when called by a peer's name.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "platform/app/commands/commands.h"
#include "platform/app/lack_of_memory.h"
#include "platform/app/nearest_word.h"
#include "platform/app/output_thread.h"

namespace hawser::app {

namespace {

struct Command {
    std::string_view name;
    int (*run)(int argc, char** argv);
    const char* help;
};

constexpr Command commands[] = {
    {"send", command_send, "SRT from a local port, over several uplinks, to an SRTLA receiver"},
    {"recv", command_recv, "SRTLA senders' uplinks in, SRT out to a server"},
    {"check", command_check, "a configuration file looked through, and what would run with it"},
    {"doctor", command_doctor, "whether packets leave by each uplink and come back, and what to do where not"},
    {"status", command_status, "a running hawser's links, once or each second"},
    {"top", command_top, "the same, live"},
    {"ctl", command_ctl, "a running hawser told or asked something"},
    {"budgets", command_budgets, "what a running sender's uplinks have used of their month"},
    {"log", command_log, "what a running hawser logs"},
    {"dump", command_dump, "what became of a running hawser's last packets, as a file for Wireshark"},
    {"radio", command_radio, "ka9q-radio channels: listed, tuned, created, kept, watched, recorded, their spectra"},
#ifdef HAWSER_HAS_DEMO
    {"demo", command_demo, "both ends, four emulated uplinks and a live picture on this machine"},
#endif
#ifdef HAWSER_HAS_SIM
    {"sim", command_sim, "the whole bond over links of any shape, in simulated time"},
#endif
};

constexpr Command aliases[] = {
    {"srtla_send", command_srtla_send, ""},
    {"srtla_rec", command_srtla_rec, ""},
};

void print_help(std::FILE* out) {
    std::fputs(
        "hawser " HAWSER_VERSION ": many weak uplinks laid into one strong rope\n\nusage: hawser COMMAND ...\n\n", out);
    for (const Command& c : commands) std::fprintf(out, "  %-8s %s\n", c.name.data(), c.help);
    std::fputs(
        "\nhawser COMMAND --help tells the rest. Called as srtla_send or srtla_rec, the program takes those\n"
        "programs' command lines.\n",
        out);
}

int dispatch(int argc, char** argv) {
    std::string_view called = argc > 0 ? argv[0] : "hawser";
    called.remove_prefix(called.rfind('/') + 1);
    for (const Command& alias : aliases)
        if (called == alias.name) return alias.run(argc, argv);
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const std::string_view wanted = argv[1];
    if (wanted == "--version" || wanted == "-v" || wanted == "version") {
        std::puts("hawser " HAWSER_VERSION);
        return 0;
    }
    if (wanted == "--help" || wanted == "-h" || wanted == "help") {
        print_help(stdout);
        return 0;
    }
    for (const Command& c : commands)
        if (wanted == c.name) return c.run(argc - 1, argv + 1);
    std::vector<std::string> known;
    for (const Command& c : commands) known.emplace_back(c.name);
    const std::string meant = nearest_word(wanted, known);
    std::fprintf(stderr, "hawser: there is no command '%s'%s%s\n\n", argv[1], meant.empty() ? "" : "; did you mean ",
                 meant.c_str());
    print_help(stderr);
    return 2;
}

// What operator new calls before it gives up; mimalloc's would abort without a word.
[[noreturn]] void no_memory() {
    if (LackOfMemory::is_told()) throw std::bad_alloc();
    constexpr std::string_view text = "hawser: no memory left (limits: ulimit -v, MemoryMax=)\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(1);
}

// Only libraries throw here, the control loop among them, and only for want of something basic.
int run(int argc, char** argv) {
    try {
        return dispatch(argc, argv);
    } catch (const std::system_error& e) {
        // Only a thread's start says this: there was no memory for its stack, or there are too many.
        const bool is_thread = e.code() == std::errc::resource_unavailable_try_again;
        std::fprintf(
            stderr, "hawser: %s%s\n", e.what(),
            is_thread ? ": no thread could be started (limits on memory and processes: ulimit -v, ulimit -u)" : "");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "hawser: %s\n", e.what());
    }
    return 1;
}

}  // namespace

}  // namespace hawser::app

int main(int argc, char** argv) {
    std::set_new_handler(hawser::app::no_memory);
    const int code = hawser::app::run(argc, argv);
    hawser::app::finish_outputs();
    return code;
}
