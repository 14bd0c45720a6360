// SPDX-License-Identifier: MIT
#include "engine/select/selector.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "engine/base/check.h"
#include "engine/select/modes.h"

namespace hawser::select {

namespace {
constexpr Instant at_once{std::numeric_limits<std::int64_t>::min()};

// A gated link gets a copy of one data packet in so many. Source: irlserver/srtla_send 86b90aa.
constexpr std::uint32_t probe_interval = 100;
// Links take turns at so many packets from each other, so that no packet has two copies.
constexpr std::uint32_t probe_spacing = 3;
static_assert(links_max * probe_spacing <= probe_interval);

// Exploration, our own: at most one packet in 100, at random distances so that it keeps no step with the encoder's
// pictures, to the second best link if that scores at least half as much as the best. Untuned.
constexpr std::uint32_t explore_interval_min = 100;
constexpr std::uint32_t explore_interval_spread = 100;
constexpr std::int32_t explore_score_divisor = 2;

[[nodiscard]] std::size_t number_of(LinkMask lowest_of) {
    return static_cast<std::size_t>(std::countr_zero(lowest_of));
}
[[nodiscard]] LinkId link_at(std::size_t i) { return LinkId(static_cast<LinkId::rep>(i)); }
}  // namespace

Selector::Selector(LinkLoad& load, Random seed) noexcept
    : load_(load), refresh_due_(at_once), recovery_due_(at_once), random_(seed), explore_in_(explore_interval_min) {
    candidates_.window = load.window.data();
    candidates_.in_flight = load.in_flight.data();
    candidates_.tie.fill(-1);
    candidates_.weight.fill(static_cast<float>(score_parts));
    candidates_.by_rank.fill(no_link);
    quality_.fill(1.0F);
}

void Selector::set(const Settings& settings) noexcept {
    wanted_ = settings;
    refresh_due_ = at_once;
}

void Selector::add(LinkId link, Instant) noexcept {
    HAWSER_CHECK(link.index() < links_max && !is_known(link));
    known_ |= mask_of(link);
    order_[link.index()] = ++added_;
    history_[link.index()].clear();
    gate_.forget(link);
    rank_links();
    refresh_due_ = at_once;
}

void Selector::remove(LinkId link) noexcept {
    HAWSER_CHECK(is_known(link));
    known_ &= ~mask_of(link);
    usable_ &= known_;
    gate_.forget(link);
    if (previous_ == link) previous_ = no_link;
    rank_links();
    regate();
}

void Selector::set_usable(LinkId link, bool usable, Instant now) noexcept {
    HAWSER_CHECK(is_known(link));
    const LinkMask bit = mask_of(link);
    if (((usable_ & bit) != 0) == usable) return;
    usable_ ^= bit;
    // What was before a silence says nothing of the link after it.
    gate_.forget(link);
    gate_.note_heard(link, now);
    if (!usable) {
        history_[link.index()].clear();
        if (previous_ == link) previous_ = no_link;
    }
    refresh_due_ = at_once;
    regate();
}

void Selector::note_registered(LinkId link, Instant now) noexcept {
    HAWSER_CHECK(is_known(link));
    history_[link.index()].on_registered(now);
}

void Selector::set_kept(LinkMask links) noexcept {
    if (kept_ == links) return;
    kept_ = links;
    regate();
}

void Selector::note_nak(LinkId link, Instant now) noexcept {
    HAWSER_CHECK(is_known(link));
    history_[link.index()].on_nak(load_.window[link.index()], now);
}

void Selector::note_rtt(LinkId link, Duration rtt, Instant now) noexcept {
    HAWSER_CHECK(is_known(link));
    history_[link.index()].on_rtt(rtt);
    gate_.note_proof(mask_of(link), now);
}

void Selector::note_proof(LinkMask links, Instant now) noexcept { gate_.note_proof(links & known_, now); }

void Selector::note_heard(LinkId link, Instant now) noexcept {
    HAWSER_CHECK(link.index() < links_max);
    if (gate_.note_byte(link, now)) [[unlikely]]
        regate();
}

// Everything that is due by time or by a change of settings, for all links; at most every gate_interval.
void Selector::refresh(Instant now) noexcept {
    settings_ = wanted_;
    const bool enhanced = settings_.mode == Mode::enhanced;
    switch (settings_.mode) {
        case Mode::classic:
        case Mode::adaptive: pick_ = nullptr; break;  // adaptive asks nobody: bond::Dispatch
        case Mode::enhanced: pick_ = &pick_enhanced; break;
    }
    load_.arrival_first = enhanced;
    const bool recovery_due = recovery_due_ != at_once && now >= recovery_due_;
    if (recovery_due || recovery_due_ == at_once) recovery_due_ = now + recovery_interval;
    for (LinkMask rest = known_; rest != 0; rest &= rest - 1) {
        const std::size_t i = number_of(rest);
        if (recovery_due && enhanced && ((usable_ >> i) & 1) != 0) {
            const std::int32_t amount = history_[i].recover(load_.window[i], now);
            if (amount > 0) load_.window[i] = std::min(load_.window[i] + amount, recovery_cap);
        }
        refresh_quality(i, enhanced && settings_.quality, now);
        if (enhanced && settings_.stall_gate)
            gate_.judge(link_at(i), load_.in_flight[i], history_[i].rtt(), settings_, now);
    }
    regate();
    refresh_due_ = now + (enhanced && settings_.stall_gate ? gate_interval : quality_interval);
}

void Selector::refresh_quality(std::size_t i, bool weighed, Instant now) noexcept {
    if (weighed && now < quality_due_[i]) return;
    quality_[i] = weighed ? history_[i].quality(now) : 1.0F;
    quality_due_[i] = weighed ? now + quality_interval : at_once;
    candidates_.weight[i] = quality_[i] * static_cast<float>(score_parts);
}

// Which links the sweep may pick. Without the gate a stalled link is only a slow one.
void Selector::regate() noexcept {
    gate_.draw((usable_ & ~kept_) != 0 ? usable_ & ~kept_ : usable_, gates());
    const LinkMask open = usable_ & ~gate_.gated();
    for (std::size_t i = 0; i < links_max; ++i) candidates_.tie[i] = ((open >> i) & 1) != 0 ? candidates_.rank[i] : -1;
    HAWSER_VERIFY(is_consistent());
}

void Selector::rank_links() noexcept {
    for (LinkMask rest = known_; rest != 0; rest &= rest - 1) {
        const std::size_t i = number_of(rest);
        std::size_t rank = 0;
        for (LinkMask others = known_; others != 0; others &= others - 1)
            rank += order_[number_of(others)] < order_[i] ? 1 : 0;
        candidates_.rank[i] = static_cast<std::int32_t>(rank);
        candidates_.by_rank[rank] = link_at(i);
    }
    candidates_.groups = (static_cast<std::size_t>(std::bit_width(known_)) + lanes - 1) / lanes;
}

LinkId Selector::pick_enhanced(Selector& self, Instant) noexcept {
    const EnhancedChoice choice = choose_enhanced(self.candidates_, self.previous_);
    const LinkId chosen = choice.chosen.link(self.candidates_);
    self.previous_ = chosen;
    if (self.settings_.exploration) [[unlikely]]
        return self.explore(choice.best, chosen);
    return chosen;
}

LinkId Selector::explore(Choice best, LinkId chosen) noexcept {
    if (explore_in_ > 0) {
        --explore_in_;
        return chosen;
    }
    const Choice second = best_among(usable_ & ~gate_.gated() & ~(chosen == no_link ? 0 : mask_of(chosen)));
    if (second.none() || second.score() < best.score() / explore_score_divisor) return chosen;
    explore_in_ = explore_interval_min - 1 + random_.below(explore_interval_spread);
    ++explored_;
    return second.link(candidates_);
}

LinkId Selector::pick_except(LinkMask tried, Instant) const noexcept {
    Choice choice = best_among(usable_ & ~gate_.gated() & ~tried);
    if (choice.none()) choice = best_among(usable_ & ~tried);
    return choice.link(candidates_);
}

LinkId Selector::pick_within(LinkMask open, Instant) noexcept {
    const LinkMask fit = (open & this->open()) != 0 ? open & this->open() : open & usable_;
    Choice choice = best_among(fit);
    const bool holds_on = settings_.mode == Mode::enhanced && previous_ != no_link && (fit & mask_of(previous_)) != 0;
    if (holds_on) {
        const std::int32_t last = score_of(previous_.index());
        if (choice.score() * hysteresis_denominator < last * hysteresis_numerator) return previous_;
    }
    return previous_ = choice.link(candidates_);
}

LinkId Selector::next_probe(Instant) noexcept {
    probe_phase_ = probe_phase_ + 1 == probe_interval ? 0 : probe_phase_ + 1;
    const std::uint32_t turn = probe_phase_ / probe_spacing;
    if (probe_phase_ % probe_spacing != 0 || turn >= links_max || ((gate_.gated() >> turn) & 1) == 0) return no_link;
    return link_at(turn);
}

// One link after the other, for what is rare: back-pressure and exploration.
Choice Selector::best_among(LinkMask links) const noexcept {
    Choice best;
    for (LinkMask rest = links; rest != 0; rest &= rest - 1) {
        const std::size_t i = number_of(rest);
        best.key = std::max(best.key, (score_of(i) << rank_bits) | candidates_.rank[i]);
    }
    return best;
}

std::int32_t Selector::score_of(std::size_t i) const noexcept {
    const std::size_t first = i / lanes * lanes;
    switch (settings_.mode) {
        case Mode::classic:
        case Mode::adaptive: return classic_scores(candidates_, first)[i % lanes];
        case Mode::enhanced: return weighted_scores(candidates_, first)[i % lanes];
    }
    return 0;
}

float Selector::score(LinkId link) const noexcept {
    const std::size_t i = link.index();
    if (candidates_.tie[i] < 0) return -1.0F;
    const float parts = settings_.mode == Mode::enhanced ? static_cast<float>(score_parts) : 1.0F;
    return static_cast<float>(score_of(i)) / parts;
}

bool Selector::is_consistent() const noexcept {
    const LinkMask open = usable_ & ~gate_.gated();
    if ((usable_ & ~known_) != 0 || (gate_.gated() & ~usable_) != 0) return false;
    if (usable_ != 0 && open == 0) return false;
    if (previous_ != no_link && (usable_ & mask_of(previous_)) == 0) return false;
    for (std::size_t i = 0; i < links_max; ++i) {
        if (candidates_.tie[i] != (((open >> i) & 1) != 0 ? candidates_.rank[i] : -1)) return false;
        if (((known_ >> i) & 1) == 0) continue;
        if (i >= candidates_.groups * lanes) return false;
        if (candidates_.by_rank[static_cast<std::size_t>(candidates_.rank[i])] != link_at(i)) return false;
    }
    return true;
}

}  // namespace hawser::select
