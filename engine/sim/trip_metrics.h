// SPDX-License-Identifier: MIT
// What a viewer got, from what was made and what was read. Definitions of each figure: trip.h.
#pragma once

#include <vector>

#include "engine/sim/live_receiver.h"
#include "engine/sim/trip.h"

namespace hawser::sim {

// The source's timetable.
struct Media {
    Instant first;
    double gap_ns = 0;
    std::uint64_t count = 0;
    std::vector<Instant> times;  // of each payload, where the gap did not stay the same

    [[nodiscard]] Instant made_at(std::uint64_t number) const {
        if (!times.empty()) return times[number];
        return first + Duration{static_cast<std::int64_t>(static_cast<double>(number) * gap_ns)};
    }
};
[[nodiscard]] Media media_of(const Trip& trip, Instant first);

void judge(const Trip& trip, const Media& media, const std::vector<LiveReceiver::Read>& reads, TripOutcome& outcome);
// Shares, use and overhead on the wire, from the links' figures, which are there.
void count_bytes(const Media& media, Duration span, TripOutcome& outcome);

}  // namespace hawser::sim
