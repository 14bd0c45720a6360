// SPDX-License-Identifier: MIT
// The latency that an SRT handshake carries: the caller asks in HSREQ, the listener answers with what both will keep
// (HSRSP). In clear in encrypted sessions too.
// Source: draft-sharabayko-srt-01, 3.2.1.1 (extension blocks: u16 type, u16 length in words) and 3.2.1.1.1 (version,
// flags, receiver's delay, sender's delay).
#pragma once

#include <cstdint>
#include <optional>

#include "engine/wire/srt.h"

namespace hawser::wire {

struct SrtLatency {
    // By whoever wrote the handshake: the latency of what it receives, and of what it sends; ms.
    std::uint16_t receiving_ms = 0;
    std::uint16_t sending_ms = 0;
    // It hands over what it receives by timestamp (TSBPDRCV); without, there is no latency to keep.
    bool delivers_by_time = false;
    // What has not come by then it does without (TLPKTDROP); else it waits, and what is late is late, but no loss.
    bool drops_late = false;
};

// Of a conclusion of version 5 with HSREQ or HSRSP; absent for any other packet.
[[nodiscard]] inline std::optional<SrtLatency> handshake_latency(const SrtPacket& packet) {
    constexpr std::uint16_t has_hsreq = 1;
    constexpr std::uint32_t tsbpd_receiving = 2;
    constexpr std::uint32_t drops_late = 8;
    const auto handshake = Handshake::over(packet);
    if (!handshake || handshake->request_type() != handshake_conclusion || handshake->version() != 5 ||
        (handshake->extension_field() & has_hsreq) == 0)
        return std::nullopt;
    for (Bytes left = packet.body().subspan(handshake_body_bytes); left.size() >= 4;) {
        const std::uint16_t type = load_be16(left.data());
        const std::size_t bytes = std::size_t{load_be16(left.data() + 2)} * 4;
        left = left.subspan(4);
        if (left.size() < bytes) return std::nullopt;
        const auto block = Fixed<12>::over(left.first(bytes));
        if ((type == 1 || type == 2) && block)
            return SrtLatency{block->u16<8>(), block->u16<10>(), (block->u32<4>() & tsbpd_receiving) != 0,
                              (block->u32<4>() & drops_late) != 0};
        left = left.subspan(bytes);
    }
    return std::nullopt;
}

}  // namespace hawser::wire
