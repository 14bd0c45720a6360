// SPDX-License-Identifier: MIT
#include "platform/app/sim/matrix.h"

#include <atomic>
#include <mutex>
#include <thread>

namespace hawser::app {

namespace {

constexpr Duration series_bucket{200'000'000};  // five to a second show a queue's shape

// One network: what all selectors and repeats of a cell and seed meet.
struct Job {
    MatrixCell cell;
    std::uint64_t seed = 0;
    std::size_t first_run = 0;
};

std::vector<Job> jobs_of(const MatrixPlan& plan) {
    std::vector<Job> jobs;
    const std::size_t runs_each = plan.repeats * plan.selections.size();
    for (std::size_t s = 0; s < plan.scenarios.size(); ++s) {
        std::vector<std::optional<double>> loads(plan.loads.begin(), plan.loads.end());
        if (loads.empty()) loads.emplace_back();
        std::vector<double> latencies = plan.latencies;
        if (latencies.empty()) latencies.push_back(static_cast<double>(plan.scenarios[s].srt.latency.us()) / 1000);
        for (const auto& load : loads)
            for (const double latency : latencies)
                for (const sim::TripReceiver receiver : plan.receivers)
                    for (std::uint64_t i = 0; i < plan.seeds; ++i)
                        jobs.push_back({{s, load, latency, receiver}, plan.first_seed + i, jobs.size() * runs_each});
    }
    return jobs;
}

void carry_out(const MatrixPlan& plan, const Job& job, std::vector<MatrixRun>& runs,
               const std::function<void()>& one_done) {
    Scenario scenario = plan.scenarios[job.cell.scenario];
    if (plan.seconds) scenario.seconds = *plan.seconds;
    Route route = lay_out(scenario, {job.seed, 0, job.cell.load});
    sim::Trip& trip = route.trip;
    trip.srt.latency = Duration{static_cast<std::int64_t>(job.cell.latency_ms * 1e6)};
    if (plan.loss_max_ttl) trip.srt.loss_max_ttl = *plan.loss_max_ttl;
    if (plan.patched_receiver) trip.srt.patched_receiver = *plan.patched_receiver;
    if (plan.coalesce) trip.coalesce = *plan.coalesce;
    trip.receiver = job.cell.receiver;
    if (plan.series) {
        trip.series_bucket = series_bucket;
        trip.keep_hand_overs = true;
    }
    MatrixRun run;
    run.cell = job.cell;
    run.seed = job.seed;
    run.kbps = trip.kbit_per_second;
    run.capacity_kbps = capacity_kbps(trip);
    run.omniscient = omniscient_on_time(trip);
    run.causal = causal_on_time(trip);
    std::size_t at = job.first_run;
    for (run.repeat = 0; run.repeat < plan.repeats; ++run.repeat)
        for (run.selection = 0; run.selection < plan.selections.size(); ++run.selection) {
            trip.repeat = run.repeat;
            trip.selection = plan.selections[run.selection];
            run.outcome = sim::run(trip);
            runs[at++] = run;
            one_done();
        }
}

}  // namespace

std::vector<MatrixRun> run_matrix(const MatrixPlan& plan, const std::function<void(std::size_t, std::size_t)>& done) {
    const std::vector<Job> jobs = jobs_of(plan);
    std::vector<MatrixRun> runs(jobs.size() * plan.repeats * plan.selections.size());
    std::atomic<std::size_t> next{0};
    std::mutex telling;
    std::size_t count = 0;
    const auto work = [&] {
        for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < jobs.size();)
            carry_out(plan, jobs[i], runs, [&] {
                const std::lock_guard<std::mutex> lock(telling);
                if (++count, done) done(count, runs.size());
            });
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < plan.workers && i < jobs.size(); ++i) others.emplace_back(work);
    work();
    for (std::thread& t : others) t.join();
    return runs;
}

}  // namespace hawser::app
