// SPDX-License-Identifier: MIT
// When a recorded link was dark (all that it was given, or all that it should have brought back, is lost) and when it
// held everything and let it go at once.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/app/replay/arrival_times.h"
#include "platform/app/replay/link_fates.h"

namespace hawser::app {

struct FoundOutage {
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    bool holds = false;  // else loses
    bool is_up = true;
    bool is_down = true;
    std::size_t first = 0;  // of the copies that it lost or held, where it is of the way up
    std::size_t end = 0;
};

// In order of time, the way up's first. An outage that is there at the log's end goes on for ever.
inline constexpr std::int64_t for_ever_ns = std::int64_t{1} << 60;
[[nodiscard]] std::vector<FoundOutage> link_outages(const LinkHistory& link, const LinkTimes& times,
                                                    std::int64_t log_ns);

}  // namespace hawser::app
