// SPDX-License-Identifier: MIT
// What the benches on the wire share: their options, the order of measurements, the search for the highest rate.
// In each repetition every program is measured once per load, each time as a fresh process, so that the i-th figures
// of two programs are a pair taken within seconds of each other.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "perf/wire/load_run.h"
#include "perf/wire/options.h"

namespace hawser::perf {

struct Bench {
    std::string name;
    std::string forwarder;     // the yardstick's file name, beside the bench
    std::string placeholders;  // its arguments
    std::string loads;         // default list
    std::function<std::unique_ptr<Ends>(const Program&, const Load&, const Place&)> make_ends;
};

// Text for the options that bench_main reads.
[[nodiscard]] std::string common_usage();
// The whole program. Returns the exit code: 0 when every measurement succeeded.
[[nodiscard]] int bench_main(const Bench& bench, Options& options);

}  // namespace hawser::perf
