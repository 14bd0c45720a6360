// SPDX-License-Identifier: MIT
// What an operator and a program read of a sender, by selector.
#include "platform/app/sender_figures.h"

#include <catch2/catch.hpp>

using namespace hawser;
using namespace hawser::literals;
using Catch::Contains;

namespace {

SenderSnapshot snapshot(select::Mode mode) {
    SenderSnapshot s;
    s.at = Instant{2'000'000'000};
    s.selection.mode = mode;
    UplinkSnapshot& u = s.uplinks[1];
    u.state = UplinkState::connected;
    u.bytes_out = 250'000;
    u.window = 20'000;
    u.in_flight = 9;
    u.path_rate = 500'000;
    u.base_rtt = 42_ms;
    u.queue_delay = 17_ms;
    u.window_bytes = 49'152;
    u.in_flight_bytes = 12'288;
    u.lost = 31;
    u.silent = true;
    u.metered = true;
    u.copies = 12;
    s.counters.add(Counter::repairs_sent, 5);
    s.counters.add(Counter::packets_given_up, 6);
    s.counters.add(Counter::hedges_sent, 7);
    s.counters.add(Counter::sent_ahead, 12);
    s.counters.add(Counter::retransmissions_absorbed, 8);
    s.counters.add(Counter::nak_sequences_held, 9);
    s.counters.add(Counter::losses_seen, 10);
    return s;
}

const std::array<app::WaitingUplink, 1> waiting{{{"wwan0", "no address"}}};

std::string table(const SenderSnapshot& s) {
    std::array<std::string, links_max> names;
    names[1] = "10.0.0.2";
    SenderSnapshot before;
    before.at = Instant{1'000'000'000};
    return app::figures_table(s, before, names, waiting);
}
app::Json json(const SenderSnapshot& s) {
    std::array<std::string, links_max> names;
    return app::Json::parse(app::figures_json(s, names, waiting));
}

}  // namespace

TEST_CASE("an uplink that is waited for is shown with what it lacks") {
    const SenderSnapshot s = snapshot(select::Mode::adaptive);
    CHECK_THAT(table(s), Contains("wwan0                    waiting: no address"));
    CHECK(json(s)["waiting_links"] == app::Json::array({{{"name", "wwan0"}, {"why", "no address"}}}));
}

TEST_CASE("the table shows of each link what its selector goes by") {
    const std::string adaptive = table(snapshot(select::Mode::adaptive));
    CHECK_THAT(adaptive, Contains("estimate") && Contains("base RTT") && Contains("queue") && Contains("lost"));
    CHECK_THAT(adaptive, Contains("4.00 Mbit/s") && Contains("42.0 ms") && Contains("17.0 ms") && Contains("12.0K") &&
                             Contains("48.0K") && Contains("connected, silent, metered"));
    CHECK_THAT(adaptive, Contains("10 lost, 5 repaired, 7 doubled, 12 sent ahead, 6 given up"));
    CHECK_THAT(adaptive, Contains("8 of SRT's retransmissions, 9 sequences of its NAKs"));
    CHECK_THAT(adaptive, Contains("no reports"));
    const std::string classic = table(snapshot(select::Mode::classic));
    CHECK_THAT(classic, Contains("window") && Contains("NAKs") && !Contains("estimate") && !Contains("held back"));
}

TEST_CASE("the safe bitrate is in the table and in the JSON, and is null before it is known") {
    SenderSnapshot s = snapshot(select::Mode::classic);
    CHECK_THAT(table(s), Contains("safe bitrate: not known yet"));
    CHECK(json(s)["safe_bitrate"]["bits_per_second"].is_null());
    CHECK(json(s)["safe_bitrate"]["cause"] == "unknown");
    s.safe_rate = {true, SafeRateCause::queue, 2'500'000, 3'000'000, 400_ms, 350_ms};
    CHECK_THAT(table(s), Contains("safe bitrate: 2.50 Mbit/s of media (queue), offered 3.00"));
    CHECK(json(s)["safe_bitrate"]["bits_per_second"] == 2'500'000);
    CHECK(json(s)["safe_bitrate"]["offered_bits_per_second"] == 3'000'000);
    CHECK(json(s)["safe_bitrate"]["lag_us"] == 400'000);
}

TEST_CASE("the JSON has every figure of adaptive's, by link") {
    const app::Json link = json(snapshot(select::Mode::adaptive))["links"][0];
    CHECK(link["path_bytes_per_second"] == 500'000);
    CHECK(link["queue_delay_us"] == 17'000);
    CHECK(link["base_rtt_us"] == 42'000);
    CHECK(link["window_bytes"] == 49'152);
    CHECK(link["in_flight_bytes"] == 12'288);
    CHECK(link["lost"] == 31);
    CHECK(link["silent"] == true);
    CHECK(link["metered"] == true);
    CHECK(link["copies_out"] == 12);
}
