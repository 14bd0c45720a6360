// SPDX-License-Identifier: MIT
// The books of the demonstration: every payload made, and what became of it. A payload counts as on time when the SRT
// listener hands it over, byte for byte as it was, within a budget of its sending.
// Both SRT ends report here, each from its own thread. Memory is bounded by time: what has not come after the budget
// and forget_after is lost, and its entry is forgotten.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <unordered_map>

#include "engine/base/time.h"

namespace hawser::demo {

// FNV-1a, 64 bits (draft-eastlake-fnv): tells payloads apart, keeps no secret.
[[nodiscard]] std::uint64_t payload_hash(std::span<const std::uint8_t> payload);

struct Figures {
    std::uint64_t sent = 0;      // payloads that the picture made, refused ones included
    std::uint64_t refused = 0;   // of them, those that SRT did not take: no connection, or its buffer full
    std::uint64_t received = 0;  // whole, however late
    std::uint64_t on_time = 0;
    std::uint64_t late = 0;
    std::uint64_t damaged = 0;  // came with other bytes than were sent
    std::uint64_t unknown = 0;  // came but were never sent, came twice, or came after all hope
    std::uint64_t waiting = 0;  // not come yet, and not too late yet
    Duration longest_gap;       // between two payloads handed over

    // Of the payloads whose time is up; 1 before there is any.
    [[nodiscard]] double on_time_share() const;
};

class OnTime {
public:
    explicit OnTime(Duration budget) : budget_(budget) {}

    void sent(std::uint32_t sequence, std::uint64_t hash, Instant now);
    void refused();
    void received(std::uint32_t sequence, std::uint64_t hash, Instant now);
    [[nodiscard]] Figures figures(Instant now);

private:
    struct Entry {
        Instant sent;
        std::uint64_t hash = 0;
        bool came = false;
    };
    struct Order {
        Instant sent;
        std::uint32_t sequence = 0;
    };
    void forget(Instant now);

    const Duration budget_;
    std::mutex mutex_;
    std::unordered_map<std::uint32_t, Entry> entries_;  // by SRT packet sequence
    std::deque<Order> order_;                           // of the same entries, oldest first
    Figures figures_;
    Instant last_received_ = never;
};

}  // namespace hawser::demo
