// SPDX-License-Identifier: MIT
// What senders send: data, the other SRT packets, keepalives. Registration is in receiver_registration.cc.
#include "engine/bond/receiver.h"

namespace hawser::bond {

using wire::SrtlaType;

namespace {

// A link that may carry another one's reports has been heard within this.
constexpr Duration carrier_heard{300'000'000};

}  // namespace

std::uint32_t Receiver::slot_from(const Endpoint& from) noexcept {
    if (cached_slot_ != no_slot && from == cached_from_) return cached_slot_;
    const Owner owner = table_.owner_of(from);
    if (!owner.is_link()) return no_slot;
    cached_from_ = from;
    cached_slot_ = owner.index();
    return cached_slot_;
}

Fate Receiver::drop(Counter why, std::uint32_t slot) noexcept {
    counters_.add(why);
    if (slot != no_slot) ++table_.link(slot).dropped;
    return dropped_from_uplink(why);
}

void Receiver::record_uplink(Fate fate, std::uint32_t slot, Bytes packet, Instant now) noexcept {
    if (slot == no_slot) return record_stranger(recorder_, strangers_, fate, packet, now);
    const ReceiverLink& link = table_.link(slot);
    fate.number = static_cast<std::uint16_t>(link.group);
    record(recorder_, fate, LinkId(link.id), packet, now);
}

void Receiver::on_uplink(const Completion& c, Instant now, Actions& out) noexcept {
    const Bytes packet = pool_.bytes(c.packet);
    counters_.add(Counter::uplink_packets_in);
    counters_.add(Counter::uplink_bytes_in, packet.size());
    const std::uint32_t slot = slot_from(c.from);
    if (slot != no_slot && packet.size() >= wire::srt_header_bytes && packet.size() <= wire::datagram_bytes_max &&
        (packet[0] & 0x80) == 0) {
        const ReceiverLink& link = table_.link(slot);
        const LinkId id(link.id);
        const std::uint32_t g = link.group;
        Fate fate = on_data(c, packet, slot, now, out);
        fate.number = static_cast<std::uint16_t>(g);
        record_data(recorder_, fate, id, packet, now);
        return;
    }
    const Fate fate = on_uplink_control(c, packet, slot, now, out);
    // Who it is from may be known by it.
    if (recorder_.is_on()) record_uplink(fate, slot_from(c.from), packet, now);
}

Fate Receiver::on_data(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept {
    ReceiverLink& link = table_.link(slot);
    ReceiverGroup& group = table_.group(link.group);
    link.heard = group.heard = now;
    const wire::Seq31 sequence(load_be32(packet.data()));
    const ServerSession::Verdict verdict = group.session.on_data(sequence, load_be32(packet.data() + 12), now);
    if (verdict != ServerSession::Verdict::forward) [[unlikely]]
        return drop(verdict == ServerSession::Verdict::bad_destination ? Counter::drop_bad_destination
                                                                       : Counter::drop_implausible,
                    slot);
    counters_.add(Counter::srt_data);
    if ((packet[4] & 0x04) != 0) {
        counters_.add(Counter::srt_retransmissions);
        ++link.retransmissions;
    }
    ++link.packets;
    link.bytes += packet.size();
    link.delivered = true;
    link.delivered_at = group.data_at = now;
    group.last_link = link.id;
    group.data_seen = true;
    acknowledge(slot, sequence, now, out);
    const bool bears_number = wire::SrtPacket::over(packet)->message_number() != 0;
    group.numbers_messages = group.numbers_messages || bears_number;
    // Parity of SRT's packet filter bears the sequence of another packet (see deliver): that one has not come with it.
    if (group.extension.delivery_reports && (bears_number || !group.numbers_messages))
        report(slot, sequence, packet.size(), now, out);
    if (group.server == no_socket) [[unlikely]]
        return without_server(link.group, c.packet, false, now, out);
    if (group.extension.any()) return deliver(link.group, c.packet, *wire::SrtPacket::over(packet), now, out);
    return to_server(link.group, c.packet, out);
}

void Receiver::acknowledge(std::uint32_t slot, wire::Seq31 sequence, Instant now, Actions& out) noexcept {
    ReceiverLink& link = table_.link(slot);
    const bool first = link.ack.empty();
    link.ack.add(sequence);
    if (first) {
        const std::int64_t due = (now + options_.ack_flush).ns;
        acks_.push(slot, Instant{due - due % options_.ack_flush_grid.ns});
    } else if (link.ack.full()) {
        send_ack(slot, now, out);
    }
}

void Receiver::send_ack(std::uint32_t slot, Instant now, Actions& out) noexcept {
    ReceiverLink& link = table_.link(slot);
    acks_.remove(slot);
    if (out.send_bytes(uplink_, link.ack.bytes(), &link.endpoint)) {
        if (table_.group(link.group).extension.delivery_reports) reports_.on_ack(slot, link.ack.bytes().size());
        counters_.add(Counter::srtla_acks_out);
        note_out(Decision::ack_out, link, link.ack.bytes(), now);
    } else {
        counters_.add(Counter::drop_no_room);
    }
    link.ack.clear();
}

// The report leaves at the end of the turn at the earliest, with all that the turn brought.
void Receiver::report(std::uint32_t slot, wire::Seq31 sequence, std::size_t bytes, Instant now, Actions& out) noexcept {
    reports_.note(slot, sequence, bytes, now);
    if (reports_.is_full(slot)) send_report(slot, now, out);
}

void Receiver::send_report(std::uint32_t slot, Instant now, Actions& out) noexcept {
    const ReceiverLink& link = table_.link(slot);
    auto report = reports_.take(slot, holds_[link.group].next_expected(), now);
    if (!report) return;
    const Bytes bytes = report->bytes();
    // The next one says again what this one would have said.
    if (!out.send_bytes(uplink_, bytes, &link.endpoint)) return counters_.add(Counter::drop_no_room);
    counters_.add(Counter::reports_out);
    note_out(Decision::report_out, link, bytes, now);
    if (!reports_.is_asked(slot, now)) [[likely]]
        return;
    if (const ReceiverLink* carrier = carrier_of(slot, now);
        carrier != nullptr && reports_.may_copy(slot, bytes.size()))
        report_by_another(link, *carrier, *report, now, out);
}

// The first link that has been heard just now and whose own way back is not in doubt: reports that went now by this
// link and now by that one would overtake each other. Null when there is none.
const ReceiverLink* Receiver::carrier_of(std::uint32_t slot, Instant now) const noexcept {
    const ReceiverLink* carrier = nullptr;
    table_.each_link(table_.link(slot).group, [&](std::uint32_t other, const ReceiverLink& l) {
        if (carrier != nullptr || other == slot || reports_.is_asked(other, now)) return;
        if (now - l.heard < carrier_heard) carrier = &l;
    });
    return carrier;
}

void Receiver::report_by_another(const ReceiverLink& link, const ReceiverLink& carrier, wire::ReportBuilder& report,
                                 Instant now, Actions& out) noexcept {
    const Bytes bytes = report.bytes_by_another(link.telemetry.connection & wire::connection_mask);
    if (!out.send_bytes(uplink_, bytes, &carrier.endpoint)) return counters_.add(Counter::drop_no_room);
    counters_.add(Counter::reports_by_others_out);
    note_out(Decision::report_by_another, carrier, bytes, now);
}

Fate Receiver::on_uplink_control(const Completion& c, Bytes packet, std::uint32_t slot, Instant now,
                                 Actions& out) noexcept {
    if (packet.size() > wire::datagram_bytes_max) return drop(Counter::drop_oversize, slot);
    const auto type = wire::packet_type(packet);
    if (!type) return drop(Counter::drop_short, slot);
    const bool registers =
        *type == static_cast<std::uint16_t>(SrtlaType::reg1) || *type == static_cast<std::uint16_t>(SrtlaType::reg2);
    if (registers) {
        counters_.add(Counter::registrations_in);
        if (packet.size() != wire::registration_bytes) return drop(Counter::drop_bad_registration, slot);
        if (*type == static_cast<std::uint16_t>(SrtlaType::reg1))
            on_reg1(c, packet, now, out);
        else
            on_reg2(c, packet, now, out);
        return {.decision = Decision::registration_in};
    }
    if (slot == no_slot) return drop(Counter::drop_unknown_source, no_slot);
    ReceiverLink& link = table_.link(slot);
    link.heard = table_.group(link.group).heard = now;
    if (*type == static_cast<std::uint16_t>(SrtlaType::keepalive)) {
        on_keepalive(c, packet, slot, now, out);
        return {.decision = Decision::keepalive_in};
    }
    if (wire::is_srtla_space(*type)) return drop(Counter::drop_unexpected_type, slot);
    if (packet.size() < wire::srt_header_bytes) return drop(Counter::drop_short, slot);
    return on_srt_control(c, packet, slot, now, out);
}

// The echo is the packet itself: same bytes, same length, whatever is in it. A report that waits goes first, so that
// on a link that keeps its order the sender has heard of all that came when the echo tells it that no more will.
void Receiver::on_keepalive(const Completion& c, Bytes packet, std::uint32_t slot, Instant now, Actions& out) noexcept {
    counters_.add(Counter::keepalives_in);
    ReceiverLink& link = table_.link(slot);
    if (const auto telemetry = wire::keepalive_telemetry(packet)) {
        link.telemetry = *telemetry;
        link.has_telemetry = true;
    }
    const wire::Extension& extension = table_.group(link.group).extension;
    const bool asks =
        extension.reports_by_others && link.has_telemetry && (link.telemetry.connection & wire::report_ask_bit) != 0;
    if (asks) [[unlikely]]
        reports_.ask(slot, now);
    if (link.has_telemetry && (link.telemetry.connection & wire::renewed_bit) != 0) [[unlikely]]
        pause_hold(link.group, now, out);
    if (extension.delivery_reports && reports_.is_pending(slot)) send_report(slot, now, out);
    if (const ReceiverLink* carrier = asks ? carrier_of(slot, now) : nullptr; carrier != nullptr) [[unlikely]]
        reports_.again(slot, link.telemetry.in_flight, holds_[link.group].next_expected(), now,
                       [&](wire::ReportBuilder& report) { report_by_another(link, *carrier, report, now, out); });
    if (!out.send(uplink_, c.packet, &link.endpoint)) return counters_.add(Counter::drop_no_room);
    counters_.add(Counter::keepalives_out);
    note_out(Decision::keepalive_out, link, packet, now);
}

Fate Receiver::on_srt_control(const Completion& c, Bytes packet, std::uint32_t slot, Instant now,
                              Actions& out) noexcept {
    using Verdict = ServerSession::Verdict;
    ReceiverLink& link = table_.link(slot);
    const std::uint32_t g = link.group;
    ReceiverGroup& group = table_.group(g);
    const auto srt = wire::SrtPacket::over(packet);
    HAWSER_CHECK(srt.has_value());
    switch (group.session.on_control(*srt, now, options_.session_quiet)) {
        case Verdict::forward: break;
        case Verdict::replace: replace_session(g, packet, now, out); break;
        case Verdict::bad_destination: return drop(Counter::drop_bad_destination, slot);
        case Verdict::implausible: return drop(Counter::drop_implausible, slot);
        case Verdict::foreign_caller: return drop(Counter::drop_foreign_caller, slot);
        case Verdict::malformed: return drop(Counter::drop_short, slot);
    }
    const bool handshake = srt->control_type() == wire::SrtControl::handshake;
    if (handshake) {
        if (wire::Handshake::over(*srt)->request_type() == wire::handshake_conclusion)
            group.time.on_conclusion(wire::Handshake::over(*srt)->socket_id(), srt->timestamp_us(), now);
        link.shook_hands = true;
        group.handshake_link = link.id;
        // A server that does not answer for as long as four of libsrt's inductions may be found elsewhere.
        if (group.unanswered_since == never)
            group.unanswered_since = now;
        else if (now - group.unanswered_since >= Duration{1'000'000'000} && !group.session.is_live())
            next_address(g, now, out);
    } else if (group.session.proves(srt->destination())) {
        link.delivered = true;
        link.delivered_at = now;
        group.last_link = link.id;
    }
    if (srt->control_type() == wire::SrtControl::shutdown) flush_hold(g, now, out);
    const Fate fate =
        group.server != no_socket ? to_server(g, c.packet, out) : without_server(g, c.packet, handshake, now, out);
    if (srt->control_type() == wire::SrtControl::shutdown && group.session.is_live()) {
        group.session.end();
        out.tell(event(EventKind::receiver_session_ended, now, g));
    }
    return fate;
}

// The encoder began anew. The server hears that the old session is over, and meets the new one on another port, since
// it binds its cookie to the port and could not tell the two apart.
void Receiver::replace_session(std::uint32_t g, Bytes induction, Instant now, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    shut_down_server(g, out);
    close_server(g, now, out);
    group.open_at = now;
    const auto srt = wire::SrtPacket::over(induction);
    const auto handshake = wire::Handshake::over(*srt);
    group.session.begin(handshake->socket_id(), now);
    group.unanswered_since = never;
    table_.each_link(g, [](std::uint32_t, ReceiverLink& link) { link.delivered = link.shook_hands = false; });
    group.last_link = group.handshake_link = no_link.value;
    out.tell(event(EventKind::receiver_session_replaced, now, g, handshake->socket_id()));
}

}  // namespace hawser::bond
