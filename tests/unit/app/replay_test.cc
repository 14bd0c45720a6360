// SPDX-License-Identifier: MIT
// Recordings replayed: made-up links come out as they were made up, what is no sender's recording is refused, and what
// is written is read as the same.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/wire/report.h"
#include "platform/app/flight/capture_words.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/app/replay/link_estimate.h"
#include "platform/app/replay/replay.h"
#include "platform/app/replay/scenario_text.h"
#include "platform/control/pcapng.h"

using namespace hawser;
using namespace hawser::app;
using Catch::Contains;

namespace {

constexpr std::uint16_t media_bytes = 1332;
constexpr double wire_bits = 8.0 * (media_bytes + 28);

// A link made by hand: a bottleneck that takes so long for each packet, ways there and back, another clock at the end.
struct MadeLink {
    std::int64_t service_ns = 4 * ms_ns;
    std::int64_t up_ns = 30 * ms_ns;
    std::int64_t down_ns = 30 * ms_ns;
    std::int64_t clock_ns = 1'000'000 * ms_ns;
    double drift = 0;
    std::uint32_t lost_every = 0;
    std::int64_t dark_from_ns = 0;
    std::int64_t dark_to_ns = 0;
};

class MadeTrip {
public:
    // Media for so long: in every 100 ms `burst` packets at once and `calm` ones apart.
    MadeTrip(const MadeLink& link, std::int64_t length_ns, int burst, int calm) {
        std::int64_t free_at = 0;
        for (std::int64_t t = 1000 * ms_ns; t < 1000 * ms_ns + length_ns; t += 100 * ms_ns) {
            for (int i = 0; i < burst; ++i) send(link, t + i * 10'000, free_at);
            for (int i = 0; i < calm; ++i) send(link, t + 60 * ms_ns + i * 10 * ms_ns, free_at);
            keepalive(link, t + 50 * ms_ns);
        }
        std::stable_sort(records_.begin(), records_.end(),
                         [](const FlightRecord& a, const FlightRecord& b) { return a.at < b.at; });
    }

    [[nodiscard]] std::string capture(bool is_sender = true) const {
        FlightCopy copy;
        copy.is_sender = is_sender;
        copy.records = records_;
        copy.utc_ns = 1'700'000'000'000'000'000;
        if (!records_.empty()) copy.at = records_.back().at;
        copy.ways[{uplink_way(0, LinkId(0)), Instant{}}] = {"wwan \"0\" \\", "uplink", {}, {}};
        copy.ways[{local_way(0), Instant{}}] = {"srt", caller_description(Duration{900 * ms_ns}), {}, {}};
        std::string file;
        flight_capture(copy, [&file](std::string_view piece) {
            file += piece;
            return true;
        });
        return file;
    }
    void keep_only(Decision decision) {
        std::erase_if(records_, [decision](const FlightRecord& r) { return r.decision != decision; });
    }

private:
    void note(std::int64_t at, Decision decision, Bytes packet, std::uint16_t length) {
        FlightRecord r{};
        r.at = Instant{at};
        r.decision = decision;
        r.link = LinkId(0);
        r.length = length;
        const std::size_t kept = std::min(packet.size(), FlightRecord::head_bytes_max);
        r.kept = static_cast<std::uint8_t>(kept);
        std::copy_n(packet.begin(), kept, r.head.begin());
        records_.push_back(r);
    }
    [[nodiscard]] static bool is_dark(const MadeLink& link, std::int64_t at) {
        return at >= link.dark_from_ns && at < link.dark_to_ns;
    }
    void send(const MadeLink& link, std::int64_t at, std::int64_t& free_at) {
        std::array<std::uint8_t, wire::srt_header_bytes> head{};
        sequence_ = (sequence_ + 1) & wire::Seq31::mask;
        store_be32(head.data(), sequence_);
        note(at, Decision::sent, head, media_bytes);
        if (is_dark(link, at)) return;
        free_at = std::max(free_at, at) + link.service_ns;
        const std::int64_t arrival = free_at + link.up_ns;
        if (is_dark(link, arrival) || (link.lost_every != 0 && sequence_ % link.lost_every == 0)) return;
        entries_.emplace_back(arrival, sequence_);
        wire::ReportHeader header;
        header.number = static_cast<std::uint32_t>(entries_.size());
        header.arrived = static_cast<std::uint32_t>(entries_.size());
        const auto clock = static_cast<std::int64_t>(static_cast<double>(arrival) * (1 + link.drift)) + link.clock_ns;
        header.clock_us = static_cast<std::uint32_t>(clock / 1000);
        wire::ReportBuilder report(header);
        for (std::size_t i = entries_.size() > 2 ? entries_.size() - 2 : 0; i < entries_.size(); ++i)
            report.add(wire::Seq31(entries_[i].second), (arrival - entries_[i].first) / 1000);
        note(arrival + link.down_ns, Decision::report_in, report.bytes(),
             static_cast<std::uint16_t>(report.bytes().size()));
    }
    void keepalive(const MadeLink& link, std::int64_t at) {
        const auto packet = wire::build_keepalive(static_cast<std::uint64_t>(at / ms_ns));
        note(at, Decision::keepalive_out, packet, packet.size());
        if (!is_dark(link, at) && !is_dark(link, at + link.up_ns))
            note(at + link.up_ns + link.down_ns, Decision::keepalive_in, packet, packet.size());
    }

    std::vector<FlightRecord> records_;
    std::vector<std::pair<std::int64_t, std::uint32_t>> entries_;
    std::uint32_t sequence_ = wire::Seq31::mask - 100;  // it wraps
};

RecordedTrip made(const MadeTrip& trip) {
    const auto log = read_flight_log(trip.capture(), "x");
    INFO((log ? "" : log.error()));
    REQUIRE(log);
    auto out = replay(*log, "x");
    INFO((out ? "" : out.error()));
    REQUIRE(out);
    out->scenario.name = "a trip";
    return std::move(out).value();
}
std::string refusal(std::string file) {
    const auto log = read_flight_log(std::move(file), "x.pcapng");
    if (!log) return log.error();
    const auto trip = replay(*log, "x.pcapng");
    return trip ? "" : trip.error();
}

double mean_kbps(const RecordedTrip& trip) { return lay_out(trip.scenario, {}).trip.links.at(0).up.mean_rate() / 1e3; }

}  // namespace

TEST_CASE("rate, delay, latency and media of a made-up link are found") {
    MadeLink link;
    link.drift = GENERATE(0.0, 80e-6, -80e-6);
    const std::int64_t length = 40'000 * ms_ns;
    const RecordedTrip trip = made(MadeTrip(link, length, 10, 2));
    REQUIRE(trip.scenario.links.size() == 1);
    const LinkPlan& found = trip.scenario.links[0];
    CHECK(mean_kbps(trip) == Approx(wire_bits / 4).epsilon(0.03));
    CHECK(static_cast<double>(found.up.shape.delay.ns) / 1e6 == Approx(30).margin(1));
    CHECK(static_cast<double>(found.down.shape.delay.ns) / 1e6 == Approx(30).margin(1));
    CHECK(found.up.shape.loss == 0);
    CHECK(found.up.shape.outages.empty());
    CHECK(trip.scenario.srt.latency.ms() == 900);
    CHECK(trip.scenario.seconds == Approx(40).margin(0.2));
    CHECK(*trip.scenario.kbps == Approx(8.0 * 1316 * 120 / 1000).epsilon(0.02));
}

TEST_CASE("losses at random and a dark stretch are told apart") {
    MadeLink link;
    link.lost_every = 40;
    link.dark_from_ns = 6'000 * ms_ns;
    link.dark_to_ns = 8'500 * ms_ns;
    const RecordedTrip trip = made(MadeTrip(link, 15'000 * ms_ns, 10, 2));
    const sim::LineShape& up = trip.scenario.links.at(0).up.shape;
    CHECK(up.loss == Approx(1.0 / 40).margin(0.005));
    REQUIRE(up.outages.size() == 1);
    // The scenario's clock begins half a second before the media, which began at 1 s.
    CHECK(up.outages[0].start.ms() == Approx(5'500).margin(100));
    CHECK((up.outages[0].start + up.outages[0].length).ms() == Approx(8'000).margin(100));
    CHECK(trip.scenario.links[0].down.shape.outages.size() == 1);
}

TEST_CASE("a link that was never full is said to be guessed") {
    const RecordedTrip trip = made(MadeTrip(MadeLink{}, 10'000 * ms_ns, 0, 3));
    CHECK_THAT(trip.scenario.about, Contains("of a guessed rate: wwan"));
    CHECK(mean_kbps(trip) > 3 * wire_bits / 100);
}

TEST_CASE("what is no sender's recording of media is refused with the reason") {
    const MadeTrip trip(MadeLink{}, 5'000 * ms_ns, 4, 0);
    CHECK(refusal(trip.capture()).empty());
    CHECK_THAT(refusal(trip.capture(false)), Contains("x.pcapng: ") && Contains("hawser recv's"));
    CHECK_THAT(refusal(control::PcapngWriter("Dumpcap", "").take()), Contains("not a recording of hawser's"));
    CHECK_THAT(refusal(control::PcapngWriter(capture_application(), "cut").take()),
               Contains("not a recording of hawser send's"));
    CHECK_THAT(refusal(control::PcapngWriter(capture_application(), capture_comment(true)).take()),
               Contains("no packet"));
    CHECK_THAT(refusal("nonsense"), Contains("x.pcapng: at byte 0"));
    MadeTrip idle = trip;
    idle.keep_only(Decision::keepalive_out);
    CHECK_THAT(refusal(idle.capture()), Contains("no data"));
    MadeTrip unheard = trip;
    unheard.keep_only(Decision::sent);
    CHECK_THAT(refusal(unheard.capture()), Contains("no uplink is known to have brought anything"));
    CHECK_THAT(refusal(MadeTrip(MadeLink{}, 500 * ms_ns, 4, 0).capture()), Contains("less than a second"));
}

TEST_CASE("a torn recording is replayed as far as it goes, and says so") {
    const std::string file = MadeTrip(MadeLink{}, 5'000 * ms_ns, 4, 0).capture();
    const auto log = read_flight_log(file.substr(0, file.size() / 2 + 3), "x");
    REQUIRE(log);
    CHECK_THAT(log->note, Contains("the file ends within a block"));
    const auto trip = replay(*log, "x");
    REQUIRE(trip);
    CHECK(trip->scenario.seconds < 4);
}

TEST_CASE("a recording written as files is read as the same scenario") {
    MadeLink link;
    link.lost_every = 40;
    link.dark_from_ns = 6'000 * ms_ns;
    link.dark_to_ns = 7'000 * ms_ns;
    const RecordedTrip trip = made(MadeTrip(link, 10'000 * ms_ns, 10, 2));
    char folder[] = "/tmp/hawser-replay-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const auto written = write_trip(trip, std::string(folder) + "/new");
    REQUIRE(written);
    CHECK(*written == std::string(folder) + "/new/a_trip.toml");
    const auto again = load_scenario(*written);
    INFO((again ? "" : again.error()));
    REQUIRE(again);
    const Scenario& had = trip.scenario;
    CHECK(again->about == had.about);
    CHECK(again->seconds == had.seconds);
    CHECK(again->kbps == had.kbps);
    CHECK(again->srt.latency == had.srt.latency);
    REQUIRE(again->links.size() == 1);
    const LinkPlan& a = again->links[0];
    const LinkPlan& b = had.links[0];
    CHECK(a.name == b.name);
    CHECK(*a.up.trace == *b.up.trace);
    CHECK(a.up.shape.delay == b.up.shape.delay);
    CHECK(a.up.shape.queue_bytes == b.up.shape.queue_bytes);
    CHECK(a.up.shape.loss == b.up.shape.loss);
    CHECK(a.down.shape.delay == b.down.shape.delay);
    CHECK(a.down.shape.kbit_per_second == b.down.shape.kbit_per_second);
    REQUIRE(a.up.shape.outages.size() == 1);
    CHECK(a.up.shape.outages[0].start == b.up.shape.outages[0].start);
    CHECK(a.up.shape.outages[0].length == b.up.shape.outages[0].length);
    CHECK(a.down.shape.outages.size() == b.down.shape.outages.size());
    const auto refused = write_trip(trip, std::string(folder) + "/new");
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error(), Contains("there already"));
    std::ofstream(std::string(folder) + "/file") << "x";
    const auto nowhere = write_trip(trip, std::string(folder) + "/file");
    REQUIRE_FALSE(nowhere);
    CHECK_THAT(nowhere.error(), Contains("cannot write "));
    std::filesystem::remove_all(folder);
}
