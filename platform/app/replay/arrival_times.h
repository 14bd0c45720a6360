// SPDX-License-Identifier: MIT
// When the copies that a link brought left its bottleneck, and when the link is known to have been busy.
//
// The two clocks differ by an offset that nobody knows and that may drift. The smallest difference between arrival and
// sending is the way without a queue, whatever the offset; half of the round trip is taken for the way there, with one
// offset for all links, so that what differs between them stays. A packet that had come to the bottleneck by the time
// the one before it left waited for nothing but the bottleneck: between the two it was busy, and what it carried then
// is its rate.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/app/replay/link_fates.h"

namespace hawser::app {

// A copy whose arrival is known to the moment, in the order of both.
struct TimedCopy {
    std::size_t index = 0;  // of SentIndex::copies
    std::int64_t sent_ns = 0;
    std::int64_t left_ns = 0;           // the bottleneck, on our clock
    std::uint64_t delivered_bytes = 0;  // by the link until then, this one included
};

// The bottleneck was busy all the while.
struct BusySpan {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::uint64_t bytes = 0;
    std::size_t last = 0;  // the copy that left at its end
};

struct LinkTimes {
    std::vector<TimedCopy> timed;
    std::vector<BusySpan> busy;
    std::int64_t up_ns = 0;  // from the bottleneck to the receiver
    std::int64_t down_ns = 0;
    std::int64_t noise_ns = 0;  // what a packet that meets no queue takes beyond the least, nine of ten
    double bits_per_ns = 0;     // a typical rate while busy; zero: never seen busy
    // Then: what it should be by how much longer a packet of media takes than a keepalive; zero: not known.
    double guessed_bits_per_ns = 0;
};

// One for each; those that brought nothing with a time are empty.
[[nodiscard]] std::vector<LinkTimes> link_times(const std::vector<LinkHistory>& links);

}  // namespace hawser::app
