// SPDX-License-Identifier: MIT
// Speed of a sender on the wire: CPU per forwarded packet, latency, loss, wake-ups; beside the forwarder and beside
// another peer, interleaved, each measurement with a fresh process. See perf/README.md.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "perf/wire/options.h"
#include "perf/wire/report.h"
#include "perf/wire/send_run.h"
#include "perf/wire/udp.h"

namespace hawser::perf {
namespace {

constexpr const char* usage =
    "bench_send [--command C] [--forwarder] [--coalesce US] [--peer C] [--also NAME=C]... [--plain NAME=C]...\n"
    "  C is a command with {srt_port} {host} {port} {ips} {links} in it, run without a shell, e.g.\n"
    "    --command 'hawser send {srt_port} {host} {port} {ips}'\n"
    "  --also, --plain     more programs; a plain one knows no SRTLA (another forwarder)\n"
    "  --forwarder         measure perf/wire/forwarder beside it; --coalesce US: also one that waits\n"
    "  --loads LIST        of packets/s, window, max, idle (1000,10000,50000,window)\n"
    "  --links N (4)       --window N (64)    --seconds S (2)    --repeat N (5)    --warmup S (0.4)\n"
    "  --packets N         window: exactly N packets, no warm-up (for instruction counts)\n"
    "  --start-seconds S   how long a program may take to open its session (10)\n"
    "  --pin-child CPU     (the last one)     --pin-bench CPU (the first one)\n"
    "  --log FILE          what the programs print     --signal N: sent to each after its load\n"
    "  --nice              bench and programs at nice -20, against other work on the machine\n"
    "  --require-all       fail unless every packet arrived\n"
    "Table on stderr, one line of JSON on stdout.\n";

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> items;
    std::string item;
    for (const char c : list + ",") {
        if (c != ',') item += c;
        else if (!item.empty()) items.push_back(std::exchange(item, ""));
    }
    return items;
}

std::string beside_me(const std::string& name) {
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const std::string own(path, n > 0 ? static_cast<std::size_t>(n) : 0);
    return own.substr(0, own.rfind('/') + 1) + name;
}

// The highest rate, in packets/s, at which nothing is lost: doubling, then bisection to 3 %. A rate counts as lossy
// when two trials of two lose, so that one stroke of another process does not decide.
Measurement highest_rate(const Program& program, Load load, const Place& place) {
    load.kind = Load::Kind::bursts;
    Measurement best;
    const auto passes = [&](double rate) {
        load.rate = rate;
        for (int trial = 0; trial < 2; ++trial) {
            const Measurement m = measure_send(program, load, place);
            if (!m.error.empty()) {
                best.error = m.error;
                return false;
            }
            // Short of the asked rate without loss: the generator's own limit, which is no pass.
            if (m.lost != 0 || m.rate < 0.97 * rate) continue;
            best = m;
            return true;
        }
        return false;
    };
    double good = 10'000;
    if (!passes(good)) return best;
    double bad = 2 * good;
    while (bad < 4'000'000 && passes(bad)) {
        good = bad;
        bad *= 2;
    }
    while (bad / good > 1.03) {
        const double middle = (good + bad) / 2;
        if (passes(middle)) good = middle;
        else bad = middle;
        if (!best.error.empty()) break;
    }
    return best;
}

Measurement measure(const std::string& name, const Program& program, Load load, const Place& place) {
    if (name == "max") return highest_rate(program, load, place);
    if (name == "idle") {
        load.kind = Load::Kind::idle;
        load.seconds = std::max(load.seconds, 10.0);
    } else if (name == "window") {
        load.kind = Load::Kind::window;
    } else {
        load.rate = std::atof(name.c_str());
    }
    return measure_send(program, load, place);
}

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) {
    using namespace hawser::perf;
    Options options(argc, argv, usage);
    std::vector<Program> programs;
    std::vector<std::string> baselines;
    const auto add = [&](const std::string& name, const std::string& command, bool registration) {
        if (!command.empty()) programs.push_back({name, command, registration});
    };
    add("hawser", options.text("--command", ""), true);
    for (std::string more = options.text("--also", ""); !more.empty(); more = options.text("--also", ""))
        add(more.substr(0, more.find('=')), more.substr(more.find('=') + 1), true);
    for (std::string more = options.text("--plain", ""); !more.empty(); more = options.text("--plain", ""))
        add(more.substr(0, more.find('=')), more.substr(more.find('=') + 1), false);
    add("peer", options.text("--peer", ""), true);
    const std::string forwarder = beside_me("forwarder") + " {srt_port} {host} {port} {ips}";
    const std::string wait = options.text("--coalesce", "");
    if (options.flag("--forwarder")) {
        add("forwarder", forwarder, false);
        baselines.push_back("forwarder");
    }
    if (!wait.empty()) {
        add("forwarder-wait", forwarder + " --coalesce " + wait, false);
        baselines.push_back("forwarder-wait");
    }
    if (programs.empty()) options.fail("nothing to measure: --command, --forwarder, --peer or --also");

    Load load;
    const auto loads = split(options.text("--loads", "1000,10000,50000,window"));
    load.window = options.count("--window", load.window);
    load.seconds = options.number("--seconds", load.seconds);
    load.warmup_seconds = options.number("--warmup", load.warmup_seconds);
    load.packets = options.count("--packets", 0);
    load.start_seconds = options.number("--start-seconds", load.start_seconds);
    const unsigned repeat = options.count("--repeat", 5);
    Place place;
    place.links = std::clamp(options.count("--links", 4), 1u, 32u);
    place.log = options.text("--log", "/dev/null");
    place.signal_after = static_cast<int>(options.count("--signal", 0));
    const int cpus = cpu_count();
    place.child_cpu = static_cast<int>(options.count("--pin-child", static_cast<unsigned>(cpus - 1)));
    const int bench_cpu = static_cast<int>(options.count("--pin-bench", 0));
    const bool require_all = options.flag("--require-all");
    if (options.flag("--nice")) be_preferred();
    static_cast<void>(options.positional(0));
    if (bench_cpu == place.child_cpu)
        std::fprintf(stderr, "note: bench and child share CPU %d; the figures are no measurement\n", bench_cpu);
    pin_self(bench_cpu);

    Report report("send");
    report.note("links", place.links);
    report.note("cpus", cpus);
    bool all = true;
    for (unsigned i = 0; i < repeat; ++i) {
        for (const std::string& name : loads) {
            for (const Program& program : programs) {
                const Measurement m = measure(name, program, load, place);
                Report::progress(name, program.name, m);
                report.add(name, program.name, m);
                all = all && m.error.empty() && m.lost == 0;
            }
        }
    }
    const bool sound = report.print(baselines);
    return sound && (all || !require_all) ? 0 : 1;
}
