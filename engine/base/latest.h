// SPDX-License-Identifier: MIT
// The newest value from one writer to one reader, without waiting on either side: three slots, one exchange a side.
// The writer fills a slot that nobody else can see and swaps it for the middle one; the reader swaps the middle one
// for its own when it is fresh. No fences: GCC's thread sanitizer does not understand them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "engine/base/strong.h"

namespace hawser {

template <class T>
class Latest {
public:
    // Writer only: the slot to fill. Its old content is some earlier value, or as constructed.
    [[nodiscard]] T& draft() noexcept { return slots_[writer_]; }
    // Writer only: makes the draft the newest value.
    void publish() noexcept {
        // Release pairs with read's acquire; acquire, with read's release of the slot that comes back.
        writer_ = middle_.exchange(writer_ | fresh, std::memory_order_acq_rel) & index_mask;
    }
    // Reader only: true when a value newer than the last one read is now in value().
    [[nodiscard]] bool read() noexcept {
        if ((middle_.load(std::memory_order_relaxed) & fresh) == 0) return false;
        reader_ = middle_.exchange(reader_, std::memory_order_acq_rel) & index_mask;
        return true;
    }
    // Reader only. Before the first read() that answered true, a default value.
    [[nodiscard]] const T& value() const noexcept { return slots_[reader_]; }
    // Before the threads start: access to every slot, to size what T holds.
    [[nodiscard]] std::array<T, 3>& slots_before_start() noexcept { return slots_; }

private:
    static constexpr std::uint32_t index_mask = 3;
    static constexpr std::uint32_t fresh = 4;

    std::array<T, 3> slots_{};
    alignas(cache_line_bytes) std::uint32_t writer_ = 0;
    alignas(cache_line_bytes) std::atomic<std::uint32_t> middle_{1};
    alignas(cache_line_bytes) std::uint32_t reader_ = 2;
};

}  // namespace hawser
