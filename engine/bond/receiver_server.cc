// SPDX-License-Identifier: MIT
// The sockets towards the SRT server: one per group, and the way back from each to the group's senders.
#include <algorithm>
#include <cerrno>

#include "engine/bond/receiver.h"
#include "engine/wire/srt_latency.h"
#include "engine/wire/srt_shutdown.h"

namespace hawser::bond {

using wire::SrtControl;
using wire::SrtPacket;

namespace {

constexpr Duration close_delay{1'000'000};            // a turn sends what is queued: anything above zero will do
constexpr Duration address_pause{200'000'000};        // between two changes of one group's server address; untuned
constexpr Duration refused_pause_min{1'000'000'000};  // between two events about a refusing server, doubling to
constexpr Duration refused_pause_max{60'000'000'000};
constexpr Duration rejected_pause{1'000'000'000};  // between two events about refused handshakes of one group

}  // namespace

std::uint32_t Receiver::group_of(std::uint32_t tag) const noexcept {
    const std::uint32_t g = (tag & ((1u << tag_group_bits) - 1)) - 1;
    if (g >= table_.groups_max() || !table_.group(g).in_use) return no_slot;
    return server_tag(g, table_.group(g).generation) == tag ? g : no_slot;
}

bool Receiver::is_listed(const Endpoint& server) const noexcept {
    for (std::uint32_t i = 0; i < servers_.count; ++i)
        if (servers_.addresses[i] == server) return true;
    return servers_.count == 0;
}

void Receiver::open_server(std::uint32_t g, Instant now, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    if (stopping_ || servers_.count == 0 || group.opening || group.server != no_socket || now < group.open_at) return;
    group.server_address = servers_.addresses[group.address_index % servers_.count];
    SocketSpec spec;
    spec.tag = server_tag(g, ++group.generation);
    spec.remote = group.server_address;
    spec.connected = true;
    spec.receive_buffer_bytes = options_.server_buffer_bytes;
    spec.send_buffer_bytes = options_.server_buffer_bytes;
    // Refused: the next packet or the sweep asks again.
    group.opening = out.open(spec);
}

void Receiver::close_server(std::uint32_t g, Instant now, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    ++group.generation;  // what the old socket still says is no longer this group's
    group.opening = false;
    group.server_port = 0;
    if (group.extension.any()) {
        drop_held(g, now);
        holds_[g].begin(std::nullopt);
    }
    if (group.server == no_socket) return;
    if (!closing_.push(Closing{group.server, now + close_delay}) && !out.close(group.server))
        counters_.add(Counter::drop_no_room);
    group.server = no_socket;
}

void Receiver::shut_down_server(std::uint32_t g, Actions& out) noexcept {
    const ReceiverGroup& group = table_.group(g);
    const auto id = group.session.server_id();
    if (group.server == no_socket || !group.session.is_live() || !id) return;
    if (!out.send_bytes(group.server, wire::build_shutdown(*id))) return counters_.add(Counter::drop_no_room);
    counters_.add(Counter::local_packets_out);
}

// To the sender's side, by each link that is alive: its caller dials anew at once, not after SRT's idle time of 5 s.
void Receiver::shut_down_caller(std::uint32_t g, Instant now, Actions& out) noexcept {
    const ReceiverGroup& group = table_.group(g);
    if (!group.session.is_live() || group.session.caller_id() == 0) return;
    const auto goodbye = wire::build_shutdown(group.session.caller_id());
    table_.each_link(g, [&](std::uint32_t, const ReceiverLink& link) {
        if (now - link.heard > options_.link_live) return;
        if (!out.send_bytes(uplink_, goodbye, &link.endpoint)) return counters_.add(Counter::drop_no_room);
        note_out(Decision::passed, link, goodbye, now);
    });
}

void Receiver::release_held(std::uint32_t g) noexcept {
    PacketRef& held = table_.group(g).held;
    if (held.buffer != no_buffer) pool_.release(held.buffer);
    held = PacketRef{};
}

Fate Receiver::to_server(std::uint32_t g, PacketRef packet, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    if (!out.send(group.server, packet)) return drop(Counter::drop_no_room, no_slot);
    ++group.packets_out;
    counters_.add(Counter::local_packets_out);
    return {.decision = Decision::delivered};
}

Fate Receiver::without_server(std::uint32_t g, PacketRef packet, bool hold, Instant now, Actions& out) noexcept {
    if (servers_.count == 0) tally_.add_no_server(now);
    open_server(g, now, out);
    ReceiverGroup& group = table_.group(g);
    if (!hold || !group.opening) return drop(Counter::drop_no_server, no_slot);
    // One is enough: callers repeat, and the newest has the newest cookie.
    release_held(g);
    pool_.add_ref(packet.buffer);
    group.held = packet;
    return {.decision = Decision::held};
}

// With several addresses of the server's name, a group whose session is not up tries them in turn.
void Receiver::next_address(std::uint32_t g, Instant now, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    if (servers_.count < 2 || now - group.moved_at < address_pause) return;
    close_server(g, now, out);
    group.address_index = (group.address_index + 1) % servers_.count;
    group.moved_at = now;
    group.unanswered_since = never;
    open_server(g, now, out);
}

// Nobody listens there, or there is no way: the group stays, its packets go on, and the operator hears of it at
// growing intervals.
void Receiver::server_error(std::uint32_t g, int error, Instant now, Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    counters_.add(Counter::server_errors);
    ++group.refused_in_row;
    if (group.refused_in_row == 1 || now >= group.tell_refused_at) {
        Event e =
            event(EventKind::receiver_server_refused, now, g, static_cast<std::uint32_t>(error), group.refused_in_row);
        e.endpoint = group.server_address;
        out.tell(e);
        group.refused_pause = std::clamp(group.refused_pause * 2, refused_pause_min, refused_pause_max);
        group.tell_refused_at = now + group.refused_pause;
    }
    if (!group.session.is_live()) next_address(g, now, out);
}

void Receiver::on_broken(const Completion& c, Instant now, Actions& out) noexcept {
    if (c.tag == uplink_tag) {
        counters_.add(Counter::sends_failed);
        tally_.add_uplink_error(c.error, now);
        return;
    }
    const std::uint32_t g = group_of(c.tag);
    if (g != no_slot) server_error(g, c.error, now, out);
    HAWSER_VERIFY(is_consistent());
}

void Receiver::on_send_failed(const Completion& c, Instant now, Actions& out) noexcept {
    const Bytes packet = pool_.bytes(c.packet);
    if (c.tag == uplink_tag)
        record_uplink({Decision::send_refused, 0, static_cast<std::uint32_t>(c.error)}, slot_from(c.from), packet, now);
    else if (const std::uint32_t g = group_of(c.tag); g != no_slot)
        record_server(refused_by_local(c.error), g, packet, now);
    if (c.error == EAGAIN || c.error == ENOBUFS) return counters_.add(Counter::sends_deferred);
    if (c.error == EMSGSIZE) return counters_.add(Counter::sends_too_large);
    if (c.tag == uplink_tag) return counters_.add(Counter::sends_failed);  // one sender's path, not ours
    on_broken(c, now, out);
}

void Receiver::on_server(const Completion& c, Instant now, Actions& out) noexcept {
    const Bytes packet = pool_.bytes(c.packet);
    counters_.add(Counter::local_packets_in);
    counters_.add(Counter::local_bytes_in, packet.size());
    const std::uint32_t g = group_of(c.tag);
    if (g == no_slot) return counters_.add(Counter::drop_bad_destination);
    ReceiverGroup& group = table_.group(g);
    ++group.packets_back;
    group.refused_in_row = 0;
    group.refused_pause = Duration{};
    group.unanswered_since = never;
    preferred_server_ = group.address_index;
    const auto drop_it = [&](Counter why) { drop_from_server(why, g, c.packet, now); };
    if (packet.size() > wire::datagram_bytes_max) return drop_it(Counter::drop_oversize);
    const auto srt = SrtPacket::over(packet);
    if (!srt) return drop_it(Counter::drop_short);
    if (srt->is_data()) return to_last(g, c.packet, now, out);
    if (wire::is_srtla_space(static_cast<std::uint16_t>(srt->control_type())))
        return drop_it(Counter::drop_srtla_on_srt);

    const auto change = group.session.on_server(*srt);
    if (change != ServerSession::Change::none) on_session_change(g, change, packet, now, out);
    switch (srt->control_type()) {
        case SrtControl::ack:
            group.ack_seen = true;
            counters_.add(Counter::srt_acks);
            group.srt_rtt_us = wire::ack_round_trip_us(*srt).value_or(group.srt_rtt_us);
            to_all(g, c.packet, now, out);
            if (group.extension.any()) on_server_ack(g, *srt, now, out);
            return;
        case SrtControl::nak:
            counters_.add(Counter::srt_naks);
            if (group.extension.any()) on_server_nak(g, *srt);
            return to_all(g, c.packet, now, out);
        case SrtControl::handshake: return to_two(g, c.packet, group.handshake_link, now, out);
        case SrtControl::shutdown: return to_two(g, c.packet, group.last_link, now, out);
        case SrtControl::keepalive:
        case SrtControl::congestion_warning:
        case SrtControl::ackack:
        case SrtControl::drop_request:
        case SrtControl::peer_error:
        case SrtControl::user: break;
    }
    to_last(g, c.packet, now, out);
}

void Receiver::on_session_change(std::uint32_t g, ServerSession::Change change, Bytes packet, Instant now,
                                 Actions& out) noexcept {
    ReceiverGroup& group = table_.group(g);
    switch (change) {
        case ServerSession::Change::none: return;
        case ServerSession::Change::established:
            ++group.sessions;
            group.srt_rtt_us = 0;
            if (const auto latency = wire::handshake_latency(*SrtPacket::over(packet));
                latency && latency->delivers_by_time)
                group.time.on_latency(Duration{std::int64_t{latency->receiving_ms} * 1'000'000});
            if (group.extension.any()) {
                drop_held(g, now);
                holds_[g].begin(group.session.initial_sequence());
            }
            out.tell(event(EventKind::receiver_session_started, now, g, group.session.caller_id()));
            // The server's cookie went to that address and came back from there: it is the caller's.
            if (group.handshake_link != no_link.value) {
                ReceiverLink& link = table_.link(table_.slot_of(g, group.handshake_link));
                link.delivered = true;
                link.delivered_at = now;
                group.last_link = group.handshake_link;
            }
            return;
        case ServerSession::Change::refused:
            if (now < group.tell_rejected_at) return;
            group.tell_rejected_at = now + rejected_pause;
            out.tell(event(EventKind::receiver_session_refused, now, g,
                           load_be32(packet.data() + wire::srt_header_bytes + 20)));
            return;
        case ServerSession::Change::ended: out.tell(event(EventKind::receiver_session_ended, now, g)); return;
    }
}

void Receiver::to_link(std::uint32_t slot, PacketRef packet, Instant now, Actions& out) noexcept {
    const ReceiverLink& link = table_.link(slot);
    if (!out.send(uplink_, packet, &link.endpoint))
        return drop_from_server(Counter::drop_no_room, link.group, packet, now);
    note_out(Decision::passed, link, pool_.bytes(packet), now);
}

void Receiver::note_out(Decision what, const ReceiverLink& link, Bytes packet, Instant now) noexcept {
    counters_.add(Counter::uplink_packets_out);
    counters_.add(Counter::uplink_bytes_out, packet.size());
    record(recorder_, of_group(what, link.group), LinkId(link.id), packet, now);
}

void Receiver::record_server(Fate fate, std::uint32_t g, Bytes packet, Instant now) noexcept {
    fate.number = static_cast<std::uint16_t>(g);
    record(recorder_, fate, no_link, packet, now);
}

void Receiver::drop_from_server(Counter why, std::uint32_t g, PacketRef packet, Instant now) noexcept {
    counters_.add(why);
    record_server(dropped_from_local(why), g, pool_.bytes(packet), now);
}

// ACKs and NAKs: any live link may be the one that still works, and the senders count on a copy each. When no link has
// delivered lately (the stream pauses), the last one gets them.
void Receiver::to_all(std::uint32_t g, PacketRef packet, Instant now, Actions& out) noexcept {
    bool sent = false;
    table_.each_link(g, [&](std::uint32_t slot, const ReceiverLink& link) {
        if (!link.delivered || now - link.delivered_at > options_.link_delivering) return;
        if (now - link.heard > options_.link_live) return;
        to_link(slot, packet, now, out);
        sent = true;
    });
    if (!sent) to_last(g, packet, now, out);
}

void Receiver::to_last(std::uint32_t g, PacketRef packet, Instant now, Actions& out) noexcept {
    const std::uint8_t last = table_.group(g).last_link;
    if (last == no_link.value) return drop_from_server(Counter::drop_no_uplink, g, packet, now);
    to_link(table_.slot_of(g, last), packet, now, out);
}

// Handshakes and shutdowns: rare, and dear when lost. To the link named, or the last one, and to the one heard most
// recently of the others that have taken part.
void Receiver::to_two(std::uint32_t g, PacketRef packet, std::uint8_t first, Instant now, Actions& out) noexcept {
    const ReceiverGroup& group = table_.group(g);
    if (first == no_link.value) first = group.last_link != no_link.value ? group.last_link : group.handshake_link;
    std::uint32_t second = no_slot;
    table_.each_link(g, [&](std::uint32_t slot, const ReceiverLink& link) {
        if (link.id == first || !(link.delivered || link.shook_hands)) return;
        if (now - link.heard > options_.link_live) return;
        if (second == no_slot || link.heard > table_.link(second).heard) second = slot;
    });
    if (first == no_link.value && second == no_slot) return drop_from_server(Counter::drop_no_uplink, g, packet, now);
    if (first != no_link.value) to_link(table_.slot_of(g, first), packet, now, out);
    if (second != no_slot) to_link(second, packet, now, out);
}

}  // namespace hawser::bond
