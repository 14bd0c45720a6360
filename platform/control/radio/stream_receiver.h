// SPDX-License-Identifier: MIT
// The streams of one radiod's channels: joins their data groups, takes RTP (5004) and the statuses beside it (5006),
// and hands out what each channel's radio::Stream makes of them. Control thread only.
//  - Any number of channels on one socket; groups are joined while a channel that is followed sends to them.
//  - RTP that waits is taken before any status is: what radiod sent before a change is read as it was before.
//  - A channel that moves to another group is followed there; where the join fails it is tried at its next status.
//  - A restarted radiod has another port. A channel goes over to another sender when a status of that one comes and the
//    one before has been silent for takeover_silence, where that one may be the same radiod or has come after it
//    (radio/succession.h). A radiod that runs beside it under the same number has no part in it as long as the one
//    before answers polls, however silent its squelch keeps it. Until then what others send is counted, no more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "engine/radio/stream.h"
#include "engine/radio/succession.h"
#include "platform/control/loop.h"
#include "platform/control/radio/group_receiver.h"

namespace hawser::control {

class StreamReceiver {
public:
    // 25 blocks, in each of which a channel on the air sends packets. Untuned.
    static constexpr Duration takeover_silence{500'000'000};
    // Three polls of a recording to a channel that is silent. Untuned.
    static constexpr Duration rival_silence{10'000'000'000};

    struct Settings {
        std::string interface;           // of the data groups; empty: where their route goes
        std::optional<Endpoint> source;  // only what comes from there
        Duration rival_silence = StreamReceiver::rival_silence;
        // By which UTC is behind radiod's GPS time.
        std::int64_t leap_seconds = radio::leap_seconds_default;
    };
    // Of one channel, since it is followed; whichever sender it had.
    struct Quality {
        radio::StreamQuality stream;
        radio::Resequencer::Figures sequence;
        std::uint64_t foreign = 0;    // packets of other senders under its number
        std::uint64_t takeovers = 0;  // changes of sender
    };
    using ItemHandler = std::function<void(std::uint32_t ssrc, const radio::Stream::Item&)>;
    // A status that came by a data group: for the radiod's service, which answers by on_status().
    using PacketHandler = std::function<void(const Endpoint& source, Bytes packet)>;
    using Notice = std::function<void(const std::string&)>;

    StreamReceiver(Loop& loop, const Settings& settings, ItemHandler on_item, PacketHandler on_status_packet,
                   Notice notice);
    ~StreamReceiver();
    StreamReceiver(const StreamReceiver&) = delete;
    StreamReceiver& operator=(const StreamReceiver&) = delete;

    // From the next status of it on.
    void follow(std::uint32_t ssrc);
    void unfollow(std::uint32_t ssrc);
    [[nodiscard]] bool follows(std::uint32_t ssrc) const { return channels_.count(ssrc) != 0; }
    // Every status of the radiod, by whatever group it came.
    void on_status(const Endpoint& source, const radio::Status& status);
    // The end: takes in what waits and hands all of it out, also what waits for an earlier packet.
    void take_waiting();

    // Absent where it is not followed.
    [[nodiscard]] std::optional<Quality> quality(std::uint32_t ssrc) const;
    // When its sender was heard last, by packet or status; absent before the first.
    [[nodiscard]] std::optional<Instant> heard(std::uint32_t ssrc) const;
    // Who sends it; absent before its first status.
    [[nodiscard]] std::optional<Endpoint> source(std::uint32_t ssrc) const;
    // Datagrams that the kernel dropped, the receive buffers being full.
    [[nodiscard]] std::uint64_t overrun() const { return media_.figures().overrun + statuses_.figures().overrun; }

private:
    struct Channel {
        Endpoint source;  // port 0: none yet
        Endpoint dest;    // port 0: none joined
        MembershipId media;
        MembershipId statuses;
        radio::Stream stream;
        Instant heard;
        Instant told;                             // by a status
        std::optional<radio::RadiodLife> life{};  // by that
        Quality before;                           // of the senders that it had before
    };
    void on_media(std::span<const Datagram> received);
    void drain(std::uint32_t ssrc, Channel& channel, Instant now);
    void on_deadline();
    void arm();
    void move(Channel& channel, const Endpoint& dest);
    void leave(const Channel& channel);
    void take_over(Channel& channel, const Endpoint& source);
    [[nodiscard]] Duration patience_with(const Channel& channel, const Endpoint& source,
                                         const radio::Status& status) const;

    Loop& loop_;
    Settings settings_;
    ItemHandler on_item_;
    PacketHandler on_status_packet_;
    Notice notice_;
    Timer timer_;
    GroupReceiver media_;
    GroupReceiver statuses_;
    std::map<std::uint32_t, Channel> channels_;
    std::string told_;  // the last failure to join, told once
};

}  // namespace hawser::control
