// SPDX-License-Identifier: MIT
// Which sequences the receiver has reported missing already, so that a loss is charged to the link that lost it.
//
// A libsrt receiver names a missing packet at once, and again every half round trip, not below 20 ms, until it has come
// (periodic NAK reports; Haivision/srt c39196c9, LiveCC). So each retransmission is followed by reports that left
// before it could arrive, and by order of sending they would be charged to its link. Whatever leaves after a report is
// a retransmission; a later report speaks of it only when it has had time to arrive.
//
// A table by the low bits of the sequence: 4096, four seconds of losing everything at 1000 packets/s. What it has
// forgotten counts as never reported. The sender asks it; pump thread only.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/time.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class LossReports {
public:
    LossReports() { clear(); }

    // Notes a report. True when the sequence had been reported before.
    [[nodiscard]] bool note(wire::Seq31 sequence) noexcept {
        std::uint32_t& place = reported_[sequence.raw() % places];
        const bool known = place == sequence.raw();
        place = sequence.raw();
        return known;
    }
    void clear() noexcept { reported_.fill(nothing); }

    // How old a retransmission must be before a report can speak of it: a round trip, for it has come or not half of
    // one after it left, and the report takes the other half. To wait until it is late by any measure of its link (RFC
    // 6298's timeout) is worse for the viewer: over links that reorder, most reports are of packets that are late, and
    // a link that is late again and again is to be asked less. Zero: unknown, and libsrt's first guess serves.
    [[nodiscard]] static Duration answer_time(Duration round_trip) {
        return round_trip == Duration{} ? unknown_round_trip : round_trip;
    }

private:
    static constexpr std::size_t places = 4096;
    static constexpr std::uint32_t nothing = 0xFFFF'FFFF;       // no sequence has 32 bits
    static constexpr Duration unknown_round_trip{100'000'000};  // INITIAL_RTT of Haivision/srt c39196c9
    std::array<std::uint32_t, places> reported_;
};

}  // namespace hawser::bond
