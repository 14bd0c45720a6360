// SPDX-License-Identifier: MIT
// The sender's SRT side: the caller's odd packets. The common one, data of the running session, is in sender.h.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"

namespace hawser::bond {

namespace {

constexpr Duration refused_told_every{10'000'000'000};
constexpr std::uint32_t first_ackacks = 16;  // untuned: a tenth of a second of them

// What one link that stands still at the wrong moment must not delay, so that all carry it and the first to come
// counts; SRT takes copies for repeats. From the conclusion's arrival the SRT receiver counts its latency. The round
// trip of the first ACKACK is what it measures the caller's clock against later: when that was long, it takes half of
// the excess for drift, and the session is so much later from then on (Haivision/srt v1.5.1, tsbpd_time.cpp,
// addDriftSample). And nobody repeats a goodbye.
bool counts_once(const wire::SrtPacket& packet) {
    const wire::SrtControl type = packet.control_type();
    return type == wire::SrtControl::handshake || type == wire::SrtControl::shutdown ||
           (type == wire::SrtControl::ackack && packet.control_info() <= first_ackacks);
}

// A late copy of an induction makes a receiver begin with the SRT server anew (OpenIRL/srtla d1c717e, main.cpp); but
// the caller repeats it four times a second, so each takes another link.
bool is_induction(const wire::SrtPacket& packet) {
    const auto handshake = wire::Handshake::over(packet);
    return handshake && handshake->request_type() == wire::handshake_induction;
}

}  // namespace

bool Sender::on_odd(const Completion& c, Instant now, Actions& out) noexcept {
    const Bytes packet = pool_.bytes(c.packet);
    if (c.tag != local_tag) {
        on_uplink(c, packet, now, out);
        return false;
    }
    counters_.add(Counter::local_packets_in);
    counters_.add(Counter::local_bytes_in, packet.size());
    odd_bytes_in_ += packet.size();
    return on_odd_local(c, packet, now, out);
}

// Apart from on_odd, through which every answer from the uplinks comes: the path of a data packet is inlined here, and
// its frame (six saved registers, 136 bytes) is nothing that those should pay for.
bool Sender::on_odd_local(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const auto srt = wire::SrtPacket::over(packet);
    if (packet.size() > wire::datagram_bytes_max || !srt) {
        const Counter why = srt ? Counter::drop_oversize : Counter::drop_short;
        if (caller_.is(c.from))
            drop_from_local(why, packet, now);
        else
            drop_stranger(why, packet, now);
        return false;
    }
    if (!caller_.is(c.from) && !admit_caller(c, packet, now, out)) return false;
    caller_.heard(now);
    if (srt->is_data()) {
        odd_bytes_in_ -= packet.size();
        return on_data(c, *srt, now, out);
    }
    on_local_control(c, packet, now, out);
    return false;
}

void Sender::on_local_control(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const auto srt = *wire::SrtPacket::over(packet);
    const std::uint16_t type = *wire::packet_type(packet);
    if (wire::is_srtla_space(type)) return drop_from_local(Counter::drop_srtla_on_srt, packet, now);
    if (const auto handshake = wire::Handshake::over(srt)) {
        if (caller_.on_handshake(*handshake)) new_session(now, out);
        deadlines_.on_caller_handshake(srt);
        take_latency();
    } else if (srt.control_type() != wire::SrtControl::handshake) {
        caller_.on_connected_control();
        caller_.on_destination(srt.destination());
    }
    if (srt.control_type() == wire::SrtControl::shutdown && !caller_.ended()) {
        caller_.on_shutdown();
        Event e = event(EventKind::caller_gone, now, no_link, 1);
        e.endpoint = caller_.endpoint();
        out.tell(e);
    }
    if (adaptive_ && counts_once(srt)) {
        LinkMask links = dispatch_.usable(alive_ & ~busy_);
        if (is_induction(srt)) links = next_for_induction(links);
        if (links != 0)
            return each_link(links, [&](LinkId link) {
                if (dispatch_.is_limited()) dispatch_.caps().note_sent(link, packet.size(), now);
                pass_on(c.packet, link, now, out);
            });
    }
    LinkId link = choose(packet.size(), now);
    // SRT's own packets do not wait for a cap: data make room for them.
    if (link == no_link && !adaptive_ && dispatch_.is_limited()) link = choose_by_class(0, packet.size(), now);
    if (link == no_link) return note_no_uplink(packet, now, out);
    pass_on(c.packet, link, now, out);
}

// One of them, in turn.
LinkMask Sender::next_for_induction(LinkMask links) noexcept {
    const LinkMask later = links & ~((induction_link_ << 1) - 1);
    const LinkMask rest = later != 0 ? later : links;
    induction_link_ = rest & (~rest + 1);
    return induction_link_;
}

void Sender::pass_on(const PacketRef& ref, LinkId link, Instant now, Actions& out) noexcept {
    const bool is_out = put_out(ref, link, out);
    record(recorder_, is_out ? Fate{.decision = Decision::passed} : dropped_from_local(Counter::drop_no_room), link,
           pool_.bytes(ref), now);
}

bool Sender::admit_caller(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const auto srt = *wire::SrtPacket::over(packet);
    if (!srt.is_data() && wire::is_srtla_space(*wire::packet_type(packet))) {
        drop_stranger(Counter::drop_srtla_on_srt, packet, now);
        return false;
    }
    // Only a handshake takes a caller's place; anything does where there is none, since a sender that was restarted
    // meets the stream in its middle.
    const bool is_handshake = wire::Handshake::over(srt).has_value();
    if (!caller_.has_caller() || (is_handshake && caller_.is_replaceable(now, options_.caller_idle))) {
        if (caller_.has_caller() && !caller_.ended()) {
            Event e = event(EventKind::caller_gone, now);
            e.endpoint = caller_.endpoint();
            out.tell(e);
        }
        caller_.lock(c.from, now);
        copies_.clear();
        Event e = event(EventKind::caller_locked, now);
        e.endpoint = c.from;
        out.tell(e);
        return true;
    }
    drop_stranger(Counter::drop_foreign_caller, packet, now);
    if (const auto refusal = build_rejection(srt)) {
        if (!out.send_bytes(local_socket_, *refusal, &c.from)) counters_.add(Counter::drop_no_room);
    }
    if (refused_caller_ != c.from || now - refused_told_at_ >= refused_told_every) {
        refused_caller_ = c.from;
        refused_told_at_ = now;
        Event e = event(EventKind::caller_refused, now);
        e.endpoint = c.from;
        out.tell(e);
    }
    return false;
}

void Sender::new_session(Instant now, Actions& out) noexcept {
    accounting_.new_session();
    loss_reports_.clear();
    drop_waiting(now);
    deadlines_.new_session();
    take_latency();
    srtla_acks_seen_ = false;
    data_at_first_srt_ack_ = 0;
    if (srtla_acks_absent_) note_acks_absent(false);
    begin_rate(now);
    out.tell(event(EventKind::session_started, now, no_link, caller_.socket_id(), caller_.newest().raw()));
}

void Sender::drop_from_local(Counter why, Bytes packet, Instant now) noexcept {
    counters_.add(why);
    record(recorder_, dropped_from_local(why), no_link, packet, now);
}

void Sender::drop_stranger(Counter why, Bytes packet, Instant now) noexcept {
    counters_.add(why);
    record_stranger(recorder_, strangers_, dropped_from_local(why), packet, now);
}

void Sender::note_no_uplink(Bytes packet, Instant now, Actions& out) noexcept {
    drop_from_local(Counter::drop_no_uplink, packet, now);
    tell_no_uplink(1, now, out);
}

void Sender::tell_no_uplink(std::uint32_t dropped, Instant now, Actions& out) noexcept {
    if (unrouted_since_told_ == 0) out.tell(event(EventKind::no_uplink_for_data, now, no_link, dropped));
    // tick() tells of those that were dropped since.
    unrouted_since_told_ =
        dropped == 0 ? std::max<std::uint64_t>(unrouted_since_told_, 1) : unrouted_since_told_ + dropped;
}

}  // namespace hawser::bond
