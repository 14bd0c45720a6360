// SPDX-License-Identifier: MIT
// The sender's links as sockets: opening, losing, renewing them, and packets that one of them refused.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"

namespace hawser::bond {

namespace {

// Nothing heard on any link for this long: the receiver may have been restarted. One keepalive and half a second.
constexpr Duration all_silent_max{1'500'000'000};
// NATs forget a UDP flow after 30 s at the earliest in practice (RFC 4787 asks for two minutes).
constexpr Duration unanswered_port_time{30'000'000'000};
constexpr Duration open_retry{1'000'000'000};  // the reference's pace
// A link whose socket buffer was full is left alone this long; at 10 Mbit/s a packet leaves each millisecond.
constexpr Duration busy_time{5'000'000};
// SRT's live default: 1316 bytes of payload (SRT_LIVE_DEF_PLSIZE) behind 16 of header.
constexpr std::uint32_t live_datagram_bytes = 1316 + 16;
constexpr Duration payload_max_time{60'000'000'000};  // after it a too small link is tried again; untuned
// ENETUNREACH and its kin by value: the engine includes no system header. Linux, asm-generic/errno.h.
constexpr int error_again = 11;
constexpr int error_no_memory = 12;
constexpr int error_message_size = 90;
constexpr int error_no_buffers = 105;
constexpr int error_refused = 111;

}  // namespace

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
    note_local(link, local);
    u.state = UplinkState::joining;
    traffic(link).heard_at = now;
    u.payload_max = payload_bytes_max != 0 ? payload_bytes_max : 0xFFFF'FFFF;
    u.payload_max_until = never;
    find_plain_bytes_max();
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
    if (u.suspended || u.opening) return;
    const Endpoint remote = receiver_for(u);
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

void Sender::set_usable(LinkId link, bool usable, Instant now, Actions& out) noexcept {
    alive_ = usable ? alive_ | bit(link) : alive_ & ~bit(link);
    if (usable)
        dispatch_.link_up(link, now);
    else
        dispatch_.link_down(link, now);
    selector_.set_usable(link, usable, now);
    watch_reserve(now, out);
}

void Sender::close_uplink(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != no_socket) static_cast<void>(out.close(traffic(link).socket));
    traffic(link).socket = no_socket;
    ++u.generation;
    u.opening = false;
    busy_ &= ~bit(link);
    u.payload_max = 0xFFFF'FFFF;
    set_usable(link, false, now, out);
    registration_.on_close(link, now);
    arm(registration_.next_due());
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
    if (u.last_errno != error)
        out.tell(event(EventKind::uplink_error, now, link, static_cast<std::uint32_t>(error), 1));
    u.last_errno = error;
    u.open_at = now + open_retry;
    arm(u.open_at);
}

// The sockets of a device that is gone take packets for a while and lose them: it is left at once.
void Sender::suspend_uplink(LinkId link, Instant now, Actions& out) noexcept {
    HAWSER_CHECK(link.index() < links_max && (present_ & bit(link)) != 0);
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != no_socket) {
        ++u.failures;
        accounting_.fail(link);
    }
    close_uplink(link, now, out);
    u.suspended = true;
    u.open_at = never;
    u.last_errno = 0;  // what is wrong when it is back is news
}

void Sender::renew_uplink(LinkId link, const UplinkSpec& spec, Instant now, Actions& out) noexcept {
    suspend_uplink(link, now, out);
    uplinks_[link.index()].suspended = false;
    uplinks_[link.index()].spec = spec;
    set_uplink(link, spec.settings, now, out);
    open_uplink(link, now, out);
}

void Sender::set_uplink(LinkId link, const UplinkSettings& settings, Instant now, Actions& out) noexcept {
    uplinks_[link.index()].spec.settings = settings;
    dispatch_.set_metered(link, settings.metered);
    set_limits(link);
    watch_reserve(now, out);
}

void Sender::go_silent(LinkId link, Instant now, Actions& out) noexcept {
    Uplink& u = uplinks_[link.index()];
    const Duration silence = now - traffic(link).heard_at;
    ++u.failures;
    accounting_.fail(link);
    set_usable(link, false, now, out);
    u.state = UplinkState::silent;
    out.tell(event(EventKind::uplink_silent, now, link, static_cast<std::uint32_t>(silence.ms())));
    registration_.on_silent(link, now);
    run_registration(link, now, out);
}

// A link that stays unanswered while others live may sit behind a NAT that has lost its flow: another port is another.
void Sender::renew_port(LinkId link, Instant now, Actions& out) noexcept {
    if (traffic(link).socket == no_socket || alive_ == 0 || now - traffic(link).heard_at < unanswered_port_time) return;
    close_uplink(link, now, out);
    open_uplink(link, now, out);
}

void Sender::on_send_failed(const Completion& c, Instant now, Actions& out) noexcept {
    if (c.tag == local_tag) {
        counters_.add(Counter::sends_failed);
        record(recorder_, refused_by_local(c.error), no_link, pool_.bytes(c.packet), now);
        return;
    }
    const LinkId link = link_at((c.tag & 0xFFFF) - 1);
    Uplink& u = uplinks_[link.index()];
    if (traffic(link).socket != c.socket) return;
    const Bytes packet = pool_.bytes(c.packet);
    note_unsent(link, packet.size());
    const auto srt = wire::SrtPacket::over(packet);
    const bool is_srtla = !srt || (!srt->is_data() && wire::is_srtla_space(*wire::packet_type(packet)));
    switch (c.error) {
        case error_again:
        case error_no_memory:
        case error_no_buffers:
            counters_.add(Counter::sends_deferred);
            ++u.deferred;
            set_busy(link, now + busy_time);
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
            find_plain_bytes_max();
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
    record(recorder_, {Decision::send_refused, 0, static_cast<std::uint32_t>(c.error)}, link, packet, now);
    if (is_srtla) return;  // it has a timer of its own
    if (adaptive_ && srt->is_data()) {
        dispatch_.on_unsent(link, srt->sequence());
        // The links that may still send it in fragments are tried once for each packet: it would come back at once.
        if (c.error == error_message_size && (alive_ & ~busy_ & ~narrower_than(packet.size())) == 0)
            dispatch_.give_up(srt->sequence(), now);
        else
            counters_.add(Counter::sends_rerouted);
        return;
    }
    if (srt->is_data()) accounting_.note_unsent(link, srt->sequence());
    link::LinkMask except = busy_ | bit(link);
    if (c.error == error_message_size) except |= narrower_than(packet.size());
    LinkId other = no_link;
    if (adaptive_)
        other = choose_soonest_of(alive_ & ~except, packet.size(), now);
    else if (dispatch_.is_limited())
        other = choose_by_class(except | dispatch_.caps().closed(now), packet.size(), now);
    else
        other = selector_.pick_except(except, now);
    if (other == no_link) {
        note_no_uplink(packet, now, out);
        return;
    }
    counters_.add(Counter::sends_rerouted);
    if (srt->is_data()) accounting_.note_sent(other, srt->sequence(), now);
    const bool is_out = put_out(c.packet, other, out);
    record(recorder_, is_out ? Fate{.decision = Decision::rerouted} : dropped_from_local(Counter::drop_no_room), other,
           packet, now);
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
    if (u.last_errno != c.error)
        out.tell(event(EventKind::uplink_error, now, link, static_cast<std::uint32_t>(c.error)));
    u.last_errno = c.error;
    // An ICMP message says that nobody listens there, or that the way is shut. Anybody can forge one, so it must not
    // end a healthy link: ask instead of believing. What is wrong with the socket itself comes as a refused send.
    registration_.probe(link, now);
    run_registration(link, now, out);
    set_busy(link, now + busy_time);
}

void Sender::settle_busy(Instant now) noexcept {
    each_link(busy_, [&](LinkId link) {
        if (uplinks_[link.index()].busy_until <= now) busy_ &= ~bit(link);
    });
    find_plain_bytes_max();
}

// Some uplink is busy, or too small for the packet.
LinkId Sender::choose_among(std::size_t packet_bytes, Instant now) noexcept {
    settle_busy(now);
    const auto pick = [&](LinkMask shut) {
        if (!dispatch_.is_limited()) return selector_.pick_except(shut, now);
        return choose_by_class(shut | dispatch_.caps().closed(now), packet_bytes, now);
    };
    const link::LinkMask except = narrower_than(packet_bytes);
    const LinkId link = pick(busy_ | except);
    if (link != no_link || except == 0) return link;
    // No link is known to carry it whole: the kernel may still send it in fragments.
    const LinkId fragmenting = pick(busy_);
    if (fragmenting != no_link) ++uplinks_[fragmenting.index()].too_large;
    if (fragmenting != no_link) counters_.add(Counter::sends_too_large);
    return fragmenting;
}

link::LinkMask Sender::narrower_than(std::size_t packet_bytes) const noexcept {
    link::LinkMask narrow = 0;
    each_link(alive_, [&](LinkId link) {
        if (packet_bytes > uplinks_[link.index()].payload_max) narrow |= bit(link);
    });
    return narrow;
}

void Sender::find_plain_bytes_max() noexcept {
    plain_bytes_max_ = busy_ == 0 && !dispatch_.is_limited() ? 0xFFFF'FFFF : 0;
    each_link(present_,
              [&](LinkId link) { plain_bytes_max_ = std::min(plain_bytes_max_, uplinks_[link.index()].payload_max); });
}

// Its socket buffer is full, or its way may be shut: others go first until then.
void Sender::set_busy(LinkId link, Instant until) noexcept {
    uplinks_[link.index()].busy_until = until;
    busy_ |= bit(link);
    find_plain_bytes_max();
}

bool Sender::heard_lately(Instant now) const noexcept {
    return alive_ != 0 && now - newest_word() < all_silent_max && !is_unanswered(now);
}

}  // namespace hawser::bond
