// SPDX-License-Identifier: MIT
#include "engine/link/accounting.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/lanes.h"

namespace hawser::link {

namespace {
// How far above low_ a sequence may lie, and how far low_ may be pulled down in all, before an SRT ACK looks at every
// slot instead of every sequence: together less than half the sequence space, so that circular order is total.
constexpr std::int32_t lowered_max = std::int32_t{1} << 16;
// An SRT ACK this far below low_ might, taken circularly, be ahead of something.
constexpr std::int32_t behind_max = std::int32_t{1} << 28;

// Steps of growth by 1 that may be owed before they are paid: less than a packet's worth of window.
constexpr std::int32_t steps_max = 512;
static_assert(steps_max < window_unit);

[[nodiscard]] std::size_t number_of(LinkMask lowest_of) {
    return static_cast<std::size_t>(std::countr_zero(lowest_of));
}
}  // namespace

Accounting::Accounting() noexcept {
    heads_.fill(nobody);
    for (std::size_t i = 0; i < links_max; ++i) cursor_[i] = static_cast<SlotId>(i * log_slots);
}

void Accounting::add(LinkId link) noexcept {
    HAWSER_CHECK(link.index() < links_max && !is_known(link));
    known_ |= mask_of(link);
    load_.window[link.index()] = window_default;
    order_[link.index()] = ++added_;
    groups_ = (static_cast<std::size_t>(std::bit_width(known_)) + lanes - 1) / lanes;
    HAWSER_VERIFY(is_consistent());
}

void Accounting::remove(LinkId link) noexcept {
    HAWSER_CHECK(is_known(link));
    empty_log(link.index());
    load_.window[link.index()] = 0;
    known_ &= ~mask_of(link);
    delivering_ &= ~mask_of(link);
    groups_ = (static_cast<std::size_t>(std::bit_width(known_)) + lanes - 1) / lanes;
    HAWSER_VERIFY(is_consistent());
}

void Accounting::fail(LinkId link) noexcept {
    HAWSER_CHECK(is_known(link));
    empty_log(link.index());
    load_.window[link.index()] = window_min;
    delivering_ &= ~mask_of(link);
    HAWSER_VERIFY(is_consistent());
}

void Accounting::restart(LinkId link) noexcept {
    fail(link);
    load_.window[link.index()] = window_default;
}

void Accounting::new_session() noexcept {
    for (LinkMask rest = known_; rest != 0; rest &= rest - 1) empty_log(number_of(rest));
    HAWSER_VERIFY(is_consistent());
}

void Accounting::note_unsent(LinkId link, wire::Seq31 sequence) noexcept {
    if (!is_known(link)) return;
    // Chains begin with the newest entry, so the first of this link is the one just made.
    for (SlotId slot = heads_[chain_of(sequence.raw())]; slot != nobody; slot = slots_[slot].next) {
        if (link_of(slot) != link.index() || (slots_[slot].sequence & wire::Seq31::mask) != sequence.raw()) continue;
        unlink(slot);
        if (load_.in_flight[link.index()] > 0) --load_.in_flight[link.index()];
        break;
    }
    HAWSER_VERIFY(is_consistent());
}

void Accounting::note_outside(wire::Seq31 sequence) noexcept {
    const std::int32_t above = wire::distance(low_, sequence);
    if (above > 0 || above < -lowered_max || lowered_ - above > lowered_max) {
        scattered_ = true;
        return;
    }
    lowered_ -= above;
    low_ = sequence;
}

void Accounting::unlink(SlotId slot) noexcept {
    Slot& gone = slots_[slot];
    if (gone.previous == nobody) {
        heads_[chain_of(gone.sequence)] = gone.next;
    } else {
        slots_[gone.previous].next = gone.next;
    }
    if (gone.next != nobody) slots_[gone.next].previous = gone.previous;
    gone.previous = unlinked;
    --live_[link_of(slot)];
}

void Accounting::empty_log(std::size_t link) noexcept {
    for (std::size_t i = 0; i < log_slots; ++i) {
        const SlotId slot = static_cast<SlotId>(link * log_slots + i);
        if (slots_[slot].previous != unlinked) unlink(slot);
    }
    load_.in_flight[link] = 0;
}

// The slot that the reference's scan meets first: by order of links, then the newest. `preferred` goes before all.
// A chain is newest first, so the first slot of a link in it is that link's newest.
Accounting::SlotId Accounting::find(std::uint32_t sequence, std::uint32_t significant,
                                    std::size_t preferred) const noexcept {
    SlotId best = nobody;
    for (SlotId slot = heads_[chain_of(sequence)]; slot != nobody; slot = slots_[slot].next) {
        if ((slots_[slot].sequence & significant) != sequence) continue;
        if (link_of(slot) == preferred) return slot;
        if (best == nobody || order_[link_of(slot)] > order_[link_of(best)]) best = slot;
    }
    return best;
}

// Of the entries of a sequence, probes apart, the one sent first. (Chains are newest first.)
Accounting::SlotId Accounting::find_oldest(std::uint32_t sequence) const noexcept {
    SlotId oldest = nobody;
    for (SlotId slot = heads_[chain_of(sequence)]; slot != nobody; slot = slots_[slot].next)
        if (slots_[slot].sequence == sequence) oldest = slot;
    return oldest;
}

Accounting::Loss Accounting::loss_of(SlotId slot) const noexcept {
    if (slot == nobody) return {};
    return {LinkId(static_cast<LinkId::rep>(link_of(slot))), slots_[slot].sent_at};
}

Accounting::Loss Accounting::charge(SlotId slot) noexcept {
    if (slot == nobody) return {};
    std::int32_t& window = load_.window[link_of(slot)];
    unlink(slot);
    window = std::max(window - window_loss_step, window_min);
    HAWSER_VERIFY(is_consistent());
    return loss_of(slot);
}

// All 32 bits must agree, so a probe is never found.
Accounting::Loss Accounting::holder(wire::Seq31 sequence) const noexcept {
    return loss_of(find(sequence.raw(), ~std::uint32_t{0}, links_max));
}

Accounting::Loss Accounting::on_lost(wire::Seq31 sequence, Instant) noexcept {
    return charge(find(sequence.raw(), ~std::uint32_t{0}, links_max));
}

Accounting::Loss Accounting::first_holder(wire::Seq31 sequence) const noexcept {
    return loss_of(find_oldest(sequence.raw()));
}

void Accounting::charge_first_holder(wire::Seq31 sequence) noexcept { charge(find_oldest(sequence.raw())); }

LinkMask Accounting::on_srtla_ack(const wire::SrtlaAck& ack, LinkId arrival, LinkMask alive, Instant) noexcept {
    const std::size_t preferred = load_.arrival_first ? arrival.index() : links_max;
    LinkMask proof = 0;
    std::int32_t steps = 0;
    alive &= known_;
    const std::size_t count = ack.count();
    for (std::size_t from = 0; from < count; from += steps_max) {
        const std::size_t to = std::min(count, from + steps_max);
        for (std::size_t n = from; n < to; ++n) {
            const std::uint32_t sequence = ack.word(n);
            if ((sequence & ~wire::Seq31::mask) != 0) [[unlikely]]  // no sequence has its top bit set
                continue;
            const SlotId slot = take(sequence, preferred);
            if (slot != nobody) {
                const LinkMask owner = LinkMask{1} << link_of(slot);
                proof |= owner;
                credit(link_of(slot), (alive & owner) != 0 ? steps : 0);
            }
            ++steps;
        }
        grow_all(alive, steps);
        steps = 0;
    }
    HAWSER_VERIFY(is_consistent());
    return proof;
}

// Frees the slot that the reference's scan meets first, probes included; nobody if there is none.
Accounting::SlotId Accounting::take(std::uint32_t sequence, std::size_t preferred) noexcept {
    const SlotId first = heads_[chain_of(sequence)];
    if (first == nobody || free_alone(first, sequence)) [[likely]]
        return first;
    const SlotId found = find(sequence, wire::Seq31::mask, preferred);
    if (found != nobody) unlink(found);
    return found;
}

// One packet delivered: a link that stays full beyond its window grows by 29, and by 1 more with all the others. That
// 1 is owed until grow_all, for as many steps as there were: so an alive link's window reads as its number here plus
// what is owed. What that reads above window_max is less than one packet, so no comparison sees it.
void Accounting::credit(std::size_t i, std::int32_t owed) noexcept {
    const std::int32_t in_flight = load_.in_flight[i] - 1;  // never below the slots in use, so never below 0
    load_.in_flight[i] = in_flight;
    if (std::int64_t{in_flight} * window_unit > load_.window[i] + owed) load_.window[i] += window_growth_step - 1;
}

void Accounting::grow_all(LinkMask alive, std::int32_t steps) noexcept {
    if (steps == 0) return;
    for (std::size_t first = 0; first < groups_ * lanes; first += lanes) {
        const IntLanes window = load_lanes(load_.window.data() + first);
        const IntLanes grown = min_lanes(window + steps, all_lanes(window_max));
        store_lanes(load_.window.data() + first, lanes_in_mask(alive, first) ? grown : window);
    }
}

LinkMask Accounting::on_srt_ack(wire::Seq31 next_expected, Instant) noexcept {
    Covering covering;
    const std::int32_t ahead = wire::distance(low_, next_expected);
    const std::int32_t worth_walking = static_cast<std::int32_t>(groups_ * lanes * log_slots);
    if (ahead > 0 && ahead <= worth_walking && !scattered_) {
        cover_range(next_expected, ahead, covering);
    } else if (ahead > 0 || ahead < -behind_max || scattered_) {
        cover_by_slots(next_expected, covering);
    }
    grow_all(delivering_, covering.steps);
    for (std::size_t first = 0; first < groups_ * lanes; first += lanes)
        store_lanes(load_.in_flight.data() + first, load_lanes(live_.data() + first));
    HAWSER_VERIFY(is_consistent());
    return covering.proof;
}

// The common case of both kinds of ACK: the sequence's slot is alone in its chain, as nearly all are. False, and
// nothing done, when it is not, or is another's.
[[gnu::always_inline]] inline bool Accounting::free_alone(SlotId first, std::uint32_t sequence) noexcept {
    Slot& slot = slots_[first];
    if (slot.next != nobody || (slot.sequence & wire::Seq31::mask) != sequence) [[unlikely]]
        return false;
    heads_[chain_of(sequence)] = nobody;
    slot.previous = unlinked;
    --live_[link_of(first)];
    return true;
}

// Every slot that holds the sequence is freed; the first that a scan would meet is credited if SRT ACKs have to do.
void Accounting::cover(std::uint32_t sequence, Covering& covering) noexcept {
    if (srtla_acks_absent_) {
        const SlotId owner = take(sequence, links_max);
        if (owner != nobody) {
            const std::size_t i = link_of(owner);
            const LinkMask bit = LinkMask{1} << i;
            covering.proof |= bit;
            // A link that delivers is alive from here on, and is owed nothing for the steps before.
            if ((delivering_ & bit) == 0) load_.window[i] -= covering.steps;
            delivering_ |= bit;
            credit(i, covering.steps);
            if (++covering.steps == steps_max) {
                grow_all(delivering_, covering.steps);
                covering.steps = 0;
            }
        }
    }
    for (SlotId slot = heads_[chain_of(sequence)]; slot != nobody;) {
        const SlotId next = slots_[slot].next;
        if ((slots_[slot].sequence & wire::Seq31::mask) == sequence) unlink(slot);
        slot = next;
    }
}

void Accounting::cover_range(wire::Seq31 next_expected, std::int32_t count, Covering& covering) noexcept {
    std::uint32_t sequence = low_.raw();
    const bool counts_as_srtla_ack = srtla_acks_absent_;
    for (std::int32_t i = 0; i < count; ++i, ++sequence) {
        const SlotId first = heads_[chain_of(sequence)];
        if (first == nobody || (!counts_as_srtla_ack && free_alone(first, sequence & wire::Seq31::mask))) [[likely]]
            continue;
        cover(sequence & wire::Seq31::mask, covering);
    }
    low_ = next_expected;
}

// For an ACK far ahead, and for logs whose sequences are all over the space.
void Accounting::cover_by_slots(wire::Seq31 next_expected, Covering& covering) noexcept {
    bool near = true;
    for (LinkMask rest = known_; rest != 0; rest &= rest - 1) {
        const std::size_t i = number_of(rest);
        for (std::size_t n = 0; n < log_slots; ++n) {
            const Slot& slot = slots_[i * log_slots + ((cursor_[i] + n) % log_slots)];
            if (slot.previous == unlinked) continue;
            const wire::Seq31 sequence(slot.sequence);
            if (wire::distance(sequence, next_expected) > 0) {
                cover(sequence.raw(), covering);
            } else {
                near =
                    near && static_cast<std::uint32_t>(wire::distance(next_expected, sequence)) < std::uint32_t{reach};
            }
        }
    }
    low_ = next_expected;
    lowered_ = 0;
    scattered_ = !near;
}

void Accounting::grow(LinkId link, std::int32_t amount) noexcept {
    HAWSER_CHECK(is_known(link));
    load_.window[link.index()] = std::min(load_.window[link.index()] + amount, window_max);
}

bool Accounting::is_consistent() const noexcept {
    std::size_t chains = 0;
    for (const SlotId head : heads_) chains += head != nobody ? 1 : 0;
    for (std::size_t i = 0; i < links_max; ++i) {
        const bool known = ((known_ >> i) & 1) != 0;
        std::int32_t live = 0;
        for (std::size_t n = 0; n < log_slots; ++n) {
            const SlotId id = static_cast<SlotId>(i * log_slots + n);
            const Slot& slot = slots_[id];
            if (slot.previous == unlinked) continue;
            ++live;
            if (!known || id == cursor_[i]) return false;
            const std::uint32_t chain = static_cast<std::uint32_t>(chain_of(slot.sequence));
            if (slot.previous == nobody) {
                if (heads_[chain] != id) return false;
                --chains;
            } else if (slots_[slot.previous].next != id || chain_of(slots_[slot.previous].sequence) != chain) {
                return false;
            }
            if (slot.next != nobody && slots_[slot.next].previous != id) return false;
            const std::int32_t above = wire::distance(low_, wire::Seq31(slot.sequence));
            if (!scattered_ && (above < 0 || above >= reach + lowered_)) return false;
        }
        if (live != live_[i] || (known ? load_.in_flight[i] < live : load_.in_flight[i] != 0)) return false;
        if (known ? load_.window[i] < window_min : load_.window[i] != 0) return false;
        if (known && i >= groups_ * lanes) return false;
    }
    return chains == 0;
}

}  // namespace hawser::link
