// SPDX-License-Identifier: MIT
// Which of the channels that nobody named are recorded: so many, whatever is announced on the group.
//  - As long as there is a place, whoever is announced gets one. Afterwards a channel is on trial: it is listened to
//    for trial_time, and gets a place when it is heard.
//  - That place is one of an address of which nothing has ever been heard, of all those the one with the most. Whoever
//    announces without sending takes no place from anybody, and of a radiod that sends also its silent channels stay.
//  - Trials are few, of one address and of all; an address is judged whatever its ports. When all are taken, whoever
//    has at least two fewer than another address takes one of that one's. Where they are shared evenly, an unheard
//    address keeps one for trial_sure, time to be heard, and then cedes it to whoever has none, or has been heard: only
//    who announces from trials_max new addresses in each trial_sure keeps others waiting.
// Each call costs a search in a tree, or a walk over the trials, be the places taken by whomever.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"

namespace hawser::app {

class Places {
public:
    // Some statuses long; a channel that was listened to in vain may come again. Untuned, as the next three.
    static constexpr Duration trial_time{2'000'000'000};
    static constexpr Duration trial_sure{500'000'000};
    static constexpr std::size_t trials_max = 64;
    static constexpr std::size_t trials_of_one = 16;

    enum class Answer : std::uint8_t { place, trial, none };
    struct Heard {
        bool has_place = false;
        std::optional<std::uint32_t> given_up{};  // whose place it is now
    };

    explicit Places(std::size_t places_max) : places_max_(places_max) {}

    // It was told of by the sender; what it has already it keeps.
    Answer announce(std::uint32_t ssrc, const Endpoint& sender, Instant now);
    // Samples of it came from there. One on trial has a place from now on, or is known no more.
    Heard on_heard(std::uint32_t ssrc, const Endpoint& sender);
    // Those whose trial is over, or was ceded since the last call; they are known no more, unless announced again.
    [[nodiscard]] std::vector<std::uint32_t> end_trials(Instant now);

    [[nodiscard]] bool has_place(std::uint32_t ssrc) const;
    [[nodiscard]] bool knows(std::uint32_t ssrc) const { return channels_.count(ssrc) != 0; }
    // Recounts everything.
    [[nodiscard]] bool is_consistent() const;

private:
    using Address = std::array<std::uint8_t, 16>;
    struct Sender {
        std::set<std::uint32_t> places;
        std::size_t trials = 0;
        bool is_heard = false;
    };
    struct Channel {
        Address sender{};
        bool is_on_trial = false;
    };
    void give_place(std::uint32_t ssrc, const Address& sender);
    void take_away(std::uint32_t ssrc);
    // Whose channel gives way; absent where everybody has been heard.
    [[nodiscard]] std::optional<std::uint32_t> who_gives_way() const;
    void rank(const Address& address, Sender& sender, std::size_t before);
    // Room for one more trial, of that address; false when nobody has to make it.
    bool cede_trial(const Address& to, Instant now);
    void count_trials(const Address& address, Sender& sender, std::size_t trials);

    std::size_t places_max_;
    std::size_t places_ = 0;
    std::map<std::uint32_t, Channel> channels_;
    std::map<Address, Sender> senders_;                      // of those channels
    std::set<std::pair<std::size_t, Address>> never_heard_;  // senders with places, by their count
    std::set<std::pair<std::size_t, Address>> triers_;       // senders with trials, by their count
    std::deque<std::pair<Instant, std::uint32_t>> trials_;   // by their end; those that are over may be in it yet
    std::vector<std::uint32_t> ceded_;                       // not told yet
};

}  // namespace hawser::app
