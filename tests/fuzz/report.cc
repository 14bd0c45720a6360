// SPDX-License-Identifier: MIT
// A delivery report of any bytes: entries inside the datagram, and one that our builder could have written is written
// again to the same bytes.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/wire/report.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    const auto report = DeliveryReport::over(bytes);
    if (!report) return 0;
    HAWSER_CHECK(report_header_bytes + report->count() * report_entry_bytes <= size);
    ReportBuilder builder({report->number(), report->clock_us(), report->next_expected(), report->arrived()});
    bool ours = report->count() <= report_entries_max && (report->next_expected() || load_be32(data + 12) == 1u << 31);
    for (std::size_t i = 0; i < report->count(); ++i) {
        const auto entry = report->at(i);
        ours = ours && entry;
        if (!ours) continue;
        // Ordinals wrap at 2^32, as the count of arrivals does.
        HAWSER_CHECK(report->ordinal(i) + static_cast<std::uint32_t>(report->count() - 1 - i) == report->arrived());
        builder.add(entry->sequence, entry->age_us());
    }
    if (!ours) return 0;
    const Bytes again = report->link() ? builder.bytes_by_another(*report->link()) : builder.bytes();
    const std::size_t length = report_header_bytes + report->count() * report_entry_bytes;
    HAWSER_CHECK(std::equal(data, data + length + (report->link() ? report_link_bytes : 0), again.begin()));
    return 0;
}
