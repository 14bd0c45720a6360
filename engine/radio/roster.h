// SPDX-License-Identifier: MIT
// Who is on the air: the last STATUS of each channel of each radiod, told apart by group, sender's address and port,
// and SSRC. Notices what only a comparison shows: a radiod that was restarted, and two that use one number.
// Takes memory for a channel that is new, and none for one that is known. Control thread only.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "engine/radio/status.h"
#include "engine/radio/tuner.h"

namespace hawser::radio {

struct OnAir {
    RadioId radio;
    Endpoint source;
    Instant first_heard;
    Instant heard;
    Status status;  // without bins
};

class Roster {
public:
    // radiod holds 2000; a sender of invented ones is forgotten from here on.
    static constexpr std::size_t channels_max = 8192;

    struct Noted {
        bool is_new = false;
        bool restarted = false;  // its radiod counts from the beginning again
        bool clash = false;      // two senders that are both alive use this number; told once
    };
    Noted note(RadioId radio, const Endpoint& source, const Status& status, Instant now);

    // The one heard last of those with the number; null when there is none.
    [[nodiscard]] const OnAir* find(RadioId radio, std::uint32_t ssrc) const;
    // A channel that is known to be gone.
    void forget(RadioId radio, std::uint32_t ssrc);
    // All that were last heard before `since`: after a poll that is over, those that have gone. The count forgotten.
    std::size_t forget_unheard(RadioId radio, Instant since);
    // In no order.
    [[nodiscard]] std::vector<const OnAir*> channels(RadioId radio) const;
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    struct Number {
        std::vector<OnAir> senders;  // one, unless numbers clash
        bool clash_told = false;
    };
    [[nodiscard]] static std::uint64_t key(RadioId radio, std::uint32_t ssrc) {
        return (std::uint64_t{radio.value} << 32) | ssrc;
    }
    std::unordered_map<std::uint64_t, Number> numbers_;
    std::size_t size_ = 0;
};

}  // namespace hawser::radio
