// SPDX-License-Identifier: MIT
// Desired state: the channels that an operator wants on the air, on any number of radiods. The keeper finds the
// radiods, makes the channels, verifies them, makes them anew after a restart or a change by others, and tells each
// transition once. apply() again takes over what is new: channels that stay as they were are not touched.
//  - A radiod that cannot be reached (an interface that is not there) is tried again each retry_interval, and when
//    interfaces change.
//  - A group is a guess until somebody answers there. While nobody does its radiod's name is asked for again, after
//    retry_interval where the group was computed, else after silence_max, and its channels go where the name says.
//  - A status by a sender that was not heard before, which a radiod is that was restarted, has the channels verified at
//    once.
//  - Channels that are no longer wanted are left as they are, or removed, as the settings say. A removal that nobody
//    answers is tried again after retry_interval, doubling to removal_wait_max, until it is answered, the channel is
//    wanted again, or the keeper stops, which tries once more.
//  - The group of a radiod that is no longer wanted is left, when what is to be removed there is.
// Lives on a control::Loop and its thread; a program may run it beside anything else on that loop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/radio/channel_spec.h"
#include "engine/radio/service.h"
#include "platform/control/listeners.h"
#include "platform/control/radio/radio_link.h"
#include "platform/control/radio/radio_names.h"

namespace hawser::control {

struct WantedRadio {
    std::string name;          // for people, and for its channels
    radio::RadioName address;  // with the interface
    std::string text;          // as it was written: two that are written alike are one
    std::optional<Endpoint> source;
};
struct WantedChannel {
    std::string name;  // for people; may be empty
    std::size_t radio = 0;
    std::uint32_t ssrc = 0;
    radio::ChannelSpec spec;
};
struct DesiredState {
    std::vector<WantedRadio> radios;
    std::vector<WantedChannel> channels;  // each number of a radio once
};

enum class TransitionKind : std::uint8_t {
    radio_joined,      // its group is listened to; `text` says which
    radio_failed,      // `text` says why; tried again
    radio_restarted,   //
    number_clash,      // two senders use the channel's number
    channel_active,    // as wanted; `reused`: it was so before
    channel_lost,      // it had gone, or `field` was changed; being made anew
    channel_refused,   // radiod answers with another value of `field`
    channel_silent,    // no answer; tried again
    channel_dropped,   // no longer wanted; left as it is
    channel_removed,   // no longer wanted, and ended
    channel_stays,     // no longer wanted, but nobody answers its removal; `text` says what becomes of that
    channel_too_many,  // beyond what the service keeps
};

struct Transition {
    TransitionKind kind = TransitionKind::channel_active;
    std::string radio;
    std::string channel;
    std::uint32_t ssrc = 0;
    std::string text;
    radio::RadioField field = radio::RadioField::eol;
    std::string value;  // of the field, as radiod has it
    Endpoint source;
    bool reused = false;
    std::uint32_t packets = 0;
    Duration took;
};

class Keeper {
public:
    struct Settings {
        int ttl = 1;
        bool removes = false;         // channels that are no longer wanted
        StateCache* cache = nullptr;  // outlives the keeper
        std::uint64_t seed = 0;
        Duration retry_interval{5'000'000'000};  // untuned
        Duration silence_max{30'000'000'000};    // three checks of a channel without a lifetime
        Names::Lookup lookup{};                  // empty: the system's
    };
    using Notice = std::function<void(const std::string&)>;

    Keeper(Loop& loop, const Settings& settings, Notice notice);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    void apply(const DesiredState& state);
    // Wants nothing any more; `done` when what is to be removed is, or has not been answered, which takes the limit of
    // a command at most.
    void stop(std::function<void()> done);
    [[nodiscard]] Listeners<const Transition&>& listeners() { return listeners_; }

    struct Count {
        std::size_t wanted = 0;
        std::size_t active = 0;
    };
    [[nodiscard]] Count count() const;
    // What is wanted, in the order it was told, and how it stands. Of the keeper, until the next apply().
    struct RadioRow {
        const WantedRadio* wanted = nullptr;
        std::optional<Endpoint> group{};  // listened to
        std::optional<Instant> heard{};   // last
    };
    struct ChannelRow {
        const WantedRadio* radio = nullptr;
        const WantedChannel* wanted = nullptr;
        bool is_active = false;
        bool is_refused = false;  // radiod answers otherwise
    };
    [[nodiscard]] std::vector<RadioRow> radios() const;
    [[nodiscard]] std::vector<ChannelRow> channels() const;
    [[nodiscard]] const radio::Service& service() const { return service_; }
    [[nodiscard]] const RadioLink& link() const { return link_; }

private:
    struct Radio {
        WantedRadio wanted;
        bool is_wanted = false;
        bool is_searched = false;  // its name is being looked up
        bool has_failed = false;   // told
        bool is_urgent = false;    // an interface came since: not to wait for long
        std::optional<radio::RadioId> id;
        FoundGroup found;                    // of the id
        Instant asked;                       // when its name was answered last
        std::vector<radio::RadioId> before;  // of groups that it has left
        std::vector<Endpoint> senders;       // of statuses, the newest last; senders_max
        Instant verified;                    // for a new one
    };
    struct Channel {
        std::size_t radio = 0;
        WantedChannel wanted;
        std::optional<radio::WantId> want;
        bool is_active = false;
        std::string refusal{};  // told; it is no news as long as it stays
    };
    struct Removal {
        std::size_t radio = 0;  // its place
        std::uint32_t ssrc = 0;
        std::string name;
        std::optional<radio::RequestId> request{};  // under way
        Duration wait;                              // before the next try
        Instant next = never;                       // try, when none is under way
    };
    // Whoever invents senders has the channels verified no more often than this, and what a new interface may mend is
    // tried no more often. Untuned, as the next.
    static constexpr Duration verify_interval{1'000'000'000};
    static constexpr std::size_t senders_max = 8;
    static constexpr Duration removal_wait_max{300'000'000'000};  // untuned
    [[nodiscard]] std::size_t place_of(const WantedRadio& wanted);
    void find(std::size_t radio);
    void on_group(std::size_t radio, const FoundGroup& found);
    void leave(std::size_t radio);
    // When its name is to be asked for again; never where its group is beyond doubt.
    [[nodiscard]] Instant doubt_at(const Radio& radio) const;
    void on_retry();
    void on_interfaces();
    void arm_retry();
    void on_sender(radio::RadioId id, const Endpoint& source);
    void declare(Channel& channel);
    void drop(Channel& channel);
    void leave_unwanted();
    void on_event(const radio::RadioEvent& event);
    void tell(TransitionKind kind, std::size_t radio, const Channel* channel, Transition rest = {});
    void tell_channel(TransitionKind kind, Channel& channel, const Transition& rest);
    [[nodiscard]] Channel* channel_of(radio::WantId want);
    [[nodiscard]] std::size_t radio_of(radio::RadioId id) const;
    // Whether it is under way.
    bool try_removal(Removal& removal);
    // It cannot be asked for, or was not answered; what becomes of it.
    enum class Fate : std::uint8_t { over, tried_again };
    [[nodiscard]] Fate put_off(Removal& removal);
    void try_removals(Instant now);
    void end_of_removal(radio::RequestId request, bool is_gone);
    void tell_removal(TransitionKind kind, const Removal& removal, const std::string& text = "");
    [[nodiscard]] bool is_wanted(std::size_t radio, std::uint32_t ssrc) const;

    Loop& loop_;
    Settings settings_;
    Notice notice_;
    Names names_;
    RadioNames radio_names_;
    radio::Service service_;
    RadioLink link_;
    Timer retry_;
    std::vector<Radio> radios_;  // never shorter: a radio that is wanted again has its place
    std::vector<Channel> channels_;
    std::vector<Removal> removals_;  // what is no longer wanted, and not known to be gone
    bool is_stopping_ = false;
    std::function<void()> stopped_;
    Listeners<const Transition&> listeners_;
};

}  // namespace hawser::control
