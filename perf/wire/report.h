// SPDX-License-Identifier: MIT
// Collects repetitions by (load, program) and prints them twice: a table for people on stderr, one line of JSON on
// stdout. Medians with their spread (median absolute deviation), and ratios beside a named baseline: of the medians,
// and the median, least and greatest of the ratios within each repetition, which a slow drift of the machine cancels.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "perf/wire/load_run.h"

namespace hawser::perf {

class Report {
public:
    explicit Report(std::string bench) : bench_(std::move(bench)) {}

    void note(const std::string& key, double value) { notes_.emplace_back(key, value); }
    // In each repetition every program once per load, so that the i-th entries of two programs are a pair.
    void add(const std::string& load, const std::string& program, const Measurement& m);
    // Says one measurement as it comes.
    static void progress(const std::string& load, const std::string& program, const Measurement& m);
    // False when some measurement failed.
    bool print(const std::vector<std::string>& baselines) const;

private:
    using Key = std::pair<std::string, std::string>;
    struct Ratio {
        double of_medians = 0, of_pairs = 0, least = 0, greatest = 0;
    };
    [[nodiscard]] const std::vector<Measurement>* find(const std::string& load, const std::string& program) const;
    [[nodiscard]] static Ratio ratio(const std::vector<Measurement>& a, const std::vector<Measurement>& b);

    std::string bench_;
    std::vector<std::pair<std::string, double>> notes_;
    std::vector<Key> order_;
    std::map<Key, std::vector<Measurement>> rows_;
};

}  // namespace hawser::perf
