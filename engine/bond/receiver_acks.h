// SPDX-License-Identifier: MIT
// The part-filled SRTLA ACKs in the order in which they fall due. Their delay is constant, so the order of arrival is
// the order of due times, and a list threaded through the links needs no search: O(1) to enter, to leave, to ask.
// Bounded by the number of links.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/base/check.h"
#include "engine/bond/receiver_groups.h"

namespace hawser::bond {

class AckQueue {
public:
    explicit AckQueue(GroupTable& table) : table_(table) {}

    // The link's first entry has come. `due` is not before that of anybody in the queue.
    void push(std::uint32_t slot, Instant due) noexcept {
        ReceiverLink& link = table_.link(slot);
        link.ack_due = due;
        link.ack_next = no_slot;
        link.ack_previous = last_;
        (last_ == no_slot ? first_ : table_.link(last_).ack_next) = slot;
        last_ = slot;
    }
    // The link's ACK has been sent, or the link goes.
    void remove(std::uint32_t slot) noexcept {
        const ReceiverLink& link = table_.link(slot);
        (link.ack_previous == no_slot ? first_ : table_.link(link.ack_previous).ack_next) = link.ack_next;
        (link.ack_next == no_slot ? last_ : table_.link(link.ack_next).ack_previous) = link.ack_previous;
    }
    [[nodiscard]] std::uint32_t first() const noexcept { return first_; }
    [[nodiscard]] Instant due() const noexcept { return first_ == no_slot ? never : table_.link(first_).ack_due; }

    // In order, and exactly the links with a part-filled ACK.
    [[nodiscard]] bool is_consistent() const noexcept {
        std::uint32_t queued = 0;
        Instant before{std::numeric_limits<std::int64_t>::min()};
        std::uint32_t previous = no_slot;
        for (std::uint32_t slot = first_; slot != no_slot; slot = table_.link(slot).ack_next) {
            const ReceiverLink& link = table_.link(slot);
            if (link.ack.empty() || link.ack_due < before || link.ack_previous != previous) return false;
            before = link.ack_due;
            previous = slot;
            if (++queued > table_.groups_max() * table_.links_per_group()) return false;
        }
        std::uint32_t filled = 0;
        for (const std::uint16_t g : table_.active())
            table_.each_link(g, [&](std::uint32_t, const ReceiverLink& link) { filled += link.ack.empty() ? 0u : 1u; });
        return previous == last_ && queued == filled;
    }

private:
    GroupTable& table_;
    std::uint32_t first_ = no_slot;
    std::uint32_t last_ = no_slot;
};

}  // namespace hawser::bond
