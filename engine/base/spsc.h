// SPDX-License-Identifier: MIT
// One producer thread, one consumer thread, a fixed ring of plain values. Neither side ever waits: a full ring
// refuses and the producer counts what it could not say.
// Each side keeps a private copy of the other's index, so that the shared lines move only when a copy runs out
// (the idea of rigtorp/SPSCQueue).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <type_traits>

#include "engine/base/strong.h"

namespace hawser {

template <class T, std::size_t Capacity>
class Spsc {
    static_assert(Capacity > 0 && (Capacity & (Capacity - 1)) == 0, "capacity is a power of two");
    static_assert(std::is_trivially_copyable_v<T>);

public:
    // Producer only.
    [[nodiscard]] bool push(const T& value) noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_seen_ == Capacity) {
            head_seen_ = head_.load(std::memory_order_acquire);  // pairs with pop's release
            if (tail - head_seen_ == Capacity) return false;
        }
        items_[tail & (Capacity - 1)] = value;
        tail_.store(tail + 1, std::memory_order_release);  // pairs with pop's acquire
        return true;
    }
    // Consumer only.
    [[nodiscard]] bool pop(T& value) noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_seen_) {
            tail_seen_ = tail_.load(std::memory_order_acquire);  // pairs with push's release
            if (head == tail_seen_) return false;
        }
        value = items_[head & (Capacity - 1)];
        head_.store(head + 1, std::memory_order_release);  // pairs with push's acquire
        return true;
    }

private:
    // Written by the producer.
    alignas(cache_line_bytes) std::atomic<std::size_t> tail_{0};
    std::size_t head_seen_ = 0;
    // Written by the consumer.
    alignas(cache_line_bytes) std::atomic<std::size_t> head_{0};
    std::size_t tail_seen_ = 0;
    alignas(cache_line_bytes) std::array<T, Capacity> items_{};
};

}  // namespace hawser
