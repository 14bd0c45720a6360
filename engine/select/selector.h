// SPDX-License-Identifier: MIT
// Which uplink gets the next packet. Owns what is known of each link beyond the accounting (usable, NAK history, RTT,
// proof of life, gate) and turns it into candidates; the modes themselves are pure functions over those.
// Called by the sender: note_* as things happen, begin_turn once per turn of the pump, then pick per data packet.
// Guarantees: never a link that is not usable; while one link is usable, never no_link; settings change between turns
// only. Pump thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/link_load.h"
#include "engine/base/random.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/selection.h"
#include "engine/select/candidate.h"
#include "engine/select/history.h"
#include "engine/select/modes.h"
#include "engine/select/stall_gate.h"

namespace hawser::select {

class Selector {
public:
    // Reads windows and in-flight counts where link::Accounting keeps them (which converts to a LinkLoad and outlives
    // the selector), and grows windows after losses.
    Selector(LinkLoad& load, Random seed) noexcept;
    Selector(const Selector&) = delete;
    Selector& operator=(const Selector&) = delete;

    // Takes effect at the next begin_turn.
    void set(const Settings& settings) noexcept;

    // In the same order as Accounting::add: the last added wins ties. A new link is not usable.
    void add(LinkId link, Instant now) noexcept;
    void remove(LinkId link) noexcept;
    // May carry data: registered and not silent. Losing that forgets the link's history.
    void set_usable(LinkId link, bool usable, Instant now) noexcept;
    // REG3. The first since the link became known, or was last unusable, starts its youth.
    void note_registered(LinkId link, Instant now) noexcept;

    // Links that carry nothing while others are usable, so that they are no reason to gate one of those.
    void set_kept(LinkMask links) noexcept;

    void note_nak(LinkId link, Instant now) noexcept;  // after Accounting::on_lost charged it; one per sequence
    void note_rtt(LinkId link, Duration rtt, Instant now) noexcept;  // a keepalive came back: proof of life too
    void note_proof(LinkMask links, Instant now) noexcept;           // owned entries of an SRTLA ACK
    void note_heard(LinkId link, Instant now) noexcept;              // any inbound byte

    // Fixes mode and toggles until the next call, and brings qualities, gates and windows up to date where due.
    void begin_turn(Instant now) noexcept {
        if (now >= refresh_due_) [[unlikely]]
            refresh(now);
    }
    // The link for the next data packet; no_link when none is usable.
    [[nodiscard]] LinkId pick(Instant now) noexcept {
        if (pick_ == nullptr) [[likely]]
            return choose_classic(candidates_).link(candidates_);
        return pick_(*this, now);
    }
    // The best link that is not in `tried`, after back-pressure; gated ones only when no other is left. no_link when
    // all usable links were tried. Leaves no trace in hysteresis.
    [[nodiscard]] LinkId pick_except(LinkMask tried, Instant now) const noexcept;
    // The link for the next data packet among `open`, for a sender that keeps links out for reasons of its own: as
    // pick, hysteresis and all, but for exploration. Gated ones only when no other is left.
    [[nodiscard]] LinkId pick_within(LinkMask open, Instant now) noexcept;
    // Once per data packet: a gated link that is due a duplicate of it, else no_link.
    [[nodiscard]] LinkId probe_for_gated(Instant now) noexcept {
        if (gate_.gated() == 0) [[likely]]
            return no_link;
        return next_probe(now);
    }

    // For snapshots.
    [[nodiscard]] float quality(LinkId link) const noexcept { return quality_[link.index()]; }  // 1 in classic
    [[nodiscard]] bool gated(LinkId link) const noexcept { return (gate_.gated() & mask_of(link)) != 0; }
    // What the next pick would weigh, in window units per packet; negative where the link may not be picked.
    [[nodiscard]] float score(LinkId link) const noexcept;
    [[nodiscard]] LinkMask usable() const noexcept { return usable_; }
    // That the gate finds stalled, whether or not it keeps them.
    [[nodiscard]] LinkMask stalled() const noexcept { return gates() ? gate_.stalled() & usable_ : 0; }
    // Usable, and not gated.
    [[nodiscard]] LinkMask open() const noexcept { return usable_ & ~gate_.gated(); }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] std::uint64_t explored() const noexcept { return explored_; }  // packets sent off the best link
    [[nodiscard]] std::uint64_t gate_events() const noexcept { return gate_.events(); }  // times a link became gated

    // Audit: recomputes ranks, masks and lanes.
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    // Null for classic, which is small enough to be part of the caller's loop.
    using Pick = LinkId (*)(Selector&, Instant) noexcept;
    static LinkId pick_enhanced(Selector& self, Instant now) noexcept;

    [[nodiscard]] bool is_known(LinkId link) const noexcept {
        return link.index() < links_max && (known_ & mask_of(link)) != 0;
    }
    [[nodiscard]] LinkId next_probe(Instant now) noexcept;
    void refresh(Instant now) noexcept;
    void refresh_quality(std::size_t i, bool weighed, Instant now) noexcept;
    [[nodiscard]] bool gates() const noexcept { return settings_.mode == Mode::enhanced && settings_.stall_gate; }
    void regate() noexcept;
    void rank_links() noexcept;
    [[nodiscard]] LinkId explore(Choice best, LinkId chosen) noexcept;
    [[nodiscard]] Choice best_among(LinkMask links) const noexcept;
    [[nodiscard]] std::int32_t score_of(std::size_t i) const noexcept;  // in parts when enhanced

    LinkLoad& load_;
    Candidates candidates_;
    Pick pick_ = nullptr;
    LinkId previous_ = no_link;  // of the last pick, for hysteresis
    LinkMask known_ = 0;
    LinkMask usable_ = 0;
    LinkMask kept_ = 0;
    Instant refresh_due_;
    Instant recovery_due_;
    Settings settings_;
    Settings wanted_;
    StallGate gate_;
    Random random_;
    std::uint32_t probe_phase_ = 0;
    std::uint32_t explore_in_;  // packets
    std::uint32_t added_ = 0;
    std::uint64_t explored_ = 0;
    std::array<std::uint32_t, links_max> order_{};
    std::array<float, links_max> quality_{};
    std::array<Instant, links_max> quality_due_{};
    std::array<History, links_max> history_{};
};

}  // namespace hawser::select
