// SPDX-License-Identifier: MIT
// The configuration file: the sample has every key, each arrives and comes back as it was written, and what is wrong is
// told with file, line and key.
#include <catch2/catch.hpp>

#include <functional>
#include <map>

#include "platform/app/config/config_file.h"
#include "platform/app/config/receiver_keys.h"
#include "platform/app/config/sender_keys.h"
#include "platform/app/config/verify.h"

using namespace hawser;
using namespace hawser::app;
using Catch::Contains;

namespace {

Config good(const std::string& text) {
    auto config = parse_config(text, "hawser.toml");
    INFO(text);
    INFO((config ? "" : config.error()));
    REQUIRE(config);
    return std::move(config).value();
}

std::string refusal(const std::string& text) {
    const auto config = parse_config(text, "hawser.toml");
    return config ? "taken" : config.error();
}

const std::string small_sender = "[sender]\nlisten = 5000\nreceiver = \"far.example:6000\"\nuplinks = \"auto\"\n";

// The sample with each key on, and the elements of lists.
std::string whole_sample() {
    std::string out;
    const std::string sample = sample_config();
    std::string_view rest = sample;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const bool is_off = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        out += std::string(is_off ? line.substr(1) : line) + "\n";
    }
    return out;
}

// "sender.selection.mode = ..." of all that is set.
std::map<std::string, std::string> values_of(const KeySection& section) {
    std::map<std::string, std::string> out;
    for (const Key& k : section.keys) out[section.name + "." + k.name] = toml_text(k.get());
    for (const KeyTable& t : section.tables) {
        const std::string path = section.name + "." + t.name + ".";
        std::size_t place = 0;
        if (t.is_list())
            for (const auto& keys : t.all()) {
                for (const Key& k : keys) out[path + std::to_string(place) + "." + k.name] = toml_text(k.get());
                ++place;
            }
        else
            for (const Key& k : t.keys) out[path + k.name] = toml_text(k.get());
    }
    return out;
}

template <class Request>
void each_key(KeySection (*describe)(Request&),
              const std::function<void(const KeySection&, const KeyTable*, const Key&)>& f) {
    Request request;
    const KeySection section = describe(request);
    for (const Key& k : section.keys) f(section, nullptr, k);
    for (const KeyTable& t : section.tables)
        for (const Key& k : t.keys) f(section, &t, k);
}

}  // namespace

TEST_CASE("the sample is a configuration, and its defaults are the program's") {
    const Config config = good(sample_config());
    REQUIRE(config.sender);
    REQUIRE(config.receiver);
    SenderRequest sender = *config.sender;
    SenderRequest own;
    auto said = values_of(sender_section(sender));
    auto usual = values_of(sender_section(own));
    for (const char* needed : {"sender.listen", "sender.receiver", "sender.uplinks"}) {
        CHECK(!said[needed].empty());
        said.erase(needed);
        usual.erase(needed);
    }
    CHECK(said == usual);
}

TEST_CASE("with every key switched on the sample is a configuration still") {
    const Config config = good(whole_sample());
    REQUIRE(config.sender->policies.rules.size() == 1);
    CHECK(config.sender->policies.rules[0].policy.rate_cap == 8'000'000);
    CHECK(config.sender->policies.rules[0].policy.budget_bytes == 50'000'000'000);
    CHECK(config.sender->pump.cpu == 1u);
    CHECK(config.sender->metrics.has_value());
    CHECK(config.receiver->allowed.size() == 2);
}

TEST_CASE("the sample documents each key once, with words before it") {
    const std::string text = whole_sample();
    const auto look = [&](const KeySection& section, const KeyTable* table, const Key& k) {
        const std::string header =
            table == nullptr ? "\n[" + section.name + "]\n" : section.name + "." + table->name + "]";
        const std::size_t from = text.find(header);
        INFO(section.name << " " << (table == nullptr ? "" : table->name) << " " << k.name);
        REQUIRE(from != std::string::npos);
        const std::size_t begin = from + header.size() - 1;  // at the line's end where the header has one
        const std::string part = text.substr(begin, text.find("\n[", begin) - begin);
        const std::size_t at = part.find("\n" + k.name + " = ");
        REQUIRE(at != std::string::npos);
        CHECK(part.find("\n" + k.name + " = ", at + 1) == std::string::npos);
        CHECK(part[part.rfind('\n', at - 1) + 1] == '#');
        CHECK(k.about.size() > 10);
    };
    each_key<SenderRequest>(sender_section, look);
    each_key<ReceiverRequest>(receiver_section, look);
}

TEST_CASE("what is printed of a configuration is the same configuration") {
    Config config = good(whole_sample());
    Config again = good(config_text(sender_section(*config.sender)) + config_text(receiver_section(*config.receiver)));
    CHECK(values_of(sender_section(*config.sender)) == values_of(sender_section(*again.sender)));
    CHECK(values_of(receiver_section(*config.receiver)) == values_of(receiver_section(*again.receiver)));
}

TEST_CASE("values arrive where they belong") {
    const Config c = good(R"([sender]
listen = "[::1]:5001"
receiver = "[2001:db8::1]:6000"
uplinks = ["wwan0", "10.0.0.2%eth1"]
auto_exclude = []
link_timeout_ms = 2500
lookups = "links"
[[sender.link]]
uplink = "wwan*"
priority = 2
rate_cap = 4000000
budget = "20 GiB"
billing_day = 31
at_limit = "stop"
metered = true
dns = ["10.64.0.1", "[2001:db8::1]:5353"]
[[sender.link]]
uplink = "10.0.0.2"
dns = "10.65.0.1"
[sender.selection]
mode = "classic"
latency_ms = 1500
[sender.encoder]
bitrate_file = "/run/b"
bitrate_max = 6000000
[sender.metrics]
listen = 9101
[sender.log]
level = "debug"
[sender.pump]
io = "epoll"
buffer_mib = 32
)");
    const SenderRequest& s = *c.sender;
    CHECK(s.listen_address == "::1");
    CHECK(s.listen_port == 5001);
    CHECK(s.receiver_host == "2001:db8::1");
    CHECK(s.receiver_port == 6000);
    CHECK(s.uplinks == std::vector<std::string>{"wwan0", "10.0.0.2%eth1"});
    CHECK(s.automatic.exclude.empty());
    CHECK(s.bond.link_silence.ms() == 2500);
    REQUIRE(s.policies.rules.size() == 2);
    CHECK(s.policies.rules[0].uplink == "wwan*");
    const std::vector<Endpoint> servers = *control::parse_name_servers("10.64.0.1 [2001:db8::1]:5353");
    CHECK(s.policies.rules[0].policy ==
          control::LinkPolicy{2, 4'000'000, 21'474'836'480, 31, control::AtLimit::stop, true, servers});
    CHECK(s.policies.rules[1].policy.dns == *control::parse_name_servers("10.65.0.1"));
    CHECK(s.lookups == control::NameLookup::By::links);
    CHECK(s.selection.mode == select::Mode::classic);
    CHECK(s.selection.latency.ms() == 1500);
    CHECK(s.bitrate.path == "/run/b");
    CHECK(s.bitrate.max == 6'000'000);
    CHECK(s.metrics->port == 9101);
    CHECK(s.log_level == Level::debug);
    CHECK(s.pump.io == IoKind::epoll);
    CHECK(s.pump.pool_slots == 32u * 1024 * 1024 / pool_slot_bytes);
    CHECK_FALSE(c.receiver);
}

TEST_CASE("an error names the file, the line and the key") {
    CHECK_THAT(refusal("[sender]\n\nlisten = true\n"),
               Contains("hawser.toml:3: sender: listen: a port, or ADDRESS:PORT"));
    CHECK_THAT(refusal("[sender]\nreceiver = \"far.example\"\n"),
               Contains("hawser.toml:2: sender: receiver: HOST:PORT"));
    CHECK_THAT(refusal("[sender]\nreceiver = \"2001:db8::1:5000\"\n"), Contains("in brackets"));
    CHECK_THAT(refusal("[sender]\nuplinks = [\"eth0\", \"10.0.0\"]\n"),
               Contains("hawser.toml:2: sender: uplinks: '10.0.0'"));
    CHECK_THAT(refusal("[sender]\nuplinks = [\"eth0\", \"eth0\"]\n"), Contains("'eth0' is there twice"));
    CHECK_THAT(refusal("[sender]\nuplinks = [1, 2]\n"), Contains("hawser.toml:2: sender: uplinks"));
    CHECK_THAT(refusal("[sender.selection]\nmode = \"fast\"\n"),
               Contains("hawser.toml:2: sender.selection: mode: one of"));
    CHECK_THAT(refusal("[sender.pump]\nbuffer_mib = 4.5\n"), Contains("a whole number between 4 and 128"));
    CHECK_THAT(refusal("[sender]\nlink_timeout_ms = 1979-05-27\n"), Contains("a plain value was expected"));
    CHECK_THAT(refusal("[sender.log]\nstats_s = nan\n"), Contains("a number between 0 and 86400"));
    CHECK_THAT(refusal("[sender.encoder]\nbitrate_min = 20000000\nbitrate_max = 10000000\n"),
               Contains("hawser.toml:1: sender: encoder: bitrate_min is above bitrate_max"));
    CHECK_THAT(refusal("[receiver]\nallow = \"192.0.2.0/33\"\n"),
               Contains("hawser.toml:2: receiver: allow: '192.0.2.0/33'"));
    CHECK_THAT(refusal("sender = 3\n"), Contains("hawser.toml:1: sender: a table was expected"));
    CHECK_THAT(refusal("[sender\n"), Contains("hawser.toml:1: "));
    CHECK_THAT(refusal(""), Contains("neither [sender] nor [receiver]"));
}

TEST_CASE("an unknown key is refused with the known one that is nearest") {
    CHECK_THAT(refusal("[sender]\nlisen = 5000\n"),
               Contains("hawser.toml:2: sender: lisen: there is no such key here; 'listen' is one"));
    CHECK_THAT(refusal("[sender.selektion]\nmode = \"classic\"\n"), Contains("'selection' is one"));
    CHECK_THAT(refusal("[reciever]\n"), Contains("reciever: there is no such key here; 'receiver' is one"));
    CHECK_THAT(refusal(small_sender + "[[sender.link]]\nuplink = \"a0\"\nbugdet = \"1GB\"\n"),
               Contains("hawser.toml:7: sender.link 1: bugdet: there is no such key here; 'budget' is one"));
}

TEST_CASE("a flight recorder that would take more memory than it may is refused") {
    SenderRequest request;
    request.pump.recorder = {65'536, recorder_payload_bound, {}};
    CHECK(complaint_of(request).find("recorder") == std::string::npos);
    request.pump.recorder.packets = recorder_packets_bound;
    CHECK(complaint_of(request) == "recorder: packets and payload_bytes together take 6400 MiB, and 256 is the most");
    request.pump.recorder.payload_bytes = 0;
    CHECK(complaint_of(request).find("recorder") == std::string::npos);
}

TEST_CASE("the ends' samples name different event logs") {
    SenderRequest sender;
    ReceiverRequest receiver;
    const auto example = [](const KeySection& section) {
        for (const KeyTable& t : section.tables)
            for (const Key& k : t.keys)
                if (t.name == "events" && k.name == "to") return toml_text(k.example);
        return std::string();
    };
    CHECK_FALSE(example(sender_section(sender)).empty());
    CHECK(example(sender_section(sender)) != example(receiver_section(receiver)));
}

TEST_CASE("rules for uplinks are whole, possible, and one for each") {
    CHECK_THAT(refusal("[[sender.link]]\npriority = 2\n"),
               Contains("hawser.toml:1: sender.link 1: uplink: it is missing"));
    CHECK_THAT(refusal("[[sender.link]]\nuplink = \"a0\"\nrate_cap = \"8 apples\"\n"),
               Contains("hawser.toml:3: sender.link 1: rate_cap:"));
    CHECK_THAT(refusal("[[sender.link]]\nuplink = \"a0\"\nrate_cap = 1\n"),
               Contains("hawser.toml:3: sender.link 1: rate_cap"));
    CHECK_THAT(refusal("[[sender.link]]\nuplink = \"a0\"\nbilling_day = 32\n"), Contains("between 1 and 31"));
    CHECK_THAT(refusal("[[sender.link]]\nuplink = \"a0\"\n[[sender.link]]\nuplink = \"a0\"\n"),
               Contains("rules 1 and 2 are both for a0"));
}

TEST_CASE("no beginning of a file, and no damaged one, is taken for another") {
    const std::string text = whole_sample();
    for (std::size_t size = 0; size < text.size(); size += 7) {
        const std::string answer = refusal(text.substr(0, size));
        if (answer != "taken") CHECK_THAT(answer, Contains("hawser.toml"));
    }
    // In any place something that no TOML has.
    for (std::size_t at = 0; at < text.size(); at += 13) {
        std::string damaged = text;
        damaged[at] = '\x01';
        CHECK_THAT(refusal(damaged), Contains("hawser.toml:"));
    }
}

TEST_CASE("a reload takes what can change at once, and names the rest") {
    SenderRequest running = *good(small_sender + "[sender.selection]\nlatency_ms = 900\n").sender;
    SenderRequest wanted = *good(
                                "[sender]\nlisten = 5002\nreceiver = \"near.example:6000\"\nuplinks = [\"eth0\"]\n"
                                "[sender.selection]\nmode = \"enhanced\"\n[sender.pump]\nio = \"epoll\"\n")
                                .sender;
    const Adopted adopted = adopt(sender_section(running), sender_section(wanted));
    CHECK(adopted.taken ==
          std::vector<std::string>{"sender.uplinks", "sender.selection.mode", "sender.selection.latency_ms"});
    CHECK(adopted.waiting == std::vector<std::string>{"sender.listen", "sender.receiver", "sender.pump.io"});
    CHECK(running.receiver_host == "far.example");
    CHECK(running.uplinks == std::vector<std::string>{"eth0"});
    CHECK(running.selection.mode == select::Mode::enhanced);
    CHECK(running.selection.latency.ns == 0);
    CHECK(running.listen_port == 5000);
    CHECK(running.pump.io == IoKind::automatic);
    CHECK(adopted.any_of("sender.selection."));
    CHECK_FALSE(adopted.any_of("sender.encoder."));
    // The same again changes nothing, and what waits is named again.
    const Adopted again = adopt(sender_section(running), sender_section(wanted));
    CHECK(again.taken.empty());
    CHECK(again.waiting == adopted.waiting);
}
