// SPDX-License-Identifier: MIT
// The SRT data packets sent last, kept by reference so that a selector can send one again without a copy.
// Holds one pool reference for each, the one that came with it. A ring of fixed size, a power of two: each packet takes
// the place of the oldest, so the pool needs that many slots beside what receiving lives on.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/pool.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class History {
public:
    // `packets`: a power of two, at most half of the pool.
    History(Pool& pool, std::uint32_t packets)
        : pool_(pool), mask_(packets - 1), entries_(std::make_unique<Entry[]>(packets)) {
        HAWSER_CHECK(std::has_single_bit(packets) && packets <= pool.slots() / 2);
    }
    ~History() { clear(); }
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    // The caller's reference is ours from here on.
    void keep(wire::Seq31 sequence, PacketRef packet) noexcept {
        Entry& place = entries_[next_++ & mask_];
        if (place.packet.buffer != no_buffer) [[likely]]
            pool_.release(place.packet.buffer);
        place = Entry{packet, sequence};
    }
    void clear() noexcept {
        for (std::uint32_t i = 0; i <= mask_; ++i) {
            Entry& place = entries_[i];
            if (place.packet.buffer != no_buffer) pool_.release(place.packet.buffer);
            place = Entry{};
        }
    }

private:
    struct Entry {
        PacketRef packet;
        wire::Seq31 sequence;
    };

    Pool& pool_;
    std::uint32_t mask_;
    std::uint32_t next_ = 0;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace hawser::bond
