// SPDX-License-Identifier: MIT
// The simulation against the real experiment: libsrt 1.5.1 at both ends, `hawser send` and `hawser recv` between them,
// over a user-space emulator of the same links, in real time. On-time shares within 3 points, and the same selector
// ahead wherever the two are further apart than chance explains.
//
// The real figures were recorded on 2026-11-21, 11:48 to 13:00 UTC, with what this file came with, on a virtual machine
// of two cores (x86-64, Debian 12) that was busy with builds. The command does a run again in which the source fell
// 120 ms behind or the emulator 0.5 ms in the mean; none did. As root, with a link to the recordings (below) beside the
// files of the scenarios that are not built in (a, b, e and g are: h-loss.toml and so on):
//   cd perf/bond/scenarios && ln -s FOLDER recordings
//   ../../bond-table a-equal b-asymmetric e-outage g-bloated h-loss.toml i-hold.toml c-lte.toml f-starlink.toml
//     --loads 90 --latencies 2000 --senders classic,enhanced --simulated       c-lte.toml d-lte-loss.toml: --loads 70
// One run for each of three seeds (of enhanced over c-lte at 90 %: three); over steady links seeds differ in random
// losses alone, so they are repeats.
//
// Whoever changes what classic or enhanced do on purpose must record these again, or drop the rows until then.
//
// The cells with recorded radio links need the recordings, which are not ours to ship: HAWSER_TRACES names the folder
// that holds mahimahi/ and starlink/. Without it they are left out, and the test says so.
#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::trips;

namespace {

constexpr double points = 3;
// Between the means of three runs; single runs of enhanced scatter by as much.
constexpr double chance = 3;
constexpr std::uint64_t seeds = 3;
constexpr std::uint64_t repeats = 1;

struct Recorded {
    const char* name;
    double load_percent;
    double classic, enhanced;  // percent on time
};

std::vector<sim::TripLink> steady_links(const std::string& name) {
    if (name == "a-equal") return equal();
    if (name == "b-asym") return asymmetric();
    if (name == "e-outage") return outage();
    if (name == "g-bloat") return bloated();
    return name == "h-loss" ? lossy() : holding();
}

struct Means {
    double classic = 0, enhanced = 0;
};

template <class Links>
Means simulate(Links&& links, double load_percent) {
    Means means;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim::Trip trip = trip_over(links(seed), load_percent);
        trip.seed = seed;
        trip.receiver = sim::TripReceiver::hawser;
        for (trip.repeat = 0; trip.repeat < repeats; ++trip.repeat)
            for (const auto mode : {select::Mode::classic, select::Mode::enhanced}) {
                trip.selection.mode = mode;
                (mode == select::Mode::classic ? means.classic : means.enhanced) +=
                    100 * sim::run(trip).on_time / static_cast<double>(seeds * repeats);
            }
    }
    return means;
}

void compare(const Recorded& real, const Means& simulated) {
    std::printf("%-11s %3.0f %%  classic %6.2f real %6.2f simulated   enhanced %6.2f real %6.2f simulated\n", real.name,
                real.load_percent, real.classic, simulated.classic, real.enhanced, simulated.enhanced);
    CAPTURE(real.name, real.load_percent);
    CHECK(simulated.classic == Approx(real.classic).margin(points));
    CHECK(simulated.enhanced == Approx(real.enhanced).margin(points));
    const double ahead = real.enhanced - real.classic;
    if (std::abs(ahead) > chance) CHECK((simulated.enhanced > simulated.classic) == (ahead > 0));
}

// Recordings, read once.
const std::vector<std::uint32_t>& recording(const std::string& path) {
    static std::vector<std::pair<std::string, std::unique_ptr<std::vector<std::uint32_t>>>> known;
    for (const auto& [name, trace] : known)
        if (name == path) return *trace;
    auto trace = std::make_unique<std::vector<std::uint32_t>>();
    if (std::FILE* file = std::fopen(path.c_str(), "r")) {
        for (unsigned ms; std::fscanf(file, "%u", &ms) == 1;) trace->push_back(ms);
        std::fclose(file);
    }
    known.emplace_back(path, std::move(trace));
    return *known.back().second;
}

struct Radio {
    const char* trace;
    double delay_ms, queue_ms, scale, loss;
    std::array<double, seeds> offset_ms;  // by seed
};

sim::TripLink radio_link(const std::string& folder, const Radio& r, std::uint64_t seed) {
    sim::TripLink link = steady(0, r.delay_ms, r.queue_ms, r.loss);
    link.up.trace_ms = recording(folder + "/" + r.trace + ".up");
    link.up.scale = r.scale;
    link.up.offset = link.down.offset = ms(r.offset_ms[seed - 1]);
    const auto& down = recording(folder + "/" + r.trace + ".down");
    if (!down.empty()) {
        link.down.trace_ms = down;
        link.down.kbit_per_second = 0;
        link.down.queue = ms(1000);
    }
    return link;
}

}  // namespace

TEST_CASE("over steady links the simulation agrees with the real experiment") {
    const std::vector<Recorded> all{
        {"a-equal", 90, 100.00, 91.43}, {"b-asym", 90, 95.82, 91.25}, {"e-outage", 90, 85.77, 82.88},
        {"g-bloat", 90, 81.73, 87.30},  {"h-loss", 90, 92.87, 90.79}, {"i-hold", 90, 89.31, 88.37},
    };
    for (const Recorded& real : all)
        compare(real, simulate([&](std::uint64_t) { return steady_links(real.name); }, real.load_percent));
}

TEST_CASE("over recorded radio links the simulation agrees with the real experiment") {
    const char* folder = std::getenv("HAWSER_TRACES");
    if (folder == nullptr || recording(std::string(folder) + "/mahimahi/Verizon-LTE-short.up").empty()) {
        std::puts("left out: recorded radio links (HAWSER_TRACES does not name the recordings)");
        return;
    }
    const std::vector<Radio> lte{
        {"mahimahi/TMobile-LTE-short", 25, 600, 0.5, 0, {133'084, 131'874, 38'960}},
        {"mahimahi/Verizon-LTE-short", 35, 600, 1, 0, {134'382, 89'416, 11'010}},
        {"mahimahi/ATT-LTE-driving-2016", 45, 600, 1, 0, {227, 13'198, 97'760}},
    };
    const std::vector<Radio> satellite{
        {"starlink/autobahn-05", 30, 400, 0.4, 0, {57'552, 48'742, 11'686}},
        {"mahimahi/Verizon-LTE-short", 35, 600, 1, 0, {50'514, 112'426, 103'372}},
        {"mahimahi/ATT-LTE-driving-2016", 45, 600, 1, 0, {90'036, 29'103, 3'715}},
    };
    const std::vector<Recorded> all{
        {"c-lte", 70, 89.02, 90.00},
        {"c-lte", 90, 77.12, 79.85},
        {"d-lte-loss", 70, 88.55, 88.66},
        {"f-starlink", 90, 85.53, 85.28},
    };
    for (const Recorded& real : all) {
        const std::string name = real.name;
        compare(real, simulate(
                          [&](std::uint64_t seed) {
                              std::vector<sim::TripLink> links;
                              for (const Radio& r : name == "f-starlink" ? satellite : lte)
                                  links.push_back(radio_link(folder, r, seed));
                              if (name == "f-starlink") cut(links[0], sim::LineOutage::Kind::hold, 5000, 1000, 15'000);
                              if (name == "d-lte-loss") links[0].up.loss = 0.02;
                              return links;
                          },
                          real.load_percent));
    }
}
