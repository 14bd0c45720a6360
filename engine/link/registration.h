// SPDX-License-Identifier: MIT
// How the uplinks of one sender become one group at the receiver. Pure decisions: it is told what arrived and when a
// timer is due, and answers which registration packet to send on which link; the sender sends it.
//
//   probing --NGP on a link--> asking (REG1 there) --REG2 with our half--> joined --(all lost, NGP)--> asking
//
// Each link joins by REG2 with the group's id and is a member from REG3 on. A packet that is not awaited changes
// nothing: REG2 counts only from a link that was asked, REG3 only after our REG2, REG_ERR only while one is pending.
// Source: BELABOX/srtla 37862da; a second try elsewhere after REG_ERR, since receivers answer a repeated REG1 so.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/wire/srtla.h"

namespace hawser::link {

class Registration {
public:
    static constexpr Duration retry_min{250'000'000};
    static constexpr Duration retry_max{1'000'000'000};  // the reference's pace
    static constexpr std::uint32_t tries_at_slow_pace = 2;
    static_assert(retry_min * (1 << tries_at_slow_pace) == retry_max);
    // A member is asked about where everything is silent, and a receiver that was restarted is back within moments: so
    // many questions follow each other at the quick pace.
    static constexpr std::uint32_t quick_checks = 8;
    // A link that was a member a moment ago is asked at the quick pace too: what made it silent may end any time, and
    // its REG3 comes before the first packet that it may carry again. Of outages of 2 to 10 s it brings 0.6 points.
    static constexpr Duration back_soon{30'000'000'000};
    static constexpr Duration ask_retry{1'000'000'000};  // REG1: sooner would only earn a REG_ERR on a slow path
    static constexpr Duration refused_retry{4'000'000'000};
    // After a group was made, answers to what was asked before still arrive, the later the slower their link: an NGP,
    // or a REG_ERR to a REG1 that was repeated, says nothing within this time. The reference's REG3_TIMEOUT.
    static constexpr Duration late_answers{4'000'000'000};
    static constexpr std::uint32_t refusals_before_new_port = 3;
    static constexpr std::uint32_t asks_before_next_link = 3;

    enum class Send : std::uint8_t { nothing, reg1, reg2 };
    enum class Outcome : std::uint8_t {
        ignored,  // not awaited, or malformed
        noted,
        group_created,  // send REG2 on every link now
        group_lost,     // the receiver knows us no more
        link_joined,
        link_refreshed,  // REG3 again
        link_refused,    // REG_ERR; ask for a new port when refusals() says so
    };

    // `is_known`: not a probe, but the id of a group that an earlier run of ours had; a receiver that has kept it takes
    // each link in at its first REG2.
    explicit Registration(const wire::GroupKey& probe, bool is_known = false) : key_(probe), knows_group_(is_known) {}

    // A socket is there for the link / is there no more.
    void on_open(LinkId link, Instant now);
    void on_close(LinkId link, Instant now);
    // A member has gone silent: joins again with the same id.
    void on_silent(LinkId link, Instant now);
    // Ask the receiver whether it still knows a member; the member stays one meanwhile.
    void probe(LinkId link, Instant now);
    // Another receiver is about to be asked, or the same one again: every link begins anew. The group's id is asked
    // with first, since a receiver that was only out of reach still has it.
    void restart(Instant now);

    // What to send on the link now; call when due(link) <= now. Arms the next retry.
    Send on_due(LinkId link, Instant now);
    [[nodiscard]] Instant due(LinkId link) const { return links_[link.index()].due; }
    // The earliest of all: what happens to one link may make another due.
    [[nodiscard]] Instant next_due() const;

    // `any_alive`: some member was heard a moment ago, so an NGP speaks for its link alone, and ends no membership:
    // it is not signed, and who says it may be a forger.
    Outcome on_no_group(LinkId link, bool any_alive, Instant now);
    Outcome on_reg2(LinkId link, Bytes packet, Instant now);
    Outcome on_reg3(LinkId link, Instant now);
    Outcome on_refused(LinkId link, Instant now);

    [[nodiscard]] bool is_member(LinkId link) const { return links_[link.index()].state == State::member; }
    [[nodiscard]] bool has_group() const { return phase_ == Phase::joined; }
    [[nodiscard]] std::uint32_t refusals(LinkId link) const { return links_[link.index()].refusals; }
    [[nodiscard]] const wire::GroupKey& key() const { return key_; }
    [[nodiscard]] bool is_consistent() const;

private:
    enum class Phase : std::uint8_t { probing, asking, joined };
    enum class State : std::uint8_t { closed, joining, member };
    struct Link {
        State state = State::closed;
        bool answered = false;  // NGP seen: there is a receiver behind it
        bool asked = false;     // REG1 sent, and neither granted nor refused: on a slow path the answer comes late
        bool checking = false;  // member with a REG2 outstanding
        std::uint32_t tries = 0;
        std::uint32_t refusals = 0;
        Instant due = never;
        Instant quick_until;  // it was a member a moment ago
    };

    void ask(LinkId link, Instant now);
    void ask_elsewhere(LinkId after, Instant now);
    void join(LinkId link, Instant now);

    wire::GroupKey key_;
    bool knows_group_ = false;  // key_ is a group's id, no longer the probe
    Phase phase_ = Phase::probing;
    LinkId asked_ = no_link;
    std::uint32_t asks_ = 0;
    Instant created_at_;  // the group, in phase joined
    std::array<Link, links_max> links_{};
};

}  // namespace hawser::link
