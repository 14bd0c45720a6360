// SPDX-License-Identifier: MIT
#include "engine/bond/sender.h"

#include <bit>

namespace hawser::bond {

namespace {

// Keepalives, silence and everything else that is looked at once a second; one wake-up serves all links.
constexpr Duration tick_interval{1'000'000'000};
// A link that has not answered keepalives for this long is asked whether it is still known (REG2): two and a half
// keepalives, so that two lost ones do not count.
constexpr Duration unanswered_max{2'500'000'000};
// Nothing heard on any link for this long: the receiver may have been restarted. One keepalive and half a second.
constexpr Duration all_silent_max{1'500'000'000};
constexpr Duration open_retry{1'000'000'000};  // the reference's pace
// A link whose socket buffer was full is left alone this long; at 10 Mbit/s a packet leaves each millisecond.
constexpr Duration busy_time{5'000'000};
// SRT's live default: 1316 bytes of payload (SRT_LIVE_DEF_PLSIZE) behind 16 of header.
constexpr std::uint32_t live_datagram_bytes = 1316 + 16;
constexpr Duration payload_max_time{60'000'000'000};  // after it a too small link is tried again; untuned
constexpr Duration refused_told_every{10'000'000'000};
// SRT data packets that were acknowledged by SRT without one SRTLA ACK, before the receiver is taken to send none:
// a receiver sends one per ten on each link.
constexpr std::uint64_t srtla_ack_patience = 64 * 10;
constexpr std::int32_t loss_list_limit = 25600;  // libsrt's default flow window: nobody can have lost more

// ENETUNREACH and its kin by value: the engine includes no system header. Linux, asm-generic/errno.h.
constexpr int error_again = 11;
constexpr int error_no_memory = 12;
constexpr int error_message_size = 90;
constexpr int error_no_buffers = 105;
constexpr int error_refused = 111;

constexpr LinkId link_at(std::size_t i) { return LinkId(static_cast<std::uint8_t>(i)); }
constexpr link::LinkMask bit(LinkId link) { return link::LinkMask{1} << link.value; }

// Receivers that pad small packets to 32 bytes (irlserver/srtla 39e324a, OpenIRL/srtla 1.0.0) pad NAKs too, and the
// zeros would read as losses of sequence 0. At least one entry is left.
std::size_t unpadded_nak_bytes(Bytes packet) {
    std::size_t n = packet.size();
    if (n != wire::padded_bytes) return n;
    while (n > wire::srt_header_bytes + 4 && load_be32(packet.data() + n - 4) == 0) n -= 4;
    return n;
}

template <class Visit>
void each_link(link::LinkMask mask, Visit&& visit) {
    for (; mask != 0; mask &= mask - 1) visit(link_at(static_cast<std::size_t>(std::countr_zero(mask))));
}

}  // namespace

Sender::Sender(const SenderOptions& options, Pool& pool, const wire::GroupKey& probe, std::uint64_t seed)
    : options_(options),
      pool_(pool),
      selector_(accounting_, Random(seed)),
      registration_(probe),
      history_(pool, std::min(options.history_packets, std::bit_floor(pool.slots() / 2))) {}

Event Sender::event(EventKind kind, Instant now, LinkId link, std::uint32_t a, std::uint32_t b) {
    Event e;
    e.at = now;
    e.kind = kind;
    e.link = link;
    e.a = a;
    e.b = b;
    return e;
}

// ---------------------------------------------------------------------------------------------- sockets and links

void Sender::start(Instant now, Actions& out) noexcept {
    tick_at_ = now + tick_interval;
    no_link_since_ = now;
    local_open_at_ = now;
    on_deadline(now, out);
}

void Sender::begin_turn(Instant now) noexcept { selector_.begin_turn(now); }

void Sender::on_opened(std::uint32_t tag, const Result<SocketId, Errno>& socket, const Endpoint& local,
                       std::uint32_t payload_bytes_max, Instant now, Actions& out) noexcept {
    if (tag == local_tag) {
        local_opening_ = false;
        Event e = event(EventKind::listening, now);
        e.endpoint = local;
        if (socket) {
            local_socket_ = *socket;
        } else {
            e = event(EventKind::listen_failed, now, no_link, static_cast<std::uint32_t>(socket.error().value));
            e.endpoint = options_.listen;
            failed_ = finished_ = true;
        }
        out.tell(e);
        return;
    }
    const LinkId link = link_at((tag & 0xFFFF) - 1);
    Uplink& u = uplinks_[link.index()];
    u.opening = false;
    if (uplink_tag(link, u.generation) != tag || u.state == UplinkState::absent) {
        if (socket) static_cast<void>(out.close(*socket));  // its link went away meanwhile
        return;
    }
    if (!socket) {
        if (u.last_errno != socket.error().value) {
            Event e = event(EventKind::uplink_open_failed, now, link, static_cast<std::uint32_t>(socket.error().value));
            e.endpoint = u.spec.source;
            out.tell(e);
        }
        u.last_errno = socket.error().value;
        u.open_at = now + open_retry;
        arm(u.open_at);
        return;
    }
    traffic(link).socket = *socket;
    u.local = local;
    u.state = UplinkState::joining;
    traffic(link).heard_at = now;
    u.payload_max = payload_bytes_max != 0 ? payload_bytes_max : 0xFFFF'FFFF;
    u.payload_max_until = never;
    find_payload_max();
    Event e = event(EventKind::uplink_opened, now, link);
    e.endpoint = local;
    out.tell(e);
    // Known before the first packet: the link carries what fits, and the operator should hear why it carries no more.
    if (payload_bytes_max != 0 && payload_bytes_max < live_datagram_bytes) {
        Event narrow = event(EventKind::uplink_too_large, now, link, live_datagram_bytes);
        narrow.b = payload_bytes_max;
        out.tell(narrow);
    }
    registration_.on_open(link, now);
    run_registration(link, now, out);
}

Endpoint Sender::receiver_for(const Uplink& uplink) const noexcept {
    // One index for all links, so that they meet at one server; a link takes the first address of its own family
    // from there on, since a v4 source cannot reach a v6 address.
    const bool any_family = uplink.spec.source.is_any() && !uplink.spec.source.is_v4();
    for (std::uint32_t step = 0; step < receiver_.count; ++step) {
        const Endpoint& e = receiver_.addresses[(receiver_index_ + step) % receiver_.count];
        if (any_family || e.is_v4() == uplink.spec.source.is_v4()) return e;
    }
    return Endpoint{};
}

void Sender::open_uplink(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    u.open_at = never;
    const Endpoint remote = receiver_for(u);
    if (u.opening) return;
    if (remote.port == 0) {  // not resolved yet, or nothing of this family: set_receiver opens it
        u.open_at = now + open_retry;
        arm(u.open_at);
        return;
    }
    SocketSpec spec;
    spec.tag = uplink_tag(link, ++u.generation);
    spec.local = u.spec.source;
    if (spec.local.is_any() && !spec.local.is_v4() && remote.is_v4()) spec.local = Endpoint::from_v4(0, 0);
    spec.remote = remote;
    spec.connected = true;
    spec.send_buffer_bytes = options_.uplink_send_buffer_bytes;
    spec.receive_buffer_bytes = options_.uplink_receive_buffer_bytes;
    std::copy(std::begin(u.spec.device), std::end(u.spec.device), std::begin(spec.device));
    u.opening = out.open(spec);
    if (!u.opening) {
        u.open_at = now + open_retry;
        arm(u.open_at);
    }
}

void Sender::set_usable(LinkId link, bool usable, Instant now) noexcept {
    alive_ = usable ? alive_ | bit(link) : alive_ & ~bit(link);
    selector_.set_usable(link, usable, now);
}

void Sender::close_uplink(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != no_socket) static_cast<void>(out.close(traffic(link).socket));
    traffic(link).socket = no_socket;
    ++u.generation;
    u.opening = false;
    busy_ &= ~bit(link);
    u.payload_max = 0xFFFF'FFFF;
    set_usable(link, false, now);
    registration_.on_close(link, now);
    u.state = UplinkState::closed;
    u.rtt.reset();
}

void Sender::lose_uplink(LinkId link, int error, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket == no_socket) return;
    ++u.failures;
    accounting_.fail(link);
    close_uplink(link, now, out);
    // The same error each second until the link has worked again is told once.
    if (u.last_errno != error) out.tell(event(EventKind::uplink_error, now, link, static_cast<std::uint32_t>(error)));
    u.last_errno = error;
    u.open_at = now + open_retry;
    arm(u.open_at);
}

void Sender::go_silent(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    const Duration silence = now - traffic(link).heard_at;
    ++u.failures;
    accounting_.fail(link);
    set_usable(link, false, now);
    u.state = UplinkState::silent;
    out.tell(event(EventKind::uplink_silent, now, link, static_cast<std::uint32_t>(silence.ms())));
    registration_.on_silent(link, now);
    run_registration(link, now, out);
}

// ------------------------------------------------------------------------------------------------- the SRT side

bool Sender::on_odd(const Completion& c, Instant now, Actions& out) noexcept {
    const Bytes packet = pool_.bytes(c.packet);
    if (c.tag != local_tag) {
        on_uplink(c, packet, now, out);
        return false;
    }
    counters_.add(Counter::local_packets_in);
    counters_.add(Counter::local_bytes_in, packet.size());
    return on_odd_local(c, packet, now, out);
}

bool Sender::on_odd_local(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    if (packet.size() > wire::datagram_bytes_max) {
        counters_.add(Counter::drop_oversize);
        return false;
    }
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) {
        counters_.add(Counter::drop_short);
        return false;
    }
    if (!caller_.is(c.from) && !admit_caller(c, packet, now, out)) return false;
    caller_.heard(now);
    if (srt->is_data()) return on_data(c, *srt, now, out);
    on_local_control(c, packet, now, out);
    return false;
}

// Some uplink is busy, or too small for the packet.
LinkId Sender::choose_among(std::size_t packet_bytes, Instant now) noexcept {
    each_link(busy_, [&](LinkId link) {
        if (uplinks_[link.index()].busy_until <= now) busy_ &= ~bit(link);
    });
    const link::LinkMask except = narrower_than(packet_bytes);
    const LinkId link = selector_.pick_except(busy_ | except, now);
    if (link != no_link || except == 0) return link;
    // No link is known to carry it whole: the kernel may still send it in fragments.
    const LinkId fragmenting = selector_.pick_except(busy_, now);
    if (fragmenting != no_link) ++uplinks_[fragmenting.index()].too_large;
    if (fragmenting != no_link) counters_.add(Counter::sends_too_large);
    return fragmenting;
}

void Sender::note_no_uplink(Instant now, Actions& out) noexcept {
    counters_.add(Counter::drop_no_uplink);
    if (unrouted_since_told_++ == 0) {
        out.tell(event(EventKind::no_uplink_for_data, now, no_link, 1));
    }
}

void Sender::on_local_control(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const auto srt = *wire::SrtPacket::over(packet);
    const std::uint16_t type = *wire::packet_type(packet);
    if (wire::is_srtla_space(type)) {
        counters_.add(Counter::drop_srtla_on_srt);
        return;
    }
    if (const auto handshake = wire::Handshake::over(srt); handshake && caller_.on_handshake(*handshake)) {
        new_session(now, out);
    }
    if (srt.control_type() == wire::SrtControl::shutdown && !caller_.ended()) {
        caller_.on_shutdown();
        Event e = event(EventKind::caller_gone, now, no_link, 1);
        e.endpoint = caller_.endpoint();
        out.tell(e);
    }
    const LinkId link = choose(packet.size(), now);
    if (link == no_link) {
        note_no_uplink(now, out);
        return;
    }
    route(c.packet, link, out);
}

bool Sender::admit_caller(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const auto srt = *wire::SrtPacket::over(packet);
    if (!srt.is_data() && wire::is_srtla_space(*wire::packet_type(packet))) {
        counters_.add(Counter::drop_srtla_on_srt);
        return false;
    }
    if (caller_.is_replaceable(now, options_.caller_idle)) {
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
    counters_.add(Counter::drop_foreign_caller);
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
    history_.clear();
    srtla_acks_seen_ = false;
    data_at_first_srt_ack_ = 0;
    if (srtla_acks_absent_) accounting_.set_srtla_acks_absent(false);
    srtla_acks_absent_ = false;
    out.tell(event(EventKind::session_started, now, no_link, caller_.socket_id(), caller_.newest().raw()));
}

// --------------------------------------------------------------------------------------------- the uplinks' side

void Sender::heard(LinkId link, Instant now) noexcept {
    traffic(link).heard_at = now;
    selector_.note_heard(link, now);
}

void Sender::on_uplink(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    const LinkId link = link_at((c.tag & 0xFFFF) - 1);
    if (link.index() >= links_max || traffic(link).socket != c.socket) return;
    if (packet.size() > wire::datagram_bytes_max) {
        counters_.add(Counter::drop_oversize);
        return;
    }
    ++traffic(link).packets_in;
    traffic(link).bytes_in += packet.size();
    counters_.add(Counter::uplink_packets_in);
    counters_.add(Counter::uplink_bytes_in, packet.size());
    const auto type = wire::packet_type(packet);
    if (!type) {
        counters_.add(Counter::drop_short);
        return;
    }
    if (wire::is_srtla_space(*type)) {
        on_srtla(link, *type, packet, now, out);
        return;
    }
    if (!registration_.is_member(link)) {
        counters_.add(Counter::drop_unregistered);
        return;
    }
    heard(link, now);
    on_srt_from_uplink(c, packet, now, out);
}

void Sender::on_srt_from_uplink(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept {
    auto srt = wire::SrtPacket::over(packet);
    if (!srt) {
        counters_.add(Counter::drop_short);
        return;
    }
    if (!caller_.has_caller()) {
        counters_.add(Counter::drop_no_caller);
        return;
    }
    if (!caller_.accepts_destination(srt->destination())) {
        counters_.add(Counter::drop_bad_destination);
        return;
    }
    PacketRef ref = c.packet;
    if (srt->is_data()) {
        forward(ref, out);
        return;
    }
    if (srt->control_type() == wire::SrtControl::nak) {
        ref.length = static_cast<std::uint16_t>(unpadded_nak_bytes(packet));
        packet = packet.first(ref.length);
        srt = wire::SrtPacket::over(packet);
    }
    const bool is_first = copies_.is_first(packet);
    switch (srt->control_type()) {
        case wire::SrtControl::ack: {
            const auto next = wire::ack_next_expected(*srt);
            if (!next || !caller_.accepts_ack(*next)) {
                counters_.add(Counter::drop_bad_ack);
                return;
            }
            // Every copy counts for the links' in-flight figures, as in the reference; the caller gets one.
            selector_.note_proof(accounting_.on_srt_ack(*next, now), now);
            counters_.add(is_first ? Counter::srt_acks : Counter::srt_ack_copies);
            if (is_first) watch_receiver_acks(now, out);
            break;
        }
        case wire::SrtControl::nak: {
            const auto losses = wire::LossList::over(srt->body(), loss_list_limit);
            if (!losses || !caller_.accepts_losses(*losses)) {
                counters_.add(Counter::drop_bad_loss_list);
                return;
            }
            counters_.add(is_first ? Counter::srt_naks : Counter::srt_nak_copies);
            if (is_first) on_srt_nak(*losses, now);
            break;
        }
        case wire::SrtControl::shutdown:
            if (is_first && !caller_.ended()) {
                caller_.on_shutdown();
                out.tell(event(EventKind::session_ended, now));
            }
            break;
        case wire::SrtControl::handshake:
        case wire::SrtControl::keepalive:
        case wire::SrtControl::congestion_warning:
        case wire::SrtControl::ackack:
        case wire::SrtControl::drop_request:
        case wire::SrtControl::peer_error:
        case wire::SrtControl::user: break;
        default: counters_.add(Counter::drop_unexpected_type); return;
    }
    if (is_first) forward(ref, out);
}

void Sender::on_srt_nak(const wire::LossList& losses, Instant now) noexcept {
    counters_.add(Counter::srt_nak_sequences, static_cast<std::uint64_t>(losses.count()));
    losses.each([&](wire::Seq31 sequence) {
        const auto loss = accounting_.on_lost(sequence, now);
        if (loss.link == no_link) return;
        ++uplinks_[loss.link.index()].naks;
        selector_.note_nak(loss.link, now);
    });
}

void Sender::forward(PacketRef ref, Actions& out) noexcept {
    if (local_socket_ == no_socket || !out.send(local_socket_, ref, &caller_.endpoint())) {
        counters_.add(Counter::drop_no_room);
        return;
    }
    counters_.add(Counter::local_packets_out);
}

void Sender::on_srtla(LinkId link, std::uint16_t type, Bytes packet, Instant now, Actions& out) noexcept {
    switch (static_cast<wire::SrtlaType>(type)) {
        case wire::SrtlaType::ack: {
            const auto ack = wire::SrtlaAck::over(packet);
            if (!ack) {
                counters_.add(Counter::drop_bad_ack);
                return;
            }
            if (!registration_.is_member(link)) {
                counters_.add(Counter::drop_unregistered);
                return;
            }
            heard(link, now);
            counters_.add(Counter::srtla_acks_in);
            srtla_acks_seen_ = true;
            if (srtla_acks_absent_) [[unlikely]] {
                srtla_acks_absent_ = false;
                accounting_.set_srtla_acks_absent(false);
            }
            selector_.note_proof(accounting_.on_srtla_ack(*ack, link, alive_mask(), now), now);
            return;
        }
        case wire::SrtlaType::keepalive:
            counters_.add(Counter::keepalives_in);
            if (registration_.is_member(link)) on_keepalive(link, packet, now);
            return;
        case wire::SrtlaType::reg_ngp:
            apply(registration_.on_no_group(link, heard_lately(now), now), link, now, out);
            return;
        case wire::SrtlaType::reg2: apply(registration_.on_reg2(link, packet, now), link, now, out); return;
        case wire::SrtlaType::reg3: apply(registration_.on_reg3(link, now), link, now, out); return;
        case wire::SrtlaType::reg_err:
        case wire::SrtlaType::reg_nak: apply(registration_.on_refused(link, now), link, now, out); return;
        case wire::SrtlaType::reg1: break;
    }
    // Never answered and never forwarded: 0x9xxx and 0xAxxx are not SRT.
    counters_.add(Counter::drop_unexpected_type);
}

void Sender::on_keepalive(LinkId link, Bytes packet, Instant now) noexcept {
    Uplink& u = uplinks_[link.index()];
    heard(link, now);
    const auto rtt = u.keepalive.on_echo(packet, now);
    if (!rtt) return;
    answered_form_ = u.keepalive.form();
    u.rtt.sample(*rtt, now);
    selector_.note_rtt(link, *rtt, now);
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
            each_link(present_, [&](LinkId other) { run_registration(other, now, out); });
            break;
        case Outcome::group_lost:
            out.tell(event(EventKind::group_lost, now, link));
            each_link(present_, [&](LinkId other) {
                Uplink& o = uplinks_[other.index()];
                if (o.state != UplinkState::connected) return;
                o.state = UplinkState::joining;
                accounting_.fail(other);
                set_usable(other, false, now);
            });
            break;
        case Outcome::link_joined:
            u.state = UplinkState::connected;
            u.keepalive.reset(answered_form_, now);
            u.last_errno = 0;
            heard(link, now);
            selector_.note_registered(link, now);
            set_usable(link, true, now);
            has_connected_ = true;
            no_link_since_ = never;
            unrouted_since_told_ = 0;
            out.tell(event(EventKind::uplink_connected, now, link));
            send_keepalive(link, now, out);
            break;
        case Outcome::link_refreshed: heard(link, now); break;
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
    arm(registration_.due(link));
}

void Sender::run_registration(LinkId link, Instant now, Actions& out) noexcept {
    using Send = link::Registration::Send;
    if (traffic(link).socket == no_socket) return;
    if (registration_.due(link) <= now) {
        const Send send = registration_.on_due(link, now);
        if (send != Send::nothing) {
            const auto type = send == Send::reg1 ? wire::SrtlaType::reg1 : wire::SrtlaType::reg2;
            const auto packet = wire::build_registration(type, registration_.key());
            if (out.send_bytes(traffic(link).socket, packet)) counters_.add(Counter::registrations_out);
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
    telemetry.rtt_ms = static_cast<std::uint32_t>(u.rtt.smoothed().ms());
    telemetry.naks = static_cast<std::uint32_t>(u.naks);
    telemetry.bytes_per_second = u.bytes_per_second;
    if (out.send_bytes(traffic(link).socket, u.keepalive.next(telemetry, now))) counters_.add(Counter::keepalives_out);
}

// ------------------------------------------------------------------------------------------------ what goes wrong

void Sender::on_send_failed(const Completion& c, Instant now, Actions& out) noexcept {
    if (c.tag == local_tag) {
        counters_.add(Counter::sends_failed);
        return;
    }
    const LinkId link = link_at((c.tag & 0xFFFF) - 1);
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != c.socket) return;
    const Bytes packet = pool_.bytes(c.packet);
    const auto srt = wire::SrtPacket::over(packet);
    const bool is_srtla = !srt || (!srt->is_data() && wire::is_srtla_space(*wire::packet_type(packet)));
    switch (c.error) {
        case error_again:
        case error_no_memory:
        case error_no_buffers:
            counters_.add(Counter::sends_deferred);
            ++u.deferred;
            u.busy_until = now + busy_time;
            busy_ |= bit(link);
            break;
        case error_message_size: {
            counters_.add(Counter::sends_too_large);
            ++u.too_large;
            const auto size = static_cast<std::uint32_t>(packet.size());
            if (size <= u.payload_max) {
                out.tell(event(EventKind::uplink_too_large, now, link, size));
                u.payload_max = size - 1;
            }
            u.payload_max_until = now + payload_max_time;
            find_payload_max();
            break;
        }
        case error_refused:
            counters_.add(Counter::sends_failed);
            on_broken(c, now, out);
            break;
        default:
            counters_.add(Counter::sends_failed);
            lose_uplink(link, c.error, now, out);
            break;
    }
    if (is_srtla) return;  // it has a timer of its own
    if (srt->is_data()) accounting_.note_unsent(link, srt->sequence());
    link::LinkMask except = busy_ | bit(link);
    if (c.error == error_message_size) except |= narrower_than(packet.size());
    const LinkId other = selector_.pick_except(except, now);
    if (other == no_link) {
        note_no_uplink(now, out);
        return;
    }
    counters_.add(Counter::sends_rerouted);
    if (srt->is_data()) accounting_.note_sent(other, srt->sequence(), now);
    route(c.packet, other, out);
}

void Sender::on_broken(const Completion& c, Instant now, Actions& out) noexcept {
    if (c.tag == local_tag) return;  // the caller's port is closed: its silence frees the place
    const LinkId link = link_at((c.tag & 0xFFFF) - 1);
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != c.socket) return;
    if (c.error == error_message_size) {
        // A router named a smaller MTU for the path. The kernel knows it from here on and sends in fragments.
        counters_.add(Counter::sends_too_large);
        ++u.too_large;
        if (u.last_errno != c.error) out.tell(event(EventKind::uplink_too_large, now, link, live_datagram_bytes));
        u.last_errno = c.error;
        return;
    }
    if (c.error != error_refused) {
        lose_uplink(link, c.error, now, out);
        return;
    }
    if (u.last_errno != c.error)
        out.tell(event(EventKind::uplink_error, now, link, static_cast<std::uint32_t>(c.error)));
    u.last_errno = c.error;
    // Nobody listens there now. A forged ICMP message must not end a healthy link: ask instead of believing.
    registration_.probe(link, now);
    run_registration(link, now, out);
    busy_ |= bit(link);
    u.busy_until = now + busy_time;
}

bool Sender::heard_lately(Instant now) const noexcept {
    bool any = false;
    each_link(alive_, [&](LinkId link) { any = any || now - traffic(link).heard_at < all_silent_max; });
    return any;
}

// ------------------------------------------------------------------------------------------------ time and orders

void Sender::on_deadline(Instant now, Actions& out) noexcept {
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
    rearm();
}

void Sender::rearm() noexcept {
    next_deadline_ = finished_ ? never : std::min(tick_at_, local_open_at_);
    each_link(present_, [&](LinkId link) {
        arm(uplinks_[link.index()].open_at);
        if (traffic(link).socket != no_socket) arm(registration_.due(link));
    });
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
        if (u.state != UplinkState::connected) return;
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
        caller_.on_shutdown();
    }
    find_payload_max();
    watch_connection(now, out);
}

link::LinkMask Sender::narrower_than(std::size_t packet_bytes) const noexcept {
    link::LinkMask narrow = 0;
    each_link(alive_, [&](LinkId link) {
        if (packet_bytes > uplinks_[link.index()].payload_max) narrow |= bit(link);
    });
    return narrow;
}

void Sender::find_payload_max() noexcept {
    payload_max_ = 0xFFFF'FFFF;
    each_link(present_,
              [&](LinkId link) { payload_max_ = std::min(payload_max_, uplinks_[link.index()].payload_max); });
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
        stop(now, out);
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
    srtla_acks_absent_ = true;
    accounting_.set_srtla_acks_absent(true);
    out.tell(event(EventKind::no_srtla_acks, now));
}

void Sender::set_receiver(const Resolved& resolved, Instant now, Actions& out) noexcept {
    const bool had = receiver_.count != 0;
    const Endpoint current = had ? receiver_.addresses[receiver_index_] : Endpoint{};
    receiver_ = resolved;
    receiver_.count = std::min<std::uint32_t>(receiver_.count, resolved_max);
    receiver_index_ = 0;
    bool still_there = false;
    for (std::uint32_t i = 0; i < receiver_.count; ++i) {
        if (had && receiver_.addresses[i] == current) {
            receiver_index_ = i;
            still_there = true;
        }
    }
    // A group in use is left where it is, even if the name says otherwise by now; a loss brings us here again.
    if (alive_ != 0 && had) return;
    if (still_there && had) return;
    registration_.restart(now);
    each_link(present_, [&](LinkId link) {
        if (traffic(link).socket != no_socket) close_uplink(link, now, out);
        open_uplink(link, now, out);
    });
}

void Sender::on_command(const Command& command, Instant now, Actions& out) noexcept {
    const LinkId link = command.link;
    switch (command.kind) {
        case CommandKind::add_uplink: {
            HAWSER_CHECK(link.index() < links_max && (present_ & bit(link)) == 0);
            Uplink& u = uplinks_[link.index()];
            const std::uint16_t generation = u.generation;
            u = Uplink{};
            traffic(link) = Traffic{};
            u.generation = generation;
            u.spec = command.uplink;
            u.state = UplinkState::closed;
            present_ |= bit(link);
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
            out.tell(event(EventKind::uplink_removed, now, link));
            break;
        }
        case CommandKind::set_receiver: set_receiver(command.resolved, now, out); break;
        case CommandKind::set_selection:
            selector_.set(command.selection);
            accounting_.set_arrival_first(command.selection.mode != select::Mode::classic);
            break;
        case CommandKind::stop: stop(now, out); break;
        case CommandKind::publish:
        case CommandKind::set_server: break;
    }
    rearm();
}

void Sender::stop(Instant now, Actions& out) noexcept {
    if (finished_) return;
    // SRTLA has no goodbye: the receiver ages the links out. The SRT caller says its own.
    each_link(present_, [&](LinkId link) {
        if (traffic(link).socket != no_socket) close_uplink(link, now, out);
    });
    if (local_socket_ != no_socket) static_cast<void>(out.close(local_socket_));
    local_socket_ = no_socket;
    history_.clear();
    finished_ = true;
}

void Sender::fill(SenderSnapshot& s, Instant now) const noexcept {
    s.at = now;
    s.counters = counters_;
    s.selection = selector_.settings();
    s.group_joined = registration_.has_group();
    s.has_caller = caller_.has_caller() && !caller_.ended();
    s.caller = caller_.endpoint();
    s.receiver = receiver_.count != 0 ? receiver_.addresses[receiver_index_] : Endpoint{};
    for (std::size_t i = 0; i < links_max; ++i) {
        const Uplink& u = uplinks_[i];
        UplinkSnapshot& o = s.uplinks[i];
        o = UplinkSnapshot{};
        o.state = u.state;
        if (u.state == UplinkState::absent) continue;
        const LinkId link = link_at(i);
        o.gated = selector_.gated(link);
        o.local = traffic(link).socket != no_socket ? u.local : u.spec.source;
        o.rtt = u.rtt.smoothed();
        o.rtt_min = u.rtt.minimum();
        o.window = accounting_.window(link);
        o.in_flight = accounting_.in_flight(link);
        o.quality = selector_.quality(link);
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
    bool ok = registration_.is_consistent() && accounting_.is_consistent();
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
