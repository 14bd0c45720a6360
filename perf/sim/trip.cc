// SPDX-License-Identifier: MIT
// How much faster than life the simulation is: one trip of four links and 6 Mbit/s of media, as often as told. CPU time
// of this process, one thread. Links with room (half full) and links near their capacity, where SRT repeats itself.
//   sim-trip [--seconds S] [--repeat N]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "engine/sim/trip.h"

using namespace hawser;

namespace {

sim::Trip four_links(double capacity_kbps, double seconds) {
    sim::Trip trip;
    for (int i = 0; i < 4; ++i) {
        sim::TripLink link;
        link.up.kbit_per_second = capacity_kbps / 4;
        link.up.delay = link.down.delay = Duration{(20 + 10 * i) * 1'000'000};
        link.up.queue = link.down.queue = Duration{300'000'000};
        link.down.kbit_per_second = 20'000;
        trip.links.push_back(link);
    }
    trip.kbit_per_second = 6000;
    trip.seconds = seconds;
    trip.srt.loss_max_ttl = 40;
    trip.receiver = sim::TripReceiver::hawser;
    return trip;
}

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Simulated seconds in one of CPU time: the median.
double speed(const sim::Trip& trip, int repeat, double& on_time) {
    std::vector<double> speeds;
    for (int i = 0; i < repeat; ++i) {
        const double begun = cpu_s();
        on_time = sim::run(trip).on_time;
        speeds.push_back(trip.seconds / std::max(cpu_s() - begun, 1e-6));
    }
    std::sort(speeds.begin(), speeds.end());
    return speeds[speeds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = 40;
    int repeat = 9;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::max(std::atof(argv[i + 1]), 0.1);
        if (std::strcmp(argv[i], "--repeat") == 0) repeat = std::max(std::atoi(argv[i + 1]), 1);
    }
    double easy_on_time = 0, hard_on_time = 0;
    const double easy = speed(four_links(12'000, seconds), repeat, easy_on_time);
    const double hard = speed(four_links(6600, seconds), repeat, hard_on_time);
    std::fprintf(stderr,
                 "4 links, 6 Mbit/s: %.0f times real time with room, %.0f times at their limit (%.1f %% on time)\n",
                 easy, hard, 100 * hard_on_time);
    std::printf("{\"times_real_time\":%.1f,\"times_real_time_at_limit\":%.1f,\"on_time_at_limit\":%.4f}\n", easy, hard,
                hard_on_time);
    return easy_on_time == 1 ? 0 : 1;
}
