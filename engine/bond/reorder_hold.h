// SPDX-License-Identifier: MIT
// Hands a session's packets to the SRT server in the order of their sequences, so that it takes no reordering between
// links for loss. A packet that came before earlier ones waits for them, until they have come or until it is due.
// Pure: it decides and remembers; the receiver sends. One per group, over one shared store of held packets.
//
// Laws:
//  - Whatever is given to keep() comes out of pop() once, in order of sequence, or is let go of by abandon() or
//    begin().
//  - A packet does not wait past its due time: when that comes, the sequences still missing before it are given up.
//    A sequence that was given up passes when it comes after all; one that has come before is a duplicate, unless the
//    server asks for it since.
//  - Bounded: ahead_max sequences from the first missing one; packets over all groups (HeldPackets). At a bound the
//    oldest gap is given up.
//  - O(1) for a packet in order, O(log held) for one that waits; a gap costs O(ahead_max / 64).
//
// Without holding (nobody asked) it only follows which sequences have come, for delivery reports.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/pool.h"
#include "engine/base/time.h"
#include "engine/bond/held_packets.h"
#include "engine/border/counters.h"
#include "engine/border/receiver_snapshot.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class ReorderHold {
public:
    // Sequences beyond the first missing one that may be held: 2 s of 43 Mbit/s.
    static constexpr std::int32_t ahead_max = 8192;
    // Sequences before it whose arrival is remembered, to tell late ones from duplicates.
    static constexpr std::int32_t behind_max = 8192;
    // So many packets in a row from before that: the sequences have begun anew. As ServerSession::strays_to_follow.
    static constexpr std::uint32_t strays_to_follow = 32;

    enum class Place : std::uint8_t {
        pass,       // forward it; pop() may have what follows
        wait,       // keep() it
        duplicate,  // it has come before
    };

    // Once, before anything else; both outlive it. `group`: no other hold of the store has this number.
    void attach(HeldPackets& store, Counters& counters, std::uint16_t group) noexcept {
        store_ = &store;
        counters_ = &counters;
        group_ = group;
    }

    // A new session, whose first sequence is known from its handshake or is that of the first packet. Lets go of what
    // was held; the figures go on.
    void begin(std::optional<wire::Seq31> next) noexcept;
    // For another group: figures too, and whether it holds.
    void begin_group(bool holding) noexcept;
    [[nodiscard]] bool is_holding() const noexcept { return holding_; }
    // Lets go of what is held, in order of sequence; `each` sees every packet before its reference goes.
    template <class Each>
    void abandon(Each each) noexcept {
        for (std::int32_t i = 0; i < ahead_max && figures_.depth > 0; ++i) {
            const std::uint32_t node = held_at(next_.plus(i));
            if (node == HeldPackets::none) continue;
            each(store_->at(node).packet);
            store_->release(node);
            --figures_.depth;
        }
        HAWSER_CHECK(figures_.depth == 0);
    }

    // Where a packet that came belongs. Without holding: pass, always.
    [[nodiscard]] Place place(wire::Seq31 sequence) noexcept {
        if (has_next_ && sequence == next_ && is_in_order_) {
            mark(next_);
            unmark(next_.plus(ahead_max));
            next_ = next_.plus(1);
            return Place::pass;
        }
        return place_elsewhere(sequence);
    }
    // Before a packet that is to wait. True: a bound was met and the oldest gap given up; pop(), then ask for its place
    // anew.
    [[nodiscard]] bool make_room_for(wire::Seq31 sequence) noexcept;
    // A packet that is to wait, until `due` at most. False: no room all the same; forward it.
    [[nodiscard]] bool keep(wire::Seq31 sequence, PacketRef packet, Instant due, Instant now) noexcept;
    // Whether pop() is worth asking: something beyond the next sequence has come, or is given up.
    [[nodiscard]] bool is_in_order() const noexcept { return is_in_order_; }
    // The next packet that may go, with its reference; absent when the next sequence is missing and waited for.
    [[nodiscard]] std::optional<PacketRef> pop(Instant now) noexcept;
    // Sequences up to this one are waited for no longer: its time has come, or the server is past it.
    void release_through(wire::Seq31 sequence) noexcept;
    // Nothing is waited for any longer.
    void release_all() noexcept;
    // pop() has more, but the caller has no room for it now: the next is due at once.
    void postpone(Instant now) noexcept;
    // The server lacks a sequence that was handed to it: it is not dropped when it comes again.
    void forget(wire::Seq31 sequence) noexcept;

    // All before this one have come or were given up.
    [[nodiscard]] std::optional<wire::Seq31> next_expected() const noexcept {
        if (!has_next_) return std::nullopt;
        return next_;
    }
    [[nodiscard]] std::uint32_t depth() const noexcept { return figures_.depth; }
    [[nodiscard]] const HoldFigures& figures() const noexcept { return figures_; }
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    static constexpr std::uint32_t bits = 16384;
    static_assert(ahead_max + behind_max == bits);
    static constexpr std::uint32_t bit_mask = bits - 1;
    static constexpr std::uint32_t slot_mask = ahead_max - 1;

    [[nodiscard]] Place place_elsewhere(wire::Seq31 sequence) noexcept;
    [[nodiscard]] Place place_behind(wire::Seq31 sequence, std::int32_t ahead) noexcept;
    [[nodiscard]] std::uint32_t next_held() noexcept;
    void pass_ahead(wire::Seq31 sequence) noexcept;
    void count_duplicate() noexcept;
    // Moves next_ on; the window of remembered sequences goes along.
    void advance(std::uint32_t steps) noexcept;
    // Steps from next_ to the first sequence that has come; `limit` when none of so many has.
    [[nodiscard]] std::uint32_t missing_from_next(std::uint32_t limit) const noexcept;
    // The place of a held packet, or HeldPackets::none.
    [[nodiscard]] std::uint32_t held_at(wire::Seq31 s) const noexcept {
        const std::uint32_t node = held_[s.raw() & slot_mask];
        return store_->holds(node, group_, s) ? node : HeldPackets::none;
    }
    [[nodiscard]] bool has(wire::Seq31 s) const noexcept {
        return (received_[(s.raw() & bit_mask) / 64] >> (s.raw() % 64) & 1u) != 0;
    }
    void mark(wire::Seq31 s) noexcept { received_[(s.raw() & bit_mask) / 64] |= std::uint64_t{1} << (s.raw() % 64); }
    void unmark(wire::Seq31 s) noexcept {
        received_[(s.raw() & bit_mask) / 64] &= ~(std::uint64_t{1} << (s.raw() % 64));
    }

    HeldPackets* store_ = nullptr;
    Counters* counters_ = nullptr;
    wire::Seq31 next_;
    wire::Seq31 release_before_;  // sequences before it are not waited for, if has_release_
    std::uint16_t group_ = 0;
    bool has_next_ = false;
    bool has_release_ = false;
    bool holding_ = false;
    bool is_in_order_ = true;   // nothing beyond next_ has come or is given up: what passes needs no look ahead
    std::uint32_t ahead_ = 0;   // sequences from next_ on that have come
    std::uint32_t strays_ = 0;  // in a row
    HoldFigures figures_;
    std::array<std::uint64_t, bits / 64> received_{};  // sequence s: bit s mod bits; clear from next_ + ahead_max on
    std::array<std::uint16_t, ahead_max> held_{};      // sequence s: place s mod ahead_max; valid where the store says
};

}  // namespace hawser::bond
