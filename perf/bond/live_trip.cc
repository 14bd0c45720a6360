// SPDX-License-Identifier: MIT
// One trip of a scenario for real, where `hawser sim` simulates it: libsrt at both ends, a sender and a receiver as
// processes, given by command, and between them the scenario's links in real time. In a network of its own.
// Prints one line of JSON: what the simulator says of a trip, and how well the machine kept time.
// perf/bond-table runs many of them; nothing else needs to.
#include <signal.h>
#include <sys/prctl.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "perf/bond/live_links.h"
#include "perf/bond/media_source.h"
#include "perf/bond/own_network.h"
#include "perf/wire/child.h"
#include "perf/wire/options.h"
#include "platform/app/demo/srt_sink.h"
#include "platform/app/sim/report.h"
#include "platform/linux/clock.h"

namespace hawser::perf {
namespace {

using namespace literals;

const char* const usage =
    "usage: live-trip SCENARIO --sender COMMAND --receiver COMMAND [options]\n"
    "  SCENARIO         as hawser sim takes it: a built-in one, or a TOML file\n"
    "  --sender CMD     with {srt_port} {host} {port} {ips}\n"
    "  --receiver CMD   with {port} {host} {srt_port}\n"
    "  --load PERCENT, --latency MS, --seconds S, --lossmaxttl PACKETS   instead of the scenario's\n"
    "  --seed N         which network (1)\n"
    "  --settle S       between the sender's start and the SRT caller's (3.2)\n"
    "  --folder DIR     for the list of links and both programs' output (.)\n";

constexpr std::uint16_t sender_port = 4000, links_port = 5000, receiver_port = 6000, sink_port = 7000;
// A peer's receiver looks for its SRT server when it starts; links and receiver are there before the sender.
constexpr Duration head_start = 400_ms;
constexpr Duration connect_patience = 20'000_ms;
constexpr Duration after = 800_ms;  // what is late by less than this beyond the latency is still seen
// Beyond these the machine is to blame for what was late, not the sender.
constexpr Duration source_late_max = 120_ms;
constexpr double links_late_ms_mean = 0.5;
constexpr int exit_failed = 1, exit_skipped = 77;

std::atomic<bool> stopping{false};

void pass(Duration d) {
    const Instant until = os::now() + d;
    while (os::now() < until && !stopping)
        std::this_thread::sleep_for(
            std::chrono::nanoseconds(std::min<std::int64_t>((until - os::now()).ns, (20_ms).ns)));
}

struct Request {
    app::Scenario scenario;
    app::Terms terms;
    std::string sender, receiver, folder;
    Duration settle{};
};

struct Cpu {
    std::int64_t sender_ns = 0, receiver_ns = 0;
};

class LiveTrip {
public:
    explicit LiveTrip(const Request& request) : request_(request), route_(lay_out(request.scenario, request.terms)) {}

    int run();

private:
    [[nodiscard]] bool start();
    void play();
    void judge();
    void print();
    int fail(const std::string& why) const {
        std::fprintf(stderr, "live-trip: %s\n", why.c_str());
        return exit_failed;
    }
    [[nodiscard]] Cpu cpu() const { return {sender_->cpu_ns(), receiver_->cpu_ns()}; }
    [[nodiscard]] std::uint32_t latency_ms() const { return static_cast<std::uint32_t>(route_.trip.srt.latency.ms()); }

    const Request& request_;
    app::Route route_;
    sim::Media media_;
    sim::TripOutcome outcome_;
    Instant begun_{}, ended_{};
    Cpu used_;
    bool sender_lived_ = false, receiver_lived_ = false;
    std::vector<sim::LiveReceiver::Read> reads_;  // by the sink's thread, until it has ended

    const demo::SrtLibrary srt_;
    std::unique_ptr<demo::SrtSink> sink_;
    std::unique_ptr<Child> receiver_;
    std::unique_ptr<LiveLinks> links_;
    std::unique_ptr<Child> sender_;
    MediaSource source_{sender_port, latency_ms(), stopping};
};

int LiveTrip::run() {
    if (!start()) return exit_failed;
    if (source_.connect(connect_patience)) {
        outcome_.connected = true;
        play();
    }
    if (stopping) return exit_failed;
    sender_lived_ = sender_->alive();
    receiver_lived_ = receiver_->alive();
    sink_->end();  // while there is a connection to count
    source_.close();
    ended_ = os::now();
    links_->stop();
    sender_->stop();
    receiver_->stop();
    judge();
    print();
    return 0;
}

bool LiveTrip::start() {
    auto sink =
        demo::SrtSink::start({.host = "127.0.0.1",
                              .port = sink_port,
                              .latency_ms = latency_ms(),
                              .reorder_tolerance = route_.trip.srt.loss_max_ttl,
                              .on_payload = [this](std::span<const std::uint8_t> payload, std::uint32_t, Instant now) {
                                  if (const auto number = payload_number(payload)) reads_.push_back({*number, now});
                              }});
    if (!sink) return fail(sink.error().text) == 0;
    sink_ = std::move(sink.value());
    auto links = LiveLinks::start({.links = route_.trip.links,
                                   .seed = route_.trip.seed,
                                   .listen_port = links_port,
                                   .target_port = receiver_port});
    if (!links) return fail(links.error()) == 0;
    links_ = std::move(links).value();
    const std::string ips = request_.folder + "/ips";
    {
        std::ofstream list(ips);
        for (std::size_t i = 0; i < route_.trip.links.size(); ++i) list << source_address(i) << '\n';
        if (!list.flush()) return fail("cannot write " + ips) == 0;
    }
    const auto command = [&](const std::string& text, std::uint16_t port, std::uint16_t srt_port) {
        return fill(text, {{"host", "127.0.0.1"},
                           {"port", std::to_string(port)},
                           {"srt_port", std::to_string(srt_port)},
                           {"ips", ips}});
    };
    receiver_ = std::make_unique<Child>(command(request_.receiver, receiver_port, sink_port), -1,
                                        request_.folder + "/receiver.log");
    pass(head_start);
    sender_ =
        std::make_unique<Child>(command(request_.sender, links_port, sender_port), -1, request_.folder + "/sender.log");
    pass(request_.settle);
    return true;
}

void LiveTrip::play() {
    begun_ = links_->begin();
    media_ = media_of(route_.trip, begun_ + route_.trip.lead);
    reads_.reserve(media_.count);
    const Cpu before = cpu();
    source_.play(media_);
    const Cpu now = cpu();
    used_ = {now.sender_ns - before.sender_ns, now.receiver_ns - before.receiver_ns};
    pass(route_.trip.srt.latency + after);
}

void LiveTrip::judge() {
    // A payload's delay counts from when the source really sent it.
    std::vector<sim::LiveReceiver::Read> reads;
    for (const sim::LiveReceiver::Read& r : reads_)
        if (r.number < source_.sent_at().size() && source_.sent_at()[r.number] != never)
            reads.push_back({r.number, r.at - (source_.sent_at()[r.number] - media_.made_at(r.number))});
    if (outcome_.connected) sim::judge(route_.trip, media_, reads, outcome_);
    outcome_.links = links_->outcomes();
    if (outcome_.connected) count_bytes(media_, ended_ - begun_, outcome_);
    const MediaSource::Counts& sent = source_.counts();
    outcome_.srt_unique = sent.unique;
    outcome_.srt_retransmissions = sent.retransmissions;
    outcome_.srt_sender_drops = sent.sender_drops;
    outcome_.srt_acks = sent.acks;
    outcome_.srt_naks = sent.naks;
    outcome_.refused = sent.refused;
    const demo::SrtSink::Status got = sink_->status();
    outcome_.srt_given_up = got.given_up;
    outcome_.srt_belated = got.belated;
    outcome_.srt_repeated = got.repeated;
    outcome_.retrans_overhead =
        static_cast<double>(sent.retransmissions) / static_cast<double>(std::max<std::uint64_t>(sent.unique, 1));
    outcome_.unheld = links_->unheld();
}

void LiveTrip::print() {
    const auto ms = [](Duration d) { return static_cast<double>(d.ns) / 1e6; };
    const auto us_each = [this](std::int64_t ns) {
        return static_cast<double>(ns) / 1e3 / static_cast<double>(std::max<std::uint64_t>(outcome_.payloads, 1));
    };
    const LiveLinks::Lateness late = links_->late();
    const Duration source_late = source_.counts().late_max;
    app::Json all{{"scenario", request_.scenario.name},
                  {"load_percent", request_.terms.load_percent.value_or(request_.scenario.load_percent)},
                  {"latency_ms", latency_ms()},
                  {"lossmaxttl", route_.trip.srt.loss_max_ttl},
                  {"seed", route_.trip.seed},
                  {"seconds", route_.trip.seconds},
                  {"media_kbps", route_.trip.kbit_per_second},
                  {"capacity_kbps", sim::capacity_kbps(route_.trip)},
                  {"omniscient", sim::omniscient_on_time(route_.trip)},
                  {"causal", sim::causal_on_time(route_.trip)},
                  {"disturbed", source_late > source_late_max || late.mean_ms > links_late_ms_mean},
                  {"source_late_ms_max", ms(source_late)},
                  {"links_late_ms_mean", late.mean_ms},
                  {"links_late_ms_max", late.max_ms},
                  {"links_realtime", links_->is_realtime()},
                  {"reconnects", source_.counts().reconnects},
                  {"sender_lived", sender_lived_},
                  {"receiver_lived", receiver_lived_},
                  {"sender_us_per_payload", us_each(used_.sender_ns)},
                  {"receiver_us_per_payload", us_each(used_.receiver_ns)}};
    all.update(app::outcome_json(outcome_, request_.scenario.links));
    std::printf("%s\n", all.dump().c_str());
}

int main(int argc, char** argv) {
    Options o(argc, argv, usage);
    Request r;
    r.sender = o.text("--sender", "");
    r.receiver = o.text("--receiver", "");
    r.folder = o.text("--folder", ".");
    r.settle = Duration{static_cast<std::int64_t>(o.number("--settle", 3.2) * 1e9)};
    r.terms.seed = o.count("--seed", 1);
    const double load = o.number("--load", 0), latency_ms = o.number("--latency", 0),
                 seconds = o.number("--seconds", 0), loss_max_ttl = o.number("--lossmaxttl", -1);
    const auto& words = o.positional(1);
    if (words.size() != 1 || r.sender.empty() || r.receiver.empty()) o.fail("a scenario, a sender and a receiver");
    auto scenario = app::load_scenario(words[0]);
    if (!scenario) o.fail(scenario.error());
    r.scenario = std::move(scenario).value();
    if (load > 0) r.terms.load_percent = load;
    if (latency_ms > 0) r.scenario.srt.latency = Duration{static_cast<std::int64_t>(latency_ms * 1e6)};
    if (seconds > 0) r.scenario.seconds = seconds;
    if (loss_max_ttl >= 0) r.scenario.srt.loss_max_ttl = static_cast<std::int32_t>(loss_max_ttl);
    if (const auto entered = enter_own_network(); !entered) {
        std::fprintf(stderr, "live-trip: skipped: %s\n", entered.error().c_str());
        return exit_skipped;
    }
    for (const int number : {SIGINT, SIGTERM}) signal(number, [](int) { stopping = true; });
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    LiveTrip trip(r);
    return trip.run();
}

}  // namespace
}  // namespace hawser::perf

int main(int argc, char** argv) { return hawser::perf::main(argc, argv); }
