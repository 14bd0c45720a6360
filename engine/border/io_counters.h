// SPDX-License-Identifier: MIT
// What an Io counts by itself: cumulative, written by the pump's thread, copied into its snapshots.
#pragma once

#include <cstdint>

namespace hawser {

struct IoCounters {
    std::uint64_t system_calls = 0;          // made by wait(), open() and close()
    std::uint64_t waits = 0;                 // times wait() slept or polled
    std::uint64_t receive_starved = 0;       // no free buffer when a datagram was there
    std::uint64_t segmented_sends = 0;       // sends that carried more than one packet (UDP GSO)
    std::uint64_t segmentation_refused = 0;  // GSO was refused and the packets went singly
    std::uint64_t joined_receives = 0;       // receives that carried more than one packet (UDP GRO)
    std::uint64_t completion_overflows = 0;  // io_uring: the completion queue was full
    std::uint64_t receive_rearmed = 0;       // io_uring: a multishot receive ended and was armed anew
    std::uint64_t sends_dropped = 0;         // more sends in one turn than can be queued and reported
};

}  // namespace hawser
