// SPDX-License-Identifier: MIT
// A model of an SRT listener in live mode, one session per peer address: handshake, an ACK every 10 ms while there is
// news, a NAK when a gap shows and again while it lasts, gaps given up after the latency.
// It checks each payload against what the calling model makes: a packet that nobody sent is counted as invented.
// Source: draft-sharabayko-srt-01; Haivision/srt c39196c9 for the periods.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/sim/port.h"
#include "engine/sim/srt_packets.h"

namespace hawser::sim {

struct SrtServerOptions {
    Endpoint local;
    Duration latency{1'000'000'000};
    Duration nak_period{100'000'000};  // untuned; libsrt: RTT plus four variances, at least 20 ms
    // Packets of reordering before a gap is a loss (SRTO_LOSSMAXTTL); receivers of bonded streams set about 40.
    std::uint32_t reorder_tolerance = 0;
    bool answers = true;      // false: hears and says nothing
    std::int32_t refuse = 0;  // answer conclusions with this request type
    // What counts as on time beyond the latency.
    Duration grace{300'000'000};
};

struct SrtSession {
    Endpoint peer;
    std::uint32_t caller_id = 0;
    std::uint32_t own_id = 0;
    std::uint32_t seed = 0;  // of the caller's payloads, learned from the first
    wire::Seq31 initial_sequence;
    bool ended = false;
    std::uint64_t unique = 0;
    std::uint64_t repeated = 0;
    std::uint64_t on_time = 0;
    std::uint64_t invented = 0;
    std::uint64_t given_up = 0;
    Duration age_max{};
    // Machinery.
    Instant started_at;
    std::int64_t newest = -1;       // index of the newest packet
    std::int64_t acknowledged = 0;  // index that the last ACK named
    std::uint32_t ack_number = 0;
    struct Gap {
        Instant seen_at;
        Instant asked_at{-1'000'000'000};
    };
    std::map<std::int64_t, Gap> gaps;  // by index
    std::vector<bool> have;
};

class SrtServer {
public:
    SrtServer(World& world, HostId host, const SrtServerOptions& options);
    ~SrtServer() { world_.remove_program(this); }

    // Forgets every session, as a killed and restarted server does.
    void restart() { sessions_.clear(); }
    void set_answers(bool answers) { options_.answers = answers; }
    // An SRT packet of any content to a session's peer.
    void send_raw(const SrtSession& session, const Packet& packet) { port_.send(session.peer, packet); }
    [[nodiscard]] SrtStamp stamp(const SrtSession& session) const;

    [[nodiscard]] const std::vector<SrtSession>& sessions() const { return sessions_; }
    // The newest session.
    [[nodiscard]] const SrtSession& session() const { return sessions_.back(); }
    [[nodiscard]] std::uint64_t srtla() const { return srtla_; }    // 0x9xxx, 0xAxxx: nothing of SRT's
    [[nodiscard]] std::uint64_t strays() const { return strays_; }  // of no session, or malformed

    // Program.
    [[nodiscard]] Instant due() const;
    void run(Instant now);

private:
    void on_packet(const Datagram& datagram, Instant now);
    void on_handshake(const Datagram& datagram, const wire::SrtPacket& packet, Instant now);
    void on_data(SrtSession& s, const wire::SrtPacket& packet, Instant now);
    void tick(SrtSession& s, Instant now);
    void ask(SrtSession& s, Instant now);
    [[nodiscard]] SrtSession* find(const Endpoint& peer);

    World& world_;
    SrtServerOptions options_;
    Port port_;
    std::vector<SrtSession> sessions_;
    std::uint32_t next_id_ = 0x2000'0001;
    Instant tick_at_ = never;
    std::uint64_t srtla_ = 0;
    std::uint64_t strays_ = 0;
};

}  // namespace hawser::sim
