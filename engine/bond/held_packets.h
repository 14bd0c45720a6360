// SPDX-License-Identifier: MIT
// The packets that all groups hold back together, and which of them is due first. Holds a reference of the pool for
// each. Bounded by a share of the pool, so that packets on their way have the rest, and no group takes all of it;
// memory at construction only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/due_heap.h"
#include "engine/base/pool.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class HeldPackets {
public:
    static constexpr std::uint32_t none = 0xFFFF;
    // Of the pool: what may be held, and what must be free for anybody to wait. Untuned.
    static constexpr std::uint32_t share_held = 2;
    static constexpr std::uint32_t share_free = 8;
    // A group may hold so many times what is left for others (Choudhury and Hahne's dynamic thresholds, 1998): alone
    // four fifths of all, and the more groups want to hold, the less each.
    static constexpr std::uint32_t times_left_max = 4;

    struct Held {
        PacketRef packet;
        wire::Seq31 sequence;
        std::uint16_t group = 0;
        Instant since;
    };

    explicit HeldPackets(Pool& pool)
        : pool_(pool),
          capacity_(std::clamp(pool.slots() / share_held, 1u, none - 1)),
          free_count_(capacity_),
          held_(std::make_unique<Held[]>(capacity_)),
          free_(std::make_unique<std::uint16_t[]>(capacity_)),
          due_(capacity_) {
        for (std::uint32_t i = 0; i < capacity_; ++i) free_[i] = static_cast<std::uint16_t>(capacity_ - 1 - i);
    }

    // Whether a group that holds so many may hold no more.
    [[nodiscard]] bool is_full_for(std::uint32_t depth) const noexcept {
        return depth >= std::uint64_t{free_count_} * times_left_max;
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return capacity_ - free_count_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    // Too little of the pool is free for anybody to wait for anything.
    [[nodiscard]] bool is_pressed() const noexcept { return pool_.free_slots() < pool_.slots() / share_free; }

    // Takes a reference of its own. Not when full for its group.
    std::uint32_t add(const Held& held, Instant due) noexcept {
        HAWSER_CHECK(free_count_ > 0);
        const std::uint32_t node = free_[--free_count_];
        held_[node] = held;
        pool_.add_ref(held.packet.buffer);
        due_.set(node, due);
        return node;
    }
    // Its reference becomes the caller's.
    Held take(std::uint32_t node) noexcept {
        HAWSER_CHECK(due_.contains(node));
        due_.remove(node);
        free_[free_count_++] = static_cast<std::uint16_t>(node);
        return held_[node];
    }
    void release(std::uint32_t node) noexcept { pool_.release(take(node).packet.buffer); }

    // Whether this place holds that packet of that group; any number may be asked for.
    [[nodiscard]] bool holds(std::uint32_t node, std::uint16_t group, wire::Seq31 sequence) const noexcept {
        return node < capacity_ && due_.contains(node) && held_[node].group == group &&
               held_[node].sequence == sequence;
    }
    [[nodiscard]] const Held& at(std::uint32_t node) const noexcept { return held_[node]; }
    void hasten(std::uint32_t node, Instant due) noexcept { due_.set(node, std::min(due, due_.due(node))); }
    // The one that is due first, and when; never when there is none.
    [[nodiscard]] std::uint32_t first() const noexcept { return due_.first(); }
    [[nodiscard]] Instant next_due() const noexcept { return due_.next(); }
    [[nodiscard]] bool is_consistent() const noexcept { return due_.size() == size() && due_.is_consistent(); }

private:
    Pool& pool_;
    std::uint32_t capacity_;
    std::uint32_t free_count_;
    std::unique_ptr<Held[]> held_;
    std::unique_ptr<std::uint16_t[]> free_;
    DueHeap due_;
};

}  // namespace hawser::bond
