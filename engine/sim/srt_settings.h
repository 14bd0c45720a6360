// SPDX-License-Identifier: MIT
// What an operator may set at either SRT end. Defaults are libsrt 1.5.1's in live mode.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace hawser::sim {

inline constexpr std::int64_t payload_bytes = 1316;  // seven transport-stream packets

struct SrtSettings {
    Duration latency{2'000'000'000};
    std::int32_t loss_max_ttl = 0;      // SRTO_LOSSMAXTTL at the receiver, packets
    std::int32_t overhead_percent = 0;  // SRTO_OHEADBW with MAXBW 0; 0: no bound (MAXBW -1)
    // BELABOX's libsrt at the receiver: reorder tolerance is always loss_max_ttl, and no periodic NAK.
    bool patched_receiver = false;
    std::int32_t retransmit_algorithm = 1;  // SRTO_RETRANSMITALGO: 0 at once, 1 held back by the time of the last one
};

}  // namespace hawser::sim
