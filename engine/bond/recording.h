// SPDX-License-Identifier: MIT
// What the bonds leave in the flight recorder of packets, and what of a packet's bytes: enough to see what it says,
// nothing that lets a reader of the recording join a session or read along.
#pragma once

#include "engine/base/bytes.h"
#include "engine/border/counters.h"
#include "engine/border/flight_recorder.h"
#include "engine/wire/srt.h"

namespace hawser::bond {

// How many of its first bytes: headers; the bodies of ACKs, NAKs, keepalives and reports; of a handshake what comes
// before its cookie, so neither stream id nor key material; of a registration its type without the group's id.
[[nodiscard]] std::size_t recorded_bytes(Bytes packet) noexcept;

[[gnu::always_inline]] inline void record(FlightRecorder& recorder, Fate fate, LinkId link, Bytes packet,
                                          Instant now) noexcept {
    if (recorder.is_on()) recorder.note(fate, link, packet, recorded_bytes(packet), now);
}
// One that is known to be SRT data with its whole header.
[[gnu::always_inline]] inline void record_data(FlightRecorder& recorder, Fate fate, LinkId link, Bytes packet,
                                               Instant now) noexcept {
    recorder.note_data<wire::srt_header_bytes>(fate, link, packet, now);
}

[[nodiscard]] inline Fate dropped_from_uplink(Counter why) noexcept {
    return {Decision::uplink_dropped, 0, static_cast<std::uint32_t>(why)};
}
[[nodiscard]] inline Fate dropped_from_local(Counter why) noexcept {
    return {Decision::local_dropped, 0, static_cast<std::uint32_t>(why)};
}

}  // namespace hawser::bond
