// SPDX-License-Identifier: MIT
// The sending end: SRT packets from one local caller, spread over uplinks by the SRTLA protocol.
// It routes and decides nothing that a part of it can decide: links by select::Selector, who holds what by
// link::Accounting, joining by link::Registration, liveness and RTT by link::Keepalive, the SRT side by Caller.
// Pure: packets and time come in, Actions come out. One thread. Allocates in the constructor only.
//
// Laws, which tests/sim quotes:
//  - No SRT packet leaves on an uplink before its REG3.
//  - Nothing of SRTLA's own, and nothing that cannot belong to the caller's SRT session, reaches the caller.
//  - Each SRT ACK and NAK reaches the caller once, however many uplinks brought it.
//  - Where uplinks are in classes, a later class carries only what those before it have no room for. Data never leave
//    faster than an uplink's cap. The reserve carries data only while nothing else works, and that is told.
//  - A packet that one uplink refuses is offered to the others; only when all refuse is it dropped, and counted.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/completion.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/bond/actions.h"
#include "engine/bond/caller.h"
#include "engine/bond/cap_queue.h"
#include "engine/bond/copy_filter.h"
#include "engine/bond/deadlines.h"
#include "engine/bond/dispatch.h"
#include "engine/bond/loss_reports.h"
#include "engine/bond/recording.h"
#include "engine/bond/safe_rate.h"
#include "engine/bond/watch.h"
#include "engine/border/command.h"
#include "engine/border/counters.h"
#include "engine/border/sender_snapshot.h"
#include "engine/link/accounting.h"
#include "engine/link/keepalive.h"
#include "engine/link/registration.h"
#include "engine/link/rtt.h"
#include "engine/select/selector.h"

namespace hawser::bond {

// What an earlier run of the program left, so that the SRT session lives on through a restart.
struct EarlierRun {
    bool has_group = false;
    wire::GroupKey group{};  // its id: the receiver keeps the group for half a minute without us
    Duration latency{};      // SRT's, of a session whose handshake this run will not see; zero: not known
};

struct SenderOptions {
    Endpoint listen;  // where the SRT caller is expected
    EarlierRun earlier;
    Duration link_silence{4'000'000'000};  // without a packet from the receiver: the reference's CONN_TIMEOUT
    Duration caller_idle{2'000'000'000};   // libsrt sends a keepalive each second; its callers give up after 3 s
    Duration receiver_timeout{
        10'000'000'000};   // without any link: the next address is tried (reference: GLOBAL_TIMEOUT)
    bool give_up = false;  // end, as the reference does, when no address is left or all links are lost
    // What `adaptive` keeps until it has come, a power of two; bounded by half of the pool, as the rest is for what is
    // on its way. 8192: two seconds at 43 Mbit/s. What rate and latency make more than that is given up unrepaired.
    std::uint32_t kept_packets = 8192;
    std::uint32_t listen_buffer_bytes = 4u * 1024 * 1024;
    std::uint32_t uplink_send_buffer_bytes = 8u * 1024 * 1024;  // the reference's
    std::uint32_t uplink_receive_buffer_bytes = 1024 * 1024;
};

class Sender {
public:
    using Snapshot = SenderSnapshot;

    // `probe`: 256 random bytes from the system, the id to ask with. `seed`: for exploration and jitter.
    Sender(const SenderOptions& options, Pool& pool, const wire::GroupKey& probe, std::uint64_t seed);

    void start(Instant now, Actions& out) noexcept;
    void begin_turn(Instant now) noexcept;
    void on_opened(std::uint32_t tag, const Result<SocketId, Errno>& socket, const Endpoint& local,
                   std::uint32_t payload_bytes_max, Instant now, Actions& out) noexcept;
    // True: the reference that came with the packet is kept; false: it is still the caller's. `Outlet` sends at once
    // (send(socket, packet), false when it cannot, as has_room() says before), takes the sender's reference of what was
    // sent (let_go(buffer)) and has actions() for everything else; Actions is one itself.
    template <class Outlet>
    bool on_received(const Completion& completion, Instant now, Outlet& out) noexcept;
    void on_send_failed(const Completion& completion, Instant now, Actions& out) noexcept;
    void on_broken(const Completion& completion, Instant now, Actions& out) noexcept;
    void on_command(const Command& command, Instant now, Actions& out) noexcept;
    void on_deadline(Instant now, Actions& out) noexcept;

    // After a turn's packets, deadlines and commands.
    template <class Outlet>
    void end_turn(Instant now, Outlet& out) noexcept {
        if (adaptive_) [[unlikely]]
            dispatch(now, out);
        else if (!cap_queue_.empty()) [[unlikely]]
            send_held(now, out);
    }

    [[nodiscard]] Instant next_deadline() const noexcept { return next_deadline_; }
    [[nodiscard]] Counters counters() const noexcept;
    void fill(SenderSnapshot& snapshot, Instant now) const noexcept;
    // What an encoder may send now: the law of safe_rate.h.
    [[nodiscard]] const SafeRate& safe_rate() const noexcept { return safe_rate_.figure(); }
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    // True when the end was not asked for: no connection, in a sender told to give up.
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] bool is_consistent() const noexcept;
    // What became of the last packets; nothing is recorded before its owner has attached memory to it.
    [[nodiscard]] FlightRecorder& recorder() noexcept { return recorder_; }

    // SocketSpec::tag of the local socket; an uplink's is made of its slot and its generation.
    static constexpr std::uint32_t local_tag = 0;
    [[nodiscard]] static constexpr std::uint32_t uplink_tag(LinkId link, std::uint16_t generation) {
        return (std::uint32_t{generation} << 16) | (1u + link.value);
    }

private:
    // Read and written for each packet: a cache line per uplink.
    struct alignas(cache_line_bytes) Traffic {
        SocketId socket = no_socket;
        std::uint64_t packets_out = 0;
        std::uint64_t packets_in = 0;
        std::uint64_t bytes_out = 0;
        std::uint64_t bytes_in = 0;
        Instant heard_at;

        void add_to(Counters& counters) const noexcept {
            counters.add(Counter::uplink_packets_out, packets_out);
            counters.add(Counter::uplink_packets_in, packets_in);
            counters.add(Counter::uplink_bytes_out, bytes_out);
            counters.add(Counter::uplink_bytes_in, bytes_in);
        }
    };
    static_assert(sizeof(Traffic) == cache_line_bytes);
    // What a slot has carried on the wire since the start: totals up to the marks, and SRTLA's own packets, without
    // what the kernel refused.
    struct WireTally {
        std::uint64_t out = 0;
        std::uint64_t in = 0;
        std::uint64_t bytes_out_from = 0;
        std::uint64_t packets_out_from = 0;
        std::uint64_t bytes_in_from = 0;
        std::uint64_t packets_in_from = 0;
        std::uint32_t headers = 28;  // of IP and UDP
        std::uint32_t tenancy = 0;

        // Takes what the traffic has beyond the marks.
        void settle(const Traffic& t) noexcept;
    };
    struct Uplink {
        std::uint32_t payload_max = 0xFFFF'FFFF;  // datagrams above it were refused as too large
        UplinkState state = UplinkState::absent;
        bool opening = false;
        std::uint16_t generation = 0;
        UplinkSpec spec;
        Endpoint local;
        Instant open_at = never;    // next try to open
        bool suspended = false;     // the control thread knows that there is nothing to open
        Instant busy_until;         // its socket buffer was full
        Instant payload_max_until;  // when to find out anew what fits
        link::Keepalive keepalive;
        link::Rtt rtt;
        RoundTrips round_trips;
        std::uint64_t naks = 0;
        std::uint64_t deferred = 0;
        std::uint64_t too_large = 0;
        std::uint64_t failures = 0;
        std::uint64_t rate_bytes_from = 0;
        std::uint32_t bytes_per_second = 0;
        int last_errno = 0;
    };

    [[nodiscard]] Traffic& traffic(LinkId link) noexcept { return traffic_[link.index()]; }
    [[nodiscard]] const Traffic& traffic(LinkId link) const noexcept { return traffic_[link.index()]; }

    // The SRT side.
    template <class Outlet>
    bool on_data(const Completion& c, const wire::SrtPacket& packet, Instant now, Outlet& out) noexcept;
    // Everything but a data packet of the caller's in the middle of its session.
    bool on_odd(const Completion& c, Instant now, Actions& out) noexcept;
    bool on_odd_local(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    void on_local_control(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    [[nodiscard]] LinkMask next_for_induction(LinkMask links) noexcept;
    void pass_on(const PacketRef& ref, LinkId link, Instant now, Actions& out) noexcept;
    bool admit_caller(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    void new_session(Instant now, Actions& out) noexcept;
    // Data that `fate` says of why it goes there.
    template <class Outlet>
    void route(const PacketRef& ref, LinkId link, Fate fate, Instant now, Outlet& out) noexcept;
    // False when it cannot; it is counted then.
    template <class Outlet>
    bool put_out(const PacketRef& ref, LinkId link, Outlet& out) noexcept;
    [[nodiscard]] Fate sent_on(LinkId link) const noexcept {
        return {Decision::sent, static_cast<std::uint16_t>(accounting_.in_flight(link)), 0};
    }
    template <class Outlet>
    void send_probe(const PacketRef& ref, LinkId link, wire::Seq31 sequence, Instant now, Outlet& out) noexcept;
    LinkId choose(std::size_t packet_bytes, Instant now) noexcept {
        return adaptive_ ? choose_soonest(packet_bytes, now) : choose_at_once(packet_bytes, now);
    }
    // By the selectors that bind a packet as it comes.
    LinkId choose_at_once(std::size_t packet_bytes, Instant now) noexcept {
        if (packet_bytes <= plain_bytes_max_) return selector_.pick(now);
        return choose_among(packet_bytes, now);
    }
    // The same for data, which do not pass what waits for a cap.
    LinkId choose_for_data(std::size_t packet_bytes, Instant now) noexcept {
        if (packet_bytes <= plain_bytes_max_) return selector_.pick(now);
        return cap_queue_.empty() ? choose_among(packet_bytes, now) : no_link;
    }
    LinkId choose_among(std::size_t packet_bytes, Instant now) noexcept;
    // Classes, caps and bytes on the wire: sender_limits.cc.
    void set_limits(LinkId link) noexcept;
    LinkId choose_by_class(LinkMask shut, std::size_t packet_bytes, Instant now) noexcept;
    [[nodiscard]] LinkMask kept() const noexcept;
    [[nodiscard]] bool has_room(LinkId link) const noexcept;
    void note_class_answer(const wire::SrtlaAck& ack, Instant now) noexcept;
    bool wait_for_cap(const Completion& c, wire::Seq31 sequence, Instant now, Actions& out) noexcept;
    void drop_late_for_cap(Instant now) noexcept;
    void drop_waiting(Instant now) noexcept;
    template <class Outlet>
    void send_held(Instant now, Outlet& out) noexcept;
    void watch_reserve(Instant now, Actions& out) noexcept;
    void tell_reserve(Instant now, Actions& out) noexcept;
    void note_unsent(LinkId link, std::size_t bytes) noexcept;
    [[nodiscard]] std::uint64_t media_cap(std::uint32_t payload_bytes) const noexcept;
    void begin_tenancy(LinkId link) noexcept;
    void note_local(LinkId link, const Endpoint& local) noexcept;
    void note_own(LinkId link, Decision what, Bytes packet, Instant now) noexcept;
    void renew_port(LinkId link, Instant now, Actions& out) noexcept;
    void find_plain_bytes_max() noexcept;
    void set_busy(LinkId link, Instant until) noexcept;
    [[nodiscard]] link::LinkMask narrower_than(std::size_t packet_bytes) const noexcept;
    void note_no_uplink(Bytes packet, Instant now, Actions& out) noexcept;
    void tell_no_uplink(std::uint32_t dropped, Instant now, Actions& out) noexcept;
    // Selector `adaptive`: sender_adaptive.cc.
    void set_adaptive(bool adaptive, Instant now, Actions& out) noexcept;
    void send_waiting(Instant now, Actions& out) noexcept;
    void queue_held(Instant now) noexcept;
    bool queue_data(const Completion& c, const wire::SrtPacket& srt, Instant now, Actions& out) noexcept;
    template <class Outlet>
    void dispatch(Instant now, Outlet& out) noexcept;
    void tick_dispatch(Instant now, Actions& out) noexcept;
    void settle_busy(Instant now) noexcept;
    LinkId choose_soonest(std::size_t packet_bytes, Instant now) noexcept;
    LinkId choose_soonest_of(LinkMask open, std::size_t packet_bytes, Instant now) noexcept;
    void send_at_once(const PacketRef& ref, Instant now, Actions& out) noexcept;
    void note_acks_absent(bool absent) noexcept {
        srtla_acks_absent_ = absent;
        accounting_.set_srtla_acks_absent(absent);
        dispatch_.set_acks_absent(absent);
    }
    void take_latency() noexcept { dispatch_.set_latency(deadlines_.latency(), deadlines_.is_guess()); }
    void note_answer(Instant now, Actions& out) noexcept;
    Fate on_report(LinkId link, Bytes packet, Instant now) noexcept;
    Fate forward_nak(const PacketRef& ref, const wire::SrtPacket& nak, const wire::LossList& losses,
                     Actions& out) noexcept;
    // The word to the encoder: sender_rate.cc.
    [[nodiscard]] SafeRateInput rate_input(Instant now) const noexcept;
    void begin_rate(Instant now) noexcept;
    void tick_rate(Instant now, Actions& out) noexcept;
    void watch_paths(const SafeRateInput& input, Instant now, Actions& out) noexcept;
    // The uplinks' side.
    void on_uplink(const Completion& c, Bytes packet, Instant now, Actions& out) noexcept;
    // What became of it, for the recorder.
    Fate on_uplink_packet(const Completion& c, Bytes packet, LinkId link, Instant now, Actions& out) noexcept;
    Fate on_srt_from_uplink(const Completion& c, Bytes packet, LinkId link, Instant now, Actions& out) noexcept;
    void on_srt_nak(const wire::LossList& losses, Instant now) noexcept;
    LinkId charge_loss(wire::Seq31 sequence, Instant now) noexcept;
    Fate on_srtla(LinkId link, std::uint16_t type, Bytes packet, Instant now, Actions& out) noexcept;
    void on_keepalive(LinkId link, Bytes packet, Instant now) noexcept;
    Fate drop_from_uplink(Counter why) noexcept {
        counters_.add(why);
        return dropped_from_uplink(why);
    }
    void drop_from_local(Counter why, Bytes packet, Instant now) noexcept;
    // Of nobody who is the caller.
    void drop_stranger(Counter why, Bytes packet, Instant now) noexcept;
    void heard(LinkId link, Instant now) noexcept;
    Fate forward(PacketRef ref, Actions& out) noexcept;
    // Links.
    void open_uplink(LinkId link, Instant now, Actions& out) noexcept;
    void close_uplink(LinkId link, Instant now, Actions& out) noexcept;
    void suspend_uplink(LinkId link, Instant now, Actions& out) noexcept;
    void renew_uplink(LinkId link, const UplinkSpec& spec, Instant now, Actions& out) noexcept;
    void set_uplink(LinkId link, const UplinkSettings& settings, Instant now, Actions& out) noexcept;
    void lose_uplink(LinkId link, int error, Instant now, Actions& out) noexcept;
    void go_silent(LinkId link, Instant now, Actions& out) noexcept;
    void set_usable(LinkId link, bool usable, Instant now, Actions& out) noexcept;
    void apply(link::Registration::Outcome outcome, LinkId link, Instant now, Actions& out) noexcept;
    void run_registration(LinkId link, Instant now, Actions& out) noexcept;
    void send_keepalive(LinkId link, Instant now, Actions& out) noexcept;
    void tick(Instant now, Actions& out) noexcept;
    void watch_connection(Instant now, Actions& out) noexcept;
    void watch_receiver_acks(Instant now, Actions& out) noexcept;
    void next_receiver(Instant now, Actions& out) noexcept;
    void set_receiver(const Resolved& resolved, Instant now, Actions& out) noexcept;
    void stop(bool says_goodbye, Instant now, Actions& out) noexcept;
    [[nodiscard]] bool say_goodbye(Instant now, Actions& out) noexcept;
    void leave(Instant now, Actions& out) noexcept;
    [[nodiscard]] Endpoint receiver_for(const Uplink& uplink) const noexcept;
    [[nodiscard]] bool heard_lately(Instant now) const noexcept;
    void note_far_end(Instant now) noexcept;
    void watch_answers(Instant now, Actions& out) noexcept;
    [[nodiscard]] bool is_unanswered(Instant now) const noexcept;
    [[nodiscard]] Instant newest_word() const noexcept;  // of the receiver, on any link that is up
    void arm(Instant at) noexcept {
        if (at < next_deadline_) next_deadline_ = at;
    }
    void rearm() noexcept;
    static Event event(EventKind kind, Instant now, LinkId link = no_link, std::uint32_t a = 0, std::uint32_t b = 0);

    SenderOptions options_;
    Pool& pool_;
    Counters counters_;  // of uplinks' traffic only what links that are gone had; counters() has it all
    link::Accounting accounting_;
    select::Selector selector_;
    link::Registration registration_;
    Caller caller_;
    CopyFilter copies_;
    LossReports loss_reports_;
    FlightRecorder recorder_;
    Strangers strangers_;
    Dispatch dispatch_;
    CapQueue cap_queue_;
    Deadlines deadlines_;
    SafeRateLaw safe_rate_;
    bool adaptive_ = false;
    LinkMask induction_link_ = 0;  // the one that the last took
    Instant dispatch_at_ = never;

    SocketId local_socket_ = no_socket;
    bool local_opening_ = false;
    Instant local_open_at_ = never;
    std::array<Traffic, links_max> traffic_{};
    std::array<Uplink, links_max> uplinks_{};
    std::array<WireTally, links_max> wire_{};
    LastingState reserve_need_;
    LinkId reserve_told_ = no_link;  // while one carries data
    Instant reserve_told_at_;
    link::LinkMask present_ = 0;  // slots that hold an uplink
    link::LinkMask alive_ = 0;    // registered and not silent: they may carry data
    link::LinkMask busy_ = 0;     // refused a send a moment ago
    // A packet up to this may go by any uplink: what the narrowest carries whole, or 0 while one is busy, or some have
    // classes or caps.
    std::uint32_t plain_bytes_max_ = 0xFFFF'FFFF;

    Resolved receiver_;
    std::uint32_t receiver_index_ = 0;
    bool has_connected_ = false;
    link::KeepaliveForm answered_form_ = link::KeepaliveForm::extended;
    Instant no_link_since_ = never;
    Instant renewed_until_;  // keepalives say that this run knows nothing of before
    Instant tick_at_ = never;
    Instant leave_at_ = never;  // goodbye has been said
    Instant next_deadline_ = never;

    // Whether the receiver sends SRTLA ACKs at all.
    bool reports_by_others_ = false;  // a link without an answer may ask for them
    bool srtla_acks_seen_ = false;
    bool srtla_acks_absent_ = false;
    std::uint64_t data_at_first_srt_ack_ = 0;

    Instant rate_at_ = never;
    std::uint64_t odd_bytes_in_ = 0;  // of Counter::local_bytes_in, what is no data
    std::uint64_t rate_fresh_ = 0;
    Instant rate_data_at_;
    Instant unanswered_since_;  // media have gone out since, or the session was ended, and nothing has come back
    Instant end_watch_until_;   // the receiver's side has ended the session; past where it has not
    std::uint64_t rate_told_ = 0;
    Instant rate_told_at_{-1'000'000'000'000};
    std::array<LastingState, links_max> path_silence_{};
    Fit giving_up_;

    std::uint64_t unrouted_since_told_ = 0;
    Endpoint refused_caller_;
    Instant refused_told_at_{-1'000'000'000'000};
    bool finished_ = false;
    bool failed_ = false;
};

// The path of a data packet, in the header so that the pump's loop holds it whole: a call costs as much as a part of
// it.

template <class Outlet>
bool Sender::on_received(const Completion& c, Instant now, Outlet& out) noexcept {
    // One test each: of the local socket, whole and not oversize, from the caller, data.
    constexpr std::size_t least = wire::srt_header_bytes;
    const std::size_t above_least = c.packet.length - least;
    if (c.tag == local_tag && above_least <= wire::datagram_bytes_max - least && caller_.is(c.from)) [[likely]] {
        const auto srt = wire::SrtPacket::over(pool_.bytes(c.packet));
        if (srt->is_data()) [[likely]] {
            counters_.add(Counter::local_packets_in);
            counters_.add(Counter::local_bytes_in, c.packet.length);
            caller_.heard(now);
            return on_data(c, *srt, now, out);
        }
    }
    return on_odd(c, now, out.actions());
}

template <class Outlet>
[[gnu::always_inline]] inline bool Sender::on_data(const Completion& c, const wire::SrtPacket& srt, Instant now,
                                                   Outlet& out) noexcept {
    counters_.add(Counter::srt_data);
    if (srt.is_retransmission()) [[unlikely]]
        counters_.add(Counter::srt_retransmissions);
    const wire::Seq31 sequence = srt.sequence();
    if (caller_.on_data(sequence)) [[unlikely]]
        new_session(now, out.actions());
    if (adaptive_) [[unlikely]]
        return queue_data(c, srt, now, out.actions());
    const LinkId link = choose_for_data(c.packet.length, now);
    if (link.index() >= links_max) [[unlikely]]
        return wait_for_cap(c, sequence, now, out.actions());
    accounting_.note_sent(link, sequence, now);
    route(c.packet, link, sent_on(link), now, out);
    if (const LinkId probed = selector_.probe_for_gated(now); probed != no_link) [[unlikely]]
        send_probe(c.packet, probed, sequence, now, out);
    return false;
}

// Apart, so that the path without it keeps its registers.
template <class Outlet>
[[gnu::noinline]] void Sender::send_probe(const PacketRef& ref, LinkId link, wire::Seq31 sequence, Instant now,
                                          Outlet& out) noexcept {
    if (dispatch_.is_limited()) {
        const LinkMask shut = dispatch_.caps().closed(now) | dispatch_.classes().reserve();
        if ((shut & (LinkMask{1} << link.value)) != 0) return;
        dispatch_.caps().note_sent(link, ref.length, now);
    }
    accounting_.note_probe(link, sequence, now);
    counters_.add(Counter::duplicates_sent);
    route(ref, link, {.decision = Decision::probed}, now, out);
}

template <class Outlet>
[[gnu::always_inline]] inline void Sender::route(const PacketRef& ref, LinkId link, Fate fate, Instant now,
                                                 Outlet& out) noexcept {
    const Fate told = put_out(ref, link, out) ? fate : dropped_from_local(Counter::drop_no_room);
    record_data(recorder_, told, link, pool_.bytes(ref), now);
}

template <class Outlet>
[[gnu::always_inline]] inline bool Sender::put_out(const PacketRef& ref, LinkId link, Outlet& out) noexcept {
    Traffic& t = traffic(link);
    if (!out.send(t.socket, ref)) [[unlikely]] {
        counters_.add(Counter::drop_no_room);
        return false;
    }
    ++t.packets_out;
    t.bytes_out += ref.length;
    return true;
}

template <class Outlet>
[[gnu::noinline]] void Sender::dispatch(Instant now, Outlet& out) noexcept {
    if (!dispatch_.has_work()) return;
    if (busy_ != 0) [[unlikely]]
        settle_busy(now);
    dispatch_.run(
        now, alive_ & ~busy_,
        [&](LinkId link, const PacketRef& packet, Fate fate) { route(packet, link, fate, now, out); },
        [&](std::size_t bytes) { return bytes <= plain_bytes_max_ ? LinkMask{0} : narrower_than(bytes); });
    // Only for packets that wait: a cap that has opened since nobody asked for it is due already, again and again.
    if (dispatch_.is_limited() && dispatch_.queued() != 0) arm(dispatch_.caps().opens_at(alive_));
}

// What waited for a cap, in its order.
template <class Outlet>
[[gnu::noinline]] void Sender::send_held(Instant now, Outlet& out) noexcept {
    drop_late_for_cap(now);
    while (!cap_queue_.empty() && out.has_room()) {
        const CapQueue::Held& next = cap_queue_.front();
        const LinkId link = choose_among(next.packet.length, now);
        if (link == no_link) break;
        accounting_.note_sent(link, next.sequence, now);
        route(next.packet, link, sent_on(link), now, out);
        out.let_go(cap_queue_.take().packet.buffer);
    }
    if (!cap_queue_.empty()) arm(std::min(dispatch_.caps().opens_at(alive_), tick_at_));
}

}  // namespace hawser::bond
