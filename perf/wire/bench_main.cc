// SPDX-License-Identifier: MIT
#include "perf/wire/bench_main.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "perf/wire/report.h"

namespace hawser::perf {

namespace {

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> items;
    std::string item;
    for (const char c : list + ",") {
        if (c != ',')
            item += c;
        else if (!item.empty())
            items.push_back(std::exchange(item, ""));
    }
    return items;
}

std::string beside_me(const std::string& name) {
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const std::string own(path, n > 0 ? static_cast<std::size_t>(n) : 0);
    return own.substr(0, own.rfind('/') + 1) + name;
}

class Session {
public:
    Session(const Bench& bench, Options& options) : bench_(bench) {
        programs(options);
        loads_ = split(options.text("--loads", bench.loads));
        load_.window = options.count("--window", load_.window);
        load_.seconds = options.number("--seconds", load_.seconds);
        load_.warmup_seconds = options.number("--warmup", load_.warmup_seconds);
        load_.packets = options.count("--packets", 0);
        load_.start_seconds = options.number("--start-seconds", load_.start_seconds);
        repeat_ = options.count("--repeat", 5);
        place_.links = std::clamp(options.count("--links", 4), 1u, 32u);
        place_.log = options.text("--log", "/dev/null");
        place_.signal_after = static_cast<int>(options.count("--signal", 0));
        place_.child_cpu = static_cast<int>(options.count("--pin-child", static_cast<unsigned>(cpu_count() - 1)));
        const int bench_cpu = static_cast<int>(options.count("--pin-bench", 0));
        require_all_ = options.flag("--require-all");
        const bool preferred = options.flag("--nice");
        static_cast<void>(options.positional(0));
        if (bench_cpu == place_.child_cpu)
            std::fprintf(stderr, "note: bench and child share CPU %d; the figures are no measurement\n", bench_cpu);
        if (preferred) be_preferred();
        pin_self(bench_cpu);
    }

    int run() {
        Report report(bench_.name);
        report.note("links", place_.links);
        report.note("cpus", cpu_count());
        bool all = true;
        for (unsigned i = 0; i < repeat_; ++i) {
            for (const std::string& name : loads_) {
                for (const Program& program : programs_) {
                    const Measurement m = named(name, program);
                    Report::progress(name, program.name, m);
                    report.add(name, program.name, m);
                    all = all && m.error.empty() && m.lost == 0;
                }
            }
        }
        const bool sound = report.print(baselines_);
        return sound && (all || !require_all_) ? 0 : 1;
    }

private:
    void programs(Options& options) {
        const auto add = [&](const std::string& name, const std::string& command, bool registration) {
            if (!command.empty()) programs_.push_back({name, command, registration});
        };
        const auto add_all = [&](const std::string& option, bool registration) {
            for (std::string w = options.text(option, ""); !w.empty(); w = options.text(option, ""))
                add(w.substr(0, w.find('=')), w.substr(w.find('=') + 1), registration);
        };
        add("hawser", options.text("--command", ""), true);
        add_all("--also", true);
        add_all("--plain", false);
        add("peer", options.text("--peer", ""), true);
        const std::string forwarder = beside_me(bench_.forwarder) + " " + bench_.placeholders;
        if (options.flag("--forwarder")) {
            add("forwarder", forwarder, false);
            baselines_.emplace_back("forwarder");
        }
        const std::string wait = options.text("--coalesce", "");
        if (!wait.empty()) {
            add("forwarder-wait", forwarder + " --coalesce " + wait, false);
            baselines_.emplace_back("forwarder-wait");
        }
        if (programs_.empty()) options.fail("nothing to measure: --command, --forwarder, --peer, --also or --plain");
    }

    Measurement once(const Program& program, const Load& load) {
        const std::unique_ptr<Ends> ends = bench_.make_ends(program, load, place_);
        return measure(program, load, place_, *ends);
    }

    // "1000": packets/s; "200x500": 200 groups of 500 packets/s each; window, max, idle, each also as "200xwindow".
    Measurement named(const std::string& name, const Program& program) {
        Load load = load_;
        std::string rest = name;
        const std::size_t cross = name.find('x');
        if (cross != std::string::npos && cross > 0 && name.find_first_not_of("0123456789") == cross) {
            load.groups = std::max(1u, static_cast<unsigned>(std::strtoul(name.c_str(), nullptr, 10)));
            rest = name.substr(cross + 1);
        }
        if (rest == "max") return highest_rate(program, load);
        if (rest == "window") {
            load.kind = Load::Kind::window;
        } else if (rest == "idle") {
            load.kind = Load::Kind::idle;
            load.seconds = std::max(load.seconds, 10.0);
        } else {
            load.rate = std::strtod(rest.c_str(), nullptr) * load.groups;
            if (load.rate <= 0) {
                Measurement none;
                none.error = "'" + name + "' is no load";
                return none;
            }
        }
        return once(program, load);
    }

    // The highest rate, in packets/s, at which nothing is lost: doubling, then bisection to 3 %. A rate counts as
    // lossy when two trials of two lose, so that one stroke of another process does not decide.
    Measurement highest_rate(const Program& program, Load load) {
        load.kind = Load::Kind::bursts;
        Measurement best;
        const auto passes = [&](double rate) {
            load.rate = rate;
            for (int trial = 0; trial < 2 && best.error.empty(); ++trial) {
                Measurement m = once(program, load);
                if (!m.error.empty()) best.error = m.error;
                // Short of the asked rate without loss: the generator's own limit, which is no pass.
                if (!m.error.empty() || m.lost != 0 || m.rate < 0.97 * rate) continue;
                best = m;
                return true;
            }
            return false;
        };
        constexpr double first = 10'000;
        constexpr double last = 4'000'000;
        if (!passes(first)) return best;
        double good = first;
        double bad = 2 * first;
        while (bad < last && passes(bad)) {
            good = bad;
            bad *= 2;
        }
        while (bad / good > 1.03 && best.error.empty()) {
            const double middle = (good + bad) / 2;
            (passes(middle) ? good : bad) = middle;
        }
        return best;
    }

    const Bench& bench_;
    std::vector<Program> programs_;
    std::vector<std::string> baselines_;
    std::vector<std::string> loads_;
    Load load_;
    Place place_;
    unsigned repeat_ = 0;
    bool require_all_ = false;
};

}  // namespace

std::string common_usage() {
    return "  --forwarder         measure the yardstick beside it; --coalesce US: also one that waits\n"
           "  --peer C            measure another program beside it\n"
           "  --also, --plain     more programs, NAME=C; a plain one knows no SRTLA\n"
           "  --loads LIST        of packets/s, window (saturated), max (highest rate without loss), idle\n"
           "  --links N (4)       --window N (64)    --seconds S (2)    --repeat N (5)    --warmup S (0.4)\n"
           "  --packets N         window: exactly N packets, no warm-up (for instruction counts)\n"
           "  --start-seconds S   how long a program may take to open its sessions (10)\n"
           "  --pin-child CPU     (the last one)     --pin-bench CPU (the first one)\n"
           "  --log FILE          what the programs print     --signal N: sent to each after its load\n"
           "  --nice              bench and programs at nice -20, against other work on the machine\n"
           "  --require-all       fail unless every packet arrived\n"
           "Table on stderr, one line of JSON on stdout.\n";
}

int bench_main(const Bench& bench, Options& options) { return Session(bench, options).run(); }

}  // namespace hawser::perf
