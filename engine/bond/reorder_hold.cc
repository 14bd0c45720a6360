// SPDX-License-Identifier: MIT
#include "engine/bond/reorder_hold.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace hawser::bond {

using wire::distance;
using wire::Seq31;

void ReorderHold::begin(std::optional<Seq31> next) noexcept {
    abandon([](const PacketRef&) {});
    received_.fill(0);
    ahead_ = strays_ = 0;
    has_release_ = false;
    is_in_order_ = true;
    has_next_ = next.has_value();
    next_ = next.value_or(Seq31());
}

void ReorderHold::begin_group(bool holding) noexcept {
    begin(std::nullopt);
    holding_ = holding;
    figures_ = HoldFigures{};
}

ReorderHold::Place ReorderHold::place_elsewhere(Seq31 sequence) noexcept {
    if (!has_next_) {
        has_next_ = true;
        next_ = sequence;
    }
    const std::int32_t ahead = distance(next_, sequence);
    if (ahead < 0) return place_behind(sequence, ahead);
    strays_ = 0;
    if (ahead == 0 && (ahead_ == 0 || !has(sequence))) {
        mark(next_);
        advance(1);
        if (!holding_) static_cast<void>(next_held());
        return Place::pass;
    }
    if (holding_) {
        if (ahead >= ahead_max || !has(sequence)) return Place::wait;
        count_duplicate();
        return Place::duplicate;
    }
    if (ahead >= ahead_max) {
        release_through(sequence.plus(-ahead_max));
        static_cast<void>(next_held());
        return place_elsewhere(sequence);
    }
    pass_ahead(sequence);
    return Place::pass;
}

ReorderHold::Place ReorderHold::place_behind(Seq31 sequence, std::int32_t ahead) noexcept {
    if (ahead < -behind_max) {
        if (++strays_ < strays_to_follow) return Place::pass;
        // What is held belongs to sequences that are over; it would wait for nothing.
        counters_->add(Counter::drop_session_over, figures_.depth);
        begin(sequence);
        return place(sequence);
    }
    strays_ = 0;
    if (!has(sequence)) {
        mark(sequence);
        ++figures_.late;
        if (holding_) counters_->add(Counter::hold_late);
        return Place::pass;
    }
    if (!holding_) return Place::pass;
    count_duplicate();
    return Place::duplicate;
}

void ReorderHold::count_duplicate() noexcept {
    ++figures_.duplicates;
    counters_->add(Counter::hold_duplicates);
}

// It goes to the server now, though earlier ones are missing.
void ReorderHold::pass_ahead(Seq31 sequence) noexcept {
    if (has(sequence)) return;
    mark(sequence);
    ++ahead_;
    is_in_order_ = false;
}

void ReorderHold::advance(std::uint32_t steps) noexcept {
    if (steps >= bits) {
        received_.fill(0);
        next_ = next_.plus(static_cast<std::int32_t>(steps));
        return;
    }
    for (; steps > 0; --steps) {
        unmark(next_.plus(ahead_max));
        next_ = next_.plus(1);
    }
}

std::uint32_t ReorderHold::missing_from_next(std::uint32_t limit) const noexcept {
    for (std::uint32_t steps = 0; steps < limit;) {
        const std::uint32_t at = (next_.raw() + steps) & bit_mask;
        const std::uint64_t word = received_[at / 64] >> (at % 64);
        if (word != 0) return std::min(limit, steps + static_cast<std::uint32_t>(std::countr_zero(word)));
        steps += 64 - at % 64;
    }
    return limit;
}

// Moves next_ over what has come and passed, and over what is given up, to the first held packet or missing sequence.
std::uint32_t ReorderHold::next_held() noexcept {
    for (;;) {
        if (ahead_ != 0 && has(next_)) {
            const std::uint32_t node = held_at(next_);
            if (node != HeldPackets::none) return node;
            --ahead_;
            advance(1);
            continue;
        }
        const std::int32_t given_up = has_release_ ? distance(next_, release_before_) : 0;
        if (given_up <= 0) break;
        auto missing = static_cast<std::uint32_t>(given_up);
        if (ahead_ != 0) missing = missing_from_next(std::min<std::uint32_t>(missing, ahead_max));
        figures_.given_up += missing;
        if (holding_) counters_->add(Counter::hold_given_up, missing);
        advance(missing);
    }
    has_release_ = false;
    is_in_order_ = ahead_ == 0;
    return HeldPackets::none;
}

std::optional<PacketRef> ReorderHold::pop(Instant now) noexcept {
    if (is_in_order_) return std::nullopt;
    const std::uint32_t node = next_held();
    if (node == HeldPackets::none) return std::nullopt;
    const HeldPackets::Held held = store_->take(node);
    --ahead_;
    --figures_.depth;
    advance(1);
    figures_.wait_max = std::max(figures_.wait_max, now - held.since);
    return held.packet;
}

bool ReorderHold::make_room_for(Seq31 sequence) noexcept {
    const std::int32_t ahead = distance(next_, sequence);
    const bool far = ahead >= ahead_max;
    if (!far && !store_->is_full_for(figures_.depth) && !store_->is_pressed()) return false;
    ++figures_.bounded;
    counters_->add(Counter::hold_bounded);
    // The oldest gap ends where something has come, or with this packet.
    const std::uint32_t gap = ahead_ == 0 ? ahead_max : missing_from_next(ahead_max);
    const std::int32_t steps = far ? ahead - ahead_max + 1 : std::min(ahead, static_cast<std::int32_t>(gap));
    release_through(next_.plus(steps - 1));
    return true;
}

bool ReorderHold::keep(Seq31 sequence, PacketRef packet, Instant due, Instant now) noexcept {
    const std::int32_t ahead = distance(next_, sequence);
    if (ahead <= 0 || ahead >= ahead_max) return false;
    if (store_->is_full_for(figures_.depth) || has(sequence)) {
        pass_ahead(sequence);
        return false;
    }
    pass_ahead(sequence);
    held_[sequence.raw() & slot_mask] = static_cast<std::uint16_t>(store_->add({packet, sequence, group_, now}, due));
    figures_.depth_max = std::max(figures_.depth_max, ++figures_.depth);
    ++figures_.held;
    counters_->add(Counter::hold_waits);
    return true;
}

void ReorderHold::release_through(Seq31 sequence) noexcept {
    const Seq31 before = sequence.plus(1);
    if (!has_next_ || distance(next_, before) <= 0) return;
    if (has_release_ && distance(release_before_, before) <= 0) return;
    has_release_ = true;
    release_before_ = before;
    is_in_order_ = false;
}

void ReorderHold::release_all() noexcept {
    for (std::int32_t i = ahead_max; ahead_ != 0 && i > 0; --i)
        if (has(next_.plus(i - 1))) return release_through(next_.plus(i - 1));
}

void ReorderHold::postpone(Instant now) noexcept {
    const std::uint32_t node = next_held();
    if (node != HeldPackets::none) store_->hasten(node, now);
}

void ReorderHold::forget(Seq31 sequence) noexcept {
    const std::int32_t ahead = distance(next_, sequence);
    if (has_next_ && ahead < 0 && ahead >= -behind_max) unmark(sequence);
}

bool ReorderHold::is_consistent() const noexcept {
    if (is_in_order_ && (ahead_ != 0 || has_release_)) return false;
    std::uint32_t came = 0;
    std::uint32_t held = 0;
    for (std::uint32_t i = 0; i < ahead_max;) {
        const std::uint32_t at = (next_.raw() + i) & bit_mask;
        if (at % 64 == 0 && received_[at / 64] == 0 && i + 64 <= ahead_max) {
            i += 64;
            continue;
        }
        const Seq31 s = next_.plus(static_cast<std::int32_t>(i++));
        if (!has(s)) continue;
        ++came;
        held += held_at(s) != HeldPackets::none ? 1u : 0u;
    }
    return came == ahead_ && held == figures_.depth && (has_next_ || came == 0);
}

}  // namespace hawser::bond
