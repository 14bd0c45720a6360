// SPDX-License-Identifier: MIT
// The SRT caller in front of a sender under test: it opens a session by a handshake, then sends live-mode data packets
// whose payload begins with the time of sending. One socket, polled; what comes back is counted and dropped.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "perf/wire/srt_packets.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

class NearEnd {
public:
    NearEnd(std::uint16_t srt_port, std::uint32_t initial_sequence);

    // One step of the handshake: says again what has not been answered. True once the session stands.
    bool handshake();
    // An SRT keepalive: nothing but a datagram that every sender passes on.
    void keepalive();
    // Sends data packets [index, index + count), count at most batch_max, all stamped `now`.
    void send(std::uint64_t index, unsigned count, std::int64_t now);
    // Takes one batch of what came back.
    void drain();

    [[nodiscard]] std::uint64_t returned() const { return returned_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    static constexpr unsigned batch_max = 64;

private:
    void listen();

    enum class Phase { induction, conclusion, open };
    std::uint32_t initial_sequence_;
    Socket socket_;
    ReceiveBatch in_;
    std::vector<std::uint8_t> storage_;
    std::array<iovec, batch_max> parts_{};
    std::array<mmsghdr, batch_max> messages_{};
    Phase phase_ = Phase::induction;
    std::uint32_t cookie_ = 0;
    std::uint32_t destination_ = 0;
    std::uint64_t returned_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace hawser::perf
