// SPDX-License-Identifier: MIT
// What one link carries: the packets sent on it in order, each with a position that never comes again, and the bytes
// of those whose fate is open. Links are first in first out, so a packet that arrived says of the earlier ones that
// did not that they are lost; `reordering` is by how many positions the link has been seen to break that rule.
// A released packet counts no more as carried, though its fate is open still.
// Bounded: `slots` packets from the oldest open one to the newest; full() before push(). Pump thread only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"

namespace hawser::link {

class Flight {
public:
    // At 1360 bytes each, 2.8 MB: 110 Mbit/s on one link at 200 ms.
    static constexpr std::uint32_t slots = 2048;
    static constexpr std::uint32_t reordering_max = 64;  // positions; untuned
    // A rule once broken is trusted again, by halves, after so long without.
    static constexpr Duration reordering_memory{10'000'000'000};  // untuned

    struct Sent {
        std::int64_t at_ns;
        wire::Seq31 sequence;
        std::int32_t expected_us;  // how long it should take to arrive, as was thought when it was sent
        std::uint16_t bytes;
        bool open;      // neither known to have arrived nor to be lost
        bool released;  // open, and not counted as carried
        bool counted;   // released, and taken for delivered then

        [[nodiscard]] Instant at() const { return Instant{at_ns}; }
    };
    static_assert(sizeof(Sent) == 24);

    // Its memory is touched as it is used.
    Flight() : sent_(std::make_unique_for_overwrite<Sent[]>(slots)) {}

    void clear() noexcept {
        base_ = next_;
        newest_arrived_ = next_;
        has_arrived_ = false;
        bytes_ = 0;
        open_ = 0;
        reordering_ = 0;
    }
    [[nodiscard]] bool full() const noexcept { return next_ - base_ == slots; }
    [[nodiscard]] std::uint32_t push(wire::Seq31 sequence, std::uint16_t bytes, Duration expected,
                                     Instant now) noexcept {
        HAWSER_CHECK(!full());
        sent_[next_ % slots] =
            Sent{now.ns, sequence, static_cast<std::int32_t>(expected.ns / 1000), bytes, true, false, false};
        bytes_ += bytes;
        ++open_;
        return next_++;
    }
    // Null unless the packet's fate is open.
    [[nodiscard]] const Sent* find(std::uint32_t position) const noexcept {
        if (position - base_ >= next_ - base_) return nullptr;
        const Sent& sent = sent_[position % slots];
        return sent.open ? &sent : nullptr;
    }
    // False where its fate was known already.
    bool arrived(std::uint32_t position) noexcept {
        if (find(position) == nullptr) return false;
        close(sent_[position % slots]);
        if (!has_arrived_ || ahead(position, newest_arrived_)) newest_arrived_ = position;
        has_arrived_ = true;
        trim();
        return true;
    }
    // A packet that was taken for lost has come after all.
    void belated(std::uint32_t position, Instant now) noexcept {
        if (!has_arrived_ || !ahead(newest_arrived_, position)) return;
        reordering_ = std::max(reordering_, std::min(newest_arrived_ - position, reordering_max));
        reordered_at_ = now;
    }
    // Calls lost(position, Sent) for each packet that a later arrival shows to be lost, oldest first.
    template <class Lost>
    void settle(Instant now, Lost&& lost) noexcept {
        if (reordering_ != 0 && now - reordered_at_ > reordering_memory) [[unlikely]] {
            reordering_ /= 2;
            reordered_at_ = now;
        }
        if (!has_arrived_) return;
        settle_before(newest_arrived_ - reordering_, lost);
        trim();
    }
    // The same for all before `position`, arrivals or not.
    template <class Lost>
    void settle_before(std::uint32_t position, Lost&& lost) noexcept {
        for (; base_ != next_ && ahead(position, base_); ++base_) {
            Sent& sent = sent_[base_ % slots];
            if (!sent.open) continue;
            close(sent);
            lost(base_, sent);
        }
        trim();
    }
    // One open packet, taken out of turn.
    void give_up(std::uint32_t position) noexcept {
        if (find(position) == nullptr) return;
        close(sent_[position % slots]);
        trim();
    }
    // What was sent before `sent_before` has arrived or is lost: it is in nobody's queue. Answers the bytes that it
    // counted as carried until now; `count`: the caller takes them for delivered.
    std::int64_t release(Instant sent_before, bool count) noexcept {
        const std::int64_t before = bytes_;
        if (!has_released_ || position_released_ - base_ >= next_ - base_) position_released_ = base_;
        has_released_ = true;
        for (; position_released_ != next_; ++position_released_) {
            Sent& sent = sent_[position_released_ % slots];
            if (sent.at_ns >= sent_before.ns) break;
            if (!sent.open || sent.released) continue;
            sent.released = true;
            sent.counted = count;
            bytes_ -= sent.bytes;
        }
        return before - bytes_;
    }
    [[nodiscard]] std::uint32_t position_at(Instant sent_before) const noexcept {
        std::uint32_t position = base_;
        while (position != next_ && sent_[position % slots].at_ns < sent_before.ns) ++position;
        return position;
    }

    [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint32_t open() const noexcept { return open_; }  // packets, released ones too
    [[nodiscard]] bool empty() const noexcept { return open_ == 0; }
    // Of the oldest open packet; only when not empty.
    [[nodiscard]] Instant oldest_at() const noexcept { return Instant{sent_[base_ % slots].at_ns}; }
    [[nodiscard]] std::uint32_t begin() const noexcept { return base_; }
    [[nodiscard]] std::uint32_t end() const noexcept { return next_; }
    [[nodiscard]] std::uint32_t reordering() const noexcept { return reordering_; }
    [[nodiscard]] bool is_consistent() const noexcept {
        std::int64_t bytes = 0;
        std::uint32_t open = 0;
        for (std::uint32_t p = base_; p != next_; ++p) {
            const Sent& s = sent_[p % slots];
            open += s.open ? 1 : 0;
            bytes += s.open && !s.released ? s.bytes : 0;
        }
        return bytes == bytes_ && open == open_ && next_ - base_ <= slots &&
               (base_ == next_ || sent_[base_ % slots].open);
    }

private:
    static bool ahead(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; }
    void close(Sent& sent) noexcept {
        sent.open = false;
        --open_;
        if (!sent.released) bytes_ -= sent.bytes;
    }
    void trim() noexcept {
        while (base_ != next_ && !sent_[base_ % slots].open) ++base_;
    }

    std::unique_ptr<Sent[]> sent_;
    std::uint32_t base_ = 0;
    std::uint32_t next_ = 0;
    std::uint32_t newest_arrived_ = 0;
    std::uint32_t position_released_ = 0;
    std::uint32_t open_ = 0;
    std::uint32_t reordering_ = 0;
    std::int64_t bytes_ = 0;
    Instant reordered_at_;
    bool has_arrived_ = false;
    bool has_released_ = false;
};

}  // namespace hawser::link
