// SPDX-License-Identifier: MIT
// A model of an SRT caller in live mode: handshake, data at a steady rate, retransmission of what a NAK names, ACKACK,
// keepalives. It also judges what reaches it, since it stands for libsrt: anything that libsrt would close the
// connection for, or that does not belong on an SRT socket, is counted.
// Source: draft-sharabayko-srt-01; Haivision/srt c39196c9 for the periods.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>

#include "engine/sim/port.h"
#include "engine/sim/srt_packets.h"

namespace hawser::sim {

struct SrtCallerOptions {
    Endpoint local;
    Endpoint target;
    std::uint32_t packets_per_second = 500;
    std::size_t payload_bytes = 1316;
    std::uint64_t packets_max = 0;    // 0: without end
    Duration latency{1'000'000'000};  // older packets are not sent again
    wire::Seq31 initial_sequence{1000};
    std::uint32_t socket_id = 0x1234;
    std::uint32_t seed = 1;
};

struct SrtCallerCounts {
    std::uint64_t sent = 0;  // of this session, retransmissions apart
    std::uint64_t sent_again = 0;
    std::uint64_t acks = 0;
    std::uint64_t naks = 0;
    std::uint64_t copies = 0;   // an ACK or NAK byte for byte as one before
    std::uint64_t srtla = 0;    // 0x9xxx and 0xAxxx: nothing of SRT's
    std::uint64_t data = 0;     // data towards a caller that only sends
    std::uint64_t foreign = 0;  // for another socket id
    std::uint64_t fatal = 0;    // ACK or NAK of what was never sent: libsrt closes the connection
    std::uint64_t malformed = 0;
};

class SrtCaller {
public:
    SrtCaller(World& world, HostId host, const SrtCallerOptions& options);
    ~SrtCaller() { world_.remove_program(this); }

    void connect();
    // Dies without a word and begins a new connection, from the same port.
    void restart(wire::Seq31 initial_sequence, std::uint32_t socket_id);
    void say_shutdown();
    void say(const Packet& packet) { send(packet); }  // any content
    void pause(bool paused);                          // no new data; everything else goes on

    [[nodiscard]] bool connected() const { return state_ == State::connected; }
    // The handshake's answer was a refusal: its request type. 0: no.
    [[nodiscard]] std::int32_t refused() const { return refused_; }
    [[nodiscard]] const SrtCallerCounts& counts() const { return counts_; }
    [[nodiscard]] Endpoint local() const { return port_.local(); }
    [[nodiscard]] wire::Seq31 next_sequence() const { return sequence_of(next_index_); }
    // Packets that the other end has not yet said it has.
    [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
    [[nodiscard]] SrtStamp stamp() const;

    // Program.
    [[nodiscard]] Instant due() const;
    void run(Instant now);

private:
    enum class State : std::uint8_t { idle, induction, conclusion, connected };
    struct Unacknowledged {
        std::uint32_t index;
        Instant made_at;
    };

    void send(const Packet& packet) {
        port_.send(options_.target, packet);
        last_sent_ = world_.now();
    }
    void send_handshake(Instant now);
    void send_data(std::uint32_t index, Instant made_at, bool again);
    void on_packet(Bytes bytes, Instant now);
    void on_handshake(const wire::SrtPacket& packet, Instant now);
    void on_ack(const wire::SrtPacket& packet, Instant now);
    void on_nak(const wire::SrtPacket& packet, Instant now);
    [[nodiscard]] wire::Seq31 sequence_of(std::uint32_t index) const {
        return options_.initial_sequence.plus(static_cast<std::int32_t>(index));
    }

    World& world_;
    SrtCallerOptions options_;
    Port port_;
    State state_ = State::idle;
    Instant started_at_;
    Instant handshake_at_ = never;
    Instant data_at_ = never;
    Instant progress_at_;
    Instant last_sent_;
    std::uint32_t cookie_ = 0;
    std::uint32_t peer_id_ = 0;
    std::uint32_t next_index_ = 0;
    std::int32_t refused_ = 0;
    bool paused_ = false;
    std::deque<Unacknowledged> unacknowledged_;
    std::unordered_set<std::uint64_t> seen_;
    SrtCallerCounts counts_;
};

}  // namespace hawser::sim
