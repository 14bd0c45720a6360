// SPDX-License-Identifier: MIT
// The sender where its operator has said something of its links: classes, rate caps, and the reserve that is used only
// when nothing else works. For the selectors that bind a packet as it comes the choice is made here; `adaptive` makes
// it in Dispatch. And what each link's slot has sent and received on the wire, which budgets are held against.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"

namespace hawser::bond {

namespace {

// A packet is worth waiting for a cap in half of SRT's latency: the way and a repair need the rest. Untuned.
constexpr std::int64_t cap_wait_latency_share = 2;
// Uplinks that are still connected and have said nothing for so long work no more: the reserve stands in for them,
// until one of them speaks.
constexpr Duration reserve_patience{1'000'000'000};
constexpr std::uint32_t headers_v4 = 28;  // IP and UDP
constexpr std::uint32_t headers_v6 = 48;

}  // namespace

void Sender::set_limits(LinkId link) noexcept {
    const UplinkSettings& settings = uplinks_[link.index()].spec.settings;
    dispatch_.set_limits(link, settings.priority, settings.rate_cap, wire_[link.index()].headers);
    find_plain_bytes_max();
}

// The link for a packet that comes now, of those that are not in `shut`, such as those at their caps. A class is tried
// when the ones before it have no room; when none has any, all take their part as if they were one.
LinkId Sender::choose_by_class(LinkMask shut, std::size_t packet_bytes, Instant now) noexcept {
    const LinkClasses& classes = dispatch_.classes();
    const LinkMask able = selector_.open() & ~kept();
    const LinkMask open = able & ~shut;
    LinkId link = no_link;
    for (std::size_t i = 0; i < classes.steps() && classes.several() && link == no_link; ++i) {
        LinkMask room = 0;
        each_link(classes.step(i) & open, [&](LinkId one) {
            if (has_room(one)) room |= bit(one);
        });
        if (room != 0) link = selector_.pick_within(room, now);
    }
    // Those that the stall gate keeps are better than none.
    const LinkMask others = open != 0 ? open : selector_.usable() & ~kept() & ~shut;
    if (link == no_link && others != 0) link = selector_.pick_within(others, now);
    if (link == no_link) return no_link;
    if ((classes.first_of(able) & bit(link)) == 0) counters_.add(Counter::class_overflows);
    dispatch_.caps().note_sent(link, packet_bytes, now);
    return link;
}

// The path model's window, from what SRTLA ACKs say. A receiver that sends none leaves the reference's own.
bool Sender::has_room(LinkId link) const noexcept {
    const std::int32_t in_flight = accounting_.in_flight(link);
    if (srtla_acks_absent_) return std::int64_t{in_flight} * window_unit < accounting_.window(link);
    return dispatch_.has_room(link, in_flight);
}

// An SRTLA ACK leaves with the packet that completes it, so its last sequence tells the way's time. One that was sent
// twice tells nothing.
void Sender::note_class_answer(const wire::SrtlaAck& ack, Instant now) noexcept {
    if (ack.count() == 0) return;
    const auto sequence = ack.at(ack.count() - 1);
    if (!sequence) return;
    const auto sent = accounting_.first_holder(*sequence);
    const auto again = accounting_.holder(*sequence);
    if (sent.link == no_link || again.link != sent.link || again.sent_at != sent.sent_at) return;
    dispatch_.note_acknowledged(sent.link, ack.count(), sent.sent_at, accounting_.in_flight(sent.link), now);
}

// No link took it. True: it waits for a cap, and its reference is kept.
bool Sender::wait_for_cap(const Completion& c, wire::Seq31 sequence, Instant now, Actions& out) noexcept {
    // Behind what waits already it keeps its place, also when the cap has opened in this turn.
    const bool waits = alive_ != 0 && (!cap_queue_.empty() || (dispatch_.caps().closed(now) & alive_) != 0);
    if (!waits) {
        note_no_uplink(pool_.bytes(c.packet), now, out);
        return false;
    }
    if (cap_queue_.push({c.packet, sequence, now})) {
        record_data(recorder_, {.decision = Decision::waits_for_cap}, no_link, pool_.bytes(c.packet), now);
        return true;
    }
    drop_from_local(Counter::drop_rate_cap, pool_.bytes(c.packet), now);
    return false;
}

void Sender::drop_late_for_cap(Instant now) noexcept {
    cap_queue_.drop_before(now - deadlines_.latency() / cap_wait_latency_share, [&](const CapQueue::Held& held) {
        drop_from_local(Counter::drop_rate_cap, pool_.bytes(held.packet), now);
    });
}

// Nobody asks for it any more: the session that it was of is over.
void Sender::drop_waiting(Instant now) noexcept {
    cap_queue_.drop_before(never, [&](const CapQueue::Held& held) {
        counters_.add(Counter::drop_session_over);
        record_data(recorder_, {.decision = Decision::session_over}, no_link, pool_.bytes(held.packet), now);
    });
    dispatch_.new_session(now);
}

// The reserve while it is to be left alone, else none.
LinkMask Sender::kept() const noexcept {
    if (adaptive_) return dispatch_.kept();
    return dispatch_.classes().kept(reserve_need_.told() ? selector_.open() : alive_);
}

// The reserve carries data while no other uplink is connected, or none of those that are has spoken for a while: it is
// told when that begins, and when it is over.
void Sender::watch_reserve(Instant now, Actions& out) noexcept {
    const LinkMask others = alive_ & ~dispatch_.classes().reserve();
    const bool is_needed = (others & ~(adaptive_ ? dispatch_.silent() : selector_.stalled())) == 0;
    const Duration patience = is_needed && others != 0 ? reserve_patience : Duration{};
    static_cast<void>(reserve_need_.note(is_needed, patience, now));
    dispatch_.lend_reserve(reserve_need_.told());
    selector_.set_kept(reserve_need_.told() ? 0 : dispatch_.classes().reserve());
    tell_reserve(now, out);
}

void Sender::tell_reserve(Instant now, Actions& out) noexcept {
    const LinkMask reserve = dispatch_.classes().reserve() & alive_;
    const bool is_used = reserve != 0 && reserve_need_.told() && caller_.has_caller() && !caller_.ended();
    if (is_used == (reserve_told_ != no_link)) return;
    if (is_used) {
        reserve_told_ = link_at(static_cast<std::size_t>(std::countr_zero(reserve)));
        reserve_told_at_ = now;
        out.tell(event(EventKind::reserve_used, now, reserve_told_));
        return;
    }
    const auto lasted = static_cast<std::uint32_t>((now - reserve_told_at_).ms());
    out.tell(event(EventKind::reserve_spared, now, std::exchange(reserve_told_, no_link), lasted));
}

// What the caps allow of media, where every link has one; zero: some link may carry anything.
std::uint64_t Sender::media_cap(std::uint32_t payload_bytes) const noexcept {
    const link::RateCaps& caps = dispatch_.caps();
    const LinkMask links = alive_ & ~kept();
    if (!caps.any() || links == 0 || (links & ~caps.capped()) != 0 || payload_bytes == 0) return 0;
    std::uint64_t bits = 0;
    each_link(links, [&](LinkId link) {
        const std::uint64_t on_wire = payload_bytes + wire::srt_header_bytes + wire_[link.index()].headers;
        bits += uplinks_[link.index()].spec.settings.rate_cap * payload_bytes / on_wire;
    });
    return bits;
}

// ---- Bytes on the wire. -------------------------------------------------------------------------------------------

void Sender::WireTally::settle(const Traffic& t) noexcept {
    out += t.bytes_out - bytes_out_from + (t.packets_out - packets_out_from) * headers;
    in += t.bytes_in - bytes_in_from + (t.packets_in - packets_in_from) * headers;
    bytes_out_from = t.bytes_out;
    packets_out_from = t.packets_out;
    bytes_in_from = t.bytes_in;
    packets_in_from = t.packets_in;
}

// Its traffic counts from zero again, what its slot has carried does not.
void Sender::begin_tenancy(LinkId link) noexcept {
    WireTally& tally = wire_[link.index()];
    tally.settle(traffic(link));
    tally.bytes_out_from = tally.packets_out_from = tally.bytes_in_from = tally.packets_in_from = 0;
    ++tally.tenancy;
    dispatch_.forget(link);
}

void Sender::note_local(LinkId link, const Endpoint& local) noexcept {
    WireTally& tally = wire_[link.index()];
    tally.settle(traffic(link));
    tally.headers = local.is_v4() ? headers_v4 : headers_v6;
    set_limits(link);
}

// SRTLA's own packets, which may not wait.
void Sender::note_own(LinkId link, Decision what, Bytes packet, Instant now) noexcept {
    wire_[link.index()].out += packet.size() + wire_[link.index()].headers;
    if (dispatch_.is_limited()) dispatch_.caps().note_sent(link, packet.size(), now);
    record(recorder_, {.decision = what}, link, packet, now);
}

// The kernel refused it: neither budget nor cap is charged.
void Sender::note_unsent(LinkId link, std::size_t bytes) noexcept {
    WireTally& tally = wire_[link.index()];
    tally.settle(traffic(link));
    tally.out -= std::min<std::uint64_t>(tally.out, bytes + tally.headers);
    dispatch_.caps().note_unsent(link, bytes);
}

}  // namespace hawser::bond
