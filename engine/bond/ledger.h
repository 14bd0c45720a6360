// SPDX-License-Identifier: MIT
// Every packet of the session's last while, by sequence: its buffer, when it must be there, which links carry it, and
// what is known of it. The wanted ones, which wait for a link, are also bits of a map; the lowest sequence comes first,
// and since SRT's timestamps grow with its sequences that is the earliest deadline first. A repair is a bit set again.
//
//   wanted --sent--> in_flight --all copies lost--> wanted;  any --arrived--> delivered;  wanted --too late--> given_up
//   wanted --sent ahead--> wanted --its link speaks--> in_flight
//
// Holds a reference to each buffer until all before it have arrived too, it is given up, or its place is needed.
// Bounded: `capacity` sequences up to the newest; an older one is not held, and a place that is taken again gives up
// what was in it. Pump thread only. Allocates in the constructor.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/pool.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"

namespace hawser::bond {

class Ledger {
public:
    enum class State : std::uint8_t { absent, wanted, in_flight, delivered, given_up };
    struct Entry {
        PacketRef packet;
        Instant deadline;                       // when the SRT receiver needs it, on our clock
        std::array<std::uint32_t, 2> position;  // of the last two copies, in their links' flights
        std::array<LinkId, 2> link;             // no_link: no such copy
        std::uint8_t lost;                      // bit i: copy i is taken for lost
        State state;
        wire::Seq31 sequence;
        std::uint8_t sends;   // copies sent so far, at most 255
        std::uint8_t asked;   // NAKs since it was delivered
        std::uint8_t parity;  // packets that bear its number and are others, whose answers are not its own
        bool hedged;          // a copy went out beside one that was not known to be lost
        bool ahead;           // all that was sent of it went into a silence, before its turn

        [[nodiscard]] bool has_had_its_turn() const { return sends != 0 && !ahead; }
        [[nodiscard]] bool has_open_copy() const {
            return (link[0] != no_link && (lost & 1) == 0) || (link[1] != no_link && (lost & 2) == 0);
        }
        // The copy on that link, the older first; -1: none.
        [[nodiscard]] int copy_on(LinkId on) const {
            if (link[0] == on && (lost & 1) == 0) return 0;
            if (link[1] == on && (lost & 2) == 0) return 1;
            return link[0] == on ? 0 : link[1] == on ? 1 : -1;
        }
        [[nodiscard]] bool is_lost(int copy) const { return ((lost >> copy) & 1) != 0; }
        void note_copy(LinkId on, std::uint32_t at) {
            // The older copy's place; a lost one's first.
            const int place = link[0] == no_link || (lost & 1) != 0 ? 0 : link[1] == no_link || (lost & 2) != 0 ? 1 : 0;
            if (place == 0 && link[0] != no_link && link[1] == no_link) {
                link[1] = link[0];
                position[1] = position[0];
                lost = static_cast<std::uint8_t>((lost & 1) << 1);
            }
            link[static_cast<std::size_t>(place)] = on;
            position[static_cast<std::size_t>(place)] = at;
            lost = static_cast<std::uint8_t>(lost & ~(1 << place));
            if (sends != 255) ++sends;
        }
    };

    // `capacity`: a power of two, at least 64.
    Ledger(Pool& pool, std::uint32_t capacity)
        : pool_(pool),
          mask_(capacity - 1),
          entries_(std::make_unique<Entry[]>(capacity)),
          wanted_(std::make_unique<std::uint64_t[]>(capacity / 64)) {
        HAWSER_CHECK(std::has_single_bit(capacity) && capacity >= 64);
    }
    ~Ledger() { clear(); }
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    void clear() noexcept {
        clear([](const Entry&) {});
    }
    // Calls unsent(const Entry&) for each that was to be sent for the first time.
    template <class Unsent>
    void clear(Unsent&& unsent) noexcept {
        if (!has_any_) return;
        for (std::uint32_t i = 0; i <= mask_; ++i) displace(entries_[i], unsent);
        has_any_ = false;
        HAWSER_CHECK(wanted_count_ == 0);
    }

    // Null: not held.
    [[nodiscard]] Entry* find(wire::Seq31 sequence) noexcept {
        Entry& e = entries_[sequence.raw() & mask_];
        return e.sequence == sequence && e.state != State::absent ? &e : nullptr;
    }
    [[nodiscard]] bool in_reach(wire::Seq31 sequence) const noexcept {
        return !has_any_ || wire::distance(sequence, newest_) <= static_cast<std::int32_t>(mask_);
    }
    // A packet that is not held, in reach; takes over the caller's reference. It is wanted. Calls displaced(const
    // Entry&) for each that has not been sent and whose place goes.
    template <class Displaced>
    void add(wire::Seq31 sequence, PacketRef packet, Instant deadline, Displaced&& displaced) noexcept {
        if (!has_any_) [[unlikely]] {
            newest_ = floor_ = released_ = sequence;
            hint_ = sequence;
            has_any_ = true;
        } else {
            const std::int32_t step = wire::distance(newest_, sequence);
            if (step > 1) [[unlikely]]
                skip(step - 1, displaced);
            if (step > 0) newest_ = sequence;
        }
        Entry& e = entries_[sequence.raw() & mask_];
        if (e.state != State::absent) displace(e, displaced);
        e = Entry{packet, deadline, {}, {no_link, no_link}, 0, State::delivered, sequence, 0, 0, 0, false, false};
        want(e);
    }

    [[nodiscard]] bool any_wanted() const noexcept { return wanted_count_ != 0; }
    [[nodiscard]] std::uint32_t wanted() const noexcept { return wanted_count_; }
    // Only while any is.
    [[nodiscard]] Entry& first_wanted() noexcept {
        if (wire::distance(hint_, newest_) > static_cast<std::int32_t>(mask_))
            hint_ = newest_.plus(-static_cast<std::int32_t>(mask_));
        std::uint32_t at = hint_.raw() & mask_;
        std::uint64_t word = wanted_[at / 64] >> (at % 64) << (at % 64);
        std::uint32_t w = at / 64;
        while (word == 0) {
            w = (w + 1) & (mask_ / 64);
            word = wanted_[w];
        }
        Entry& e = entries_[w * 64 + static_cast<std::uint32_t>(std::countr_zero(word))];
        hint_ = e.sequence;
        return e;
    }
    // The one after it, which may have ceased to be wanted; null: there is none.
    [[nodiscard]] Entry* next_wanted(const Entry& e) noexcept { return next_wanted(e, 1); }
    // The same, past those that are due before `due`: deadlines grow with sequences. Where a place is empty, no farther
    // than that.
    [[nodiscard]] Entry* next_wanted(const Entry& e, Instant due) noexcept {
        std::int32_t from = 1;
        for (std::int32_t to = wire::distance(e.sequence, newest_) + 1; from < to;) {
            const std::int32_t middle = from + (to - from) / 2;
            const Entry& m = entries_[e.sequence.plus(middle).raw() & mask_];
            const bool is_before = m.state != State::absent && m.deadline < due;
            from = is_before ? middle + 1 : from;
            to = is_before ? to : middle;
        }
        return next_wanted(e, from);
    }
    void want(Entry& e) noexcept {
        if (e.state == State::wanted) return;
        e.state = State::wanted;
        const std::uint32_t i = index(e);
        wanted_[i / 64] |= std::uint64_t{1} << (i % 64);
        if (++wanted_count_ == 1 || wire::distance(e.sequence, hint_) > 0) hint_ = e.sequence;
    }
    void note_sent(Entry& e, LinkId link, std::uint32_t position) noexcept {
        set(e, State::in_flight);
        e.note_copy(link, position);
    }
    // It was sent, and is wanted all the same.
    void note_sent_ahead(Entry& e, LinkId link, std::uint32_t position) noexcept {
        e.note_copy(link, position);
        e.ahead = true;
    }
    // That copy is likely to come.
    void note_under_way(Entry& e) noexcept { set(e, State::in_flight); }
    void note_delivered(Entry& e) noexcept {
        set(e, State::delivered);
        e.ahead = false;
    }
    void give_up(Entry& e) noexcept {
        set(e, State::given_up);
        release(e);
    }
    // Its buffer, whose reference is the caller's from here on.
    [[nodiscard]] PacketRef take(Entry& e) noexcept {
        const PacketRef packet = e.packet;
        set(e, State::given_up);
        e.packet.buffer = no_buffer;
        return packet;
    }
    // All before `next` have come, or our receiver waits for them no more; what was never sent is wanted still, since
    // the SRT server may take it. Calls visit(Entry&) for each that was sent and whose fate was open.
    template <class Visit>
    void note_delivered_before(wire::Seq31 next, Visit&& visit) noexcept {
        walk(floor_, next, [&](Entry& e) {
            if (is_unsent(e) || e.state == State::given_up) return;
            if (e.state == State::in_flight || e.state == State::wanted) visit(e);
            note_delivered(e);
        });
    }
    // The same, and nobody will ask for them again, though one may be on its way once more.
    template <class Visit>
    void release_before(wire::Seq31 next, Visit&& visit) noexcept {
        walk(released_, next, [&](Entry& e) {
            if (e.state == State::in_flight || e.state == State::wanted) [[unlikely]] {
                const bool is_news = wire::distance(floor_, e.sequence) >= 0 || is_unsent(e);
                if (is_news) visit(e);
                set(e, is_unsent(e) ? State::given_up : State::delivered);
            }
            release(e);
        });
        if (wire::distance(floor_, released_) > 0) floor_ = released_;
    }

    [[nodiscard]] wire::Seq31 newest() const noexcept { return newest_; }
    [[nodiscard]] wire::Seq31 floor() const noexcept { return floor_; }
    [[nodiscard]] bool empty() const noexcept { return !has_any_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return mask_ + 1; }
    [[nodiscard]] bool is_consistent() const noexcept {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i <= mask_; ++i) {
            const Entry& e = entries_[i];
            const bool bit = ((wanted_[i / 64] >> (i % 64)) & 1) != 0;
            count += bit ? 1 : 0;
            if (bit != (e.state == State::wanted)) return false;
            if (e.state == State::absent) continue;
            if ((e.sequence.raw() & mask_) != i || !has_any_) return false;
            if (wire::distance(e.sequence, newest_) < 0 || !in_reach(e.sequence)) return false;
            if ((e.state == State::wanted || e.state == State::in_flight) && e.packet.buffer == no_buffer) return false;
        }
        return count == wanted_count_;
    }

private:
    [[nodiscard]] std::uint32_t index(const Entry& e) const noexcept { return e.sequence.raw() & mask_; }
    // From `step` sequences after it on.
    [[nodiscard]] Entry* next_wanted(const Entry& e, std::int32_t step) noexcept {
        const std::int32_t left = wire::distance(e.sequence, newest_);
        while (step <= left) {
            const std::uint32_t at = e.sequence.plus(step).raw() & mask_;
            const std::uint64_t word = wanted_[at / 64] >> (at % 64);
            if (word != 0) {
                const int skipped = std::countr_zero(word);
                return step + skipped <= left ? &entries_[at + static_cast<std::uint32_t>(skipped)] : nullptr;
            }
            step += 64 - static_cast<std::int32_t>(at % 64);
        }
        return nullptr;
    }
    // Nothing of it is on its way.
    [[nodiscard]] static bool is_unsent(const Entry& e) noexcept {
        return e.state == State::wanted && !e.has_had_its_turn() && !e.has_open_copy();
    }
    void set(Entry& e, State state) noexcept {
        if (e.state == State::wanted) {
            const std::uint32_t i = index(e);
            wanted_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
            --wanted_count_;
        }
        e.state = state;
    }
    void release(Entry& e) noexcept {
        if (e.packet.buffer == no_buffer) return;
        pool_.release(e.packet.buffer);
        e.packet.buffer = no_buffer;
    }
    void evict(Entry& e) noexcept {
        if (e.state == State::absent) return;
        set(e, State::absent);
        release(e);
    }
    template <class Visit>
    void walk(wire::Seq31& from, wire::Seq31 next, Visit&& visit) noexcept {
        if (!has_any_) return;
        const std::int32_t ahead = wire::distance(from, next);
        if (ahead <= 0 || wire::distance(next, newest_.plus(1)) < 0) return;
        const auto reach = static_cast<std::int32_t>(mask_) + 1;
        for (wire::Seq31 s = ahead > reach ? next.plus(-reach) : from; s != next; s = s.plus(1))
            if (Entry* const e = find(s)) visit(*e);
        from = next;
    }
    // Places of sequences that have not come, up to the newest.
    template <class Displaced>
    [[gnu::noinline]] void skip(std::int32_t count, Displaced& displaced) noexcept {
        const std::int32_t bounded = std::min(count, static_cast<std::int32_t>(mask_) + 1);
        for (std::int32_t i = 1; i <= bounded; ++i)
            displace(entries_[newest_.plus(i + count - bounded).raw() & mask_], displaced);
    }
    template <class Displaced>
    void displace(Entry& e, Displaced& displaced) noexcept {
        if (is_unsent(e)) [[unlikely]]
            displaced(std::as_const(e));
        evict(e);
    }

    Pool& pool_;
    std::uint32_t mask_;
    std::uint32_t wanted_count_ = 0;
    wire::Seq31 newest_;
    wire::Seq31 floor_;     // all before it have come or are not wanted
    wire::Seq31 released_;  // and no buffer of those before it is held
    wire::Seq31 hint_;      // none before it is wanted
    bool has_any_ = false;
    std::unique_ptr<Entry[]> entries_;
    std::unique_ptr<std::uint64_t[]> wanted_;
};

}  // namespace hawser::bond
