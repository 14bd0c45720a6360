// SPDX-License-Identifier: MIT
// Two containers for models that run millions of steps: a queue in one block that grows by doubling, and a set of
// consecutive numbers near each other (losses, packets in hand), 64 to a word.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace hawser::sim {

template <class T>
class GrowingRing {
public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] T& front() { return items_[head_]; }
    [[nodiscard]] const T& front() const { return items_[head_]; }
    [[nodiscard]] T& operator[](std::size_t i) { return items_[(head_ + i) & (items_.size() - 1)]; }
    [[nodiscard]] const T& operator[](std::size_t i) const { return items_[(head_ + i) & (items_.size() - 1)]; }
    void push_back(const T& item) {
        if (size_ == items_.size()) grow();
        items_[(head_ + size_) & (items_.size() - 1)] = item;
        ++size_;
    }
    void pop_front() {
        head_ = (head_ + 1) & (items_.size() - 1);
        --size_;
    }

private:
    void grow() {
        std::vector<T> larger(items_.empty() ? 64 : items_.size() * 2);
        for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
        items_ = std::move(larger);
        head_ = 0;
    }

    std::vector<T> items_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

// A set of indices, all within `span` of each other: whoever uses it erases what falls behind before it goes on.
class IndexSet {
public:
    static constexpr std::int64_t span = 32768;  // four times libsrt's buffers

    [[nodiscard]] bool contains(std::int64_t i) const { return (word(i) >> (i & 63) & 1) != 0; }
    [[nodiscard]] std::int64_t size() const { return size_; }
    // False when it was there.
    bool insert(std::int64_t i) {
        if (contains(i)) return false;
        word(i) |= std::uint64_t{1} << (i & 63);
        if (size_ == 0 || i < low_) low_ = i;
        if (size_ == 0 || i > high_) high_ = i;
        ++size_;
        if (high_ - low_ >= span) low_ = next(low_);
        HAWSER_CHECK(high_ - low_ < span);
        return true;
    }
    bool erase(std::int64_t i) {
        if (size_ == 0 || i < low_ || i > high_ || !contains(i)) return false;
        word(i) &= ~(std::uint64_t{1} << (i & 63));
        --size_;
        return true;
    }
    // Everything below `end`.
    void erase_below(std::int64_t end) {
        while (size_ > 0 && first() < end) erase(first());
    }
    // The least; there is one.
    [[nodiscard]] std::int64_t first() {
        low_ = next(low_);
        return low_;
    }
    // The least at or above i, or one beyond the greatest.
    [[nodiscard]] std::int64_t next(std::int64_t i) const {
        if (i < low_) i = low_;
        while (i <= high_) {
            const std::uint64_t rest = word(i) >> (i & 63);
            if (rest != 0) return i + std::countr_zero(rest);
            i = (i | 63) + 1;
        }
        return high_ + 1;
    }
    // Visits runs (first, last) of consecutive members in order until visit answers false.
    template <class Visit>
    void each_run(Visit&& visit) const {
        if (size_ == 0) return;
        for (std::int64_t i = next(low_); i <= high_;) {
            std::int64_t last = i;
            while (last < high_ && contains(last + 1)) ++last;
            if (!visit(i, last)) return;
            i = next(last + 1);
        }
    }
    void clear() {
        words_.assign(words_.size(), 0);
        size_ = 0;
    }

private:
    [[nodiscard]] std::size_t at(std::int64_t i) const {
        return static_cast<std::size_t>(i >> 6) & (words_.size() - 1);
    }
    [[nodiscard]] std::uint64_t& word(std::int64_t i) { return words_[at(i)]; }
    [[nodiscard]] const std::uint64_t& word(std::int64_t i) const { return words_[at(i)]; }

    std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(span / 64);
    std::int64_t low_ = 0;
    std::int64_t high_ = -1;
    std::int64_t size_ = 0;
};

}  // namespace hawser::sim
