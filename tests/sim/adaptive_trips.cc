// SPDX-License-Identifier: MIT
// The selector `adaptive` on whole trips: what it promises beside more packets in time. Each network is met by classic
// too, so that a promise is of the selector and not of the network.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/random.h"
#include "engine/sim/radio_trace.h"
#include "tests/few_runs.h"
#include "tests/sim/trips.h"

using namespace hawser;
using namespace hawser::trips;
using select::Mode;
using sim::TripReceiver;

namespace {

constexpr std::uint64_t seeds = 4;
constexpr double trip_seconds = 40;  // the experiments'

struct Network {
    std::string name;
    std::function<std::vector<sim::TripLink>(std::uint64_t seed)> links;
};

// Cellular links whose rates wander and fade; the traces outlive the trips.
std::vector<sim::TripLink> cellular(std::uint64_t seed) {
    static std::vector<std::vector<std::uint32_t>> traces = [] {
        std::vector<std::vector<std::uint32_t>> all;
        for (std::uint64_t i = 0; i < 3 * seeds; ++i) {
            sim::RadioModel model;
            model.kbit_per_second = 5000 - 1200 * static_cast<double>(i % 3);
            model.seconds = 30;
            all.push_back(sim::radio_trace(model, i + 1));
        }
        return all;
    }();
    std::vector<sim::TripLink> links{steady(0, 30, 500), steady(0, 40, 600), steady(0, 50, 600)};
    for (std::size_t i = 0; i < links.size(); ++i) links[i].up.trace_ms = traces[(seed - 1) % seeds * 3 + i];
    return links;
}

const std::vector<Network>& networks() {
    static const std::vector<Network> all{{"equal", [](std::uint64_t) { return equal(); }},
                                          {"asymmetric", [](std::uint64_t) { return asymmetric(); }},
                                          {"outage", [](std::uint64_t) { return outage(); }},
                                          {"bloated", [](std::uint64_t) { return bloated(); }},
                                          {"lossy", [](std::uint64_t) { return lossy(); }},
                                          {"holding", [](std::uint64_t) { return holding(); }},
                                          {"cellular", cellular}};
    return all;
}

sim::Trip trip_on(const Network& network, std::uint64_t seed, Mode mode, TripReceiver receiver, double load = 90) {
    sim::Trip trip = trip_over(network.links(seed), load, 1000, 24);
    trip.seed = seed;
    trip.selection.mode = mode;
    trip.receiver = receiver;
    return trip;
}

// Two to five radios drawn by chance: how fast, how far, how restless, how deep their queues are.
Network drawn(std::uint64_t number) {
    const auto shapes = std::make_shared<std::vector<sim::TripLink>>();
    const auto traces = std::make_shared<std::vector<std::vector<std::uint32_t>>>();
    Random random(number);
    const auto between = [&](double least, double most) {
        return least + (most - least) * static_cast<double>(random.below(1000)) / 1000;
    };
    for (std::uint64_t i = 0; i < 2 + number % 4; ++i) {
        sim::RadioModel model;
        model.kbit_per_second = between(1500, 9000);
        model.spread = between(0.2, 0.7);
        model.fades_per_minute = between(1, 6);
        model.seconds = trip_seconds + 5;
        traces->push_back(sim::radio_trace(model, number * 100 + i));
        shapes->push_back(steady(0, between(15, 90), between(300, 900)));
    }
    return {"drawn " + std::to_string(number), [shapes, traces](std::uint64_t) {
                std::vector<sim::TripLink> links = *shapes;
                for (std::size_t i = 0; i < links.size(); ++i) links[i].up.trace_ms = (*traces)[i];
                return links;
            }};
}

}  // namespace

// The goal that this selector was made for. With a plain receiver, which answers ten packets at a time and says neither
// when they came nor what is lost, four points.
TEST_CASE("adaptive is within a point of a sender that knows the present of every link, whatever the network") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    const double load = GENERATE(70.0, 90.0);
    const double latency_ms = GENERATE(1000.0, 2000.0);
    if (test::few_runs && (load < 80 || latency_ms > 1500)) return;
    const std::uint64_t count = test::runs<std::uint64_t>(seeds / 2, 1);
    const double allowed = receiver == TripReceiver::hawser ? 0.01 : 0.04;
    CAPTURE(load, latency_ms, int(receiver));
    const auto regret_on = [&](const Network& network) {
        double regret = 0;
        for (std::uint64_t seed = 1; seed <= count; ++seed) {
            sim::Trip trip = trip_over(network.links(seed), load, latency_ms, trip_seconds);
            trip.seed = seed;
            trip.selection.mode = Mode::adaptive;
            trip.receiver = receiver;
            const sim::TripOutcome o = sim::run(trip);
            regret += std::min(sim::omniscient_on_time(trip), sim::causal_on_time(trip)) - o.on_time;
            CHECK(o.wire_overhead < 0.1);
        }
        return regret / static_cast<double>(count);
    };
    for (const Network& network : networks()) CHECK(regret_on(network) < allowed);
    // Each of these is one trip, of which some meet more that nobody can know in time: their mean.
    double sum = 0;
    const std::uint64_t drawn_count = test::runs<std::uint64_t>(24, 2);
    for (std::uint64_t n = 1; n <= drawn_count; ++n) sum += regret_on(drawn(n));
    if (!test::few_runs) CHECK(sum / static_cast<double>(drawn_count) < allowed);
}

TEST_CASE("when every link was dark, what is still in time goes out with the first that is back") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    const double dark_ms = GENERATE(2000.0, 3000.0, 4500.0);  // a link is given up after 4 s, SRT's connection after 5
    const double latency_ms = GENERATE(1000.0, 2000.0);
    std::vector<sim::TripLink> links{steady(4000, 30), steady(4000, 40)};
    for (sim::TripLink& link : links) cut(link, sim::LineOutage::Kind::drop, 9500, dark_ms);
    sim::Trip trip = trip_over(links, 70, latency_ms, 24);
    trip.selection.mode = Mode::adaptive;
    trip.receiver = receiver;
    CAPTURE(int(receiver), dark_ms, latency_ms);
    CHECK(sim::causal_on_time(trip) - sim::run(trip).on_time < 0.015);
}

TEST_CASE("a link that stands still while the session begins makes nothing later for the rest of it") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    const std::size_t still = GENERATE(0u, 1u, 2u);
    std::vector<sim::TripLink> links{steady(5000, 30), steady(5000, 30), steady(5000, 30)};
    links[still].up.outages.push_back({sim::LineOutage::Kind::pause, ms(0), ms(1300), ms(0)});
    sim::Trip trip = trip_over(links, 50, 1000, 24);
    trip.selection.mode = Mode::adaptive;
    trip.receiver = receiver;
    const sim::TripOutcome outcome = sim::run(trip);
    CAPTURE(int(receiver), still);
    // The way, the latency, and what libsrt's drift takes.
    CHECK(outcome.delay_p50_ms < 1000 + 30 + 20);
    CHECK(outcome.on_time > 0.98);
}

TEST_CASE("adaptive is nowhere behind classic, at little cost on the wire, whatever receiver and SRT's settings") {
    const Network& network = networks()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    const std::int32_t loss_max_ttl = GENERATE(40, 0);
    CAPTURE(network.name, int(receiver), loss_max_ttl);
    double gain = 0;
    const std::uint64_t count = loss_max_ttl == 0 ? seeds / 2 : seeds;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        sim::Trip trip = trip_on(network, seed, Mode::adaptive, receiver);
        trip.srt.loss_max_ttl = loss_max_ttl;
        const sim::TripOutcome ours = sim::run(trip);
        trip.selection.mode = Mode::classic;
        gain += ours.on_time - sim::run(trip).on_time;
        CAPTURE(seed, ours.on_time);
        CHECK(ours.wire_overhead < 0.1);
        CHECK(ours.unheld == 0);
    }
    CHECK(gain / static_cast<double>(count) > -0.005);
}

TEST_CASE("on links that carry the load adaptive brings everything in time, and each carries its part") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const sim::TripOutcome same = sim::run(trip_on(networks()[0], seed, Mode::adaptive, receiver));
        CAPTURE(int(receiver), seed);
        CHECK(same.on_time > 0.999);
        for (const sim::LinkOutcome& l : same.links) CHECK(l.share == Approx(0.25).margin(0.06));
        // Of 15 Mbit/s a fiftieth is left over: none can be spared, not even the farthest and narrowest.
        const sim::TripOutcome unequal = sim::run(trip_on(networks()[1], seed, Mode::adaptive, receiver, 98));
        CHECK(unequal.on_time > 0.99);
        for (const sim::LinkOutcome& l : unequal.links) CHECK(l.use > 0.5);
    }
}

TEST_CASE("a near link that loses all it holds takes part again at once") {
    std::vector<sim::TripLink> links(3, steady(100'000, 0.1, 50));
    links[1].up.outages.push_back({sim::LineOutage::Kind::drop, ms(450), ms(150), ms(0)});
    sim::Trip trip = trip_over(links, 1, 1000, 8);
    trip.selection.mode = Mode::adaptive;
    const sim::TripOutcome outcome = sim::run(trip);
    CHECK(outcome.on_time == 1);
    REQUIRE(outcome.links[1].up.dropped_outage > 0);
    CHECK(outcome.links[1].share > 0.2);
}

TEST_CASE("buffers that hold little are not overrun by the repairs of what they lost") {
    const double delay = GENERATE(20.0, 100.0, 150.0), queue = GENERATE(20.0, 40.0, 80.0);
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    // 20 ms are nine packets, of which a picture that comes at once has more.
    const double wire_max = queue < 40 ? 0.4 : 0.15;
    for (const double load : {70.0, 90.0}) {
        sim::Trip trip = trip_over({steady(5000, delay, queue), steady(5000, delay + 10, queue)}, load, 2000, 16);
        trip.selection.mode = Mode::adaptive;
        trip.receiver = receiver;
        const sim::TripOutcome outcome = sim::run(trip);
        CAPTURE(delay, queue, load, int(receiver), outcome.wire_overhead);
        CHECK(outcome.on_time > 0.99);
        CHECK(outcome.wire_overhead < wire_max);
    }
}

TEST_CASE("links whose ways become longer and shorter again carry what they can") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    std::vector<sim::TripLink> links{steady(6000, 30), steady(6000, 40), steady(3000, 60)};
    for (sim::LineShape* way : {&links[0].up, &links[0].down})
        way->detours.push_back({ms(120), ms(7000), ms(15'000), {}});
    for (sim::LineShape* way : {&links[2].up, &links[2].down})
        way->detours.push_back({ms(200), ms(3000), ms(5000), ms(10'000)});
    sim::Trip trip = trip_over(links, 90, 700, 30);
    trip.selection.mode = Mode::adaptive;
    trip.receiver = receiver;
    const sim::TripOutcome outcome = sim::run(trip);
    CAPTURE(int(receiver), outcome.wire_overhead);
    // A plain receiver's links know of their queues ten packets at a time.
    CHECK(outcome.on_time > (receiver == TripReceiver::hawser ? 0.99 : 0.985));
    CHECK(sim::causal_on_time(trip) > 0.999);
    trip.selection.mode = Mode::classic;
    CHECK(sim::run(trip).on_time < outcome.on_time);
}

TEST_CASE("narrow links, of which ten packets take a second, are known in time") {
    const double kbps = GENERATE(100.0, 200.0, 400.0), queue = GENERATE(500.0, 2000.0);
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    for (const double load : {70.0, 90.0}) {
        sim::Trip trip = trip_over(
            {steady(kbps, 100, queue), steady(kbps / 2, 150, queue), steady(2 * kbps, 60, queue)}, load, 2000, 24);
        trip.selection.mode = Mode::adaptive;
        trip.receiver = receiver;
        const sim::TripOutcome outcome = sim::run(trip);
        CAPTURE(kbps, queue, load, int(receiver), outcome.wire_overhead);
        CHECK(outcome.on_time > 0.98);
        CHECK(outcome.wire_overhead < 0.25);  // at 50 kbit/s, 500 ms are two packets and a keepalive
    }
}

TEST_CASE("jitter is no queue, down to SRT's least usual latency") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    std::vector<sim::TripLink> links{steady(8000, 10, 200), steady(6000, 18, 300)};
    links[0].up.jitter = links[0].down.jitter = ms(12);
    links[1].up.jitter = links[1].down.jitter = ms(15);
    sim::Trip trip = trip_over(links, 70, 120, 16);
    trip.selection.mode = Mode::adaptive;
    trip.receiver = receiver;
    CAPTURE(int(receiver));
    CHECK(sim::run(trip).on_time > 0.99);
}

TEST_CASE("a link that was spare for longer than the receiver's clock tells apart carries all when it is needed") {
    const double idle_min = GENERATE(30.0, 40.0, 60.0, 75.0);
    std::vector<sim::TripLink> links{steady(5000, 10), steady(5000, 100)};
    cut(links[0], sim::LineOutage::Kind::drop, idle_min * 60'000, 8'000);
    sim::Trip trip = trip_over(links, 35, 1000, idle_min * 60 + 20);
    trip.kbit_per_second = 1500;
    trip.selection.mode = Mode::adaptive;
    const sim::TripOutcome outcome = sim::run(trip);
    CAPTURE(idle_min, outcome.longest_gap_ms);
    CHECK(outcome.late + outcome.payloads -
              static_cast<std::uint64_t>(outcome.delivered * static_cast<double>(outcome.payloads)) <
          30);
}

TEST_CASE("a stream beyond SRT's own window goes on, though each packet comes late") {
    sim::Trip trip = trip_over({steady(12'000, 5), steady(5000, 30)}, 60, 10'000, 40);
    trip.selection.mode = Mode::adaptive;
    const sim::TripOutcome ours = sim::run(trip);
    trip.selection.mode = Mode::classic;
    const sim::TripOutcome classic = sim::run(trip);
    CAPTURE(ours.on_time, classic.on_time);
    CHECK(ours.longest_gap_ms < 8000);  // it was all that followed
    CHECK(ours.on_time > classic.on_time - 0.1);
}

TEST_CASE("copies beside packets that are not known to be lost keep to their budget") {
    const Network& network = networks()[GENERATE(2u, 4u, 5u, 6u)];
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const sim::TripOutcome o = sim::run(trip_on(network, seed, Mode::adaptive, receiver));
        CAPTURE(network.name, int(receiver), seed);
        CHECK(o.sender.counters[Counter::hedges_sent] <= 6 + o.srt_unique * 6 / 100);
    }
}

TEST_CASE("copies leave on no metered link, and the others carry them") {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim::Trip trip = trip_on(networks()[5], seed, Mode::adaptive, TripReceiver::hawser);
        const auto unmetered = sim::run(trip).sender.uplinks;
        trip.links[1].settings.metered = true;
        const auto metered = sim::run(trip).sender.uplinks;
        CAPTURE(seed);
        CHECK(unmetered[1].copies > 0);
        CHECK_FALSE(unmetered[1].metered);
        CHECK(metered[1].copies == 0);
        CHECK(metered[1].metered);
        CHECK(metered[2].copies > 0);
    }
}

TEST_CASE("a link that was dark is used again within half a second, and carries what it can after a second") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    constexpr std::size_t bucket_ms = 50;
    constexpr std::size_t back_ms = 6500;
    std::vector<sim::TripLink> links = outage();
    links[0].up.outages.clear();
    links[0].down.outages.clear();
    cut(links[0], sim::LineOutage::Kind::drop, 3000, 3000);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim::Trip trip = trip_over(links, 90, 1000, 10);
        trip.seed = seed;
        trip.selection.mode = Mode::adaptive;
        trip.receiver = receiver;
        trip.series_bucket = ms(bucket_ms);
        const auto series = sim::run(trip).links[0].up.series;
        const auto bytes = [&](std::size_t from_ms, std::size_t until_ms) {
            std::uint64_t sum = 0;
            for (std::size_t t = from_ms; t < until_ms; t += bucket_ms) sum += series[t / bucket_ms].bytes_in;
            return sum;
        };
        CAPTURE(int(receiver), seed);
        // Left alone while dark, but for the questions whether it is back.
        CHECK(bytes(4500, back_ms) < 2000 * 20);
        CHECK(bytes(back_ms, back_ms + 500) > 20 * 1360);
        CHECK(bytes(back_ms + 1000, back_ms + 2000) > 5'000'000 / 8 * 7 / 10);
    }
}

TEST_CASE("a link whose way back alone is dark goes on carrying, and nothing is lost for want of its word") {
    const double kbps = GENERATE(5000.0, 15000.0, 40000.0);
    const double jitter_ms = GENERATE(0.0, 12.0);
    std::vector<sim::TripLink> links{steady(kbps, 30), steady(kbps, 40)};
    links[0].up.jitter = ms(jitter_ms);
    cut(links[0], sim::LineOutage::Kind::drop, 3000, 3000);
    links[0].up.outages.clear();
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim::Trip trip = trip_over(links, 90, 1000, 10);
        trip.seed = seed;
        trip.selection.mode = Mode::adaptive;
        trip.receiver = TripReceiver::hawser;
        trip.series_bucket = ms(100);
        const sim::TripOutcome o = sim::run(trip);
        std::uint64_t dark = 0;
        for (std::size_t t = 35; t < 65; ++t) dark += o.links[0].up.series[t].bytes_in;
        CAPTURE(kbps, jitter_ms, seed, o.on_time, dark);
        CHECK(o.on_time > 0.99);
        CHECK(static_cast<double>(dark) > kbps * 1000 / 8 * 3 * 0.7);
        CHECK(o.sender.counters[Counter::reports_by_others_in] > 50);
        CHECK(o.wire_overhead < 0.05);
    }
}

// A satellite's or a cell's handover: no capacity is lost, only late. What knows the present but not that lets it lie.
TEST_CASE("what a link could carry while it holds is not lost, and little is sent into silences that lose it") {
    using Kind = sim::LineOutage::Kind;
    const Kind kind = GENERATE(Kind::hold, Kind::drop, Kind::pause);
    const double latency_ms = GENERATE(1000.0, 2000.0);
    std::vector<sim::TripLink> links{steady(8000, 30), steady(3000, 40)};
    cut(links[0], kind, 4000, 1000, 5000);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim::Trip trip = trip_over(links, 92, latency_ms, trip_seconds);
        trip.seed = seed;
        trip.selection.mode = Mode::adaptive;
        trip.receiver = TripReceiver::hawser;
        const sim::TripOutcome o = sim::run(trip);
        const double causal = sim::causal_on_time(trip);
        const std::uint64_t ahead = o.sender.counters[Counter::sent_ahead];
        CAPTURE(int(kind), latency_ms, seed, o.on_time, causal, ahead);
        if (kind == Kind::hold) {
            CHECK(o.on_time > causal + 0.02);
            CHECK(ahead > o.srt_unique / 50);
        } else {
            CHECK(o.on_time > causal - 0.03);
            CHECK(ahead < o.srt_unique / 50);
        }
        CHECK(ahead <= 1024 + o.srt_unique * 3 / 100);
        CHECK(o.wire_overhead < 0.05);
    }
}

TEST_CASE("the only link is used through everything it does") {
    const auto receiver = GENERATE(TripReceiver::hawser, TripReceiver::plain);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        std::vector<sim::TripLink> links{steady(6000, 40, 500, 0.01)};
        cut(links[0], sim::LineOutage::Kind::drop, 3000, 1000);
        cut(links[0], sim::LineOutage::Kind::hold, 7000, 600);
        cut(links[0], sim::LineOutage::Kind::pause, 11000, 400);
        sim::Trip trip = trip_over(links, 60, 2000, 15);
        trip.seed = seed;
        trip.selection.mode = Mode::adaptive;
        trip.receiver = receiver;
        const sim::TripOutcome o = sim::run(trip);
        CAPTURE(int(receiver), seed);
        CHECK(o.on_time > 0.97);
        CHECK(o.wire_overhead < 0.2);  // what the dark second swallowed goes again
    }
}
