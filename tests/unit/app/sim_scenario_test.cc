// SPDX-License-Identifier: MIT
// Scenario files: what is read, what stands where nothing is said, and what is said of bad ones.
#include <catch2/catch.hpp>

#include "platform/app/sim/scenario.h"

using namespace hawser;
using app::parse_scenario;
using Catch::Contains;
using Kind = sim::LineOutage::Kind;

namespace {

app::Scenario good(const std::string& text) {
    auto scenario = parse_scenario(text, "trip.toml", std::nullopt);
    INFO((scenario ? "" : scenario.error()));
    REQUIRE(scenario);
    return std::move(scenario).value();
}

const std::string one_link = "[[link]]\nkbps = 3000\n";

}  // namespace

TEST_CASE("one link and its capacity are a scenario") {
    const app::Scenario s = good(one_link);
    CHECK(s.seconds == 40);
    CHECK(s.load_percent == 90);
    CHECK(s.srt.latency.ms() == 2000);
    REQUIRE(s.links.size() == 1);
    CHECK(s.links[0].up.shape.kbit_per_second == 3000);
    CHECK(s.links[0].up.shape.queue->ms() == 300);
    CHECK(s.links[0].down.shape.kbit_per_second == 20'000);
}

TEST_CASE("every key arrives where it belongs") {
    const app::Scenario s = good(R"(
about = "a bad day"
seconds = 12.5
kbps = 1800
latency = 750
srt = { lossmaxttl = 7, overhead = 20, retransmitalgo = 0, belabox_receiver = true }
[[link]]
name = "bus"
radio = { kbps = 2500, spread = 0.1, fades = 0 }
offset = [3, 4.5]
scale = 0.5
delay = 31.5
jitter = 8
queue_bytes = 30000
loss = 0.01
bursts = { good_to_bad = 0.001, bad_to_good = 0.25, loss_bad = 0.8, loss_good = 0.002 }
metered = true
down = { kbps = 900, delay = 12, queue = 50, loss = 0.2 }
[[link.outage]]
kind = "hold"
start = 1
length = 0.5
every = 4
way = "up"
[[link.outage]]
start = 9
length = 2
[[link.detour]]
delay = 40
start = 3
length = 15
every = 30
[[link.detour]]
delay = 0.5
start = 5
length = 1
way = "down"
)");
    CHECK(s.about == "a bad day");
    CHECK(s.seconds == 12.5);
    CHECK(*s.kbps == 1800);
    CHECK(s.srt.latency.ms() == 750);
    CHECK(s.srt.loss_max_ttl == 7);
    CHECK(s.srt.overhead_percent == 20);
    CHECK(s.srt.retransmit_algorithm == 0);
    CHECK(s.srt.patched_receiver);
    const app::LinkPlan& l = s.links.at(0);
    CHECK(l.name == "bus");
    CHECK(l.metered);
    CHECK(l.up.radio->kbit_per_second == 2500);
    CHECK(l.up.offsets_s == std::vector<double>{3, 4.5});
    CHECK(l.up.shape.scale == 0.5);
    CHECK(l.up.shape.delay.us() == 31'500);
    CHECK(l.up.shape.jitter.ms() == 8);
    CHECK(*l.up.shape.queue_bytes == 30'000);
    CHECK(l.up.shape.loss == 0.01);
    CHECK(l.up.shape.bursts->loss_bad == 0.8);
    CHECK(l.down.shape.kbit_per_second == 900);
    CHECK(l.down.shape.delay.ms() == 12);
    CHECK(l.down.shape.jitter.ms() == 8);
    REQUIRE(l.up.shape.outages.size() == 2);
    CHECK(l.up.shape.outages[0].kind == Kind::hold);
    CHECK(l.up.shape.outages[0].every.ms() == 4000);
    CHECK(l.up.shape.outages[1].kind == Kind::drop);
    CHECK(l.down.shape.outages.size() == 1);
    REQUIRE(l.up.shape.detours.size() == 1);
    REQUIRE(l.down.shape.detours.size() == 2);
    CHECK(l.up.shape.detours[0].delay.ms() == 40);
    CHECK(l.up.shape.detours[0].every.ms() == 30'000);
    CHECK(l.down.shape.detours[1].delay.us() == 500);
}

TEST_CASE("a bad scenario is refused with file, line and key") {
    const std::vector<std::pair<std::string, const char*>> all{
        {"", "trip.toml:1: link: a scenario needs at least one [[link]]"},
        {"seconds = ", "trip.toml:1: "},
        {"seconds = 0\n" + one_link, "trip.toml:1: seconds: a number of seconds between 1 and 3600"},
        {"latency = \"long\"\n" + one_link, "trip.toml:1: latency: a number of milliseconds"},
        {"load = nan\n" + one_link, "trip.toml:1: load: a number of percent"},
        {"load = 70\nkbps = 100\n" + one_link, "trip.toml:2: kbps: give the load or kbps, not both"},
        {"\nlaod = 90\n" + one_link, "trip.toml:2: laod: there is no such key"},
        {"link = 3\n", "trip.toml:1: link: [[link]] was expected"},
        {"[[link]]\nname = \"x\"\n", "trip.toml:1: link 1: kbps: a link needs kbps, a trace or a radio"},
        {"[[link]]\nkbps = 100\nradio = {}\n", "trip.toml:3: link 1: radio: give one of"},
        {one_link + "delay = -1\n", "trip.toml:3: link 1: delay: a number of milliseconds between 0 and 10000"},
        {one_link + "loss = 2\n", "trip.toml:3: link 1: loss: a number of a share between 0 and 1"},
        {one_link + "offset = 3\n", "trip.toml:3: link 1: offset: only a trace"},
        {one_link + "queue = 3\nqueue_bytes = 3000\n", "trip.toml:4: link 1: queue_bytes: give queue or"},
        {one_link + "down = 7\n", "trip.toml:3: link 1: down: a table"},
        {one_link + "down = { kbsp = 7 }\n", "trip.toml:3: link 1: down: kbsp: there is no such key"},
        {one_link + one_link + "bursts = { leave = 1 }\n", "trip.toml:5: link 2: bursts: leave: there is no such key"},
        {one_link + "[[link.outage]]\nkind = \"dim\"\n",
         "trip.toml:4: link 1: outage: kind: 'dim' is none of: dark, hold, pause"},
        {one_link + "[[link.outage]]\nlength = 3\n", "trip.toml:3: link 1: outage: start: an outage needs it"},
        {one_link + "[[link.outage]]\nstart = 1\nlength = 3\nevery = 2\n",
         "trip.toml:6: link 1: outage: every: shorter"},
        {one_link + "[[link.detour]]\nstart = 1\nlength = 3\n",
         "trip.toml:3: link 1: detour: delay: a detour needs it"},
        {one_link + "[[link.detour]]\ndelay = 4\nstart = 1\n",
         "trip.toml:3: link 1: detour: length: a detour needs it"},
        {"[[link]]\ntrace = \"tm.up\"\n", "trip.toml:2: link 1: trace: a scenario that is not a file"},
        {"[[link]]\nradio = { kbps = 5 }\noffset = \"anywhere\"\n",
         "trip.toml:3: link 1: offset: 'anywhere' is none of: seed"},
        {"[[link]]\nradio = { kbps = 5 }\noffset = []\n", "trip.toml:3: link 1: offset: the list is empty"},
        {"srt = { nakreport = 1 }\n" + one_link, "trip.toml:1: srt: nakreport: there is no such key"},
    };
    for (const auto& [text, expected] : all) {
        CAPTURE(text);
        const auto scenario = parse_scenario(text, "trip.toml", std::nullopt);
        REQUIRE_FALSE(scenario);
        CHECK_THAT(scenario.error(), Contains(expected));
    }
    std::string many;
    for (int i = 0; i < 33; ++i) many += one_link;
    CHECK_THAT(parse_scenario(many, "t", std::nullopt).error(), Contains("more than 32 links"));
}

TEST_CASE("every built-in scenario reads, and is found by the beginning of its name") {
    for (const app::BuiltInScenario& b : app::built_in_scenarios()) {
        const auto scenario = app::load_scenario(std::string(b.name.substr(0, 3)));
        INFO((scenario ? "" : scenario.error()));
        REQUIRE(scenario);
        CHECK(scenario->name == b.name);
        CHECK_FALSE(scenario->about.empty());
    }
    CHECK_THAT(app::load_scenario("zebra").error(), Contains("there is no scenario 'zebra'"));
    CHECK_THAT(app::load_scenario("/no/such.toml").error(), Contains("cannot read /no/such.toml"));
}

TEST_CASE("a seed gives a network: the same twice, another with another seed, the same with another load") {
    const auto scenario = app::load_scenario("c-cellular");
    REQUIRE(scenario);
    const app::Route one = lay_out(*scenario, {1, 0, 90.0}), same = lay_out(*scenario, {1, 0, 70.0});
    const app::Route other = lay_out(*scenario, {2, 0, 90.0});
    for (std::size_t i = 0; i < one.traces.size(); ++i) CHECK(*one.traces[i] == *same.traces[i]);
    CHECK(*one.traces[0] != *other.traces[0]);
    CHECK(one.trip.links[0].up.offset == same.trip.links[0].up.offset);
    CHECK(one.trip.links[0].up.offset == one.trip.links[0].down.offset);
    CHECK(one.trip.kbit_per_second > same.trip.kbit_per_second);
}
