// SPDX-License-Identifier: MIT
// Life and time of the receiver: start, commands, deadlines, stop, snapshot, audit.
#include "engine/bond/receiver.h"

#include <algorithm>

namespace hawser::bond {
namespace {

KeyedHash keys_from(SecretRandom& secret) {
    const std::uint64_t a = secret.next();
    const std::uint64_t b = secret.next();
    return KeyedHash(a, b, secret.next());
}

// What is granted to nobody takes no memory. A report says what the hold expects next.
std::uint32_t holds_of(const ReceiverOptions& options) {
    return options.reorder_hold || options.delivery_reports ? options.groups_max : 0;
}

// Sends that one slice of due ACKs and reports may use, leaving room for the rest of the deadline's work.
constexpr std::size_t ack_sends_max = 208;
constexpr std::size_t report_sends_max = 224;
static_assert(ack_sends_max < report_sends_max && report_sends_max + 32 <= Actions::sends_max);

}  // namespace

Receiver::Receiver(const ReceiverOptions& options, Pool& pool, const Entropy& entropy)
    : options_(options),
      pool_(pool),
      secret_(entropy),
      hash_(keys_from(secret_)),
      ids_(secret_),
      table_(options.groups_max, options.links_per_group_max, hash_),
      acks_(table_),
      reports_(options.delivery_reports ? options.groups_max * options.links_per_group_max : 0),
      held_(pool),
      holds_(std::make_unique<ReorderHold[]>(holds_of(options))),
      limiter_(options, hash_),
      answers_(options, hash_) {
    HAWSER_CHECK(options.allowed_count <= source_prefixes_max);
    for (std::uint32_t i = 0; i < options.allowed_count; ++i) HAWSER_CHECK(options.allowed[i].bits <= 128);
    HAWSER_CHECK(options.ack_flush_grid.ns > 0);
    for (std::uint32_t g = 0; g < holds_of(options); ++g)
        holds_[g].attach(held_, counters_, static_cast<std::uint16_t>(g));
    HAWSER_CHECK(options.report_interval_min.ns > 0 && options.report_interval_min <= options.report_interval_max);
}

Event Receiver::event(EventKind kind, Instant now, std::uint32_t g, std::uint32_t a, std::uint32_t b) {
    Event e;
    e.at = now;
    e.kind = kind;
    e.group = g == no_slot ? no_group : GroupId(static_cast<std::uint16_t>(g));
    e.a = a;
    e.b = b;
    return e;
}

Event Receiver::link_event(EventKind kind, Instant now, const ReceiverLink& link, RemovalReason reason) const {
    Event e = event(kind, now, link.group, static_cast<std::uint32_t>(reason));
    e.link = LinkId(link.id);
    e.endpoint = link.endpoint;
    return e;
}

void Receiver::start(Instant now, Actions& out) noexcept {
    SocketSpec spec;
    spec.tag = uplink_tag;
    spec.local = options_.listen;
    spec.join_segments = options_.join_segments;
    spec.receive_buffer_bytes = options_.receive_buffer_bytes;
    spec.send_buffer_bytes = options_.send_buffer_bytes;
    HAWSER_CHECK(out.open(spec));
    sweep_round_at_ = now;
}

void Receiver::on_opened(std::uint32_t tag, const Result<SocketId, Errno>& socket, const Endpoint& local,
                         std::uint32_t payload_bytes_max, Instant now, Actions& out) noexcept {
    static_cast<void>(payload_bytes_max);
    if (tag == uplink_tag) {
        Event e = event(EventKind::receiver_listening, now, no_slot);
        if (socket.has_value()) {
            uplink_ = *socket;
            e.endpoint = local;
        } else {
            e.kind = EventKind::listen_failed;
            e.a = static_cast<std::uint32_t>(socket.error().value);
            e.endpoint = options_.listen;
            finished_ = failed_ = true;
        }
        out.tell(e);
        return;
    }
    const std::uint32_t g = group_of(tag);
    if (g == no_slot || !table_.group(g).opening) {
        if (socket.has_value()) out.close(*socket);
        return;
    }
    ReceiverGroup& group = table_.group(g);
    group.opening = false;
    if (!socket.has_value()) {
        group.open_at = now + Duration{1'000'000'000};
        server_error(g, socket.error().value, now, out);
        return;
    }
    group.server = *socket;
    group.server_port = local.port;
    Event e = event(EventKind::receiver_server_opened, now, g, local.port);
    e.endpoint = group.server_address;
    out.tell(e);
    if (group.held.buffer != no_buffer) {
        to_server(g, group.held, out);
        out.release_after(group.held.buffer);
        group.held = PacketRef{};
    }
    HAWSER_VERIFY(is_consistent());
}

void Receiver::on_command(const Command& command, Instant now, Actions& out) noexcept {
    switch (command.kind) {
        case CommandKind::set_server:
            servers_ = command.resolved;
            servers_.count = std::min<std::uint32_t>(servers_.count, resolved_max);
            preferred_server_ = 0;
            // The sweep opens what waits for an address, as much at a time as the actions hold.
            if (!table_.active().empty()) {
                sweep_left_ = static_cast<std::uint32_t>(table_.active().size());
                sweep_at_ = now;
            }
            break;
        case CommandKind::hold_recorder: recorder_.hold(); break;
        case CommandKind::resume_recorder: recorder_.resume(); break;
        case CommandKind::stop:
        case CommandKind::hand_over:  // nothing of a receiver's can be carried on
            stopping_ = true;
            stop_slice(now, out);
            break;
        case CommandKind::add_uplink:
        case CommandKind::set_uplink:
        case CommandKind::remove_uplink:
        case CommandKind::suspend_uplink:
        case CommandKind::renew_uplink:
        case CommandKind::set_receiver:
        case CommandKind::set_selection:
        case CommandKind::set_silence:
        case CommandKind::publish: break;  // a sender's, or the pump's own
    }
}

Instant Receiver::next_deadline() const noexcept {
    if (finished_) return never;
    Instant next = std::min({acks_.due(), reports_.next_due(), held_.next_due(), sweep_at_});
    next = std::min(next, tally_.due());
    if (!closing_.empty()) next = std::min(next, closing_.front().due);
    return next;
}

void Receiver::on_deadline(Instant now, Actions& out) noexcept {
    static_cast<void>(release_due(now, out));
    while (acks_.due() <= now && out.sends().size() < ack_sends_max) send_ack(acks_.first(), now, out);
    while (reports_.next_due() <= now && out.sends().size() < report_sends_max) send_report(reports_.first(), now, out);
    while (!closing_.empty() && closing_.front().due <= now && out.close(closing_.front().socket)) closing_.pop();
    if (tally_.due() <= now)
        tally_.flush(
            [&](EventKind kind, std::uint32_t a, std::uint32_t b) { out.tell(event(kind, now, no_slot, a, b)); });
    if (stopping_) {
        stop_slice(now, out);
    } else if (sweep_at_ <= now) {
        sweep(now, out);
    }
    HAWSER_VERIFY(is_consistent());
}

// Says goodbye to both ends of each SRT session, a slice at a time; the listening socket goes last.
void Receiver::stop_slice(Instant now, Actions& out) noexcept {
    const std::size_t room = table_.links_per_group() + 2;
    while (!table_.active().empty() && out.events().size() + room <= Actions::events_max &&
           out.sends().size() <= Actions::sends_max / 2) {  // the rest is for what this group says and holds
        const std::uint32_t g = table_.active().back();
        shut_down_caller(g, now, out);
        remove_group(g, EventKind::receiver_group_removed, RemovalReason::stopped, now, out);
    }
    if (!table_.active().empty()) {
        sweep_at_ = now;
        return;
    }
    sweep_at_ = never;
    if (!closing_.empty()) return;
    if (uplink_ != no_socket && !out.close(uplink_)) {
        sweep_at_ = now;
        return;
    }
    uplink_ = no_socket;
    finished_ = true;
}

void Receiver::fill(ReceiverSnapshot& snapshot, Instant now) const noexcept {
    snapshot.at = now;
    snapshot.counters = counters_;
    snapshot.groups_max = table_.groups_max();
    snapshot.pump.recorder_held = recorder_.is_held();
    snapshot.clear();
    for (const std::uint16_t g : table_.active()) {
        ReceiverGroupSnapshot* row = snapshot.add_group();
        if (row == nullptr) return;
        const ReceiverGroup& group = table_.group(g);
        row->group = GroupId(g);
        row->state = group.session.is_live() ? ReceiverGroupState::session : ReceiverGroupState::registered;
        if (group.refused_in_row != 0) row->state = ReceiverGroupState::refused;
        row->server_port = group.server_port;
        row->server = group.server_address;
        row->age = now - group.created;
        row->silence = now - group.heard;
        row->caller_id = group.session.caller_id();
        row->server_id = group.session.server_id().value_or(0);
        row->sessions = group.sessions;
        row->packets_out = group.packets_out;
        row->packets_back = group.packets_back;
        row->srt_rtt = Duration{std::int64_t{group.srt_rtt_us} * 1'000};
        row->wants_reports = group.extension.delivery_reports;
        row->wants_hold = group.extension.reorder_hold;
        if (group.extension.any()) row->hold = holds_[g].figures();
        table_.each_link(g, [&](std::uint32_t, const ReceiverLink& link) {
            ReceiverLinkSnapshot* l = snapshot.add_link();
            if (l == nullptr) return;
            l->link = LinkId(link.id);
            l->live = now - link.heard <= options_.link_live;
            l->has_telemetry = link.has_telemetry;
            l->sender = link.endpoint;
            l->age = now - link.joined;
            l->silence = now - link.heard;
            l->packets_in = link.packets;
            l->bytes_in = link.bytes;
            l->retransmissions = link.retransmissions;
            l->dropped = link.dropped;
            l->reports_out = group.extension.delivery_reports ? reports_.reports(table_.slot_of(g, link.id)) : 0;
            l->rtt_ms = link.telemetry.rtt_ms;
            l->window = link.telemetry.window;
            l->in_flight = link.telemetry.in_flight;
            l->naks = link.telemetry.naks;
            l->bytes_per_second = link.telemetry.bytes_per_second;
        });
    }
}

bool Receiver::is_consistent() const noexcept {
    if (!table_.is_consistent() || !acks_.is_consistent() || !reports_.is_consistent()) return false;
    if (!held_.is_consistent()) return false;
    if (cached_slot_ != no_slot && !(table_.owner_of(cached_from_) == Owner::link(cached_slot_))) return false;
    if (table_.active().empty() != (sweep_at_ == never) && !stopping_) return false;
    std::uint32_t held = 0;
    for (const std::uint16_t g : table_.active()) {
        const ReceiverGroup& group = table_.group(g);
        if (group.extension.any()) {
            held += holds_[g].depth();
            if (!holds_[g].is_consistent()) return false;
        }
        if (group.opening && group.server != no_socket) return false;
        if (group.held.buffer != no_buffer && pool_.references(group.held.buffer) == 0) return false;
        if (group.last_link != no_link.value && !table_.link(table_.slot_of(g, group.last_link)).delivered)
            return false;
        for (const std::uint16_t other : table_.active())
            if (other != g && group.server != no_socket && table_.group(other).server == group.server) return false;
    }
    return held == held_.size();
}

}  // namespace hawser::bond
