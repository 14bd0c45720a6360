// SPDX-License-Identifier: MIT
// Puts one stream's RTP packets into the order of their sequence. Owns copies of those that wait for an earlier one;
// takes memory for them when the first has to wait, and none after that.
//  - Each packet leaves at most once, in order; what is lost is counted and passed over.
//  - A gap is waited for 100 ms, or until packets span half of the window of 64, whichever is sooner.
//  - A packet behind the next one is late or a duplicate and is dropped; two in a row that follow each other, more than
//    a window behind, are a sender that began anew: the stream goes on from there, as after a jump of a window or more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/time.h"
#include "engine/wire/rtp.h"

namespace hawser::radio {

class Resequencer {
public:
    static constexpr int window = 64;  // as pcmrecord and ka9q-python
    static constexpr int ahead_max = window / 2;
    static constexpr Duration wait_max{100'000'000};  // five of radiod's blocks; untuned
    static constexpr std::size_t payload_bytes_max = 2048;

    struct Packet {
        wire::RtpHeader header;
        Bytes payload;  // valid until the next call
        Instant arrived;
        std::uint32_t lost = 0;    // sequences given up just before it
        bool began_anew = false;   // the sequence jumped: how many are missing its timestamp may tell
        std::uint16_t passed = 0;  // sequences by which it jumped then, modulo 2^16
    };
    struct Figures {
        std::uint64_t received = 0;
        std::uint64_t reordered = 0;  // came before an earlier one
        std::uint64_t lost = 0;       // given up
        std::uint64_t late = 0;       // came after they were given up
        std::uint64_t duplicates = 0;
        std::uint64_t jumps = 0;
        std::uint64_t oversized = 0;
    };

    void push(const wire::RtpPacket& packet, Instant now);
    // The next one that may leave.
    [[nodiscard]] std::optional<Packet> pop(Instant now);
    // When the oldest gap is given up; never where there is none.
    [[nodiscard]] Instant next_deadline() const;
    [[nodiscard]] int held() const { return held_; }
    // Of a jump, by who knows how many they are.
    void count_lost(std::uint64_t packets) { figures_.lost += packets; }
    [[nodiscard]] const Figures& figures() const { return figures_; }

private:
    struct Slot {
        bool taken = false;
        wire::RtpHeader header;
        Instant arrived;
        std::vector<std::uint8_t> payload;
    };
    [[nodiscard]] Slot& slot_of(wire::RtpSequence s) { return slots_[s.raw() % window]; }
    [[nodiscard]] const Slot& slot_of(wire::RtpSequence s) const { return slots_[s.raw() % window]; }
    void begin_at(wire::RtpSequence sequence);
    void begin_anew_at(wire::RtpSequence sequence);
    void on_behind(const wire::RtpPacket& packet, int ahead, Instant now);
    void keep(const wire::RtpPacket& packet, Instant now);
    // Steps from next_ to the first that is held; window when none is.
    [[nodiscard]] int steps_to_held() const;

    std::vector<Slot> slots_;
    wire::RtpSequence next_;
    wire::RtpSequence highest_;            // of those held
    wire::RtpSequence stray_next_;         // what would follow the last one from behind
    std::array<bool, window> given_up_{};  // by sequence modulo window, of those just behind next_
    bool begun_ = false;
    bool has_stray_ = false;
    bool began_anew_ = false;
    std::uint32_t lost_in_jump_ = 0;  // held, and dropped for it
    std::uint16_t passed_ = 0;
    int held_ = 0;
    Figures figures_;
};

}  // namespace hawser::radio
