// SPDX-License-Identifier: MIT
// A live source on libsrt: constant-rate payloads, numbered, each at its own hour whatever became of the ones before.
// Where the connection breaks it connects again, as an encoder would; what falls due meanwhile is refused.
// Runs on its caller's thread. Each payload's hour of sending is kept, so that lateness of the source is not laid at
// the network's door.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sim/trip_metrics.h"
#include "platform/app/demo/srt_library.h"

namespace hawser::perf {

// The number of a payload, if it is one of ours.
[[nodiscard]] std::optional<std::uint32_t> payload_number(std::span<const std::uint8_t> payload);

class MediaSource {
public:
    struct Counts {
        std::uint64_t unique = 0, retransmissions = 0, sender_drops = 0, acks = 0, naks = 0;  // by libsrt
        std::uint64_t refused = 0;
        std::uint64_t reconnects = 0;
        Duration late_max{};  // behind its own timetable
    };

    // Where the caller connects to, on 127.0.0.1. `stop` ends play() early.
    MediaSource(std::uint16_t port, std::uint32_t latency_ms, const std::atomic<bool>& stop)
        : port_(port), latency_ms_(latency_ms), stop_(stop) {}

    // Dials until there is a connection; false when none came in this time.
    [[nodiscard]] bool connect(Duration patience);
    void play(const sim::Media& media);
    void close();  // after which counts() are whole

    // By payload number; `never`: refused, or not come to.
    [[nodiscard]] const std::vector<Instant>& sent_at() const { return sent_at_; }
    [[nodiscard]] const Counts& counts() const { return counts_; }

private:
    void send(std::uint32_t number, Instant now);
    void look_after_connection(Instant now);
    [[nodiscard]] bool dial();
    [[nodiscard]] bool is_connected() const;
    void hang_up();

    std::uint16_t port_;
    std::uint32_t latency_ms_;
    const std::atomic<bool>& stop_;
    demo::SrtSocket socket_;
    bool was_connected_ = false;
    Instant next_dial_{};
    std::vector<Instant> sent_at_;
    Counts counts_;
};

}  // namespace hawser::perf
