// SPDX-License-Identifier: MIT
// Which of a fixed number of things falls due first, when their times come in any order: a binary heap over ids that
// remembers where each id is. O(1) to ask, O(log n) to set, move or remove; memory at construction only.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/time.h"

namespace hawser {

class DueHeap {
public:
    // Ids are below `capacity`.
    explicit DueHeap(std::uint32_t capacity)
        : capacity_(capacity),
          order_(std::make_unique<std::uint32_t[]>(capacity)),
          place_(std::make_unique<std::uint32_t[]>(capacity)),
          due_(std::make_unique<Instant[]>(capacity)) {
        for (std::uint32_t id = 0; id < capacity; ++id) place_[id] = nowhere;
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] bool contains(std::uint32_t id) const noexcept { return place_[id] != nowhere; }
    // Of an id that is in it.
    [[nodiscard]] Instant due(std::uint32_t id) const noexcept { return due_[id]; }
    // The id that is due first; not when empty.
    [[nodiscard]] std::uint32_t first() const noexcept {
        HAWSER_CHECK(size_ != 0);
        return order_[0];
    }
    [[nodiscard]] Instant next() const noexcept { return size_ == 0 ? never : due_[order_[0]]; }

    // Enters the id, or moves it to another time.
    void set(std::uint32_t id, Instant due) noexcept {
        HAWSER_CHECK(id < capacity_);
        if (place_[id] == nowhere) put(size_++, id);
        due_[id] = due;
        settle(place_[id]);
    }
    // Does nothing when the id is not in it.
    void remove(std::uint32_t id) noexcept {
        const std::uint32_t at = place_[id];
        if (at == nowhere) return;
        place_[id] = nowhere;
        if (at == --size_) return;
        put(at, order_[size_]);
        settle(at);
    }

    [[nodiscard]] bool is_consistent() const noexcept {
        for (std::uint32_t at = 0; at < size_; ++at) {
            if (place_[order_[at]] != at) return false;
            if (at != 0 && due_[order_[at]] < due_[order_[(at - 1) / 2]]) return false;
        }
        std::uint32_t placed = 0;
        for (std::uint32_t id = 0; id < capacity_; ++id) placed += place_[id] != nowhere ? 1u : 0u;
        return placed == size_;
    }

private:
    static constexpr std::uint32_t nowhere = 0xFFFF'FFFF;

    void put(std::uint32_t at, std::uint32_t id) noexcept {
        order_[at] = id;
        place_[id] = at;
    }
    void settle(std::uint32_t at) noexcept {
        const std::uint32_t id = order_[at];
        const Instant due = due_[id];
        while (at != 0 && due < due_[order_[(at - 1) / 2]]) {
            put(at, order_[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        for (std::uint32_t child = 2 * at + 1; child < size_; child = 2 * at + 1) {
            if (child + 1 < size_ && due_[order_[child + 1]] < due_[order_[child]]) ++child;
            if (due <= due_[order_[child]]) break;
            put(at, order_[child]);
            at = child;
        }
        put(at, id);
    }

    std::uint32_t capacity_;
    std::uint32_t size_ = 0;
    std::unique_ptr<std::uint32_t[]> order_;
    std::unique_ptr<std::uint32_t[]> place_;
    std::unique_ptr<Instant[]> due_;
};

}  // namespace hawser
