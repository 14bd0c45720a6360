// SPDX-License-Identifier: MIT
// What comes back on the uplinks: SRT answers for the caller, and SRTLA's own packets.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"
#include "engine/wire/extension.h"

namespace hawser::bond {

namespace {

// What adaptive asks of the receiver.
constexpr wire::Extension offer{
    .delivery_reports = true, .reorder_hold = true, .report_interval_us = 10'000, .reports_by_others = true};
// The keepalives of a run that has taken over an earlier one's group say so for so long from when it was found: a slow
// link's registration fits in. Untuned.
constexpr Duration renewed_span{2'000'000'000};
constexpr std::int32_t loss_list_limit = 25600;  // libsrt's default flow window: nobody can have lost more
// Receivers that pad small packets to 32 bytes (irlserver/srtla 39e324a, OpenIRL/srtla 1.0.0) pad NAKs too, and the
// zeros would read as losses of sequence 0. At least one entry is left.
std::size_t unpadded_nak_bytes(Bytes packet) {
    std::size_t n = packet.size();
    if (n != wire::padded_bytes) return n;
    while (n > wire::srt_header_bytes + 4 && load_be32(packet.data() + n - 4) == 0) n -= 4;
    return n;
}

}  // namespace

void Sender::on_uplink(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const LinkId link = link_at((c.tag & 0xFFFF) - 1);
    if (link.index() >= links_max || traffic(link).socket != c.socket) return;
    record(recorder_, on_uplink_packet(c, packet, link, now, out), link, packet, now);
}

Fate Sender::on_uplink_packet(const Completion& c, Bytes packet, LinkId link, Instant now, Actions& out) noexcept {
    if (packet.size() > wire::datagram_bytes_max) return drop_from_uplink(Counter::drop_oversize);
    ++traffic(link).packets_in;
    traffic(link).bytes_in += packet.size();
    const auto type = wire::packet_type(packet);
    if (!type) return drop_from_uplink(Counter::drop_short);
    if (wire::is_srtla_space(*type)) return on_srtla(link, *type, packet, now, out);
    if (!registration_.is_member(link)) return drop_from_uplink(Counter::drop_unregistered);
    heard(link, now);
    return on_srt_from_uplink(c, packet, link, now, out);
}

Fate Sender::on_srt_from_uplink(const Completion& c, Bytes packet, LinkId link, Instant now, Actions& out) noexcept {
    auto srt = wire::SrtPacket::over(packet);
    if (!srt) return drop_from_uplink(Counter::drop_short);
    if (!caller_.has_caller()) return drop_from_uplink(Counter::drop_no_caller);
    if (!caller_.accepts_destination(srt->destination())) return drop_from_uplink(Counter::drop_bad_destination);
    PacketRef ref = c.packet;
    if (srt->is_data()) return forward(ref, out);
    if (srt->control_type() == wire::SrtControl::nak) {
        ref.length = static_cast<std::uint16_t>(unpadded_nak_bytes(packet));
        packet = packet.first(ref.length);
        srt = wire::SrtPacket::over(packet);
    }
    const bool is_first = copies_.is_first(packet, link, now);
    switch (srt->control_type()) {
        case wire::SrtControl::ack: {
            const auto next = wire::ack_next_expected(*srt);
            if (!next || !caller_.accepts_ack(*next)) return drop_from_uplink(Counter::drop_bad_ack);
            caller_.on_ack(srt->destination());
            safe_rate_.on_srt_ack(*next);
            // Every copy counts for the links' in-flight figures, as in the reference; the caller gets one.
            if (adaptive_)
                dispatch_.on_srt_ack(*next, now);
            else
                selector_.note_proof(accounting_.on_srt_ack(*next, now), now);
            counters_.add(is_first ? Counter::srt_acks : Counter::srt_ack_copies);
            if (is_first) watch_receiver_acks(now, out);
            break;
        }
        case wire::SrtControl::nak: {
            const auto losses = wire::LossList::over(srt->body(), loss_list_limit);
            if (!losses || !caller_.accepts_losses(*losses)) return drop_from_uplink(Counter::drop_bad_loss_list);
            counters_.add(is_first ? Counter::srt_naks : Counter::srt_nak_copies);
            if (!is_first) break;
            if (adaptive_) return forward_nak(ref, *srt, *losses, out);
            on_srt_nak(*losses, now);
            break;
        }
        case wire::SrtControl::shutdown:
            if (is_first && !caller_.ended()) {
                caller_.on_shutdown();
                note_far_end(now);
                out.tell(event(EventKind::session_ended, now));
            }
            break;
        case wire::SrtControl::handshake:
            if (!caller_.accepts_answer(srt->destination())) return drop_from_uplink(Counter::drop_bad_destination);
            if (const auto answer = wire::Handshake::over(*srt)) caller_.on_answer(*answer, now);
            deadlines_.on_listener_handshake(*srt);
            take_latency();
            break;
        case wire::SrtControl::keepalive:
        case wire::SrtControl::congestion_warning:
        case wire::SrtControl::ackack:
        case wire::SrtControl::drop_request:
        case wire::SrtControl::peer_error:
        case wire::SrtControl::user: break;
        default: return drop_from_uplink(Counter::drop_unexpected_type);
    }
    if (!is_first) return {.decision = Decision::copy_suppressed};
    return forward(ref, out);
}

void Sender::on_srt_nak(const wire::LossList& losses, Instant now) noexcept {
    counters_.add(Counter::srt_nak_sequences, static_cast<std::uint64_t>(losses.count()));
    losses.each([&](wire::Seq31 sequence) {
        const LinkId link = charge_loss(sequence, now);
        if (link == no_link) return;
        ++uplinks_[link.index()].naks;
        selector_.note_nak(link, now);
    });
}

// The link that lost it; no_link when nobody holds it, or when the report was made before the retransmission that is
// under way could arrive. Classic charges each report to whoever holds the sequence then, as the reference does.
LinkId Sender::charge_loss(wire::Seq31 sequence, Instant now) noexcept {
    if (selector_.settings().mode == select::Mode::classic) return accounting_.on_lost(sequence, now).link;
    const bool reported = loss_reports_.note(sequence);
    const auto sending = accounting_.first_holder(sequence);
    if (sending.link == no_link) return no_link;
    const Duration round_trip = uplinks_[sending.link.index()].rtt.smoothed();
    if (reported && now - sending.sent_at < LossReports::answer_time(round_trip)) return no_link;
    accounting_.charge_first_holder(sequence);
    return sending.link;
}

Fate Sender::forward(PacketRef ref, Actions& out) noexcept {
    if (local_socket_ == no_socket || !out.send(local_socket_, ref, &caller_.endpoint()))
        return drop_from_uplink(Counter::drop_no_room);
    counters_.add(Counter::local_packets_out);
    return {.decision = Decision::delivered};
}

Fate Sender::on_srtla(LinkId link, std::uint16_t type, Bytes packet, Instant now, Actions& out) noexcept {
    if (type == wire::report_type) return on_report(link, packet, now);
    constexpr Fate registered{.decision = Decision::registration_in};
    switch (static_cast<wire::SrtlaType>(type)) {
        case wire::SrtlaType::ack: {
            const auto ack = wire::SrtlaAck::over(packet);
            if (!ack) return drop_from_uplink(Counter::drop_bad_ack);
            if (!registration_.is_member(link)) return drop_from_uplink(Counter::drop_unregistered);
            heard(link, now);
            counters_.add(Counter::srtla_acks_in);
            srtla_acks_seen_ = true;
            if (srtla_acks_absent_) [[unlikely]]
                note_acks_absent(false);
            if (!adaptive_ && dispatch_.classes().several()) [[unlikely]]
                note_class_answer(*ack, now);
            if (adaptive_)
                dispatch_.on_srtla_ack(link, *ack, now);
            else
                selector_.note_proof(accounting_.on_srtla_ack(*ack, link, alive_, now), now);
            return {.decision = Decision::ack_in};
        }
        case wire::SrtlaType::keepalive:
            counters_.add(Counter::keepalives_in);
            if (registration_.is_member(link)) on_keepalive(link, packet, now);
            return {.decision = Decision::keepalive_in};
        case wire::SrtlaType::reg_ngp:
            apply(registration_.on_no_group(link, heard_lately(now), now), link, now, out);
            return registered;
        case wire::SrtlaType::reg2: apply(registration_.on_reg2(link, packet, now), link, now, out); return registered;
        case wire::SrtlaType::reg3: {
            const bool had_group = registration_.has_group();
            const auto outcome = registration_.on_reg3(link, now);
            if (!had_group && registration_.has_group()) {
                out.tell(event(EventKind::group_kept, now, link));
                if (std::exchange(options_.earlier.has_group, false)) renewed_until_ = now + renewed_span;
                note_answer(now, out);
            }
            apply(outcome, link, now, out);
            return registered;
        }
        case wire::SrtlaType::reg_err:
        case wire::SrtlaType::reg_nak: apply(registration_.on_refused(link, now), link, now, out); return registered;
        case wire::SrtlaType::reg1: break;
    }
    // Never answered and never forwarded: 0x9xxx and 0xAxxx are not SRT.
    return drop_from_uplink(Counter::drop_unexpected_type);
}

void Sender::on_keepalive(LinkId link, Bytes packet, Instant now) noexcept {
    Uplink& u = uplinks_[link.index()];
    heard(link, now);
    const auto rtt = u.keepalive.on_echo(packet, now);
    if (!rtt) return;
    answered_form_ = u.keepalive.form();
    u.rtt.sample(*rtt, now);
    u.round_trips.add(*rtt);
    selector_.note_rtt(link, *rtt, now);
    if (adaptive_) dispatch_.on_echo(link, *rtt, now);
}

void Sender::heard(LinkId link, Instant now) noexcept {
    traffic(link).heard_at = now;
    selector_.note_heard(link, now);
}

void Sender::apply(link::Registration::Outcome outcome, LinkId link, Instant now, Actions& out) noexcept {
    using Outcome = link::Registration::Outcome;
    Uplink& u = uplinks_[link.index()];
    counters_.add(Counter::registrations_in);
    switch (outcome) {
        case Outcome::ignored: counters_.add(Counter::drop_bad_registration); return;
        case Outcome::noted: break;
        case Outcome::group_created:
            out.tell(event(EventKind::group_created, now, link));
            note_answer(now, out);
            each_link(present_, [&](LinkId other) { run_registration(other, now, out); });
            break;
        case Outcome::group_lost:
            out.tell(event(EventKind::group_lost, now, link));
            each_link(present_, [&](LinkId other) {
                Uplink& o = uplinks_[other.index()];
                if (o.state != UplinkState::connected) return;
                o.state = UplinkState::joining;
                accounting_.fail(other);
                set_usable(other, false, now, out);
            });
            break;
        case Outcome::link_joined:
            // From 1000 on, a link that came back would wait half a minute for its share while the others are well.
            if (selector_.settings().mode != select::Mode::classic) accounting_.restart(link);
            u.state = UplinkState::connected;
            u.keepalive.reset(answered_form_, now);
            u.last_errno = 0;
            heard(link, now);
            selector_.note_registered(link, now);
            set_usable(link, true, now, out);
            has_connected_ = true;
            no_link_since_ = never;
            unrouted_since_told_ = 0;
            out.tell(event(EventKind::uplink_connected, now, link));
            send_keepalive(link, now, out);
            break;
        case Outcome::link_refreshed:
            heard(link, now);
            end_watch_until_ = now;
            break;
        case Outcome::link_refused:
            counters_.add(Counter::registrations_refused);
            out.tell(event(EventKind::uplink_refused, now, link, registration_.refusals(link)));
            if (registration_.refusals(link) >= link::Registration::refusals_before_new_port) {
                close_uplink(link, now, out);
                u.open_at = now;
                arm(now);
            }
            break;
    }
    run_registration(link, now, out);
    arm(registration_.next_due());
}

void Sender::run_registration(LinkId link, Instant now, Actions& out) noexcept {
    using Send = link::Registration::Send;
    if (traffic(link).socket == no_socket) return;
    if (registration_.due(link) <= now) {
        const Send send = registration_.on_due(link, now);
        if (send != Send::nothing) {
            const auto type = send == Send::reg1 ? wire::SrtlaType::reg1 : wire::SrtlaType::reg2;
            wire::GroupKey key = registration_.key();
            if (send == Send::reg1 && adaptive_) wire::write_offer(wire::extension_half(MutableBytes(key)), offer);
            const auto packet = wire::build_registration(type, key);
            if (out.send_bytes(traffic(link).socket, packet)) {
                counters_.add(Counter::registrations_out);
                note_own(link, Decision::registration_out, packet, now);
            }
        }
    }
    arm(registration_.due(link));
}

void Sender::send_keepalive(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    wire::Telemetry telemetry;
    telemetry.connection = link.value;
    telemetry.window = accounting_.window(link);
    telemetry.in_flight = accounting_.in_flight(link);
    if (adaptive_) {
        const Dispatch::View path = dispatch_.view(link);
        telemetry.window = static_cast<std::int32_t>(path.window_bytes * window_unit / link::PathModel::packet_bytes);
        telemetry.in_flight = static_cast<std::int32_t>(path.in_flight);
        if (reports_by_others_ && now < renewed_until_) telemetry.connection |= wire::renewed_bit;
        if (reports_by_others_ && dispatch_.is_unanswered(link)) telemetry.connection |= wire::report_ask_bit;
    }
    telemetry.rtt_ms = static_cast<std::uint32_t>(u.rtt.smoothed().ms());
    telemetry.naks = static_cast<std::uint32_t>(u.naks);
    telemetry.bytes_per_second = u.bytes_per_second;
    const Bytes packet = u.keepalive.next(telemetry, now);
    if (!out.send_bytes(traffic(link).socket, packet)) return;
    counters_.add(Counter::keepalives_out);
    note_own(link, Decision::keepalive_out, packet, now);
}

}  // namespace hawser::bond
