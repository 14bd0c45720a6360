// SPDX-License-Identifier: MIT
// Data packets that every link has to refuse for now since it is at its rate cap, for the selectors that bind a packet
// as it comes: first in, first out, until a cap opens. `adaptive` has a queue of its own. Holds a pool reference for
// each. Bounded by count and by time: what waits too long would only take the place of what can still be in time.
// Pump thread only; no allocation after construction.
#pragma once

#include "engine/base/fixed_ring.h"
#include "engine/base/pool.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class CapQueue {
public:
    static constexpr std::size_t packets_max = 512;

    struct Held {
        PacketRef packet;
        wire::Seq31 sequence;
        Instant since;
    };

    explicit CapQueue(Pool& pool) : pool_(pool) {}
    ~CapQueue() {
        drop_before(never, [](const Held&) {});
    }
    CapQueue(const CapQueue&) = delete;
    CapQueue& operator=(const CapQueue&) = delete;

    [[nodiscard]] bool empty() const noexcept { return held_.empty(); }
    // Takes over the caller's reference, unless it is full: false.
    [[nodiscard]] bool push(const Held& held) noexcept { return held_.push(held); }
    [[nodiscard]] const Held& front() const noexcept { return held_.front(); }
    // Its reference becomes the caller's.
    Held take() noexcept {
        const Held held = held_.front();
        held_.pop();
        return held;
    }
    // Lets go of those that have waited since before that, the oldest first; calls dropped(const Held&) for each.
    template <class Dropped>
    void drop_before(Instant since, Dropped&& dropped) noexcept {
        while (!empty() && front().since < since) {
            const Held held = take();
            dropped(held);
            pool_.release(held.packet.buffer);
        }
    }

private:
    Pool& pool_;
    FixedRing<Held, packets_max> held_;
};

}  // namespace hawser::bond
