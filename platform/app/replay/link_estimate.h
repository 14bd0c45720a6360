// SPDX-License-Identifier: MIT
// What a link was like, as far as what it was given and what came of it tell: rate over time, delays, queue, random
// loss, outages. What cannot be seen is assumed: the rate of a link that was not full lies between those of before and
// after, and never below what it brought.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/app/replay/arrival_times.h"
#include "platform/app/replay/link_fates.h"
#include "platform/app/replay/link_outages.h"

namespace hawser::app {

struct LinkEstimate {
    // Of 100 ms each, from `begin_ns` on; kbit/s on the wire, outages not counted.
    std::vector<double> kbps;
    bool was_full = false;  // ever; else the rate is the least that it can have had
    double up_ms = 0;
    double down_ms = 0;
    double queue_bytes = 0;       // the longest that was seen, in front of the bottleneck
    bool was_queue_full = false;  // packets were lost while it was that long; else it may hold more
    double loss = 0;              // a share, outages and full queues not counted
    std::vector<FoundOutage> outages;
};

inline constexpr std::int64_t rate_bin_ns = 100'000'000;

// Of a link whose times are not empty, from begin_ns to end_ns of its log.
[[nodiscard]] LinkEstimate estimate_link(const LinkHistory& link, const LinkTimes& times, std::int64_t begin_ns,
                                         std::int64_t end_ns, std::int64_t log_ns);

}  // namespace hawser::app
