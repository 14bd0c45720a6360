// SPDX-License-Identifier: MIT
// The SRT data packets sent last, kept by reference so that a selector can send one again without a copy.
// Holds one pool reference for each, the one that came with it; the oldest go first when its own bound or the pool's reserve is reached.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>

#include "engine/base/pool.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class History {
public:
    // Never takes the pool below `reserve` free slots, which receiving lives on. `packets` bounds what is kept.
    History(Pool& pool, std::uint32_t packets, std::uint32_t reserve)
        : pool_(pool),
          limit_(packets),
          reserve_(reserve),
          mask_(std::bit_ceil(std::max(packets, 1u)) - 1),
          entries_(std::make_unique<Entry[]>(std::size_t{mask_} + 1)) {}
    ~History() { clear(); }
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    // True: the caller's reference is ours now. False: there is no room to keep anything, and it is still the caller's.
    [[nodiscard]] bool keep(wire::Seq31 sequence, PacketRef packet) noexcept {
        if ((tail_ - head_ >= limit_) | (pool_.free_slots() < reserve_)) [[likely]] {  // full is its usual state
            if (!make_room()) [[unlikely]]
                return false;
        }
        entries_[tail_++ & mask_] = Entry{packet, sequence};
        return true;
    }
    void clear() noexcept {
        while (size() > 0) drop_oldest();
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return tail_ - head_; }

private:
    struct Entry {
        PacketRef packet;
        wire::Seq31 sequence;
    };

    [[nodiscard]] bool make_room() noexcept {
        do {
            if (head_ == tail_) return false;
            drop_oldest();
        } while (pool_.free_slots() < reserve_);
        return limit_ > 0;
    }
    void drop_oldest() noexcept { pool_.release(entries_[head_++ & mask_].packet.buffer); }

    Pool& pool_;
    std::uint32_t limit_;
    std::uint32_t reserve_;
    std::uint32_t mask_;
    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace hawser::bond
