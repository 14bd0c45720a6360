// SPDX-License-Identifier: MIT
// One channel's stream as a recorder or listener wants it: packets in order, what is missing by name and length, the
// format from STATUS, the time in UTC. Fed with the channel's RTP packets and its STATUS, which come by two sockets;
// asked with next() until it has nothing, before the next packet is fed.
// radiod changes formats under a running stream. What its order of sending allows to know:
//  - a change without a restart changes the payload type, and its STATUS comes a block later, with that type
//  - a restart shows as a timestamp that jumps back, in the sequence and unmarked; its STATUS was sent before, with the
//    payload type that the packets have, though that type's number may mean another format
// An outage longer than the resequencer's window is an epoch too, for much may have happened in it; what it lost is
// counted all the same, by sequence and timestamps, as far as the time that has passed explains them.
// So packets of a payload type or time that no STATUS explains wait for the next one, and are dropped when the wait is
// over; one that came half a block before a STATUS of another type is of a format that no later one tells of, and goes
// at once. Of what waits in both sockets RTP is to be taken first, then STATUS. Silence (no packets, the sequence goes
// on, the timestamp jumps) is told apart from loss.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/radio/payload.h"
#include "engine/radio/resequencer.h"
#include "engine/radio/rtp_clock.h"

namespace hawser::radio {

struct StreamQuality {
    std::uint64_t packets = 0;       // delivered
    std::uint64_t frames = 0;        // delivered, in ticks of the timestamp
    std::uint64_t lost_ticks = 0;    // in gaps that lost packets explain, outages among them
    std::uint64_t silent_ticks = 0;  // in gaps without loss
    std::uint64_t gaps = 0;
    std::uint64_t silences = 0;
    std::uint64_t epochs = 0;       // restarts and changes of format
    std::uint64_t undecodable = 0;  // packets whose format no STATUS told in time

    // Of what the sender sent; 1 before anything came.
    [[nodiscard]] double completeness() const {
        const auto all = static_cast<double>(frames + lost_ticks);
        return all > 0 ? static_cast<double>(frames) / all : 1.0;
    }
};

class Stream {
public:
    // How long packets wait for the STATUS that explains them: radiod sends one within half a second.
    static constexpr Duration status_wait_max{600'000'000};

    enum class Kind : std::uint8_t {
        epoch,    // what follows has nothing to do with what was: another format, or a restart
        gap,      // `ticks` are missing, packets were lost
        silence,  // `ticks` were not sent: squelch, mute, DTX
        samples,  // payload
    };
    struct Item {
        Kind kind = Kind::samples;
        wire::RtpTime timestamp;  // of its first tick
        std::uint32_t ticks = 0;
        AudioFormat format;
        Bytes payload;  // until the next call
        std::optional<std::int64_t> unix_ns{};
    };

    // `leap_seconds`: by which UTC is behind the GPS time that STATUS tells.
    explicit Stream(std::int64_t leap_seconds = leap_seconds_default) : clock_(leap_seconds) {}

    // One that a later one overtook, as by another socket, is ignored.
    void on_status(const Status& status, Instant now);
    void on_rtp(const wire::RtpPacket& packet, Instant now);
    [[nodiscard]] std::optional<Item> next(Instant now);
    [[nodiscard]] Instant next_deadline() const;

    [[nodiscard]] const std::optional<AudioFormat>& format() const { return format_; }
    [[nodiscard]] const StreamQuality& quality() const { return quality_; }
    [[nodiscard]] const Resequencer::Figures& sequence_figures() const { return sequence_.figures(); }

private:
    [[nodiscard]] bool take_packet(Instant now);
    [[nodiscard]] bool is_explained() const;
    [[nodiscard]] bool is_past() const;
    [[nodiscard]] bool is_ahead_of_time(std::int32_t jump) const;
    [[nodiscard]] bool is_behind_snapshot() const;
    void count_outage(std::int32_t jump);
    [[nodiscard]] Item deliver(Kind kind, wire::RtpTime from, std::uint32_t ticks);

    Resequencer sequence_;
    RtpClock clock_;
    std::optional<AudioFormat> format_;
    std::optional<Resequencer::Packet> packet_;  // popped, not yet delivered
    std::optional<Instant> waits_until_;         // for a STATUS
    wire::RtpTime expected_;
    Instant epoch_at_;              // when its first packet came
    std::int64_t epoch_ticks_ = 0;  // since then, by the timestamps
    std::uint32_t packet_ticks_ = 0;
    std::vector<std::uint8_t> waiting_;         // its payload, while it waits for a STATUS
    std::optional<std::uint8_t> payload_type_;  // that STATUS told last
    std::uint64_t told_at_ = 0;                 // by its sender's clock
    Instant told_;                              // by ours
    std::optional<wire::RtpTime> snapshot_;     // of the timestamp to come
    bool begun_ = false;
    bool new_epoch_ = true;
    bool told_since_packet_ = false;  // a STATUS came after the last packet that was delivered
    StreamQuality quality_;
};

}  // namespace hawser::radio
