// SPDX-License-Identifier: MIT
#include "platform/app/sim/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "platform/app/figures.h"

namespace hawser::app {

namespace {

double round3(double v) { return std::round(v * 1000) / 1000; }

// One selector in one cell.
struct Group {
    const MatrixRun* first = nullptr;
    std::vector<const MatrixRun*> runs;

    template <class Of>
    [[nodiscard]] Estimate of(Of&& value) const {
        std::vector<double> values;
        for (const MatrixRun* r : runs) values.push_back(value(*r));
        return estimate(values);
    }
    template <class Of>
    [[nodiscard]] double greatest(Of&& value) const {
        double out = 0;
        for (const MatrixRun* r : runs) out = std::max(out, value(*r));
        return out;
    }
};

double on_time(const MatrixRun& r) { return 100 * r.outcome.on_time; }

std::vector<Group> groups_of(const MatrixPlan& plan, const std::vector<MatrixRun>& runs) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < runs.size();) {
        const std::size_t begin = groups.size();
        groups.resize(begin + plan.selections.size());
        const MatrixCell cell = runs[i].cell;
        for (; i < runs.size() && runs[i].cell == cell; ++i) {
            Group& g = groups[begin + runs[i].selection];
            if (g.first == nullptr) g.first = &runs[i];
            g.runs.push_back(&runs[i]);
        }
    }
    return groups;
}

// Pair by pair: the same network, the same repeat. Groups of one cell lie next to each other.
Estimate difference(const Group& g, const Group& base) {
    std::vector<double> values;
    for (std::size_t i = 0; i < g.runs.size(); ++i) values.push_back(on_time(*g.runs[i]) - on_time(*base.runs[i]));
    return estimate(values);
}

std::string load_text(const MatrixRun& r, const Scenario& s) {
    if (r.cell.load || !s.kbps) return fmt::format("{:g}%", r.cell.load.value_or(s.load_percent));
    return fmt::format("{:g}k", *s.kbps);
}

Json line_json(const sim::LineFigures& f) {
    return Json{{"packets_in", f.packets_in},
                {"bytes_in", f.bytes_in},
                {"packets_out", f.packets_out},
                {"bytes_out", f.bytes_out},
                {"dropped_queue", f.dropped_queue},
                {"dropped_loss", f.dropped_loss},
                {"dropped_outage", f.dropped_outage},
                {"capacity_kbps", round3(f.capacity_bps / 1000)},
                {"wait_ms_mean", round3(f.wait_ms_mean)},
                {"wait_ms_max", round3(f.wait_ms_max)}};
}

Json run_json(const MatrixPlan& plan, const MatrixRun& r) {
    const Scenario& s = plan.scenarios[r.cell.scenario];
    Json all{{"scenario", s.name},
             {"load_percent", r.cell.load ? Json(*r.cell.load)
                              : s.kbps    ? Json()
                                          : Json(s.load_percent)},
             {"latency_ms", r.cell.latency_ms},
             {"receiver", receiver_name(r.cell.receiver)},
             {"select", select::name_of(plan.selections[r.selection].mode)},
             {"seed", r.seed},
             {"repeat", r.repeat},
             {"media_kbps", r.kbps},
             {"capacity_kbps", round3(r.capacity_kbps)},
             {"omniscient", r.omniscient},
             {"causal", r.causal}};
    all.update(outcome_json(r.outcome, s.links));
    all["counters"] = counters_json(r.outcome.sender.counters);
    return all;
}

}  // namespace

Estimate estimate(const std::vector<double>& values) {
    // Student's t for 95 %, by degrees of freedom from 1; 1.96 beyond.
    constexpr std::array<double, 30> t{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23,
                                       2.20,  2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09,
                                       2.08,  2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04};
    Estimate e;
    if (values.empty()) return e;
    const auto n = static_cast<double>(values.size());
    for (const double v : values) e.mean += v / n;
    if (values.size() < 2) return e;
    double squares = 0;
    for (const double v : values) squares += (v - e.mean) * (v - e.mean);
    const double deviation = std::sqrt(squares / (n - 1));
    const std::size_t freedom = values.size() - 1;
    e.half_width = (freedom <= t.size() ? t[freedom - 1] : 1.96) * deviation / std::sqrt(n);
    return e;
}

Json outcome_json(const sim::TripOutcome& o, const std::vector<LinkPlan>& plans) {
    Json links = Json::array();
    for (std::size_t i = 0; i < o.links.size(); ++i)
        links.push_back({{"name", plans[i].name},
                         {"share", round3(o.links[i].share)},
                         {"use", round3(o.links[i].use)},
                         {"up", line_json(o.links[i].up)},
                         {"down", line_json(o.links[i].down)}});
    return Json{{"connected", o.connected},
                {"payloads", o.payloads},
                {"on_time", o.on_time},
                {"delivered", o.delivered},
                {"longest_gap_ms", round3(o.longest_gap_ms)},
                {"gaps_200", o.gaps_200},
                {"gap_total_ms", round3(o.gap_total_ms)},
                {"hurt_seconds", o.hurt_seconds},
                {"delay_p50_ms", round3(o.delay_p50_ms)},
                {"delay_p99_ms", round3(o.delay_p99_ms)},
                {"retrans_overhead", round3(o.retrans_overhead)},
                {"wire_overhead", round3(o.wire_overhead)},
                {"srt",
                 {{"unique", o.srt_unique},
                  {"retransmissions", o.srt_retransmissions},
                  {"sender_drops", o.srt_sender_drops},
                  {"acks", o.srt_acks},
                  {"naks", o.srt_naks},
                  {"given_up", o.srt_given_up},
                  {"belated", o.srt_belated},
                  {"repeated", o.srt_repeated},
                  {"refused", o.refused}}},
                {"unheld", o.unheld},
                {"links", links}};
}

const char* receiver_name(sim::TripReceiver receiver) {
    return receiver == sim::TripReceiver::hawser ? "hawser" : "plain";
}

std::string matrix_table(const MatrixPlan& plan, const std::vector<MatrixRun>& runs) {
    std::string out =
        fmt::format("{:<14} {:>6} {:>6} {:<8} {:<9} {:>4}  {:>22} {:>8} {:>8}  {:>15} {:>7} {:>6} {:>7} {:>6}  {}\n",
                    "scenario", "load", "ms", "receiver", "select", "n", "on time % (min..max)", "oracle", "causal",
                    "against first", "gap ms", "hurt s", "again %", "wire %", "share by link");
    const auto groups = groups_of(plan, runs);
    bool is_unfair = false;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const Group& g = groups[i];
        const Group& base = groups[i - i % plan.selections.size()];
        const MatrixRun& r = *g.first;
        double least = 100;
        for (const MatrixRun* run : g.runs) {
            least = std::min(least, on_time(*run));
            is_unfair = is_unfair || run->outcome.unheld > 0;
        }
        const Estimate all = g.of(on_time);
        std::string against;
        if (&g != &base) {
            const Estimate d = difference(g, base);
            against = fmt::format("{:+.2f} +-{:.2f}", d.mean, d.half_width);
        }
        std::string shares;
        for (std::size_t l = 0; l < r.outcome.links.size(); ++l)
            shares += fmt::format("{}{:.0f}", l == 0 ? "" : "/",
                                  g.of([l](const MatrixRun& run) { return 100 * run.outcome.links[l].share; }).mean);
        const auto mean = [&g](auto value) { return g.of(value).mean; };
        out += fmt::format(
            "{:<14} {:>6} {:>6g} {:<8} {:<9} {:>4}  {:>7.3f} ({:.2f}..{:.2f}) {:>8.3f} {:>8.3f}  {:>15} {:>7.0f} "
            "{:>6.1f} {:>7.1f} {:>6.1f}  {}\n",
            plan.scenarios[r.cell.scenario].name, load_text(r, plan.scenarios[r.cell.scenario]), r.cell.latency_ms,
            receiver_name(r.cell.receiver), select::name_of(plan.selections[r.selection].mode), g.runs.size(), all.mean,
            least, g.greatest(on_time), mean([](const MatrixRun& x) { return 100 * x.omniscient; }),
            mean([](const MatrixRun& x) { return 100 * x.causal; }), against,
            g.greatest([](const MatrixRun& x) { return x.outcome.longest_gap_ms; }),
            mean([](const MatrixRun& x) { return static_cast<double>(x.outcome.hurt_seconds); }),
            mean([](const MatrixRun& x) { return 100 * x.outcome.retrans_overhead; }),
            mean([](const MatrixRun& x) { return 100 * x.outcome.wire_overhead; }), shares);
    }
    if (is_unfair)
        out +=
            "Some trips had more packets under way than a simulation can hold and lost them: shorten queues or "
            "outages.\n";
    return out;
}

std::string matrix_json(const MatrixPlan& plan, const std::vector<MatrixRun>& runs) {
    Json cells = Json::array();
    const auto groups = groups_of(plan, runs);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const Group& g = groups[i];
        const Group& base = groups[i - i % plan.selections.size()];
        const MatrixRun& r = *g.first;
        const Estimate all = g.of(on_time), d = difference(g, base);
        const auto mean = [&g](auto value) { return round3(g.of(value).mean); };
        cells.push_back(
            {{"scenario", plan.scenarios[r.cell.scenario].name},
             {"load", load_text(r, plan.scenarios[r.cell.scenario])},
             {"latency_ms", r.cell.latency_ms},
             {"receiver", receiver_name(r.cell.receiver)},
             {"select", select::name_of(plan.selections[r.selection].mode)},
             {"trips", g.runs.size()},
             {"on_time_percent", round3(all.mean)},
             {"on_time_95", round3(all.half_width)},
             {"against_first", round3(d.mean)},
             {"against_first_95", round3(d.half_width)},
             {"omniscient_percent", mean([](const MatrixRun& x) { return 100 * x.omniscient; })},
             {"causal_percent", mean([](const MatrixRun& x) { return 100 * x.causal; })},
             {"wire_overhead_percent", mean([](const MatrixRun& x) { return 100 * x.outcome.wire_overhead; })}});
    }
    Json all = Json::array();
    for (const MatrixRun& r : runs) all.push_back(run_json(plan, r));
    return Json{{"version", 1}, {"cells", cells}, {"runs", all}}.dump();
}

}  // namespace hawser::app
