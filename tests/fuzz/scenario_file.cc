// SPDX-License-Identifier: MIT
// A scenario file of any content: refused with file and line, or within the bounds that a trip relies on.
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/strong.h"
#include "platform/app/sim/scenario.h"

using namespace hawser;

namespace {

void check_line(const sim::LineShape& s, bool has_trace) {
    HAWSER_CHECK(has_trace || s.kbit_per_second > 0);
    HAWSER_CHECK(s.queue || s.queue_bytes);
    HAWSER_CHECK(s.delay.ns >= 0 && s.jitter.ns >= 0 && s.loss >= 0 && s.loss <= 1 && s.scale > 0);
    for (const sim::LineOutage& o : s.outages)
        HAWSER_CHECK(o.length.ns > 0 && (o.every.ns == 0 || o.every >= o.length));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scenario = app::parse_scenario({reinterpret_cast<const char*>(data), size}, "file", std::nullopt);
    if (!scenario) {
        HAWSER_CHECK(scenario.error().rfind("file:", 0) == 0);
        for (const char c : scenario.error()) HAWSER_CHECK(static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
        return 0;
    }
    HAWSER_CHECK(!scenario->links.empty() && scenario->links.size() <= links_max);
    for (const app::LinkPlan& link : scenario->links) {
        check_line(link.up.shape, link.up.has_trace());
        check_line(link.down.shape, link.down.has_trace());
        HAWSER_CHECK(!link.up.offsets_s.empty() && !link.down.offsets_s.empty());
    }
    return 0;
}
