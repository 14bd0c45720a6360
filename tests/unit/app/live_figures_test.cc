// SPDX-License-Identifier: MIT
// What `hawser status` and `hawser top` show, computed by hand from answers a second apart. The answers are made by
// what the programs make them with, so that a field which is called otherwise there is missed here.
#include "platform/app/view/live_figures.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "platform/app/receiver_figures.h"
#include "platform/app/rpc/sender_methods.h"

using namespace hawser;
using namespace hawser::app;
using namespace hawser::literals;
using Catch::Contains;
using rpc::Params;

namespace {

// A sender's control thread as get_stats and the `stats` events see it.
class Sender final : public SenderSteering {
public:
    SenderSnapshot now;
    std::array<std::string, links_max> names;

    // The link's slot, filled as one that is connected.
    UplinkSnapshot& link(std::size_t slot, const char* name) {
        names[slot] = name;
        now.uplinks[slot].state = UplinkState::connected;
        return now.uplinks[slot];
    }
    UplinkSnapshot& operator[](std::size_t slot) { return now.uplinks[slot]; }
    void pass(Duration time) { now.at = now.at + time; }
    void carry(std::size_t slot, std::uint64_t bytes, std::uint64_t packets) {
        now.uplinks[slot].bytes_out += bytes;
        now.uplinks[slot].packets_out += packets;
    }
    [[nodiscard]] Params stats() { return Params::parse(rpc::text_of(sender_stats(*this))); }

    const SenderSnapshot& figures() override { return now; }
    [[nodiscard]] const std::array<std::string, links_max>& link_names() const override { return names; }
    [[nodiscard]] std::vector<WaitingUplink> waiting_links() const override { return {}; }
    [[nodiscard]] const select::Settings& selection() const override { return now.selection; }
    void select(const select::Settings& settings) override { now.selection = settings; }
    [[nodiscard]] Duration silence() const override { return 4_s; }
    void set_silence(Duration) override {}
    Result<std::string, std::string> add_link(const std::string&) override { return Failure{std::string("no")}; }
    Result<Unit, std::string> remove_link(const std::string&) override { return Failure{std::string("no")}; }
    LinkLimits& limits() override { return limits_; }
    [[nodiscard]] std::optional<control::LinkWords> words_of(const std::string&) const override { return {}; }
    void limits_changed() override {}

private:
    LinkLimits limits_;
};

// One that has run for a while, by two links; a third one registers.
Sender running_sender() {
    Sender s;
    s.now.at = Instant{90'000'000'000};
    s.now.selection.mode = select::Mode::adaptive;
    s.now.receiver = Endpoint::from_v4(0xC0000207, 5000);
    UplinkSnapshot& usb = s.link(0, "usb0");
    usb.bytes_out = 1'000'000;
    usb.packets_out = 1000;
    usb.naks = 5;
    usb.rtt = 41'500_us;
    usb.window = 20'000;
    usb.in_flight = 9;
    usb.bytes_per_second = 125'000;
    UplinkSnapshot& wwan = s.link(3, "wwan0");
    wwan.bytes_out = 600'000;
    wwan.packets_out = 500;
    wwan.lost = 7;
    wwan.rtt = 60_ms;
    wwan.base_rtt = 42_ms;
    wwan.queue_delay = 17'500_us;
    wwan.window = 12'500;
    wwan.in_flight = 31;
    wwan.bytes_per_second = 375'000;
    UplinkSnapshot& eth = s.link(4, "eth1");
    eth.state = UplinkState::joining;
    eth.window = 1'000;
    return s;
}

// A receiver of two groups, the first of them with two links.
struct Receiver {
    Receiver() {
        now.reserve(2, 3);
        now.groups_max = 200;
        now.at = Instant{90'000'000'000};
        ReceiverGroupSnapshot& first = *now.add_group();
        first.group = GroupId(7);
        first.state = ReceiverGroupState::session;
        ReceiverLinkSnapshot& a = add_link(Endpoint::from_v4(0x0A000001, 40000), true);
        a.bytes_in = 3'000'000;
        a.packets_in = 3'000;
        a.has_telemetry = true;
        a.rtt_ms = 38;
        a.window = 15'500;
        a.in_flight = 12;
        ReceiverLinkSnapshot& b = add_link(Endpoint::from_v4(0x0A000101, 40000), false);
        b.bytes_in = 1'000'000;
        b.packets_in = 1'000;
        now.add_group()->group = GroupId(9);
        add_link(Endpoint::from_v4(0x0A000201, 40000), true);
    }
    ReceiverLinkSnapshot& add_link(const Endpoint& sender, bool live) {
        links.push_back(now.add_link());
        links.back()->sender = sender;
        links.back()->live = live;
        return *links.back();
    }
    [[nodiscard]] Params stats() const { return Params::parse(rpc::text_of(figures_of(now))); }

    ReceiverSnapshot now;
    std::vector<ReceiverLinkSnapshot*> links;
};

const LiveLink& of(const LiveFigures& figures, const std::string& name) {
    const auto& links = figures.links();
    const auto found = std::find_if(links.begin(), links.end(), [&](const LiveLink& l) { return l.name == name; });
    REQUIRE(found != links.end());
    return *found;
}
bool shows(const LiveFigures& figures, const std::string& name) {
    const auto& links = figures.links();
    return std::any_of(links.begin(), links.end(), [&](const LiveLink& l) { return l.name == name; });
}

// The table from its headings on.
std::string rows(const LiveFigures& figures, bool history) {
    const std::string table = table_of(figures, history);
    const std::size_t blank = table.find("\n\n");
    REQUIRE(blank != std::string::npos);
    return table.substr(blank + 2);
}

}  // namespace

TEST_CASE("a sender's row has the figures of the second between two answers") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    s.pass(1_s);
    s.carry(0, 375'000, 250);  // 3 Mbit
    s[0].naks += 5;            // of 250
    s.carry(3, 125'000, 100);  // 1 Mbit
    figures.take(s.stats());
    CHECK(
        rows(figures, false) ==
        "uplink                                rate  share       RTT    loss   window in flight     queue  state\n"
        "usb0                           3.00 Mbit/s  75.0%   41.5 ms    2.0%     20.0         9         -  connected\n"
        "wwan0                          1.00 Mbit/s  25.0%   60.0 ms    0.0%     12.5        31   17.5 ms  connected\n"
        "eth1                              0 kbit/s   0.0%         -       -      1.0         0         -  joining\n");
    CHECK(figures.summary().back() == "all links: 4.00 Mbit/s");
}

TEST_CASE("top's table has the last half minute between the queue and the state") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());  // 1 and 3 Mbit/s, as the sender says
    s.pass(1_s);
    s.carry(0, 250'000, 200);
    s.carry(3, 93'750, 100);  // a quarter of 375000
    s.link(5, "eth2");
    figures.take(s.stats());
    CHECK(rows(figures, true) ==
          "uplink                                rate  share       RTT    loss   window in flight     queue  "
          "last 30 s                      state\n"
          "usb0                           2.00 Mbit/s  72.7%   41.5 ms    0.0%     20.0         9         -  "
          "▄█                             connected\n"
          "wwan0                           750 kbit/s  27.3%   60.0 ms    0.0%     12.5        31   17.5 ms  "
          "█▂                             connected\n"
          "eth1                              0 kbit/s   0.0%         -       -      1.0         0         -  "
          "▁▁                             joining\n"
          "eth2                              0 kbit/s   0.0%         -       -      0.0         0         -  "
          "▁                              connected\n");
}

TEST_CASE("rates are by the second, however long ago the answer before was") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    s.pass(2500_ms);
    s.carry(0, 1'000'000, 800);
    s[0].naks += 80;
    figures.take(s.stats());
    CHECK(of(figures, "usb0").bytes_per_second == 400'000);
    CHECK(of(figures, "usb0").loss == 10);
}

TEST_CASE("of the first answer, a sender's rates are its own and losses are not known") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    CHECK(of(figures, "usb0").bytes_per_second == 125'000);
    CHECK(of(figures, "usb0").share == 25);
    CHECK(of(figures, "wwan0").share == 75);
    CHECK_THAT(rows(figures, false),
               Contains("\nusb0                           1.00 Mbit/s  25.0%   41.5 ms       - "));
}

TEST_CASE("a link's loss is what its selector counts or what NAKs tell, also where the mode was changed") {
    Sender s = running_sender();
    s[0].naks = 1'000;
    LiveFigures figures;
    const auto second = [&](std::uint64_t naks, std::uint64_t lost, std::uint64_t packets) {
        s.pass(1_s);
        s.carry(0, packets * 1'000, packets);
        s[0].naks += naks;
        s[0].lost += lost;
        figures.take(s.stats());
        return of(figures, "usb0").loss;
    };
    figures.take(s.stats());
    CHECK(second(10, 0, 200) == 5);
    CHECK(second(0, 20, 200) == 10);  // adaptive has just begun to count
    CHECK(second(8, 4, 200) == 4);
    CHECK(second(4, 8, 200) == 4);
    CHECK(second(3, 3, 0) == -1);  // of nothing sent
    s[0].lost = 0;                 // other modes count none
    CHECK(second(2, 0, 200) == 1);
    CHECK(second(0, 0, 200) == 0);
}

TEST_CASE("a link that goes leaves the shares to the others, and comes back as a new one") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    const auto second = [&] {
        s.pass(1_s);
        s.carry(0, 125'000, 100);
        s.carry(3, 125'000, 100);
        figures.take(s.stats());
    };
    second();
    CHECK(of(figures, "usb0").share == 50);
    CHECK(of(figures, "wwan0").share == 50);
    s[3].state = UplinkState::absent;
    second();
    CHECK_FALSE(shows(figures, "wwan0"));
    CHECK(of(figures, "usb0").share == 100);
    CHECK(figures.summary().back() == "all links: 1.00 Mbit/s");
    s[3].state = UplinkState::connected;
    second();
    CHECK(of(figures, "wwan0").bytes_per_second == 375'000);  // the sender's figure: what it carried when is not known
    CHECK(of(figures, "wwan0").share == 75);
    CHECK(of(figures, "wwan0").loss == -1);
    CHECK(of(figures, "wwan0").history == std::vector<double>{375'000});
    CHECK(of(figures, "usb0").history == std::vector<double>{125'000, 125'000, 125'000, 125'000});
}

TEST_CASE("counters that begin anew are not taken for a rate or a loss") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    s.pass(1_s);
    SECTION("all of them: the sender was restarted") {
        s[0].bytes_out = 50'000;
        s[0].packets_out = 40;
        s[0].naks = 1;
        s[0].bytes_per_second = 0;
    }
    SECTION("only few packets, of more bytes") {
        s[0].bytes_out = 1'050'000;
        s[0].packets_out = 40;
        s[0].bytes_per_second = 0;
    }
    SECTION("few bytes in more packets") {
        s[0].bytes_out = 50'000;
        s[0].packets_out = 1'040;
        s[0].bytes_per_second = 0;
    }
    figures.take(s.stats());
    CHECK(of(figures, "usb0").bytes_per_second == 0);
    CHECK(of(figures, "usb0").loss == -1);
    CHECK(of(figures, "wwan0").loss == -1);  // it sent nothing
    s.pass(1_s);
    s.carry(0, 250'000, 200);
    s[0].naks += 2;
    figures.take(s.stats());
    CHECK(of(figures, "usb0").bytes_per_second == 250'000);
    CHECK(of(figures, "usb0").loss == 1);
    CHECK(of(figures, "usb0").history == std::vector<double>{125'000, 0, 250'000});
}

TEST_CASE("after a clock that began anew nothing is compared with what was before") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    s.now.at = Instant{1'000'000'000};
    s.carry(0, 8'000'000, 8'000);
    figures.take(s.stats());
    CHECK(of(figures, "usb0").bytes_per_second == 125'000);
    CHECK(of(figures, "usb0").history == std::vector<double>{125'000});
}

TEST_CASE("half a minute of rates is kept, the newest last") {
    Sender s = running_sender();
    LiveFigures figures;
    for (int i = 0; i <= 31; ++i) {  // of 1000 bytes per second the first, the sender's; then 0, 8000, ... 240000
        s[0].bytes_per_second = 1'000;
        if (i > 1) s.carry(0, static_cast<std::uint64_t>(i - 1) * 8'000, 10);
        figures.take(s.stats());
        s.pass(1_s);
    }
    const std::vector<double>& history = of(figures, "usb0").history;
    REQUIRE(history.size() == 30);
    CHECK(history.front() == 8'000);
    CHECK(history.back() == 240'000);
    CHECK_THAT(rows(figures, true), Contains("  ▁▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▆▆▆▆▇▇▇▇████ connected\n"));
}

TEST_CASE("a sparkline has eight heights, and its greatest value is the highest") {
    CHECK(sparkline({}).empty());
    CHECK(sparkline({0, 0, 0}) == "▁▁▁");
    CHECK(sparkline({5}) == "█");
    CHECK(sparkline({1, 2, 3, 4, 5, 6, 7, 8}) == "▁▂▃▄▅▆▇█");
    CHECK(sparkline({100, 0, 50, 25}) == "█▁▄▂");
    CHECK(sparkline({1e9, 1e9, 5e8}) == "██▄");
}

TEST_CASE("a link's state tells what keeps it from its part") {
    Sender s = running_sender();
    s[0].gated = true;
    s[3].priority = 3;
    s[4].state = UplinkState::silent;
    s[4].priority = priority_demoted;
    s.link(5, "eth2").priority = priority_reserve;
    LiveFigures figures;
    figures.take(s.stats());
    CHECK(of(figures, "usb0").state == "connected, gated");
    CHECK(of(figures, "wwan0").state == "connected, class 3");
    CHECK(of(figures, "eth1").state == "silent, demoted by its budget");
    CHECK(of(figures, "eth2").state == "connected, stopped by its budget");
}

TEST_CASE("above a sender's table stand its peers, the safe bitrate and what became of packets") {
    Sender s = running_sender();
    LiveFigures figures;
    figures.take(s.stats());
    using Lines = std::vector<std::string>;
    CHECK(figures.summary() ==
          Lines{"sender to 192.0.2.7:5000, selector adaptive, 2 of 3 links connected, no SRT caller",
                "0 packets wait, 0 lost, 0 repaired, 0 given up, 0 dropped for want of a link",
                "all links: 4.00 Mbit/s"});
    s.now.selection.mode = select::Mode::classic;
    s.now.has_caller = true;
    s.now.caller = Endpoint::from_v4(0x7F000001, 9001);
    s.now.waiting = 6;
    s.now.counters.add(Counter::losses_seen, 12'345'678);
    s.now.counters.add(Counter::repairs_sent, 9);
    s.now.counters.add(Counter::packets_given_up, 3);
    s.now.counters.add(Counter::drop_no_uplink, 4);
    s.now.safe_rate = {true, SafeRateCause::queue, 2'500'000, 800'000, 400_ms, 350_ms};
    figures.take(s.stats());
    CHECK(figures.summary() ==
          Lines{"sender to 192.0.2.7:5000, selector classic, 2 of 3 links connected, SRT caller 127.0.0.1:9001",
                "safe bitrate 2.50 Mbit/s (queue), offered 800 kbit/s",
                "6 packets wait, 12345678 lost, 9 repaired, 3 given up, 4 dropped for want of a link",
                "all links: 4.00 Mbit/s"});
    CHECK_THAT(table_of(figures, false), Contains("want of a link\nall links: 4.00 Mbit/s\n\nuplink  "));
}

TEST_CASE("a receiver's row has what came of a sender's link, and what the sender says of it") {
    Receiver s;
    LiveFigures figures;
    figures.take(s.stats());
    s.now.at = s.now.at + 1_s;
    s.links[0]->bytes_in += 250'000;
    s.links[0]->packets_in += 200;
    s.links[1]->bytes_in += 62'500;
    s.links[1]->packets_in += 50;
    figures.take(s.stats());
    CHECK_FALSE(figures.is_sender());
    CHECK(rows(figures, false) ==
          "group, sender                         rate  share       RTT    loss   window in flight     queue  state\n"
          "7 10.0.0.1:40000               2.00 Mbit/s  80.0%   38.0 ms       -     15.5        12         -  session\n"
          "7 10.0.1.1:40000                500 kbit/s  20.0%         -       -        -         -         -  silent\n"
          "9 10.0.2.1:40000                  0 kbit/s   0.0%         -       -        -         -         -  "
          "registered\n");
    CHECK(figures.summary() ==
          std::vector<std::string>{"receiver: 2 of 200 groups, 1 SRT sessions", "all links: 2.50 Mbit/s"});
}

TEST_CASE("a receiver's rates are not known, and not nothing, before a second answer") {
    Receiver s;
    LiveFigures figures;
    figures.take(s.stats());
    CHECK_THAT(rows(figures, true), Contains("\n7 10.0.1.1:40000                         -      -         -       -  "
                                             "      -         -         -                                 silent\n"));
    CHECK(figures.summary().back() == "all links: -");
    s.now.at = s.now.at + 1_s;
    s.links[0]->bytes_in += 250'000;
    s.links[1]->bytes_in = 1'500'000;  // another link in the place of this one: of more bytes, but
    s.links[1]->packets_in = 900;      // fewer packets
    figures.take(s.stats());
    CHECK(of(figures, "7 10.0.0.1:40000").share == 100);
    CHECK(of(figures, "7 10.0.0.1:40000").history == std::vector<double>{250'000});
    CHECK(of(figures, "7 10.0.1.1:40000").bytes_per_second == -1);
    CHECK(of(figures, "7 10.0.1.1:40000").share == -1);
    CHECK(of(figures, "7 10.0.1.1:40000").history.empty());
    CHECK(figures.summary().back() == "all links: 2.00 Mbit/s");
    s.now.clear();
    figures.take(s.stats());
    CHECK(figures.links().empty());
    CHECK(figures.summary() ==
          std::vector<std::string>{"receiver: 0 of 200 groups, 0 SRT sessions", "all links: 0 kbit/s"});
}

TEST_CASE("names are cut to their column, between characters, and move no cursor") {
    Sender s;
    s.link(0, "2001:db8:1234:5678:9abc:def0");            // 28
    s.link(1, "2001:db8:1234:5678:9abc:def0%");           // 29
    s.link(2, "2001:db8:1234:5678:9abc:de\xC3\xA9 wan");  // an accent at the cut
    s.link(3, "\x1B[2Jusb");
    LiveFigures figures;
    figures.take(s.stats());
    const std::string table = rows(figures, false);
    CHECK_THAT(table, Contains("\n2001:db8:1234:5678:9abc:def0      0 kbit/s "));
    CHECK_THAT(table, Contains("\n2001:db8:1234:5678:9abc:def~      0 kbit/s "));
    CHECK_THAT(table, Contains("\n2001:db8:1234:5678:9abc:de~       0 kbit/s "));
    CHECK_THAT(table, Contains("\n?[2Jusb                           0 kbit/s "));
}

TEST_CASE("figures that are not there, or are no figures, are shown as none") {
    LiveFigures figures;
    figures.take(Params::parse("[]"));
    CHECK(figures.links().empty());
    figures.take(Params::parse(R"({"links": [null, {"name": 3, "rtt_us": "5", "window_packets": null}]})"));
    CHECK(rows(figures, false) ==
          "uplink                                rate  share       RTT    loss   window in flight     queue  state\n"
          "?                                        -      -         -       -        -         -         -  "
          "not connected\n"
          "?                                        -      -         -       -        -         -         -  "
          "not connected\n");
}
