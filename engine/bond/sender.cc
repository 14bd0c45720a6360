// SPDX-License-Identifier: MIT
// The sender's life: start, orders, the tick of each second, the choice of receiver address, snapshots, the end.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"
#include "engine/wire/srt_shutdown.h"

namespace hawser::bond {

namespace {

// Keepalives, silence and everything else that is looked at once a second; one wake-up serves all links.
constexpr Duration tick_interval{1'000'000'000};
// A link that has not answered keepalives for this long is asked whether it is still known (REG2): two and a half
// keepalives, so that two lost ones do not count.
constexpr Duration unanswered_max{2'500'000'000};
// SRT data packets that were acknowledged by SRT without one SRTLA ACK, before the receiver is taken to send none:
// a receiver sends one per ten on each link.
constexpr std::uint64_t srtla_ack_patience = 64 * 10;
// A turn sends what is queued before a socket closes: anything above zero will do.
constexpr Duration leave_delay{1'000'000};

}  // namespace

Sender::Sender(const SenderOptions& options, Pool& pool, const wire::GroupKey& probe, std::uint64_t seed)
    : options_(options),
      pool_(pool),
      selector_(accounting_, Random(seed)),
      registration_(options.earlier.has_group ? options.earlier.group : probe, options.earlier.has_group),
      dispatch_(pool, std::min(options.kept_packets, std::bit_floor(pool.slots() / 2)), counters_, recorder_),
      cap_queue_(pool) {
    dispatch_.set_bystander(true);
    deadlines_.expect(options.earlier.latency);
    take_latency();
}

Event Sender::event(EventKind kind, Instant now, LinkId link, std::uint32_t a, std::uint32_t b) {
    Event e;
    e.at = now;
    e.kind = kind;
    e.link = link;
    e.a = a;
    e.b = b;
    return e;
}

void Sender::start(Instant now, Actions& out) noexcept {
    tick_at_ = now + tick_interval;
    no_link_since_ = now;
    local_open_at_ = now;
    on_deadline(now, out);
}

void Sender::begin_turn(Instant now) noexcept { selector_.begin_turn(now); }

void Sender::on_command(const Command& command, Instant now, Actions& out) noexcept {
    const LinkId link = command.link;
    switch (command.kind) {
        case CommandKind::add_uplink: {
            HAWSER_CHECK(link.index() < links_max && (present_ & bit(link)) == 0);
            Uplink& u = uplinks_[link.index()];
            const std::uint16_t generation = u.generation;
            u = Uplink{};
            traffic(link).add_to(counters_);
            begin_tenancy(link);
            traffic(link) = Traffic{};
            u.generation = generation;
            u.spec = command.uplink;
            path_silence_[link.index()] = LastingState();
            u.state = UplinkState::closed;
            present_ |= bit(link);
            set_uplink(link, command.uplink.settings, now, out);
            accounting_.add(link);
            selector_.add(link, now);
            open_uplink(link, now, out);
            break;
        }
        case CommandKind::remove_uplink: {
            HAWSER_CHECK(link.index() < links_max && (present_ & bit(link)) != 0);
            close_uplink(link, now, out);
            selector_.remove(link);
            accounting_.remove(link);
            uplinks_[link.index()].state = UplinkState::absent;
            uplinks_[link.index()].open_at = never;
            present_ &= ~bit(link);
            dispatch_.forget(link);
            find_plain_bytes_max();
            watch_reserve(now, out);
            out.tell(event(EventKind::uplink_removed, now, link));
            break;
        }
        case CommandKind::suspend_uplink: suspend_uplink(link, now, out); break;
        case CommandKind::renew_uplink: renew_uplink(link, command.uplink, now, out); break;
        case CommandKind::set_uplink:
            HAWSER_CHECK(link.index() < links_max && (present_ & bit(link)) != 0);
            set_uplink(link, command.uplink.settings, now, out);
            break;
        case CommandKind::set_receiver: set_receiver(command.resolved, now, out); break;
        case CommandKind::set_selection:
            selector_.set(command.selection);
            recorder_.set_mode(static_cast<std::uint8_t>(command.selection.mode));
            accounting_.set_arrival_first(command.selection.mode != select::Mode::classic);
            deadlines_.fix(command.selection.latency);
            take_latency();
            set_adaptive(command.selection.mode == select::Mode::adaptive, now, out);
            break;
        case CommandKind::set_silence: options_.link_silence = command.span; break;
        case CommandKind::hold_recorder: recorder_.hold(); break;
        case CommandKind::resume_recorder: recorder_.resume(); break;
        case CommandKind::stop: stop(true, now, out); break;
        case CommandKind::hand_over: stop(false, now, out); break;
        case CommandKind::publish:
        case CommandKind::set_server: break;
    }
    rearm();
}

void Sender::set_receiver(const Resolved& resolved, Instant now, Actions& out) noexcept {
    const bool had = receiver_.count != 0;
    const Endpoint current = had ? receiver_.addresses[receiver_index_] : Endpoint{};
    receiver_ = resolved;
    receiver_.count = std::min<std::uint32_t>(receiver_.count, resolved_max);
    const auto end = receiver_.addresses.begin() + receiver_.count;
    const auto found = std::find(receiver_.addresses.begin(), end, current);
    if (had && found != end) {
        receiver_index_ = static_cast<std::uint32_t>(found - receiver_.addresses.begin());
        return;
    }
    receiver_index_ = 0;
    if (had && alive_ != 0) {
        // A group in use stays where it is, even if the name says otherwise by now, and so do links that come back
        // to it. When all are lost, the new addresses get their turn.
        receiver_.count = std::min<std::uint32_t>(receiver_.count + 1, resolved_max);
        std::copy_backward(receiver_.addresses.begin(), receiver_.addresses.begin() + receiver_.count - 1,
                           receiver_.addresses.begin() + receiver_.count);
        receiver_.addresses[0] = current;
        return;
    }
    registration_.restart(now);
    each_link(present_, [&](LinkId link) {
        if (traffic(link).socket != no_socket) close_uplink(link, now, out);
        open_uplink(link, now, out);
    });
}

void Sender::on_deadline(Instant now, Actions& out) noexcept {
    if (leave_at_ <= now) {
        leave(now, out);
        return rearm();
    }
    if (local_open_at_ <= now && local_socket_ == no_socket && !local_opening_) {
        SocketSpec spec;
        spec.tag = local_tag;
        spec.local = options_.listen;
        spec.receive_buffer_bytes = options_.listen_buffer_bytes;
        local_opening_ = out.open(spec);
        local_open_at_ = never;
    }
    each_link(present_, [&](LinkId link) {
        if (uplinks_[link.index()].open_at <= now) open_uplink(link, now, out);
        run_registration(link, now, out);
    });
    if (tick_at_ <= now) tick(now, out);
    if (dispatch_at_ <= now) tick_dispatch(now, out);
    if (rate_at_ <= now) tick_rate(now, out);
    rearm();
}

void Sender::rearm() noexcept {
    next_deadline_ = finished_ ? never : std::min({tick_at_, local_open_at_, dispatch_at_, rate_at_, leave_at_});
    each_link(present_, [&](LinkId link) { arm(uplinks_[link.index()].open_at); });
    if (!finished_) arm(registration_.next_due());
}

void Sender::tick(Instant now, Actions& out) noexcept {
    tick_at_ = tick_at_ + tick_interval <= now ? now + tick_interval : tick_at_ + tick_interval;
    const bool all_silent = alive_ != 0 && !heard_lately(now);
    each_link(present_, [&](LinkId link) {
        Uplink& u = uplinks_[link.index()];
        u.bytes_per_second = static_cast<std::uint32_t>(traffic(link).bytes_out - u.rate_bytes_from);
        u.rate_bytes_from = traffic(link).bytes_out;
        if (u.payload_max_until <= now) {
            u.payload_max = 0xFFFF'FFFF;
            u.payload_max_until = never;
        }
        if (u.state != UplinkState::connected) {
            renew_port(link, now, out);
            return;
        }
        if (now - traffic(link).heard_at >= options_.link_silence) {
            go_silent(link, now, out);
            return;
        }
        if (all_silent || u.keepalive.unanswered(now) >= unanswered_max) {
            registration_.probe(link, now);
            run_registration(link, now, out);
        }
        send_keepalive(link, now, out);
    });
    if (unrouted_since_told_ > 1) {
        out.tell(event(EventKind::no_uplink_for_data, now, no_link,
                       static_cast<std::uint32_t>(std::min<std::uint64_t>(unrouted_since_told_ - 1, 0xFFFF'FFFF))));
        unrouted_since_told_ = alive_ == 0 ? 1 : 0;
    }
    if (caller_.has_caller() && !caller_.ended() && now - caller_.heard_at() >= options_.caller_idle * 5) {
        Event e = event(EventKind::caller_gone, now);
        e.endpoint = caller_.endpoint();
        out.tell(e);
        caller_.unlock();
    }
    find_plain_bytes_max();
    watch_reserve(now, out);
    watch_connection(now, out);
}

void Sender::watch_connection(Instant now, Actions& out) noexcept {
    if (alive_ != 0) {
        no_link_since_ = never;
        return;
    }
    if (no_link_since_ == never) no_link_since_ = now;
    // Said each second once there had been a connection, as supervisors of the reference expect.
    if (has_connected_) out.tell(event(EventKind::no_connection, now, no_link, 1));
    if (now - no_link_since_ < options_.receiver_timeout) return;
    if (!has_connected_) out.tell(event(EventKind::no_connection, now));
    next_receiver(now, out);
}

void Sender::next_receiver(Instant now, Actions& out) noexcept {
    const bool is_last = receiver_index_ + 1 >= receiver_.count;
    if (options_.give_up && (has_connected_ || is_last)) {
        out.tell(event(EventKind::gave_up, now, no_link, has_connected_ ? 1 : 0));
        failed_ = true;
        stop(true, now, out);
        return;
    }
    no_link_since_ = now;
    out.tell(event(EventKind::resolve_wanted, now));
    if (receiver_.count == 0) return;
    receiver_index_ = is_last ? 0 : receiver_index_ + 1;
    Event e = event(EventKind::receiver_changed, now, no_link, receiver_index_);
    e.endpoint = receiver_.addresses[receiver_index_];
    out.tell(e);
    registration_.restart(now);
    each_link(present_, [&](LinkId link) {
        close_uplink(link, now, out);
        open_uplink(link, now, out);
    });
}

void Sender::watch_receiver_acks(Instant now, Actions& out) noexcept {
    if (srtla_acks_seen_ || srtla_acks_absent_) return;
    const std::uint64_t data = counters_[Counter::srt_data];
    if (data_at_first_srt_ack_ == 0) data_at_first_srt_ack_ = data;
    if (data - data_at_first_srt_ack_ < srtla_ack_patience) return;
    note_acks_absent(true);
    out.tell(event(EventKind::no_srtla_acks, now));
}

// At the end both sides of the SRT session hear that it is over, but not where another run is to carry it on.
void Sender::stop(bool says_goodbye, Instant now, Actions& out) noexcept {
    if (finished_ || leave_at_ != never) return;
    if (says_goodbye && say_goodbye(now, out))
        leave_at_ = now + leave_delay;
    else
        leave(now, out);
}

// SRTLA has no goodbye: the receiver ages the links out. SRT's is said by every link, as each may lose it. False when
// there is nobody to hear it.
bool Sender::say_goodbye(Instant now, Actions& out) noexcept {
    if (!caller_.has_caller() || caller_.ended()) return false;
    bool is_said = false;
    if (caller_.socket_id() != 0 && local_socket_ != no_socket)
        is_said = out.send_bytes(local_socket_, wire::build_shutdown(caller_.socket_id()), &caller_.endpoint());
    const auto to_server = wire::build_shutdown(caller_.server_id());
    each_link(caller_.server_id() != 0 ? alive_ : 0, [&](LinkId link) {
        if (!out.send_bytes(traffic(link).socket, to_server)) return;
        note_own(link, Decision::passed, to_server, now);
        is_said = true;
    });
    return is_said;
}

void Sender::leave(Instant now, Actions& out) noexcept {
    each_link(present_, [&](LinkId link) {
        if (traffic(link).socket != no_socket) close_uplink(link, now, out);
    });
    if (local_socket_ != no_socket) static_cast<void>(out.close(local_socket_));
    local_socket_ = no_socket;
    drop_waiting(now);
    leave_at_ = never;
    finished_ = true;
}

Counters Sender::counters() const noexcept {
    Counters all = counters_;
    for (const Traffic& t : traffic_) t.add_to(all);
    return all;
}

void Sender::fill(SenderSnapshot& s, Instant now) const noexcept {
    s.at = now;
    s.counters = counters();
    s.selection = selector_.settings();
    s.group_joined = registration_.has_group();
    s.group = s.group_joined ? registration_.key() : wire::GroupKey{};
    s.reports = registration_.has_group() && dispatch_.reports();
    s.waiting = dispatch_.queued();
    s.latency = deadlines_.latency();
    s.safe_rate = safe_rate_.figure();
    s.pump.recorder_held = recorder_.is_held();
    s.has_caller = caller_.has_caller() && !caller_.ended();
    s.caller = caller_.endpoint();
    s.receiver = receiver_.count != 0 ? receiver_.addresses[receiver_index_] : Endpoint{};
    for (std::size_t i = 0; i < links_max; ++i) {
        const Uplink& u = uplinks_[i];
        UplinkSnapshot& o = s.uplinks[i];
        o = UplinkSnapshot{};
        WireTally tally = wire_[i];
        tally.settle(traffic_[i]);
        o.wire_bytes_out = tally.out;
        o.wire_bytes_in = tally.in;
        o.tenancy = tally.tenancy;
        o.state = u.state;
        if (u.state == UplinkState::absent) continue;
        const LinkId link = link_at(i);
        o.gated = selector_.gated(link);
        o.metered = u.spec.settings.metered;
        o.priority = u.spec.settings.priority;
        o.rate_cap = u.spec.settings.rate_cap;
        o.local = traffic(link).socket != no_socket ? u.local : u.spec.source;
        o.rtt = u.rtt.smoothed();
        o.rtt_min = u.rtt.minimum();
        o.round_trips = u.round_trips;
        o.window = accounting_.window(link);
        o.in_flight = accounting_.in_flight(link);
        const Dispatch::View path = dispatch_.view(link);
        o.lost = path.lost;
        o.copies = path.copies;
        if (adaptive_) {
            o.window = static_cast<std::int32_t>(path.window_bytes * window_unit / link::PathModel::packet_bytes);
            o.in_flight = static_cast<std::int32_t>(path.in_flight);
            o.gated = path.silent;
            o.path_rate = path.bytes_per_second;
            o.queue_delay = path.queue_delay;
            o.base_rtt = path.base_rtt;
            o.window_bytes = static_cast<std::uint32_t>(path.window_bytes);
            o.in_flight_bytes = static_cast<std::uint32_t>(path.in_flight_bytes);
            o.silent = path.silent;
        }
        o.quality = selector_.quality(link);
        o.bytes_per_second = u.bytes_per_second;
        o.packets_out = traffic(link).packets_out;
        o.bytes_out = traffic(link).bytes_out;
        o.packets_in = traffic(link).packets_in;
        o.bytes_in = traffic(link).bytes_in;
        o.naks = u.naks;
        o.deferred = u.deferred;
        o.too_large = u.too_large;
        o.failures = u.failures;
    }
}

bool Sender::is_consistent() const noexcept {
    if ((alive_ & ~present_) != 0 || (busy_ & ~present_) != 0) return false;
    bool ok = registration_.is_consistent() && accounting_.is_consistent() && dispatch_.is_consistent();
    ok = ok && dispatch_.links() == alive_;
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link = link_at(i);
        const Uplink& u = uplinks_[i];
        const bool present = (present_ & bit(link)) != 0;
        const bool alive = (alive_ & bit(link)) != 0;
        ok = ok && present == (u.state != UplinkState::absent);
        ok = ok && alive == (u.state == UplinkState::connected);
        ok = ok && (!alive || (traffic(link).socket != no_socket && registration_.is_member(link)));
        ok = ok && (traffic(link).socket == no_socket || present);
    }
    return ok;
}

}  // namespace hawser::bond
