// SPDX-License-Identifier: MIT
// What an operator may choose about selection. One value, taken as a whole once per turn.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace hawser::select {

enum class Mode : std::uint8_t { classic, enhanced };

struct Settings {
    Mode mode = Mode::enhanced;
    bool quality = true;       // enhanced: weigh links by their NAK history and RTT
    bool stall_gate = true;    // enhanced: keep data off links that have gone quiet with packets in flight
    bool exploration = false;  // enhanced: now and then try another link than the best
    // Defaults of irlserver/srtla_send 86b90aa (--stall-min-in-flight, --stall-ack-stale-ms).
    std::uint32_t stall_min_in_flight = 32;  // packets
    Duration stall_ack_stale{3'000'000'000};
};

}  // namespace hawser::select
