// SPDX-License-Identifier: MIT
// A first-in first-out ring whose capacity is in its type (a power of two). A full ring refuses: the caller
// decides what a refusal means.
#pragma once

#include <array>
#include <cstddef>

#include "engine/base/check.h"

namespace hawser {

template <class T, std::size_t Capacity>
class FixedRing {
    static_assert(Capacity > 0 && (Capacity & (Capacity - 1)) == 0, "capacity is a power of two");

public:
    [[nodiscard]] static constexpr std::size_t capacity() { return Capacity; }
    [[nodiscard]] std::size_t size() const { return tail_ - head_; }
    [[nodiscard]] bool empty() const { return head_ == tail_; }
    [[nodiscard]] bool full() const { return size() == Capacity; }

    [[nodiscard]] bool push(const T& value) {
        if (full()) return false;
        items_[tail_++ & (Capacity - 1)] = value;
        return true;
    }
    [[nodiscard]] T& front() {
        HAWSER_CHECK(!empty());
        return items_[head_ & (Capacity - 1)];
    }
    [[nodiscard]] const T& front() const {
        HAWSER_CHECK(!empty());
        return items_[head_ & (Capacity - 1)];
    }
    void pop() {
        HAWSER_CHECK(!empty());
        ++head_;
    }
    void clear() { head_ = tail_ = 0; }

private:
    std::array<T, Capacity> items_{};
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

}  // namespace hawser
