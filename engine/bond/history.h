// SPDX-License-Identifier: MIT
// The SRT data packets sent last, kept by reference so that a selector can send one again without a copy. Which one a
// packet is, its first word says.
// Holds one pool reference for each, the one that came with it. A ring of fixed size, a power of two: when it is full
// the oldest 64th is given back at once, so the pool needs that many slots beside what receiving lives on.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/check.h"
#include "engine/base/pool.h"

namespace hawser::bond {

class History {
public:
    // `packets`: a power of two, at most half of the pool.
    History(Pool& pool, std::uint32_t packets)
        : pool_(pool),
          mask_(packets - 1),
          step_(std::max(packets / 64, 1u)),
          full_at_(packets),
          packets_(std::make_unique<PacketRef[]>(packets)) {
        HAWSER_CHECK(std::has_single_bit(packets) && packets <= pool.slots() / 2);
    }
    ~History() { clear(); }
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    // The caller's reference is ours from here on.
    void keep(const PacketRef& packet) noexcept {
        if (end_ == full_at_) [[unlikely]]
            give_back_oldest();
        packets_[end_++ & mask_] = packet;
    }
    void clear() noexcept {
        for (; begin_ != end_; ++begin_) pool_.release(packets_[begin_ & mask_].buffer);
        full_at_ = begin_ + mask_ + 1;
    }

private:
    // clear() may have left the ring anywhere, so a step may end where the ring does.
    [[gnu::noinline]] void give_back_oldest() noexcept {
        const std::uint32_t place = begin_ & mask_;
        const std::uint32_t count = std::min(step_, mask_ + 1 - place);
        pool_.release_all(std::span<const PacketRef>(&packets_[place], count));
        begin_ += count;
        full_at_ += count;
    }

    Pool& pool_;
    std::uint32_t mask_;
    std::uint32_t step_;
    std::uint32_t begin_ = 0;  // packets kept: from begin to end, both counted since the start
    std::uint32_t end_ = 0;
    std::uint32_t full_at_;  // what end is when the ring is full
    std::unique_ptr<PacketRef[]> packets_;
};

}  // namespace hawser::bond
