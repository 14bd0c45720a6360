// SPDX-License-Identifier: MIT
// libsrt 1.5.1's listener in live mode with an application that reads at once: handshake, full ACK each 10 ms and light
// ones at speed, losses reported at once or after the reorder tolerance (which adapts below loss_max_ttl), periodic
// reports, TSBPD with the drift tracer, too-late drop. Behaviour read from Haivision/srt v1.5.1 (core.cpp,
// tsbpd_time.cpp, buffer_rcv.h, utilities.h); of the threads only what shows on the wire.
// One caller at a time; a new handshake replaces the one before.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/time.h"
#include "engine/sim/ring.h"
#include "engine/sim/srt_outlet.h"
#include "engine/sim/srt_packets.h"
#include "engine/sim/srt_settings.h"

namespace hawser::sim {

struct LiveReceiverCounts {
    std::uint64_t packets = 0;   // data
    std::uint64_t unique = 0;    // taken into the buffer
    std::uint64_t repeated = 0;  // it had them
    std::uint64_t belated = 0;   // given up, or acknowledged before
    std::uint64_t given_up = 0;  // skipped by the too-late drop
    std::uint64_t no_room = 0;
    std::uint64_t acks = 0;
    std::uint64_t naks = 0;
    std::int32_t reorder_distance_max = 0;
};

class LiveReceiver {
public:
    struct Read {
        std::uint32_t number;  // of the payload
        Instant at;
    };

    LiveReceiver(const SrtSettings& settings, SrtOutlet out);

    void on_packet(Bytes bytes, Instant now);
    [[nodiscard]] Instant due() const { return due_; }
    void run(Instant now);

    // What the application has read, in order.
    [[nodiscard]] const std::vector<Read>& reads() const { return reads_; }
    [[nodiscard]] const LiveReceiverCounts& counts() const { return counts_; }
    [[nodiscard]] std::int32_t tolerance() const { return tolerance_; }
    [[nodiscard]] Duration rtt() const { return Duration{srtt_us_ * 1000}; }
    // By how much the drift tracer has moved the hour of reading.
    [[nodiscard]] Duration drift() const { return Duration{(drift_us_ + base_moved_us_) * 1000}; }

private:
    static constexpr std::int64_t buffer_packets = 8192;  // SRTO_RCVBUF's default in packets
    static constexpr std::size_t ack_window = 1024;

    struct Unit {
        std::uint32_t timestamp_us = 0;
        std::uint32_t number = 0;
    };
    struct FreshLoss {
        std::int64_t first;
        std::int64_t last;
        std::int32_t ttl;  // packets
    };
    struct SentAck {
        std::uint32_t number = 0;
        std::int64_t index = 0;
        Instant at;
    };

    [[nodiscard]] Unit& unit(std::int64_t index) { return units_[static_cast<std::size_t>(index) % units_.size()]; }
    [[nodiscard]] wire::Seq31 sequence(std::int64_t index) const { return isn_.plus(static_cast<std::int32_t>(index)); }
    [[nodiscard]] std::int64_t index_of(wire::Seq31 s) const { return newest_ + wire::distance(sequence(newest_), s); }
    [[nodiscard]] Instant base_time(std::uint32_t timestamp_us) const {
        return base_ + Duration{std::int64_t{timestamp_us} * 1000};
    }
    [[nodiscard]] Instant play_time(std::uint32_t timestamp_us) const {
        return base_time(timestamp_us) + latency_ + Duration{drift_us_ * 1000};
    }
    [[nodiscard]] std::int64_t room() const;
    void send_control(wire::SrtControl type, std::uint32_t info, Bytes body, Instant now);
    void on_handshake(const wire::SrtPacket& packet, Instant now);
    void on_data(const wire::SrtPacket& packet, Instant now);
    void on_ackack(const wire::SrtPacket& packet, Instant now);
    void on_drop_request(const wire::SrtPacket& packet);
    void unlose(std::int64_t index, bool again);
    bool revoke_fresh(std::int64_t index, std::int32_t& had_ttl);
    void forget_losses(std::int64_t first, std::int64_t last);
    void age_fresh(Instant now);
    void report(const std::vector<std::uint32_t>& words, Instant now);
    void report_all(Instant now);
    void send_ack(bool light, Instant now);
    void check_timers(Instant now);
    void play(Instant now);
    void trace_drift(std::int64_t sample_us);
    void rearm();

    SrtSettings settings_;
    SrtOutlet out_;
    bool connected_ = false;
    Instant started_;
    std::uint32_t peer_id_ = 0;
    std::uint32_t own_id_ = 0x2000'0000;
    wire::Seq31 isn_;
    Packet answer_;  // the conclusion, for a caller that asks again

    // Receive buffer.
    std::vector<Unit> units_ = std::vector<Unit>(2 * buffer_packets);
    IndexSet held_;                 // not yet read
    std::int64_t start_ = 0;        // the next to be read
    std::int64_t skip_ack_ = 0;     // m_iRcvLastSkipAck: below it nothing is taken
    std::int64_t last_ack_ = 0;     // m_iRcvLastAck
    std::int64_t last_ackack_ = 0;  // m_iRcvLastAckAck
    std::int64_t newest_ = -1;      // m_iRcvCurrSeqNo
    IndexSet lost_;
    std::vector<FreshLoss> fresh_;
    std::int32_t tolerance_ = 0;
    std::int32_t ordered_run_ = 0;  // m_iConsecOrderedDelivery
    std::int32_t early_run_ = 0;    // m_iConsecEarlyDelivery

    // TSBPD.
    Instant base_;
    Duration latency_{};
    std::int64_t drift_us_ = 0;
    std::int64_t base_moved_us_ = 0;
    std::int64_t drift_sum_us_ = 0;
    std::int64_t drift_samples_ = 0;
    std::int64_t first_rtt_us_ = -1;

    // Timers.
    Instant ack_at_;
    Instant nak_at_;
    Duration nak_interval_{};
    Instant check_at_ = never;
    Instant full_ack_at_;
    Instant said_at_;
    std::int32_t packets_since_ack_ = 0;
    std::int32_t light_acks_ = 1;
    std::uint32_t ack_number_ = 0;
    std::uint32_t answered_ack_ = 0;
    std::int64_t srtt_us_ = 100'000;
    std::int64_t rttvar_us_ = 50'000;
    bool has_rtt_ = false;
    std::array<SentAck, ack_window> sent_acks_{};

    std::vector<std::uint32_t> words_;
    std::vector<Read> reads_;
    LiveReceiverCounts counts_;
    Instant due_ = never;
};

}  // namespace hawser::sim
