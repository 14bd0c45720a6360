// SPDX-License-Identifier: MIT
// What a sender under test talks to: an SRTLA receiver and the SRT server behind it, in one socket that is polled and
// never blocks, so that the program under test pays for no wake-up of ours.
// Registers links (REG2 -> NGP, REG1 -> REG2, REG2 -> REG3), echoes keepalives, answers both halves of the SRT
// handshake, and acknowledges data: an SRTLA ACK per ten packets and link, an SRT ACK on every link when told or per
// so many packets. A program without a protocol is heard too: any source address is then a link.
// Links are 127.0.0.2 (the first) and up; a link's port may change, its newest one is answered.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/wire/srtla.h"
#include "perf/wire/arrivals.h"
#include "perf/wire/srt_packets.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

class FarEnd {
public:
    static constexpr unsigned links_max = 32;

    struct Settings {
        bool registration = true;  // false: no SRTLA, every address that sends is a link
        std::uint32_t initial_sequence = 0;
        std::uint64_t packets_max = 0;  // how many sequences from there on are counted
        unsigned srt_ack_packets = 0;   // an SRT ACK on every link per so many packets; 0: only srt_acks()
    };
    explicit FarEnd(const Settings& settings);

    [[nodiscard]] std::uint16_t port() const;
    // Takes what has come, at most one batch. True when there was anything.
    bool poll(std::int64_t now);
    void srt_acks(std::int64_t now);

    [[nodiscard]] unsigned links() const { return links_known_; }
    // Different data packets since the start.
    [[nodiscard]] std::uint64_t received() const { return arrivals_.received(); }
    [[nodiscard]] std::uint64_t duplicates() const { return arrivals_.duplicates(); }
    // By packet index: from the stamp in the payload to the arrival here; 0 where nothing came.
    [[nodiscard]] const std::vector<std::uint32_t>& latency_ns() const { return arrivals_.latency_ns(); }
    [[nodiscard]] const std::array<std::uint64_t, links_max>& by_link() const { return by_link_; }

private:
    struct Link {
        sockaddr_in address{};
        bool known = false;
        wire::SrtlaAckBuilder pending;
    };
    void on_packet(Bytes packet, const sockaddr_in& from, std::int64_t now);
    void on_data(Bytes packet, Link& link, std::size_t index, std::int64_t now);
    void on_srtla(std::uint16_t type, Bytes packet, Link& link, const sockaddr_in& from);
    void on_handshake(Bytes packet, const sockaddr_in& from);
    void learn(Link& link, const sockaddr_in& from);

    Settings settings_;
    Socket socket_;
    ReceiveBatch in_;
    SendBatch out_;
    std::array<Link, links_max> links_{};
    unsigned links_known_ = 0;
    wire::GroupKey group_{};
    bool has_group_ = false;
    Arrivals arrivals_;
    std::array<std::uint64_t, links_max> by_link_{};
    std::uint64_t next_expected_ = 0;
    std::uint64_t highest_ = 0;
    std::uint64_t unacknowledged_ = 0;
    std::uint32_t ack_number_ = 0;
};

}  // namespace hawser::perf
