// SPDX-License-Identifier: MIT
#include "engine/link/registration.h"

#include <algorithm>

namespace hawser::link {

void Registration::on_open(LinkId link, Instant now) {
    // What the last socket heard says nothing of this one: an NGP of its own costs one round trip.
    links_[link.index()] = Link{};
    join(link, now);
}

void Registration::on_close(LinkId link, Instant now) {
    links_[link.index()] = Link{};
    if (asked_ == link && phase_ == Phase::asking) ask_elsewhere(link, now);
}

void Registration::on_silent(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    if (l.state == State::closed) return;
    if (l.state == State::member) l.quick_until = now + back_soon;
    join(link, now);
}

void Registration::probe(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    if (l.state != State::member || l.checking) return;
    l.checking = true;
    l.tries = 0;
    l.due = now;
}

void Registration::restart(Instant now) {
    phase_ = Phase::probing;
    asked_ = no_link;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        Link& l = links_[i];
        if (l.state == State::closed) continue;
        l = Link{};
        join(LinkId(static_cast<std::uint8_t>(i)), now);
    }
}

void Registration::join(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    l.state = State::joining;
    l.checking = false;
    l.tries = 0;
    l.due = now;
}

Instant Registration::next_due() const {
    Instant next = never;
    for (const Link& l : links_) next = std::min(next, l.due);
    return next;
}

Registration::Send Registration::on_due(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    if (l.state == State::closed || (l.state == State::member && !l.checking)) {
        l.due = never;
        return Send::nothing;
    }
    if (phase_ == Phase::asking) {
        if (asked_ == link) {
            if (asks_ >= asks_before_next_link) {
                ask_elsewhere(link, now);
                if (asked_ != link) {
                    l.due = now + retry_max;
                    return Send::nothing;
                }
            }
            ++asks_;
            l.asked = true;
            l.due = now + ask_retry;
            return Send::reg1;
        }
        // The others wait for the group's id, but keep showing whether there is a receiver behind them.
        l.due = now + retry_max;
        return l.answered ? Send::nothing : Send::reg2;
    }
    const bool is_quick = (l.checking && l.tries < quick_checks) || now < l.quick_until;
    const std::int64_t shift = is_quick ? 0 : std::min(l.tries, tries_at_slow_pace);
    l.due = now + std::min(retry_max, retry_min * (std::int64_t{1} << shift));
    ++l.tries;
    return Send::reg2;
}

void Registration::ask(LinkId link, Instant now) {
    phase_ = Phase::asking;
    asked_ = link;
    asks_ = 0;
    links_[link.index()].state = State::joining;
    links_[link.index()].checking = false;
    links_[link.index()].due = now;
}

void Registration::ask_elsewhere(LinkId after, Instant now) {
    for (std::size_t step = 1; step <= links_max; ++step) {
        const std::size_t i = (after.index() + step) % links_max;
        if (links_[i].state != State::closed && links_[i].answered) {
            ask(LinkId(static_cast<std::uint8_t>(i)), now);
            return;
        }
    }
    // Nobody is known to reach a receiver: begin with REG2 on every link again.
    restart(now);
}

Registration::Outcome Registration::on_no_group(LinkId link, bool any_alive, Instant now) {
    Link& l = links_[link.index()];
    if (l.state == State::closed) return Outcome::ignored;
    l.answered = true;
    switch (phase_) {
        case Phase::probing: ask(link, now); return Outcome::noted;
        case Phase::asking: return Outcome::noted;
        case Phase::joined: break;
    }
    if (now - created_at_ < late_answers) return Outcome::noted;
    // Only an answer to our own REG2 says anything; a forged one must not unseat a healthy group.
    if (l.state == State::member && !l.checking) return Outcome::ignored;
    if (any_alive) {
        // The group lives, though not for this path: another server behind the name, perhaps, or a forger. Keep trying,
        // at the slow pace and never later than without it; a member stays one until the silence says otherwise, since
        // the REG3 that answers its REG2 may be on its way.
        if (l.tries != 0) l.tries = std::max(l.tries, l.checking ? quick_checks : tries_at_slow_pace);
        l.quick_until = Instant{};
        return Outcome::noted;
    }
    for (Link& other : links_) {
        if (other.state == State::closed) continue;
        other.state = State::joining;
        other.checking = false;
        other.due = now + retry_max;
    }
    ask(link, now);
    return Outcome::group_lost;
}

Registration::Outcome Registration::on_reg2(LinkId link, Bytes packet, Instant now) {
    // The question may have moved on to another link since this one was asked.
    if (phase_ != Phase::asking || !links_[link.index()].asked || packet.size() != wire::registration_bytes)
        return Outcome::ignored;
    const Bytes id = packet.subspan(2);
    if (!std::equal(key_.begin(), key_.begin() + wire::group_id_sender_bytes, id.begin())) return Outcome::ignored;
    std::copy(id.begin(), id.end(), key_.begin());
    knows_group_ = true;
    phase_ = Phase::joined;
    created_at_ = now;
    asked_ = no_link;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (links_[i].state != State::closed) join(LinkId(static_cast<std::uint8_t>(i)), now);
        links_[i].refusals = 0;
        links_[i].asked = false;
    }
    return Outcome::group_created;
}

Registration::Outcome Registration::on_reg3(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    if (phase_ == Phase::asking || l.state == State::closed) return Outcome::ignored;
    const bool was_member = l.state == State::member;
    if (!was_member && l.tries == 0) return Outcome::ignored;
    if (phase_ == Phase::probing) {
        if (!knows_group_) return Outcome::ignored;
        // The receiver was given up, but it is the same one and has kept the group.
        phase_ = Phase::joined;
        created_at_ = now;
    }
    l.state = State::member;
    l.checking = false;
    l.refusals = 0;
    l.answered = true;
    l.due = never;
    return was_member ? Outcome::link_refreshed : Outcome::link_joined;
}

Registration::Outcome Registration::on_refused(LinkId link, Instant now) {
    Link& l = links_[link.index()];
    if (phase_ == Phase::asking && asked_ == link && asks_ > 0) {
        ++l.refusals;
        l.answered = true;
        l.asked = false;
        // This address may be stuck with a group whose REG2 was lost on its way: the same question from another
        // link gets a fresh one. When that has been refused too, the receiver is full, and the question waits; so
        // does a link alone, which asks from a new port when the sender reads refusals().
        ask_elsewhere(link, now);
        if (asked_ != no_link && links_[asked_.index()].refusals > 0) links_[asked_.index()].due = now + ask_retry;
        return Outcome::link_refused;
    }
    if (phase_ == Phase::joined && l.state == State::joining && l.tries > 0) {
        if (now - created_at_ < late_answers) return Outcome::noted;
        ++l.refusals;
        l.due = now + refused_retry;
        return Outcome::link_refused;
    }
    return Outcome::ignored;
}

bool Registration::is_consistent() const {
    if ((phase_ == Phase::asking) != (asked_ != no_link)) return false;
    for (const Link& l : links_) {
        if (l.state == State::closed && l.due != never) return false;
        if (l.state == State::joining && l.due == never) return false;
        if (l.state == State::member && phase_ != Phase::joined) return false;
        if (l.checking && l.state != State::member) return false;
        if (l.asked && phase_ != Phase::asking) return false;
    }
    if (asked_ != no_link && links_[asked_.index()].state == State::closed) return false;
    return true;
}

}  // namespace hawser::link
