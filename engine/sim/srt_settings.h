// SPDX-License-Identifier: MIT
// What an operator may set at either SRT end. Defaults are libsrt 1.5.1's in live mode.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace hawser::sim {

inline constexpr std::int64_t payload_bytes = 1316;  // seven transport-stream packets

// Haivision/srt v1.5.1: core.h.
inline constexpr Duration srt_tick{10'000'000};  // its SYN interval
inline constexpr Duration srt_handshake_period{250'000'000};
inline constexpr Duration srt_keepalive_period{1'000'000'000};  // when nothing else was sent
// TSBPD both ways, crypt, TLPKTDROP, NAKREPORT, REXMITFLG, FILTER.
inline constexpr std::uint32_t srt_handshake_flags = 0xBF;

struct SrtSettings {
    Duration latency{2'000'000'000};
    std::int32_t loss_max_ttl = 0;      // SRTO_LOSSMAXTTL at the receiver, packets
    std::int32_t overhead_percent = 0;  // SRTO_OHEADBW with MAXBW 0; 0: no bound (MAXBW -1)
    // BELABOX's libsrt at the receiver: reorder tolerance is always loss_max_ttl, and no periodic NAK.
    bool patched_receiver = false;
    std::int32_t retransmit_algorithm = 1;  // SRTO_RETRANSMITALGO: 0 at once, 1 held back by the time of the last one
};

}  // namespace hawser::sim
