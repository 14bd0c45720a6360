// SPDX-License-Identifier: MIT
// libsrt 1.5.1's caller in live mode, as far as what it sends depends on what it hears: handshake, send buffer, pacing,
// loss list, retransmissions held back by the time of the last one, sender's too-late drop, ACKACKs, and the blind
// retransmission for peers without periodic NAKs. Behaviour read from Haivision/srt v1.5.1 (core.cpp, buffer.cpp,
// congctl.cpp); no encryption, no groups, no filter.
//
// It makes its payloads itself: number n is made at first + n * gap, whatever befell the others, and what the send
// buffer has no room for is refused. Between the calls it wants run() at due().
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

// The body of a payload begins with its number, so that a receiving model knows what it got.
inline constexpr std::size_t payload_number_bytes = 4;

struct LiveSenderCounts {
    std::uint64_t made = 0;     // payloads, refused ones too
    std::uint64_t refused = 0;  // no connection, or no room
    std::uint64_t unique = 0;   // packets sent for the first time
    std::uint64_t again = 0;    // and again
    std::uint64_t dropped = 0;  // too late to be of use
    std::uint64_t acks = 0;     // full ones, that said something new
    std::uint64_t naks = 0;
    std::uint64_t named_lost = 0;  // sequences that NAKs added to the loss list
    std::uint64_t broken = 0;      // connections lost
};

class LiveSender {
public:
    LiveSender(const SrtSettings& settings, wire::Seq31 initial_sequence, SrtOutlet out);

    void connect(Instant now);
    // The media: `count` payloads, the first at `first`.
    void begin(Instant first, double gap_ns, std::uint64_t count);
    // Another gap, from the newest payload on; and no more payloads.
    void set_gap(double gap_ns);
    void end_media();

    void on_packet(Bytes bytes, Instant now);
    [[nodiscard]] Instant due() const { return due_; }
    void run(Instant now);

    [[nodiscard]] bool connected() const { return state_ == State::connected; }
    [[nodiscard]] const LiveSenderCounts& counts() const { return counts_; }
    [[nodiscard]] Instant made_at(std::uint64_t number) const {
        return first_ + Duration{static_cast<std::int64_t>(static_cast<double>(number - paced_from_) * gap_ns_)};
    }
    // When each payload was made, of those made so far.
    [[nodiscard]] const std::vector<Instant>& times() const { return times_; }
    [[nodiscard]] Duration rtt() const { return Duration{srtt_us_ * 1000}; }

private:
    enum class State : std::uint8_t { idle, induction, conclusion, connected };
    static constexpr std::int64_t buffer_packets = 8192;  // SRTO_SNDBUF's default in packets of 1456 bytes
    struct Block {
        Instant made;
        Instant sent_again{-1};
        std::uint32_t number = 0;
        bool was_again = false;
    };

    [[nodiscard]] Block& block(std::int64_t index) { return blocks_[static_cast<std::size_t>(index) % blocks_.size()]; }
    [[nodiscard]] wire::Seq31 sequence(std::int64_t index) const { return isn_.plus(static_cast<std::int32_t>(index)); }
    // The index that a sequence number means, near what has been sent.
    [[nodiscard]] std::int64_t index_of(wire::Seq31 s) const {
        return next_unsent_ + wire::distance(sequence(next_unsent_), s);
    }
    [[nodiscard]] SrtStamp stamp(Instant at) const {
        return {static_cast<std::uint32_t>((at - started_).us()), peer_id_};
    }
    void send_control(wire::SrtControl type, std::uint32_t info, Bytes body, Instant now);
    void send_handshake(Instant now);
    void send_data(std::int64_t index, bool again, Instant now);
    void send_drop_request(std::int64_t first, std::int64_t last, Instant now);
    void on_handshake(const wire::SrtPacket& packet, Instant now);
    void on_ack(const wire::SrtPacket& packet, Instant now);
    void on_nak(const wire::SrtPacket& packet, Instant now);
    void acknowledge(std::int64_t index);
    void make_payload_due(Instant now);
    void drop_too_late(Instant now);
    void sample_input(Instant now);
    [[nodiscard]] bool send_next(Instant now);
    [[nodiscard]] bool send_lost(Instant now);
    void check_timers(Instant now);
    void lose_connection(Instant now);
    void wake(Instant now) {
        if (send_at_ == never) send_at_ = now;
    }
    void rearm();

    SrtSettings settings_;
    wire::Seq31 isn_;
    SrtOutlet out_;
    State state_ = State::idle;
    Instant started_;
    Instant handshake_at_ = never;
    std::uint32_t own_id_ = 0x1000'0001;
    std::uint32_t peer_id_ = 0;
    std::uint32_t cookie_ = 0;
    bool peer_reports_naks_ = true;
    Duration peer_latency_{};

    // The media.
    Instant first_ = never;
    double gap_ns_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t paced_from_ = 0;  // first_ is this payload's
    std::vector<Instant> times_;
    Instant make_at_ = never;

    // Send buffer: packets [buffered_, made_) by index, of which those below next_unsent_ have been sent.
    std::vector<Block> blocks_ = std::vector<Block>(2 * buffer_packets);
    std::int64_t buffered_ = 0;  // m_iSndLastDataAck
    std::int64_t made_ = 0;
    std::int64_t next_unsent_ = 0;  // m_iSndCurrSeqNo + 1
    std::int64_t last_ack_ = 0;
    std::int64_t last_full_ack_ = 0;
    std::int64_t flow_window_ = 8192;
    IndexSet losses_;

    Instant send_at_ = never;
    std::int64_t send_debt_ns_ = 0;  // by how much sends were late, to be made up for
    std::int64_t interval_ns_ = 0;
    std::int64_t srtt_us_ = 100'000;
    std::int64_t rttvar_us_ = 50'000;
    bool has_rtt_ = false;
    std::uint32_t acked_ack_ = 0;
    Instant ackack_at_{-1'000'000'000};
    Instant check_at_ = never;
    Instant heard_at_;
    Instant ack_heard_at_;
    Instant said_at_;
    std::int32_t blind_rounds_ = 1;

    // The rate of the input, for OHEADBW.
    std::int64_t input_bytes_per_second_ = 125'000'000;
    Instant input_since_ = never;
    Duration input_period_{500'000'000};
    std::int64_t input_packets_ = 0;

    Instant due_ = never;
    LiveSenderCounts counts_;
};

}  // namespace hawser::sim
