// SPDX-License-Identifier: MIT
// What the bonds leave in the flight recorder of packets, and what of a packet's bytes: enough to see what it says,
// nothing that lets a reader of the recording join a session or read along.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/bond/token_bucket.h"
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

// Packets of those whom nobody knows, who may send as many as they like: a few a second are recorded, so that a flood
// does not push out what became of the others. A burst is recorded whole: a registration is a stranger's too.
class Strangers {
public:
    static constexpr Duration interval{100'000'000};
    static constexpr std::uint32_t burst = 64;

    // Absent: this one is left out. Else how many have been since the last that was not, at most 65535.
    [[nodiscard]] std::optional<std::uint16_t> admit(Instant now) noexcept {
        if (!bucket_.has_token(now, interval, burst)) {
            ++left_out_;
            return std::nullopt;
        }
        bucket_.take(now, interval);
        return static_cast<std::uint16_t>(std::min<std::uint64_t>(std::exchange(left_out_, 0), 0xFFFF));
    }

private:
    TokenBucket bucket_;
    std::uint64_t left_out_ = 0;
};

inline void record_stranger(FlightRecorder& recorder, Strangers& strangers, Fate fate, Bytes packet,
                            Instant now) noexcept {
    if (!recorder.is_on()) return;
    const auto left_out = strangers.admit(now);
    if (!left_out) return;
    fate.number = *left_out;
    recorder.note(fate, no_link, packet, recorded_bytes(packet), now);
}

[[nodiscard]] inline Fate dropped_from_uplink(Counter why) noexcept {
    return {Decision::uplink_dropped, 0, static_cast<std::uint32_t>(why)};
}
[[nodiscard]] inline Fate dropped_from_local(Counter why) noexcept {
    return {Decision::local_dropped, 0, static_cast<std::uint32_t>(why)};
}
[[nodiscard]] inline Fate refused_by_local(int error) noexcept {
    return {Decision::local_refused, 0, static_cast<std::uint32_t>(error)};
}

}  // namespace hawser::bond
