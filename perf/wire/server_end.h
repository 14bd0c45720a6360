// SPDX-License-Identifier: MIT
// The SRT server behind a receiver under test: one polled socket that answers handshakes, tells the groups apart by
// the addresses that their sockets have, counts what arrives, and acknowledges as libsrt does.
#pragma once

#include <cstdint>
#include <vector>

#include "perf/wire/arrivals.h"
#include "perf/wire/srt_packets.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

class ServerEnd {
public:
    // packets_max: over all groups, numbered as Fleet::send does. srt_ack_packets: an SRT ACK per so many packets of a
    // group; 0: only acknowledge().
    ServerEnd(unsigned groups, std::uint64_t packets_max, unsigned srt_ack_packets);

    [[nodiscard]] std::uint16_t port() const;
    bool poll(std::int64_t now);
    // An SRT ACK to each group once per period, one group after the other.
    void acknowledge(std::int64_t now, std::int64_t period_ns, std::int64_t phase_ns);

    [[nodiscard]] std::uint64_t received() const { return arrivals_.received(); }
    [[nodiscard]] std::uint64_t duplicates() const { return arrivals_.duplicates(); }
    [[nodiscard]] const std::vector<std::uint32_t>& latency_ns() const { return arrivals_.latency_ns(); }

private:
    struct Group {
        sockaddr_in address{};
        bool known = false;
        std::uint32_t ack_number = 0;
        std::uint32_t unacknowledged = 0;
        std::uint64_t next_expected = 0;  // count of packets since the group's first
        std::uint64_t highest = 0;
    };
    void on_handshake(Bytes packet, const sockaddr_in& from);
    void on_data(Bytes packet, const sockaddr_in& from, std::int64_t now);
    void send_ack(Group& group, std::uint32_t id, std::int64_t now);

    unsigned srt_ack_packets_;
    Socket socket_;
    ReceiveBatch in_;
    SendBatch out_;
    std::vector<Group> groups_;
    std::vector<std::uint16_t> group_by_port_;
    Arrivals arrivals_;
    std::int64_t ack_due_ = 0;
    std::size_t ack_next_ = 0;
};

}  // namespace hawser::perf
