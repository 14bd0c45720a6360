// SPDX-License-Identifier: MIT
#include "platform/app/replay/scenario_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include "platform/linux/errno_text.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

std::string in_quotes(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

double in_ms(Duration d) { return static_cast<double>(d.ns) / 1e6; }
double in_s(Duration d) { return static_cast<double>(d.ns) / 1e9; }

bool is_same(const sim::LineOutage& a, const sim::LineOutage& b) {
    return a.kind == b.kind && a.start == b.start && a.length == b.length;
}

void add_outage(const sim::LineOutage& o, const char* way, std::string& out) {
    out += fmt::format("\n[[link.outage]]\nkind = \"{}\"\nstart = {}\nlength = {}\nway = \"{}\"\n",
                       o.kind == sim::LineOutage::Kind::hold ? "hold" : "dark", in_s(o.start), in_s(o.length), way);
}

// Outages of both ways stand in both lists, in the same order.
void add_outages(const LinkPlan& link, std::string& out) {
    const auto& up = link.up.shape.outages;
    const auto& down = link.down.shape.outages;
    std::vector<bool> is_said(down.size());
    for (const sim::LineOutage& o : up) {
        std::size_t i = 0;
        while (i < down.size() && (is_said[i] || !is_same(o, down[i]))) ++i;
        add_outage(o, i < down.size() ? "both" : "up", out);
        if (i < down.size()) is_said[i] = true;
    }
    for (std::size_t i = 0; i < down.size(); ++i)
        if (!is_said[i]) add_outage(down[i], "down", out);
}

// Nothing that a shell or a reader of TOML would stumble over.
std::string file_word(const std::string& text) {
    constexpr std::size_t length_max = 60;
    std::string out;
    for (const char c : text.substr(0, length_max)) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                              c == '_' || (c == '.' && !out.empty());
        out += is_plain ? c : '_';
    }
    return out.empty() ? "trip" : out;
}

}  // namespace

std::string scenario_text(const Scenario& scenario, const std::vector<std::string>& traces) {
    std::string out =
        fmt::format("about = {}\nseconds = {}\nkbps = {}  # of media\nlatency = {}\n", in_quotes(scenario.about),
                    scenario.seconds, scenario.kbps.value_or(0), in_ms(scenario.srt.latency));
    for (std::size_t i = 0; i < scenario.links.size(); ++i) {
        const LinkPlan& link = scenario.links[i];
        const sim::LineShape& up = link.up.shape;
        out += fmt::format("\n[[link]]\nname = {}\ntrace = {}\ndelay = {}\nqueue_bytes = {}\n", in_quotes(link.name),
                           in_quotes(traces[i]), in_ms(up.delay), up.queue_bytes.value_or(0));
        if (up.loss > 0) out += fmt::format("loss = {}\n", up.loss);
        out += fmt::format("down = {{ delay = {} }}\n", in_ms(link.down.shape.delay));
        add_outages(link, out);
    }
    return out;
}

Result<std::string, std::string> write_trip(const RecordedTrip& trip, const std::string& folder) {
    const std::string stem = file_word(trip.scenario.name);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < trip.rates.size(); ++i)
        names.push_back(fmt::format("{}-{}-{}.rates", stem, i + 1, file_word(trip.scenario.links[i].name)));
    const std::string scenario = folder + "/" + stem + ".toml";
    for (std::size_t i = 0; i <= names.size(); ++i) {
        const std::string path = i < names.size() ? folder + "/" + names[i] : scenario;
        if (::access(path.c_str(), F_OK) == 0) return Failure{path + " is there already"};
    }
    for (std::size_t i = 0; i <= names.size(); ++i) {
        const std::string path = i < names.size() ? folder + "/" + names[i] : scenario;
        const std::string text = i < names.size() ? trip.rates[i] : scenario_text(trip.scenario, names);
        const auto written = os::replace_file(path, text, {.makes_folder = true});
        if (!written) return Failure{"cannot write " + path + ": " + os::errno_text(written.error())};
    }
    return scenario;
}

}  // namespace hawser::app
