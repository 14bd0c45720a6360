// SPDX-License-Identifier: MIT
// Who may enter a group, who makes room, and who is swept out.
#include <algorithm>

#include "engine/bond/receiver.h"

namespace hawser::bond {

using wire::SrtlaType;

namespace {

constexpr Duration sweep_interval{1'000'000'000};
constexpr std::uint32_t sweep_groups_max = 64;  // visited in one slice
constexpr Duration sweep_pause{2'000'000};      // between two slices, for packets; untuned

// How long a group is safe from one that wants its place. An encoder starts within seconds of its sender; libsrt ends a
// session after 5 s of silence. The first counts from the group's creation, which the limiter has admitted.
constexpr Duration safe_without_ack{5'000'000'000};
constexpr Duration safe_idle{5'000'000'000};
// A walk that found no group to evict is not repeated for so long: it costs a look at each. Untuned.
constexpr Duration full_table_pause{100'000'000};

struct Expendable {
    int tier = 0;  // the lower, the sooner it goes
    Instant since;
};

// Whether a group may go for a newcomer: it has lost its links, or the server never acknowledged anything of it, or its
// data has stopped.
bool expendable(const ReceiverGroup& group, Instant now, Expendable& out) {
    if (group.links == 0) {
        out = {0, group.heard};
        return true;
    }
    if (!group.ack_seen) {
        out = {1, group.created};
        return now - group.created >= safe_without_ack;
    }
    out = {2, group.data_at};
    return now - group.data_at >= safe_idle;
}

}  // namespace

// What we will do of what a REG1's id asks for; absent where it asks for nothing, or for nothing that we do.
std::optional<wire::Extension> Receiver::grant(Bytes id) const noexcept {
    const auto offer = wire::offer_in(wire::extension_half(id));
    if (!offer) return std::nullopt;
    wire::Extension answer;
    answer.delivery_reports = offer->delivery_reports && options_.delivery_reports;
    answer.reorder_hold = offer->reorder_hold && options_.reorder_hold;
    answer.reports_by_others = offer->reports_by_others && answer.delivery_reports;
    if (!answer.any()) return std::nullopt;
    const Duration wish{std::int64_t{offer->report_interval_us} * 1'000};
    const Duration interval = std::clamp(wish, options_.report_interval_min, options_.report_interval_max);
    answer.report_interval_us = static_cast<std::uint32_t>(interval.us());
    return answer;
}

// Off the list or over the rate: no answer. A sender asks again each second, and a flood is not worth a packet.
void Receiver::refuse(RefusalReason why, const Endpoint& from, Instant now, Actions& out) noexcept {
    counters_.add(Counter::registrations_refused);
    tally_.add(why, now);
    if (why != RefusalReason::not_allowed && why != RefusalReason::rate && why != RefusalReason::answer_rate)
        answer(SrtlaType::reg_err, from, now, out);
}

void Receiver::send_registration(Bytes packet, const Endpoint& to, Instant now, Actions& out) noexcept {
    if (!out.send_bytes(uplink_, packet, &to)) return counters_.add(Counter::drop_no_room);
    counters_.add(Counter::registrations_out);
    counters_.add(Counter::uplink_packets_out);
    counters_.add(Counter::uplink_bytes_out, packet.size());
    if (recorder_.is_on()) record_uplink({.decision = Decision::registration_out}, slot_from(to), packet, now);
}

void Receiver::answer(SrtlaType type, const Endpoint& to, Instant now, Actions& out) noexcept {
    send_registration(wire::build_padded(type), to, now, out);
}

void Receiver::answer_reg2(const wire::GroupKey& id, const Endpoint& to, Instant now, Actions& out) noexcept {
    send_registration(wire::build_registration(SrtlaType::reg2, id), to, now, out);
}

// The answer is an id that holds all there is to remember (receiver_ids.h), so a flood of REG1s fills no table. It is
// as long as the question and goes to whoever is named as its source; so no network gets more of them than its senders
// can need, but there is no limit for all that a flood could use up before an honest sender comes.
// From a link's address with its group's half: its REG2 was lost, or this REG1 was late. The group's own id again is
// right either way, whatever else its network asks. With another half, the address has a new user: it is his when
// nobody is heard there any more.
void Receiver::on_reg1(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    if (stopping_) return;
    if (!is_allowed(options_, c.from)) return refuse(RefusalReason::not_allowed, c.from, now, out);
    const Bytes half = packet.subspan(2, wire::group_id_sender_bytes);
    if (const Owner owner = table_.owner_of(c.from); owner.is_link()) {
        ReceiverLink& link = table_.link(owner.index());
        if (std::equal(half.begin(), half.end(), table_.key(link.group).begin())) {
            link.heard = table_.group(link.group).heard = now;
            return answer_reg2(table_.key(link.group), c.from, now, out);
        }
        if (now - link.heard < options_.address_hold) return refuse(RefusalReason::foreign_address, c.from, now, out);
    }
    if (!answers_.admit(c.from, now)) return refuse(RefusalReason::answer_rate, c.from, now, out);
    answer_reg2(ids_.make(half, grant(packet.subspan(2)), c.from, now), c.from, now, out);
}

// The group of an id that we made and that comes back for the first time. no_slot: refused, and the sender told as much
// as is good. The limit is by the network that asked for the id: that address was real, the one of this REG2 need not
// be.
std::uint32_t Receiver::create_group(Bytes id, const Endpoint& registrant, const Endpoint& from, Instant now,
                                     Actions& out) noexcept {
    if (!limiter_.allows(registrant, now)) {
        refuse(RefusalReason::rate, from, now, out);
        return no_slot;
    }
    if (table_.full() && !make_room_for_group(now, out)) {
        refuse(RefusalReason::table_full, from, now, out);
        return no_slot;
    }
    limiter_.take(registrant, now);
    const std::uint32_t g = table_.add_group(id, now);
    ReceiverGroup& group = table_.group(g);
    group.address_index = preferred_server_;
    if (group.extension.any()) holds_[g].begin_group(group.extension.reorder_hold);
    if (sweep_at_ == never) {
        sweep_round_at_ = now;
        sweep_at_ = now + sweep_interval;
    }
    Event e = event(EventKind::receiver_group_created, now, g, group.extension.delivery_reports ? 1u : 0u,
                    group.extension.reorder_hold ? 1u : 0u);
    e.endpoint = registrant;
    out.tell(e);
    return g;
}

// A walk over all groups, but only for a newcomer that passes the limiter into a full table: when it makes room, the
// newcomer's token is gone, and when it does not, the next one is a pause away.
bool Receiver::make_room_for_group(Instant now, Actions& out) noexcept {
    if (now < full_until_) return false;
    std::uint32_t victim = no_slot;
    Expendable best;
    for (const std::uint16_t g : table_.active()) {
        Expendable candidate;
        if (!expendable(table_.group(g), now, candidate)) continue;
        if (victim != no_slot &&
            (candidate.tier > best.tier || (candidate.tier == best.tier && candidate.since >= best.since)))
            continue;
        victim = g;
        best = candidate;
    }
    if (victim == no_slot) {
        full_until_ = now + full_table_pause;
        return false;
    }
    remove_group(victim, EventKind::receiver_group_evicted, RemovalReason::evicted, now, out);
    return true;
}

// The group's longest-silent address goes, unless it is still live: senders that open new ports leave ghosts behind.
bool Receiver::make_room_for_link(std::uint32_t g, Instant now, Actions& out) noexcept {
    std::uint32_t victim = no_slot;
    table_.each_link(g, [&](std::uint32_t slot, const ReceiverLink& link) {
        if (now - link.heard <= options_.link_live) return;
        if (victim == no_slot || link.heard < table_.link(victim).heard) victim = slot;
    });
    if (victim == no_slot) return false;
    remove_link(victim, EventKind::receiver_link_evicted, RemovalReason::evicted, now, out);
    return true;
}

void Receiver::on_reg2(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    if (stopping_) return;
    if (!is_allowed(options_, c.from)) return refuse(RefusalReason::not_allowed, c.from, now, out);
    const Bytes id = packet.subspan(2);
    std::uint32_t g = table_.find(id);
    std::optional<Endpoint> registrant;
    if (g == no_slot) {
        registrant = ids_.registrant(id, now);
        if (!registrant) return answer(SrtlaType::reg_ngp, c.from, now, out);
    }
    if (const Owner owner = table_.owner_of(c.from); owner.is_link()) {
        ReceiverLink& link = table_.link(owner.index());
        if (link.group == g) {
            link.heard = table_.group(g).heard = now;
            return answer(SrtlaType::reg3, c.from, now, out);
        }
        if (now - link.heard < options_.address_hold) return refuse(RefusalReason::foreign_address, c.from, now, out);
    }
    if (g == no_slot) g = create_group(id, *registrant, c.from, now, out);
    if (g == no_slot) return;
    // Asked anew: the group that made room may have been the one that held the address.
    if (const Owner owner = table_.owner_of(c.from); owner.is_link())
        remove_link(owner.index(), EventKind::receiver_link_removed, RemovalReason::replaced, now, out);
    std::uint32_t slot = table_.add_link(g, c.from, now);
    if (slot == no_slot) {
        if (!make_room_for_link(g, now, out)) return refuse(RefusalReason::group_full, c.from, now, out);
        slot = table_.add_link(g, c.from, now);
    }
    const ReceiverGroup& group = table_.group(g);
    if (group.extension.delivery_reports)
        reports_.begin(slot, Duration{std::int64_t{group.extension.report_interval_us} * 1'000});
    table_.group(g).heard = now;
    out.tell(link_event(EventKind::receiver_link_added, now, table_.link(slot), RemovalReason::silence));
    answer(SrtlaType::reg3, c.from, now, out);
    // Open before the first SRT packet comes.
    open_server(g, now, out);
}

void Receiver::remove_link(std::uint32_t slot, EventKind kind, RemovalReason reason, Instant now,
                           Actions& out) noexcept {
    ReceiverLink& link = table_.link(slot);
    if (!link.ack.empty()) {
        acks_.remove(slot);
        link.ack.clear();
    }
    if (table_.group(link.group).extension.delivery_reports) reports_.end(slot);
    if (cached_slot_ == slot) cached_slot_ = no_slot;
    out.tell(link_event(kind, now, link, reason));
    table_.remove_link(slot);
}

void Receiver::remove_group(std::uint32_t g, EventKind kind, RemovalReason reason, Instant now, Actions& out) noexcept {
    table_.each_link(g, [&](std::uint32_t slot, const ReceiverLink&) {
        remove_link(slot, EventKind::receiver_link_removed, reason, now, out);
    });
    flush_hold(g, now, out);
    shut_down_server(g, out);
    close_server(g, now, out);
    release_held(g);
    table_.remove_group(g);
    out.tell(event(kind, now, g, static_cast<std::uint32_t>(reason)));
    if (table_.active().empty() && !stopping_) sweep_at_ = never;
}

// Once a second over all groups, at most sweep_groups_max of them at a time. From the last place down, because a
// removal moves the last group into the gap: whoever moves has been visited.
void Receiver::sweep(Instant now, Actions& out) noexcept {
    const auto count = static_cast<std::uint32_t>(table_.active().size());
    if (sweep_left_ == 0) {
        sweep_left_ = count;
        sweep_round_at_ = now;
    }
    sweep_left_ = std::min(sweep_left_, count);
    for (std::uint32_t visited = 0; sweep_left_ > 0 && visited < sweep_groups_max; ++visited) {
        if (!sweep_group(table_.active()[sweep_left_ - 1], now, out)) break;
        --sweep_left_;
    }
    if (table_.active().empty()) {
        sweep_left_ = 0;
        sweep_at_ = never;
    } else {
        sweep_at_ = sweep_left_ != 0 ? now + sweep_pause : sweep_round_at_ + sweep_interval;
    }
}

// False when the actions have no room for what this group may need: it stays for the next slice.
bool Receiver::sweep_group(std::uint32_t g, Instant now, Actions& out) noexcept {
    if (out.events().size() + table_.links_per_group() + 2 > Actions::events_max ||
        out.sends().size() + 2 > Actions::sends_max || out.opens().size() == Actions::opens_max)
        return false;
    table_.each_link(g, [&](std::uint32_t slot, const ReceiverLink& link) {
        if (now - link.heard > options_.link_silence)
            remove_link(slot, EventKind::receiver_link_removed, RemovalReason::silence, now, out);
    });
    ReceiverGroup& group = table_.group(g);
    if (group.links == 0) {
        if (!group.data_seen || now - group.heard > options_.group_silence)
            remove_group(g, EventKind::receiver_group_removed, RemovalReason::silence, now, out);
        return true;
    }
    // The server's name resolves to something else now: groups without a session go there.
    if (group.server != no_socket && !group.session.is_live() && !is_listed(group.server_address))
        close_server(g, now, out);
    open_server(g, now, out);
    return true;
}

}  // namespace hawser::bond
