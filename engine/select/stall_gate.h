// SPDX-License-Identifier: MIT
// Keeps data off links that hold packets but give no sign that they arrive. Two tiers: a *pull* while nothing at all
// comes in, undone by the next byte; a *latch* while nothing proves delivery, undone only by lasting proof. A stalled
// link is gated only while another usable link is not stalled, so the gate never leaves the bond without a way out.
// A link that never gave proof is never stalled: it has not had its chance. Source: irlserver/srtla_send 86b90aa.
// Our own addition: a link with nothing in flight owes no sign, so its clocks start when it was last seen empty; else
// the first packets after a pause of the stream would gate links whose last word is merely as old as the pause.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/link_load.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/border/selection.h"
#include "engine/select/rtt_filter.h"

namespace hawser::select {

inline constexpr std::int64_t stale_round_trips = 4;    // proof older than so many round trips is stale...
inline constexpr Duration stale_min{1'000'000'000};     // ...but not younger than this; at most stall_ack_stale
inline constexpr std::int64_t silence_round_trips = 2;  // silence longer than so many round trips pulls...
inline constexpr Duration silence_min{250'000'000};     // ...but not shorter than this; at most the stale time
inline constexpr std::int64_t release_stale_times = 2;  // fresh for so many stale times unlatches
// How often links are judged; a 25th of the shortest silence that pulls. Untuned.
inline constexpr Duration gate_interval{10'000'000};

class StallGate {
public:
    void forget(LinkId link) noexcept;  // added, removed, newly usable or no longer so
    void note_proof(LinkMask links, Instant now) noexcept;
    void note_heard(LinkId link, Instant now) noexcept { heard_at_[link.index()] = now; }
    // True if that ended a pull: gates are to be drawn again.
    [[nodiscard]] bool note_byte(LinkId link, Instant now) noexcept {
        note_heard(link, now);
        return (pulled_ & mask_of(link)) != 0 && release_pull(link);
    }

    void judge(LinkId link, std::int32_t in_flight, const RttFilter& rtt, const Settings& settings,
               Instant now) noexcept;
    // Draws the gates among usable links; returns whether they changed.
    bool draw(LinkMask usable, bool enabled) noexcept;

    [[nodiscard]] LinkMask gated() const noexcept { return gated_; }
    [[nodiscard]] LinkMask stalled() const noexcept { return latched_ | pulled_; }
    [[nodiscard]] LinkMask latched() const noexcept { return latched_; }
    [[nodiscard]] LinkMask pulled() const noexcept { return pulled_; }
    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

private:
    bool release_pull(LinkId link) noexcept {
        pulled_ &= ~mask_of(link);
        return true;
    }

    LinkMask proven_ = 0;  // gave proof of delivery at least once
    LinkMask latched_ = 0;
    LinkMask pulled_ = 0;
    LinkMask gated_ = 0;
    std::uint64_t events_ = 0;
    std::array<Instant, links_max> proof_at_{};
    std::array<Instant, links_max> heard_at_{};
    std::array<Instant, links_max> empty_at_{};                    // last judged with nothing in flight
    std::array<std::optional<Instant>, links_max> fresh_since_{};  // of latched links
};

}  // namespace hawser::select
