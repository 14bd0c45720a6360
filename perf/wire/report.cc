// SPDX-License-Identifier: MIT
#include "perf/wire/report.h"

#include <algorithm>
#include <cstdio>

#include "perf/wire/statistics.h"

namespace hawser::perf {

namespace {

template <class Field>
std::vector<double> column(const std::vector<Measurement>& rows, Field field) {
    std::vector<double> values;
    for (const Measurement& m : rows)
        if (m.error.empty()) values.push_back(static_cast<double>(m.*field));
    return values;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out + "\"";
}

}  // namespace

void Report::add(const std::string& load, const std::string& program, const Measurement& m) {
    const Key key{load, program};
    if (rows_.find(key) == rows_.end()) order_.push_back(key);
    rows_[key].push_back(m);
}

void Report::progress(const std::string& load, const std::string& program, const Measurement& m) {
    if (!m.error.empty()) {
        std::fprintf(stderr, "# %-10s %-18s failed: %s\n", load.c_str(), program.c_str(), m.error.c_str());
        return;
    }
    std::fprintf(stderr, "# %-10s %-18s %8.2f us  p50 %7.0f us  lost %llu  %.0f/s\n", load.c_str(), program.c_str(),
                 m.cpu_us, m.p50_us, static_cast<unsigned long long>(m.lost), m.rate);
}

const std::vector<Measurement>* Report::find(const std::string& load, const std::string& program) const {
    const auto at = rows_.find({load, program});
    return at == rows_.end() ? nullptr : &at->second;
}

Report::Ratio Report::ratio(const std::vector<Measurement>& a, const std::vector<Measurement>& b) {
    Ratio r;
    const double below = median(column(b, &Measurement::cpu_us));
    if (below > 0) r.of_medians = median(column(a, &Measurement::cpu_us)) / below;
    std::vector<double> pairs;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        if (a[i].error.empty() && b[i].error.empty() && b[i].cpu_us > 0) pairs.push_back(a[i].cpu_us / b[i].cpu_us);
    if (pairs.empty()) return r;
    r.of_pairs = median(pairs);
    r.least = *std::min_element(pairs.begin(), pairs.end());
    r.greatest = *std::max_element(pairs.begin(), pairs.end());
    return r;
}

bool Report::print(const std::vector<std::string>& baselines) const {
    bool sound = true;
    std::fprintf(stderr, "\n%-10s %-18s %9s %7s %8s %8s %8s %8s %6s %9s %6s", "load", "program", "CPU us", "+-",
                 "p50 us", "p90 us", "p99 us", "lost", "CPU %", "wakeups/s", "out/s");
    for (const std::string& b : baselines) std::fprintf(stderr, "  / %s (pairs: median, least..greatest)", b.c_str());
    std::fprintf(stderr, "\n");
    std::string json = "{\"bench\":" + quoted(bench_);
    char text[512];
    for (const auto& [key, value] : notes_) {
        std::snprintf(text, sizeof text, ",%s:%g", quoted(key).c_str(), value);
        json += text;
    }
    json += ",\"results\":[";
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const auto& [load, program] = order_[i];
        const std::vector<Measurement>& rows = rows_.at(order_[i]);
        std::uint64_t lost = 0;
        unsigned failed = 0;
        std::string error;
        for (const Measurement& m : rows) {
            lost += m.lost;
            if (m.error.empty()) continue;
            ++failed;
            error = m.error;
        }
        sound = sound && failed == 0;
        const auto middle = [&](auto field) { return median(column(rows, field)); };
        const double cpu = middle(&Measurement::cpu_us);
        const double cpu_spread = spread(column(rows, &Measurement::cpu_us));
        std::fprintf(stderr, "%-10s %-18s %9.2f %7.2f %8.0f %8.0f %8.0f %8llu %6.1f %9.0f %6.0f", load.c_str(),
                     program.c_str(), cpu, cpu_spread, middle(&Measurement::p50_us), middle(&Measurement::p90_us),
                     middle(&Measurement::p99_us), static_cast<unsigned long long>(lost),
                     100 * middle(&Measurement::cpu_share), middle(&Measurement::wakeups), middle(&Measurement::rate));
        std::snprintf(text, sizeof text,
                      "%s{\"load\":%s,\"program\":%s,\"repetitions\":%zu,\"failed\":%u,\"cpu_us\":%.3f,"
                      "\"cpu_us_spread\":%.3f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f",
                      i == 0 ? "" : ",", quoted(load).c_str(), quoted(program).c_str(), rows.size(), failed, cpu,
                      cpu_spread, middle(&Measurement::p50_us), middle(&Measurement::p90_us),
                      middle(&Measurement::p99_us), middle(&Measurement::max_us));
        json += text;
        std::snprintf(text, sizeof text,
                      ",\"sent\":%.0f,\"lost\":%llu,\"rate\":%.1f,\"cpu_share\":%.4f,\"wakeups_per_s\":%.1f,"
                      "\"involuntary_per_s\":%.1f,\"late_share\":%.4f,\"links_used\":%.0f",
                      middle(&Measurement::sent), static_cast<unsigned long long>(lost), middle(&Measurement::rate),
                      middle(&Measurement::cpu_share), middle(&Measurement::wakeups), middle(&Measurement::switches),
                      middle(&Measurement::late_share), middle(&Measurement::links_used));
        json += text;
        for (const std::string& b : baselines) {
            const std::vector<Measurement>* base = find(load, b);
            if (base == nullptr || b == program) {
                std::fprintf(stderr, "  -");
                continue;
            }
            const Ratio r = ratio(rows, *base);
            std::fprintf(stderr, "  %.2f (%.2f, %.2f..%.2f)", r.of_medians, r.of_pairs, r.least, r.greatest);
            std::snprintf(text, sizeof text,
                          ",%s:{\"of_medians\":%.3f,\"of_pairs\":%.3f,\"least\":%.3f,\"greatest\":%.3f}",
                          quoted("ratio_" + b).c_str(), r.of_medians, r.of_pairs, r.least, r.greatest);
            json += text;
        }
        if (!error.empty()) json += ",\"error\":" + quoted(error);
        json += "}";
        std::fprintf(stderr, "%s\n", error.empty() ? "" : ("  FAILED: " + error).c_str());
    }
    std::printf("%s]}\n", json.c_str());
    return sound;
}

}  // namespace hawser::perf
