// SPDX-License-Identifier: MIT
// How the loop itself fares, at either end: part of each snapshot, filled by the pump.
#pragma once

#include <cstdint>

#include "engine/base/time.h"
#include "engine/base/time_histogram.h"
#include "engine/border/io_counters.h"

namespace hawser {

struct PumpSnapshot {
    std::uint64_t turns = 0;
    std::uint64_t packets = 0;      // completions that carried a packet
    Duration turn_max;              // the longest turn's work since the start, waits not counted
    Duration turn_max_recent;       // of the last complete second
    TurnTimes turn_times;           // of each turn's work
    std::uint64_t events_lost = 0;  // the ring to the control thread was full
    std::uint32_t pool_free = 0;    // buffers
    bool recorder_held = false;     // filled by the bond
    IoCounters io;
};

}  // namespace hawser
