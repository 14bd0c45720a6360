// SPDX-License-Identifier: MIT
// What Prometheus and scene switchers are told: the text format, the times' buckets, the streams' shape.
#include <catch2/catch.hpp>

#include <sstream>

#include "platform/app/metrics/exposition.h"
#include "platform/app/metrics/receiver_metrics.h"
#include "platform/app/metrics/sender_metrics.h"

using namespace hawser;
using namespace hawser::app;
using namespace hawser::literals;

namespace {

// The value of the one sample that begins so; nothing where there is none or several.
std::optional<std::string> sample(const std::string& text, const std::string& begin) {
    std::istringstream lines(text);
    std::optional<std::string> found;
    for (std::string line; std::getline(lines, line);) {
        if (line.compare(0, begin.size() + 1, begin + " ") != 0) continue;
        if (found) return std::nullopt;
        found = line.substr(begin.size() + 1);
    }
    return found;
}

}  // namespace

TEST_CASE("a time is counted in the narrowest bucket that holds it, and the last one holds the rest", "[metrics]") {
    using Times = TimeHistogram<1'000, 4>;  // 1, 2, 4, 8 us, and more
    const auto bucket = [](Duration time) {
        Times times;
        times.add(time);
        for (std::size_t i = 0; i < Times::bucket_count; ++i)
            if (times.counts()[i] == 1) return i;
        return Times::bucket_count;
    };
    CHECK(bucket({-5}) == 0);
    CHECK(bucket({0}) == 0);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(bucket(Times::bound(i)) == i);
        CHECK(bucket(Times::bound(i) + 1_ns) == i + 1);
    }
    CHECK(bucket(3600_s) == 4);
}

TEST_CASE("histograms are cumulative, end in +Inf, and have their sum and count", "[metrics]") {
    TimeHistogram<1'000'000, 2> times;
    times.add(1_ms);
    times.add(2_ms);
    times.add(2_ms);
    times.add(1_s);
    Exposition out;
    out.family("t_seconds", Exposition::Type::histogram, "help");
    out.histogram({{"a", "b"}}, times);
    CHECK(out.take() ==
          "# HELP t_seconds help\n# TYPE t_seconds histogram\n"
          "t_seconds_bucket{a=\"b\",le=\"0.001\"} 1\nt_seconds_bucket{a=\"b\",le=\"0.002\"} 3\n"
          "t_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\nt_seconds_sum{a=\"b\"} 1.005\nt_seconds_count{a=\"b\"} 4\n");
}

TEST_CASE("quotes, backslashes and line ends in labels and help are escaped", "[metrics]") {
    Exposition out;
    out.family("x", Exposition::Type::gauge, "a \"b\" \\ \n");
    out.sample({{"l", "\"\\\n"}}, std::uint64_t{7});
    CHECK(out.take() == "# HELP x a \"b\" \\\\ \\n\n# TYPE x gauge\nx{l=\"\\\"\\\\\\n\"} 7\n");
}

TEST_CASE("a sender's uplinks have their names as labels, absent ones none", "[metrics]") {
    SenderSnapshot s;
    s.uplinks[3].state = UplinkState::connected;
    s.uplinks[3].rtt = 25_ms;
    s.uplinks[3].packets_out = 17;
    s.uplinks[3].round_trips.add(25_ms);
    UplinkNames names;
    names[3] = "wwan0";
    const std::string text = sender_metrics(s, names);
    CHECK(sample(text, "hawser_uplink_up{uplink=\"wwan0\"}") == "1");
    CHECK(sample(text, "hawser_uplink_smoothed_rtt_seconds{uplink=\"wwan0\"}") == "0.025");
    CHECK(sample(text, "hawser_uplink_sent_packets_total{uplink=\"wwan0\"}") == "17");
    CHECK(sample(text, "hawser_uplink_rtt_seconds_count{uplink=\"wwan0\"}") == "1");
    CHECK(sample(text, "hawser_uplink_state{uplink=\"wwan0\",state=\"connected\"}") == "1");
    CHECK(sample(text, "hawser_uplink_state{uplink=\"wwan0\",state=\"silent\"}") == "0");
    CHECK(text.find("uplink=\"\"") == std::string::npos);
}

TEST_CASE("under the peer's names two uplinks of one address stay apart", "[metrics]") {
    SenderSnapshot s;
    s.uplinks[0].state = s.uplinks[1].state = UplinkState::connected;
    s.uplinks[0].rtt = 25_ms;
    s.uplinks[1].rtt = 30_ms;
    UplinkNames names;
    s.uplinks[0].local = s.uplinks[1].local = Endpoint::from_v4(0x0A000002, 0);
    s.uplinks[2].state = UplinkState::connected;
    s.uplinks[2].local = Endpoint::from_v4(0x0A000003, 0);
    names[0] = "wwan0";
    names[1] = "10.0.0.2%wwan1";
    const std::string text = srtla_send_metrics(s, names, 2);
    CHECK(sample(text, "srtla_send_link_rtt_ms{ip=\"wwan0\"}") == "25");
    CHECK(sample(text, "srtla_send_link_rtt_ms{ip=\"10.0.0.3\"}") == "0");
    CHECK(sample(text, "srtla_send_link_rtt_ms{ip=\"10.0.0.2%wwan1\"}") == "30");
    CHECK(sample(text, "srtla_send_active_links") == "3");
}

TEST_CASE("a stream's rate is that between two looks, of the group that it is", "[metrics]") {
    ReceiverSnapshot s;
    s.reserve(2, 2);
    GroupRates rates;
    const auto look = [&](std::int64_t at_ms, Duration age, std::uint64_t bytes) {
        s.clear();
        s.at = Instant{at_ms * 1'000'000};
        ReceiverGroupSnapshot* g = s.add_group();
        g->group = GroupId(5);
        g->state = ReceiverGroupState::session;
        g->age = age;
        g->srt_rtt = 42_ms;
        ReceiverLinkSnapshot* l = s.add_link();
        l->bytes_in = bytes;
        l->dropped = 3;
        rates.look(s);
        return stream_stats(s, rates);
    };
    CHECK(look(1'000, 10_s, 1'000'000)["publishers"]["live"]["bitrate"] == 0);
    const Json stats = look(3'000, 12_s, 2'000'000);
    CHECK(stats["publishers"]["live"] == stats["publishers"]["5"]);
    CHECK(stats["publishers"]["5"]["bitrate"] == 4'000);
    CHECK(stats["publishers"]["5"]["rtt"] == 42.0);
    CHECK(stats["publishers"]["5"]["dropped_pkts"] == 3);
    CHECK(stats["publishers"]["5"]["uptime"] == 12);
    // Another sender has the number now.
    CHECK(look(4'000, 1_s, 3'000'000)["publishers"]["5"]["bitrate"] == 0);
    // Its link was forgotten, and another has brought this much.
    CHECK(look(5'000, 2_s, 500'000)["publishers"]["5"]["bitrate"] == 4'000);
}
