// SPDX-License-Identifier: MIT
// A capture file of any content: refused with the file's name, or a scenario within the bounds that a trip relies on,
// whose files are read as the same.
#include <string>

#include "engine/base/check.h"
#include "platform/app/replay/replay.h"
#include "platform/app/replay/scenario_text.h"
#include "platform/app/sim/trace_file.h"

using namespace hawser;

namespace {

void check_refused(const std::string& error) {
    HAWSER_CHECK(error.rfind("file: ", 0) == 0);
    for (const char c : error) HAWSER_CHECK(static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
}

void check_line(const sim::LineShape& s) {
    HAWSER_CHECK(s.queue || s.queue_bytes);
    HAWSER_CHECK(s.delay.ns >= 0 && s.loss >= 0 && s.loss <= 1);
    for (const sim::LineOutage& o : s.outages) HAWSER_CHECK(o.start.ns >= 0 && o.length.ns > 0 && o.every.ns == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto log = app::read_flight_log(std::string(reinterpret_cast<const char*>(data), size), "file");
    if (!log) {
        check_refused(log.error());
        return 0;
    }
    auto trip = app::replay(*log, "file");
    if (!trip) {
        check_refused(trip.error());
        return 0;
    }
    app::Scenario& s = trip->scenario;
    HAWSER_CHECK(!s.links.empty() && s.links.size() <= links_max && trip->rates.size() == s.links.size());
    HAWSER_CHECK(s.seconds >= 1 && s.seconds <= 3600 && s.kbps && *s.kbps >= 10);
    for (std::size_t i = 0; i < s.links.size(); ++i) {
        check_line(s.links[i].up.shape);
        check_line(s.links[i].down.shape);
        const auto trace = app::parse_trace(trip->rates[i]);
        HAWSER_CHECK(trace && *trace == *s.links[i].up.trace);
    }
    // A trace is a file, which a text alone has none of; all else is to be read.
    std::string text = app::scenario_text(s, std::vector<std::string>(s.links.size(), "t"));
    for (std::size_t at = 0; (at = text.find("trace = \"t\"", at)) != std::string::npos;)
        text.replace(at, 11, "kbps = 1000");
    const auto again = app::parse_scenario(text, "text", std::nullopt);
    HAWSER_CHECK(again && again->about == s.about && again->links.size() == s.links.size());
    for (std::size_t i = 0; i < s.links.size(); ++i) {
        HAWSER_CHECK(again->links[i].name == s.links[i].name);
        HAWSER_CHECK(again->links[i].up.shape.outages.size() == s.links[i].up.shape.outages.size());
        HAWSER_CHECK(again->links[i].up.shape.delay == s.links[i].up.shape.delay);
    }
    return 0;
}
