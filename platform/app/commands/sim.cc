// SPDX-License-Identifier: MIT
// hawser sim: trips of the whole bond in simulated time.
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "platform/app/commands/commands.h"
#include "platform/app/commands/options.h"
#include "platform/app/replay/replay.h"
#include "platform/app/replay/scenario_text.h"
#include "platform/app/sim/matrix.h"
#include "platform/app/sim/plot.h"
#include "platform/app/sim/report.h"

#include <unistd.h>

namespace hawser::app {

namespace {

struct Request {
    std::vector<std::string> scenarios;
    std::vector<std::string> selections{"classic", "enhanced", "adaptive"};
    std::vector<std::string> receivers{"hawser"};
    MatrixPlan plan;
    unsigned jobs = 0;
    bool list = false;
    bool json = false;
    std::string show;
    std::string plot;
    std::string write;
};

const char* const footer =
    "A SCENARIO is one of the built-in ones by name (or its beginning) or a file that ends in .toml; hawser sim "
    "--show\n"
    "NAME prints a built-in one as a file to begin from. A file describes links: capacity by kbps, by radio (made up "
    "from\n"
    "the seed) or by trace (a recording: mahimahi's milliseconds, or lines of seconds and kbit/s), queue, delay, "
    "jitter,\n"
    "loss, bursts, outages and detours.\n\n"
    "A SCENARIO that ends in .pcapng is a flight recording of hawser send's, as hawser dump makes it: rates, delays, "
    "queues,\n"
    "losses and outages of its links are estimated, and the trip is run again with each selector. --write makes files "
    "of\n"
    "it, to edit.\n\n"
    "Columns: on time, the share of payloads that SRT handed to the viewer within latency + 300 ms; oracle, the same "
    "for\n"
    "a sender that foresees everything; causal, for one that knows the present of every link and nothing of its "
    "future;\n"
    "against first, the difference to the first selector pair by pair, with its 95 % interval; gap, the longest "
    "silence;\n"
    "hurt, seconds that lost more than 1 %; again, SRT's retransmissions; wire, bytes beyond the media's own.";

int list_scenarios() {
    for (const BuiltInScenario& b : built_in_scenarios()) {
        const auto scenario = load_scenario(std::string(b.name));
        if (scenario) std::printf("%-14s %s\n", b.name.data(), scenario->about.c_str());
    }
    return exit_ok;
}

int show_scenario(const std::string& name) {
    for (const BuiltInScenario& b : built_in_scenarios())
        if (b.name == name || b.name.substr(0, name.size()) == name) {
            std::fputs(b.text.data(), stdout);
            return exit_ok;
        }
    std::fprintf(stderr, "hawser sim: there is no built-in scenario '%s' (--list names them)\n", name.c_str());
    return exit_usage;
}

// Recordings as files to edit.
int write_recordings(const std::vector<std::string>& paths, const std::string& folder) {
    for (const std::string& path : paths) {
        if (!is_recording(path)) {
            std::fprintf(stderr, "hawser sim: --write takes recordings (.pcapng), not %s\n", path.c_str());
            return exit_usage;
        }
        const auto trip = load_recording(path);
        const auto written = trip ? write_trip(*trip, folder) : Result<std::string, std::string>(Failure{trip.error()});
        if (!written) {
            std::fprintf(stderr, "hawser sim: %s\n", written.error().c_str());
            return exit_failed;
        }
        std::printf("%s: %s\n", written->c_str(), trip->scenario.about.c_str());
    }
    return exit_ok;
}

// Of a recording it is told what it cannot tell.
Result<Scenario, std::string> scenario_of(const std::string& name) {
    if (!is_recording(name)) return load_scenario(name);
    auto trip = load_recording(name);
    if (!trip) return Failure{trip.error()};
    std::fprintf(stderr, "%s: %s\n", name.c_str(), trip->scenario.about.c_str());
    return std::move(trip).value().scenario;
}

bool write_file(const std::string& path, const std::string& text) {
    const auto close = [](std::FILE* f) { std::fclose(f); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "we"), close);
    if (file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0)
        return true;
    std::fprintf(stderr, "hawser sim: cannot write %s: %s\n", path.c_str(), std::strerror(errno));
    return false;
}

void add_options(cli::App& app, Request& r) {
    MatrixPlan& plan = r.plan;
    app.add_option("SCENARIO", r.scenarios, "built-in scenarios, TOML files or recordings");
    app.add_flag("--list", r.list, "name the built-in scenarios");
    app.add_option("--show", r.show, "print a built-in scenario as TOML")->type_name("NAME");
    std::vector<std::string> modes(select::mode_names.begin(), select::mode_names.end());
    app.add_option("--select", r.selections, "selectors to compare (default: all)")
        ->delimiter(',')
        ->check(cli::IsMember(modes));
    app.add_option("--receiver", r.receivers, "far end: hawser (default), plain (as every SRTLA receiver), or both")
        ->delimiter(',')
        ->check(cli::IsMember({"hawser", "plain"}));
    app.add_option("--seeds", plan.seeds, "as many different networks (default 1)")
        ->check(cli::Range(1u, 100'000u))
        ->type_name("N");
    app.add_option("--first-seed", plan.first_seed, "the first of them (default 1)")->type_name("N");
    app.add_option("--repeats", plan.repeats, "trips over each network that differ only in chance (default 1)")
        ->check(cli::Range(1u, 1000u))
        ->type_name("N");
    app.add_option("--load", plan.loads, "percent of the links' mean capacity, instead of the scenario's")
        ->delimiter(',')
        ->check(cli::Range(1.0, 1000.0))
        ->type_name("PERCENT");
    app.add_option("--latency", plan.latencies, "SRT latencies in ms, instead of the scenario's")
        ->delimiter(',')
        ->check(cli::Range(20.0, 60'000.0))
        ->type_name("MS");
    app.add_option("--seconds", plan.seconds, "of media, instead of the scenario's")
        ->check(cli::Range(1.0, 3600.0))
        ->type_name("S");
    app.add_option("--lossmaxttl", plan.loss_max_ttl, "the SRT receiver's reorder tolerance, instead of the scenario's")
        ->check(cli::Range(0, 10'000))
        ->type_name("PACKETS");
    app.add_flag_function(
        "--belabox-sink", [&plan](std::int64_t) { plan.patched_receiver = true; },
        "an SRT receiver with BELABOX's patches: fixed reorder tolerance, no periodic NAKs");
    app.add_option_function<std::uint32_t>(
           "--coalesce", [&plan](std::uint32_t us) { plan.coalesce = Duration{std::int64_t{us} * 1000}; },
           "as hawser send's (default 500)")
        ->check(cli::Range(0u, 20'000u))
        ->type_name("US");
    app.add_option("--jobs", r.jobs, "trips at a time (default: one for each processor)")
        ->check(cli::Range(1u, 1024u))
        ->type_name("N");
    app.add_flag("--json", r.json, "everything as one line of JSON instead of the table");
    app.add_option("--plot", r.plot, "also draw the first trip of each selector over time, as SVG")
        ->type_name("FILE.svg");
    app.add_option("--write", r.write, "write the recordings as scenarios to edit, and run nothing")->type_name("DIR");
    app.footer(footer);
}

// The first trip of each selector in the first cell.
std::vector<MatrixRun> first_of_each(const std::vector<MatrixRun>& runs, std::size_t selections) {
    return {runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(std::min(runs.size(), selections))};
}

}  // namespace

int command_sim(int argc, char** argv) {
    Request r;
    cli::App app(
        "Runs the whole bond in simulated time: the real sender and receiver between models of SRT's two ends, over\n"
        "links of any shape, and says what a viewer would have seen.",
        "hawser sim");
    add_options(app, r);
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    if (r.list) return list_scenarios();
    if (!r.show.empty()) return show_scenario(r.show);
    if (r.scenarios.empty()) {
        std::fputs("hawser sim: no SCENARIO given; --list names the built-in ones\n", stderr);
        return exit_usage;
    }
    if (!r.write.empty()) return write_recordings(r.scenarios, r.write);
    for (const std::string& name : r.scenarios) {
        auto scenario = scenario_of(name);
        if (!scenario) {
            std::fprintf(stderr, "hawser sim: %s\n", scenario.error().c_str());
            return exit_failed;
        }
        r.plan.scenarios.push_back(std::move(scenario).value());
    }
    for (const std::string& name : r.selections) {
        select::Settings s;
        s.mode = select::mode_of(name);
        r.plan.selections.push_back(s);
    }
    r.plan.receivers.clear();
    for (const std::string& name : r.receivers)
        r.plan.receivers.push_back(name == "plain" ? sim::TripReceiver::plain : sim::TripReceiver::hawser);
    r.plan.workers = r.jobs > 0 ? r.jobs : std::max(std::thread::hardware_concurrency(), 1u);
    const bool tells = ::isatty(STDERR_FILENO) == 1;
    const auto runs = run_matrix(r.plan, [tells](std::size_t done, std::size_t all) {
        if (tells) std::fprintf(stderr, "\r%zu of %zu trips%s", done, all, done == all ? "\r\033[K" : "");
    });
    const std::string text = r.json ? matrix_json(r.plan, runs) + "\n" : matrix_table(r.plan, runs);
    std::fputs(text.c_str(), stdout);
    if (!r.plot.empty()) {
        // The series cost memory, so only what is drawn has them.
        MatrixPlan drawn = r.plan;
        drawn.series = true;
        drawn.seeds = drawn.repeats = 1;
        drawn.scenarios.resize(1);
        drawn.receivers.resize(1);
        if (!drawn.loads.empty()) drawn.loads.resize(1);
        if (!drawn.latencies.empty()) drawn.latencies.resize(1);
        if (!write_file(r.plot, plot_svg(drawn, first_of_each(run_matrix(drawn, {}), drawn.selections.size()))))
            return exit_failed;
    }
    return exit_ok;
}

}  // namespace hawser::app
