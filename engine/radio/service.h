// SPDX-License-Identifier: MIT
// The radio control plane's centre: routes packets to tuner, roster, discovery and the channels that are wanted, and
// says what happened as events. Sends and receives nothing itself: the caller feeds on_packet() and calls turn() when
// next_deadline() has come, sends what next_packet() has, and takes the events. Control thread only.
//
// A wanted channel (ensure() once, or declare() for good) is made and verified by value:
//  - one that is known as wanted is probed with its frequency and lifetime, which disturbs nothing, and kept if the
//    reply is as wanted; any other gets one command with everything
//  - declared channels are probed again in a third of the lifetime that radiod tells (or each 10 s), and made anew when
//    the reply shows that they had gone or changed; when their radiod was restarted, at once; also after a silence, so
//    that what is there as wanted is not tuned again
//  - each transition is one event; what radiod refuses is told by field, once, and tried again after
//    refusal_wait_first, doubling to refusal_wait_max, or when its radiod was restarted, or at once when something else
//    differs too
//  - a reply that counts from the beginning shows that the channel had gone, though the command itself made it again
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "engine/base/due_heap.h"
#include "engine/radio/channel_spec.h"
#include "engine/radio/discovery.h"
#include "engine/radio/roster.h"
#include "engine/radio/tuner.h"

namespace hawser::radio {

// A channel that is wanted: ensure()'s or declare()'s number for it.
using WantId = Strong<struct WantTag, std::uint64_t>;

enum class RadioEventKind : std::uint8_t {
    confirmed,            // request: `status` is radiod's answer
    expired,              // request: no answer within its limit
    channel_active,       // want: as wanted; `reused`: it was there before
    channel_lost,         // want: it had gone, or somebody changed it; it is being made anew
    channel_refused,      // want: radiod answers with another value of `field`
    channel_unreachable,  // want: no answer; a declared one is tried again
    channel_removed,      // request of remove()
    radiod_restarted,     // radio, source
    number_clash,         // radio, ssrc: two radiods use it
    channel_listed,       // radio, ssrc, source: it answered the poll under way, for the first time; `status`
    list_settled,         // radio: the first poll's answers have stopped
    list_done,            // radio: the second's too; `answers`, `cut_short`
};

struct RadioEvent {
    RadioEventKind kind = RadioEventKind::confirmed;
    RadioId radio;
    std::uint32_t ssrc = 0;
    Instant at;
    RequestId request;
    WantId want;
    std::uint64_t owner = 0;  // of the request, as it was submitted
    Endpoint source;
    RadioField field = RadioField::eol;
    bool reused = false;
    std::uint32_t packets = 0;
    Duration took;  // of a want: since it was wanted, or found missing; where it was there, since it was asked after
    std::uint64_t answers = 0;  // to the polls of a list; 0: nobody is there, or nobody is heard
    bool cut_short = false;     // the list met a bound: who is not on it may be there
};

class Service {
public:
    static constexpr std::size_t wanted_max = 4096;
    static constexpr Duration check_interval{10'000'000'000};  // of channels without a lifetime; untuned
    static constexpr Duration check_soonest{50'000'000};       // of a lifetime that nobody can keep alive; untuned
    static constexpr Duration retry_first{1'000'000'000};
    static constexpr Duration retry_max{30'000'000'000};
    static constexpr Duration retry_soonest{1'000'000'000};  // untuned
    static constexpr Duration refusal_wait_first = check_interval;
    static constexpr Duration refusal_wait_max{600'000'000'000};  // untuned
    static constexpr std::size_t events_max = 16'384;             // the oldest are dropped, and counted

    Service(const TunerOptions& options, Random random);

    // A status group; its numbers count from 0.
    RadioId add_radio();

    Result<RequestId, TuneRefusal> tune(RadioId radio, std::uint32_t ssrc, const Command& command, std::uint64_t owner,
                                        Instant now);
    // Of tune() or remove(): see Tuner::cancel.
    bool cancel(RequestId request) { return tuner_.cancel(request); }
    // What is known of the channel is forgotten at once: nothing that is wanted from now on may go by it.
    Result<RequestId, TuneRefusal> remove(RadioId radio, std::uint32_t ssrc, Instant now);
    // The number of a channel that is as wanted, whoever made it, as far as is known: `own` if it is one, else the
    // lowest. Another's is its maker's affair: not to be told anything, and its absence shows in a list alone, since a
    // command to a number that is not there makes a channel.
    [[nodiscard]] std::optional<std::uint32_t> find_equal(RadioId radio, const ChannelSpec& spec,
                                                          std::uint32_t own = 0) const;
    // Makes sure of a channel once; ends with channel_active, _refused or _unreachable. Absent when wanted_max are.
    std::optional<WantId> ensure(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, Instant now);
    // Wants it until withdraw(), which leaves the channel as it is. The same number again replaces what was wanted.
    std::optional<WantId> declare(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, Instant now);
    bool withdraw(WantId want);
    // What is wanted of the radio is verified now, or as soon as what is under way has been answered: something shows
    // that it may have changed, as another way to it.
    void check_now(RadioId radio, Instant now);
    // What rests until its next try is tried now, though no more often than retry_soonest: it may be heard again, as
    // when an interface came up.
    void retry_now(RadioId radio, Instant now);
    // A status of earlier times, as from a cache. It is not on the air: the roster does not show it. ensure(),
    // declare() and find_equal() go by it until the radio says otherwise, and then verify it.
    void recall(RadioId radio, const Endpoint& source, Bytes status, Instant heard);
    void discover(RadioId radio, Instant now);

    // What came from the radio's status group, or from one of its data groups' status ports. True: status() is its.
    bool on_packet(RadioId radio, const Endpoint& source, Bytes packet, Instant now);
    void turn(Instant now);
    [[nodiscard]] std::optional<Tuner::Packet> next_packet(Instant now);
    [[nodiscard]] Instant next_deadline() const;
    [[nodiscard]] std::optional<RadioEvent> next_event();
    // The status of the packet that on_packet() was given last; for the events that it made.
    [[nodiscard]] const Status& status() const { return status_; }

    [[nodiscard]] const Roster& roster() const { return roster_; }
    [[nodiscard]] const Tuner& tuner() const { return tuner_; }
    [[nodiscard]] std::uint64_t events_lost() const { return events_lost_; }
    [[nodiscard]] std::uint64_t bad_packets() const { return bad_packets_; }

private:
    enum class WantState : std::uint8_t { free, probing, making, active, resting };
    enum class Owner : std::uint32_t { user, removal, want };
    struct Want {
        WantState state = WantState::free;
        bool for_good = false;
        bool was_active = false;
        bool check_again = false;  // what is under way may be answered by what was
        std::uint32_t generation = 0;
        RadioId radio;
        std::uint32_t ssrc = 0;
        ChannelSpec spec;
        RequestId request;
        Instant begun;               // of what the next event ends: wanted, found missing, or asked after again
        Instant sent;                // what is under way, or was last
        Duration lifetime;           // of its channel, by its last reply; 0: for ever
        std::uint64_t commands = 0;  // that its channel has executed, by its last reply
        Endpoint source;             // of that
        Duration retry;
        std::uint64_t refused = 0;  // Differences::mark of what was told
        Duration refusal_wait;
        Instant make_again;  // not before
    };
    [[nodiscard]] WantId id_of(std::uint32_t slot) const {
        return WantId((std::uint64_t{wants_[slot].generation} << 32) | slot);
    }
    std::optional<WantId> want(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, bool for_good, Instant now);
    void send_want(std::uint32_t slot, WantState step, Instant now);
    void on_want_reply(std::uint32_t slot, const Tuner::Done& done, const Endpoint& source, Instant now);
    void on_want_expired(std::uint32_t slot, const Tuner::Done& done, Instant now);
    void rest(std::uint32_t slot, Instant until);
    void check_later(std::uint32_t slot, Instant now);
    void release_want(std::uint32_t slot);
    void check_settled(RadioId radio, Instant now);
    void on_restart(RadioId radio, const Endpoint& source, Instant now);
    void finish(const Tuner::Done& done, const Endpoint& source, Instant now);
    [[nodiscard]] const OnAir* known(RadioId radio, std::uint32_t ssrc) const;
    [[nodiscard]] Duration check_after(const Want& want) const;
    void forget(RadioId radio, std::uint32_t ssrc);
    void tell(const RadioEvent& event);

    Tuner tuner_;
    Roster roster_;
    Roster recalled_;                     // what is not heard yet
    std::vector<Discovery> discoveries_;  // by RadioId
    std::vector<Instant> restarts_;       // by RadioId: when the last was told
    std::vector<Want> wants_;
    std::vector<std::uint32_t> free_wants_;
    DueHeap checks_;  // by slot of wants_
    std::deque<RadioEvent> events_;
    Status status_;
    bool is_of_restart_ = false;  // the status shows that its radiod was restarted
    std::uint64_t events_lost_ = 0;
    std::uint64_t bad_packets_ = 0;
    Random random_;
    std::array<std::uint8_t, 16> poll_room_{};
};

}  // namespace hawser::radio
