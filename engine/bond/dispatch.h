// SPDX-License-Identifier: MIT
// The selector `adaptive`: which packet leaves on which link, and when. Packets wait in one queue for all links, the
// earliest deadline first, and are bound to a link only when that link has room (link::PathModel::window), to the one
// where they will arrive first. What is lost goes back to the queue; what can no longer come in time is given up; what
// a silent link holds may be sent again elsewhere, once, under a budget, and so may a repair that there is no time to
// repair again. While a link holds what it is given (link/hold_trust.h), what waits is sent into its silence too.
// Told by the sender what leaves, what is answered and which links live; told the time; sends through a function.
//
// Laws, which tests/unit/bond and tests/sim quote:
//  - A link never carries more than its window. A silent link gets nothing while another one answers, but:
//  - While a packet has waited for ahead_backlog, a silent link that is likely to deliver all at once when its silence
//    ends gets the newest ones, at the rate that it had, as long as they would be in time if its silence lasted twice
//    as long as so far. They wait for the others all the same, until the link speaks: at most ahead_share of the
//    packets, and a burst; none on a metered link, or one of a later class, nor without reports.
//  - A packet takes a link only when it will surely be in time; one that is too late for the links with room waits for
//    the others. What is given up is what even the nearest link would bring too late.
//  - Copies beside ones that are not known to be lost: at most hedge_share of the packets, and a burst. None leaves on
//    a metered link, unless it is the only one that speaks. What SRT itself asks for while only silent links hold it is
//    sent again beside that, once for as long as another one speaks.
//  - A link that answers again is used again at once; one that leaves gives its packets back.
//  - A packet waits a while for a link of an earlier class before it takes one of a later; repairs do not wait. Copies
//    that nobody waits for stay in the first class. That a link is busy is no reason to take one of a later class.
//  - The reserve carries only while no other link is up, or when it is lent, while none of the others speaks.
//  - Data never leave on a link faster than its cap (link/rate_cap.h).
// Pump thread only; no allocation after construction.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/base/link_classes.h"
#include "engine/base/link_load.h"
#include "engine/base/pool.h"
#include "engine/base/time.h"
#include "engine/bond/ledger.h"
#include "engine/bond/sender_parts.h"
#include "engine/border/counters.h"
#include "engine/border/flight_recorder.h"
#include "engine/link/flight.h"
#include "engine/link/hold_trust.h"
#include "engine/link/path_model.h"
#include "engine/link/rate_cap.h"
#include "engine/wire/report.h"
#include "engine/wire/srtla.h"

namespace hawser::bond {

class Dispatch {
public:
    static constexpr Duration tick_interval{10'000'000};

    // All outlive it.
    Dispatch(Pool& pool, std::uint32_t capacity, Counters& counters, FlightRecorder& recorder)
        : pool_(pool), counters_(counters), recorder_(recorder), ledger_(pool, capacity) {}

    // A link that may carry data, and one that may no more: what it held goes back to the queue.
    void link_up(LinkId link, Instant now) noexcept;
    void link_down(LinkId link, Instant now) noexcept;
    // Whatever becomes of the link.
    void set_metered(LinkId link, bool metered) noexcept {
        metered_ = metered ? metered_ | mask_of(link) : metered_ & ~mask_of(link);
    }
    // The link's class and cap: see border/command.h. `overhead_bytes`: of IP and UDP.
    void set_limits(LinkId link, std::uint8_t priority, std::uint64_t rate_cap, std::uint32_t overhead_bytes) noexcept;
    // It is no link any more: limits and counts end with it.
    void forget(LinkId link) noexcept;
    // Some links differ in class, or one has a cap: else neither need be asked.
    [[nodiscard]] bool is_limited() const noexcept { return is_limited_; }
    [[nodiscard]] const LinkClasses& classes() const noexcept { return classes_; }
    [[nodiscard]] link::RateCaps& caps() noexcept { return caps_; }
    [[nodiscard]] const link::RateCaps& caps() const noexcept { return caps_; }
    // The links that are up have been silent for so long that the reserve may stand in for them; false: that is over.
    void lend_reserve(bool is_lent) noexcept { is_reserve_lent_ = is_lent; }
    // The reserve while it is to be left alone, else none.
    [[nodiscard]] LinkMask kept() const noexcept { return classes_.kept(is_reserve_lent_ ? up_ & ~silent_ : up_); }
    [[nodiscard]] LinkMask silent() const noexcept { return silent_; }
    // Packets are bound as they come, by another selector: the links' models then only say when a class is full.
    void set_bystander(bool is_bystander) noexcept;
    // Everything anew: another SRT session, or the mode has just been chosen.
    void new_session(Instant now) noexcept;
    // What the links know of themselves as well.
    void clear(Instant now) noexcept;
    // A plain receiver says in tens what came, and not when.
    void set_reports(bool reports) noexcept;
    // Nor even that: SRT's own ACKs have to serve.
    void set_acks_absent(bool absent) noexcept { acks_absent_ = absent; }
    [[nodiscard]] bool reports() const noexcept { return reports_; }
    // How long SRT waits for a packet: what is kept back of it, and what may stand in queues. While it `is_guess`, what
    // was given up as too late is sent again where SRT still asks for it.
    void set_latency(Duration latency, bool is_guess) noexcept;

    // A data packet from the caller. False: it is known and its copy is not needed; nothing is kept.
    enum class Taken : std::uint8_t { queued, known, out_of_reach };
    [[nodiscard]] Taken on_data(wire::Seq31 sequence, PacketRef packet, Instant deadline, Instant now) noexcept {
        if (ledger_.find(sequence) != nullptr) [[unlikely]] {
            if (on_asked(sequence)) return Taken::known;
        }
        if (!ledger_.in_reach(sequence)) [[unlikely]]
            return Taken::out_of_reach;
        ledger_.add(sequence, packet, std::max(deadline, now + grace_),
                    [&](const Ledger::Entry& e) { note_given_up(e, Decision::displaced, now); });
        hedge_budget_ = std::min(hedge_budget_ + hedge_share, hedge_burst * hedge_cost);
        ahead_budget_ = std::min(ahead_budget_ + ahead_share, ahead_burst * hedge_cost);
        active_at_ = now;
        return Taken::queued;
    }
    // Parity of SRT's packet filter is about to leave, which bears the sequence of that packet. False: it is not known.
    [[nodiscard]] bool note_parity(wire::Seq31 sequence) noexcept {
        Ledger::Entry* const e = ledger_.find(sequence);
        if (e == nullptr) return false;
        if (!reports_ && e->parity != 255) ++e->parity;  // our receiver says nothing of it
        return true;
    }
    // Answers.
    void on_report(LinkId link, const wire::DeliveryReport& report, Instant now) noexcept;
    void on_srtla_ack(LinkId link, const wire::SrtlaAck& ack, Instant now) noexcept;
    void on_echo(LinkId link, Duration rtt, Instant now) noexcept;
    void on_srt_ack(wire::Seq31 next_expected, Instant now) noexcept;
    // SRT misses that packet. True: nothing is to be done about it.
    bool on_asked(wire::Seq31 sequence) noexcept;
    // The kernel did not take a packet: it is wanted again.
    void on_unsent(LinkId link, wire::Seq31 sequence) noexcept;
    // Nor would it take it on any other link.
    void give_up(wire::Seq31 sequence, Instant now) noexcept;

    // For the selectors that bind a packet as it comes, where links differ in class: what a link's answers say of how
    // much it may carry, in packets, and whether it has room for one more.
    void note_acknowledged(LinkId link, std::size_t packets, Instant sent_at, std::int32_t in_flight,
                           Instant now) noexcept;
    [[nodiscard]] bool has_room(LinkId link, std::int32_t in_flight) const noexcept {
        return (std::int64_t{in_flight} + 1) * link::PathModel::packet_bytes <= at(link).path.window();
    }

    // What the clock brings, each tick_interval while active(): silence, late losses.
    void tick(Instant now) noexcept;
    [[nodiscard]] bool active(Instant now) const noexcept {
        return (ledger_.any_wanted() && up_ != 0) || open_packets_ != 0 || now - active_at_ < activity;
    }
    // No word of that link has come for longer than it takes on its own way, though it carries something: what another
    // link may say of it is welcome.
    [[nodiscard]] bool is_unanswered(LinkId link) const noexcept { return (unanswered_ & mask_of(link)) != 0; }
    // After tick: the links that are to be sent a keepalive now.
    [[nodiscard]] LinkMask take_probes(Instant now) noexcept;

    // Binds packets to links of `open` while there is room; send(link, packet, fate) puts one on its way.
    // `narrow(bytes)`: links that do not carry so many bytes whole.
    template <class Send, class Narrow>
    void run(Instant now, LinkMask open, Send&& send, Narrow&& narrow) noexcept;
    // Of these, the ones that data may leave on now.
    [[nodiscard]] LinkMask usable(LinkMask open) const noexcept { return speaking(open); }
    // Where a packet arrives first that is not kept here (SRT's own control packets); no_link when none is open.
    [[nodiscard]] LinkId soonest(LinkMask open) const noexcept;

    // Whether run() may find something to do.
    [[nodiscard]] bool has_work() const noexcept { return ledger_.any_wanted() || (silent_ & up_) != 0; }
    [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }
    struct View {
        Duration base_rtt, queue_delay;
        std::int64_t window_bytes, in_flight_bytes;
        std::uint32_t in_flight, bytes_per_second;
        std::uint64_t lost;
        std::uint64_t copies;
        bool silent;
    };
    [[nodiscard]] View view(LinkId link) const noexcept;
    [[nodiscard]] LinkMask links() const noexcept { return up_; }
    [[nodiscard]] std::uint32_t queued() const noexcept { return ledger_.wanted(); }
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    // A link is silent when it carries something and neither a report nor an echo came for two base RTTs and this:
    // reports come each 10 ms, and radio schedulers pause for some tens.
    static constexpr Duration silence_slack{30'000'000};
    // Answers come with ten packets, or an echo each 100 ms. Of 160, 220, 300, 400, 600 and 1000 ms, regret over twelve
    // simulated networks at 1000 ms of latency: 2.28, 2.04, 1.84, 1.83, 1.86, 1.85 points.
    static constexpr Duration silence_slack_plain{300'000'000};
    // Its own way back may be dark, when nothing came by it for one base RTT and the time between two reports.
    // Of 5, 20, 40 and 60 ms the least is the best, by a tenth of a point.
    static constexpr Duration unanswered_slack{10'000'000};
    static constexpr Duration probe_interval{100'000'000};
    // Of a silent link, which is used again with the first answer. Of 20, 30, 50 and 100 ms on links that are dark for
    // 0.2 to 0.4 s of each second, 30 brings 3 points more than 100, and 20 a half more; 10 is the clock's tick. The
    // longer it is silent, the less often: a 32nd of that. A plain receiver's echoes tell rates too, and so often they
    // cost 0.5 to 1.8 points at 500 ms of latency.
    static constexpr Duration probe_interval_silent{10'000'000};
    static constexpr std::int64_t probe_silence_share = 32;
    static constexpr Duration activity{2'000'000'000};  // links are probed this long after the last packet
    // A report is at most 10 ms behind the packet it names; an echo is not held back.
    static constexpr Duration report_slack{25'000'000};
    // Without an ACK for so long, a plain receiver's echoes tell what a link delivers. Of 0 to 500 ms and never: at 0,
    // links with jitter of 60 ms and more get a fifth less than they carry; the longer, the more do links of 50 to 400
    // kbit/s lose to their own queues.
    static constexpr Duration acks_rare{150'000'000};
    // They only say that a queue has been passed: what a link swallows they call delivered. So they count no more when
    // so many packets have left since the last ACK, the window of a start and two answers.
    static constexpr std::uint32_t unacknowledged_max = 40;
    // A link takes a packet when it will arrive before its deadline by the link's late error of prediction, within
    // these bounds and a fifth of the latency.
    static constexpr Duration margin_min{20'000'000};
    static constexpr Duration margin_max{200'000'000};
    // A packet is copied from a silent link while others wait only when it has less time left than this.
    static constexpr Duration urgent{500'000'000};
    // What SRT sends for the first time this late has waited for its window, which only ACKs open: it gets this long,
    // or a quarter of the latency. Untuned.
    static constexpr Duration grace_max{200'000'000};
    static constexpr std::int32_t hedge_cost = 1000;
    static constexpr std::int32_t hedge_share = 60;   // per packet: 6 %
    static constexpr std::int32_t hedge_burst = 512;  // packets
    // Sent ahead into a silence. 3 to 20 % are the same where a second of each fifteen is held.
    static constexpr std::int32_t ahead_share = 30;    // per packet: 3 %
    static constexpr std::int32_t ahead_burst = 1024;  // packets
    // Once the first packet that waits has waited so long, or a quarter of the latency. Of 0, 100, 200, 300 and 400 ms
    // on links that hold for a second, 200 and 300 bring as much as 0 does and cost a third of it on the wire.
    static constexpr Duration ahead_backlog{250'000'000};
    static constexpr int ahead_look_back = 32;  // packets, for one that has not been sent; untuned
    static constexpr Duration ahead_burst_span{20'000'000};
    static constexpr std::size_t last_tries_max = 16;
    // Times that SRT asks for what was delivered, before it is sent again.
    static constexpr std::uint8_t asked_max = 3;
    static constexpr Duration unnamed_max{1'000'000'000};  // untuned
    static constexpr Duration stuck_max{60'000'000};
    // A link that comes back within so long begins with half of what it carried last. Untuned.
    static constexpr Duration window_memory{30'000'000'000};
    static constexpr std::int64_t window_remembered_max = 32 * link::PathModel::packet_bytes;
    static constexpr std::int64_t header_bytes = 28;  // UDP and IPv4
    // How long a packet waits for an earlier class at most: long enough for what a picture in full is larger than the
    // others, at most a twentieth of the latency. Untuned.
    static constexpr Duration class_wait_max{100'000'000};
    static constexpr std::int64_t class_wait_latency_share = 20;

    struct Link {
        link::Flight flight;
        link::PathModel path;
        link::HoldTrust hold;
        Instant feedback_at;
        Instant own_word_at;      // of that, what came by its own way
        Instant acknowledged_at;  // by SRTLA's ACK, which a plain receiver sends for ten packets
        Instant probe_at;
        Instant echo_settles_at = never;
        std::uint32_t echo_position = 0;
        std::uint32_t acknowledged_to = 0;  // what had left when the last ACK came
        std::uint32_t passed_to = 0;        // before that, says a plain receiver's echo, is in no queue
        std::uint32_t hedged_to = 0;
        std::uint32_t silent_to = 0;  // what had left when it was silent last
        Instant ahead_at;             // the next may be sent into the silence under way
        std::uint32_t arrived = 0;    // the receiver's count
        bool has_arrived = false;
        bool is_spaced = false;  // it takes the next packet from opens_at on
        Instant opens_at;
        std::uint64_t lost = 0;
        std::uint64_t copies = 0;      // beside others that were not known to be lost
        std::int64_t last_window = 0;  // when it was up last, until `left_at`
        Instant left_at{-1'000'000'000'000};
    };
    // What a choice reads.
    struct Lane {
        std::int64_t room = 0;       // bytes
        std::int64_t delay_ns = 0;   // of a packet sent now
        std::int64_t safe_ns = 0;    // and what it may be late by beyond that
        std::int64_t margin_ns = 0;  // which is this
    };

    [[nodiscard]] Link& at(LinkId link) noexcept { return links_[link.index()]; }
    [[nodiscard]] const Link& at(LinkId link) const noexcept { return links_[link.index()]; }
    [[nodiscard]] static std::int64_t room_of(const Link& l) noexcept {
        return l.flight.full() || l.is_spaced ? 0 : l.path.window() - l.flight.bytes();
    }
    // What its path can do has changed, or only what it carries.
    void refresh(LinkId link) noexcept {
        lanes_[link.index()].margin_ns = std::min(std::max(at(link).path.error(), margin_min), margin_).ns;
        refresh_load(link);
    }
    void refresh_load(LinkId link) noexcept {
        const Link& l = at(link);
        Lane& lane = lanes_[link.index()];
        lane.room = room_of(l);
        lane.delay_ns = l.path.delay_behind(l.flight.bytes()).ns;
        lane.safe_ns = lane.delay_ns + lane.margin_ns;
    }
    void refresh_least() noexcept;
    // What leaves on a link whose queue overflows is spaced.
    void space(LinkId link, std::int64_t bytes, Instant now) noexcept;
    void open_spaced(Instant now) noexcept;
    [[nodiscard]] link::PathSettings path_settings() const noexcept;
    void take_settings() noexcept;
    // Answers what there is to say of it for the recorder.
    [[gnu::always_inline]] Fate put(Ledger::Entry& e, LinkId link, Decision why, Instant now) noexcept {
        Link& l = at(link);
        if (l.flight.empty()) {
            l.feedback_at = std::max(l.feedback_at, now);
            if (!is_unanswered(link)) l.own_word_at = std::max(l.own_word_at, now);
        }
        const auto bytes = static_cast<std::uint16_t>(e.packet.length + header_bytes);
        const Duration delay{lanes_[link.index()].delay_ns};
        const std::uint32_t position = l.flight.push(e.sequence, bytes, delay, now);
        if (why == Decision::sent_ahead)
            ledger_.note_sent_ahead(e, link, position);
        else
            ledger_.note_sent(e, link, position);
        ++open_packets_;
        if (l.path.is_shallow()) [[unlikely]]
            space(link, bytes, now);
        refresh_load(link);
        if (is_limited_) [[unlikely]]
            caps_.note_sent(link, e.packet.length, now);
        constexpr std::int64_t delay_max = std::numeric_limits<std::uint32_t>::max();
        return {why, static_cast<std::uint16_t>(l.flight.open()),
                static_cast<std::uint32_t>(std::clamp<std::int64_t>(delay.ns, 0, delay_max))};
    }
    struct Choice {
        LinkId link = no_link;
        std::int64_t safe_ns = never.ns;  // without one, of the surest with room; never: none has
    };
    // Of the links of `open` that have room for so many bytes and surely bring them within `left` ns, the one where
    // they arrive first.
    // Not inlined, so that its cost can be counted (perf/micro).
    [[nodiscard, gnu::noinline]] Choice choose(std::int64_t bytes, std::int64_t left, LinkMask open) const noexcept;
    // The same by class, and without links that are at their caps. `awaited`: links that may be busy, of the first
    // class of which the packet waits for one; 0: it has waited.
    [[nodiscard]] Choice choose_by_class(std::int64_t bytes, std::int64_t left, LinkMask open, LinkMask awaited,
                                         Instant now) noexcept;
    [[nodiscard]] bool has_waited(const Ledger::Entry& e, Instant now) const noexcept {
        const Duration left = e.deadline - now;
        // What is due after more than the latency has no deadline to wait by.
        return e.has_had_its_turn() || left <= latency_ - class_wait_ || left > latency_ + grace_;
    }
    [[nodiscard]] LinkMask awaited_by(const Ledger::Entry& e, LinkMask open, LinkMask able, LinkMask tight,
                                      Instant now) const noexcept {
        return has_waited(e, now) ? 0 : able | (up_ & ~silent_ & ~open & ~tight);
    }
    // Those that may carry data at all.
    [[nodiscard]] LinkMask admitted(LinkMask open) const noexcept {
        return is_limited_ ? open & up_ & ~kept() : open & up_;
    }
    [[nodiscard]] LinkMask speaking(LinkMask open) const noexcept {
        const LinkMask there = admitted(open);
        return (there & ~silent_) != 0 ? there & ~silent_ : there;
    }
    // For a packet that the links of `tight` do not carry whole: a link that does, be it silent; with none, the kernel
    // may still send it in fragments.
    [[nodiscard]] LinkMask widest(LinkMask open, LinkMask tight) const noexcept {
        const LinkMask wide = admitted(open) & ~tight;
        return speaking(wide != 0 ? wide : open);
    }
    void heard(LinkId link, Instant now) noexcept {
        Link& l = at(link);
        l.feedback_at = now;
        if ((silent_ & mask_of(link)) != 0) [[unlikely]]
            end_silence(link, now);
    }
    void heard_itself(LinkId link, Instant now) noexcept {
        heard(link, now);
        at(link).own_word_at = now;
        unanswered_ &= ~mask_of(link);
    }
    void end_silence(LinkId link, Instant now) noexcept;
    struct Arrival {
        std::int64_t bytes = 0;   // newly known to have come
        Instant sent_at = never;  // of a copy that was not taken for lost
        Duration expected;
    };
    Arrival note_arrival(LinkId link, wire::Seq31 sequence, Duration age, Instant now) noexcept;
    void note_lost(LinkId link, std::uint32_t position, wire::Seq31 sequence) noexcept;
    void count_lost(LinkId link, std::uint32_t position, const link::Flight::Sent& sent) noexcept;
    void count_lost(Ledger::Entry& e) noexcept;
    void count_lost_before(LinkId link, std::uint32_t position) noexcept;
    // Calls fn(link, position, sent) for each copy of a packet whose fate is open.
    template <class Fn>
    void each_open_copy(const Ledger::Entry& e, Fn fn) const noexcept {
        for (std::size_t copy = 0; copy < 2; ++copy) {
            if (e.link[copy] == no_link || e.is_lost(static_cast<int>(copy))) continue;
            const link::Flight::Sent* const sent = at(e.link[copy]).flight.find(e.position[copy]);
            if (sent != nullptr) fn(e.link[copy], e.position[copy], *sent);
        }
    }
    [[nodiscard]] LinkMask with_open_copy(const Ledger::Entry& e) const noexcept {
        LinkMask links = 0;
        each_open_copy(e, [&](LinkId link, std::uint32_t, const link::Flight::Sent&) { links |= mask_of(link); });
        return links;
    }
    void settle(LinkId link, Instant now) noexcept;
    void settle_echo(LinkId link, Instant now) noexcept;
    void on_plain_echo(LinkId link, Instant asked_at, Instant now) noexcept;
    // One that has left before: a repair, unless it was sent ahead and may come yet.
    Decision note_again(Ledger::Entry& e, LinkId link, std::int64_t left) noexcept {
        if (std::exchange(e.ahead, false) && e.has_open_copy()) {
            ++at(link).copies;
            return Decision::copied;
        }
        counters_.add(Counter::repairs_sent);
        if (is_last_try(lanes_[link.index()], left) && last_tries_count_ != last_tries_max)
            last_tries_[last_tries_count_++] = e.sequence;
        return Decision::repaired;
    }
    // Which of the links that could have had it takes a packet.
    void note_class(LinkId link, LinkMask able) noexcept {
        if ((classes_.first_of(able) & mask_of(link)) == 0) counters_.add(Counter::class_overflows);
    }
    void give_up(Ledger::Entry& e, Decision why, Instant now) noexcept;
    // It is there for the last time.
    void note_dropped(const Ledger::Entry& e, Counter count, Decision why, Instant now) noexcept;
    void note_given_up(const Ledger::Entry& e, Decision why, Instant now) noexcept {
        note_dropped(e, Counter::packets_given_up, why, now);
    }
    void note_overtaken(const Ledger::Entry& e, Instant now) noexcept {
        if (e.sends == 0) note_given_up(e, Decision::overtaken, now);
    }
    void release_covered(wire::Seq31 next_expected, Instant now) noexcept;
    void note_stuck(wire::Seq31 next_expected, Instant now) noexcept;
    [[nodiscard]] bool is_passed(const Ledger::Entry& e) const noexcept;
    [[nodiscard]] bool is_swallowed(const Ledger::Entry& e) const noexcept;
    void note_inferred(Ledger::Entry& e) noexcept;
    // Of links that speak, those that may carry copies.
    [[nodiscard]] LinkMask for_copies(LinkMask speaking) const noexcept {
        return std::has_single_bit(speaking) ? speaking : speaking & ~metered_;
    }
    // The links of `open` that are half empty or emptier.
    [[nodiscard]] LinkMask with_room_to_spare(LinkMask open) const noexcept;
    // A repair on that link that would be too late for another one, were it lost.
    [[nodiscard]] bool is_last_try(const Lane& lane, std::int64_t left) const noexcept {
        return left < 2 * lane.delay_ns + lane.safe_ns;
    }
    template <class Send>
    void send_copy(Ledger::Entry& e, LinkId link, Instant now, Send&& send) noexcept;
    template <class Send>
    void double_last_tries(Instant now, LinkMask open, Send&& send) noexcept;
    template <class Send>
    void hedge(LinkId silent, Instant now, LinkMask open, Send&& send) noexcept;
    // Silent links that packets may be sent ahead on, while others speak and yet packets wait.
    [[nodiscard]] LinkMask for_packets_ahead(LinkMask open, Instant now) noexcept;
    // The newest packet that waits for its first link and may be sent ahead on this one; null: none.
    [[nodiscard]] Ledger::Entry* next_ahead(LinkId silent, Instant now) noexcept;
    template <class Send, class Narrow>
    void send_ahead(LinkId silent, Instant now, Send&& send, Narrow&& narrow) noexcept;

    Pool& pool_;
    Counters& counters_;
    FlightRecorder& recorder_;
    Ledger ledger_;
    std::array<Lane, links_max> lanes_{};
    LinkMask up_ = 0;
    LinkMask silent_ = 0;
    LinkMask unanswered_ = 0;
    LinkMask metered_ = 0;
    LinkMask spaced_ = 0;
    bool is_limited_ = false;
    bool is_reserve_lent_ = false;
    bool is_bystander_ = false;
    std::uint32_t open_packets_ = 0;
    std::int32_t hedge_budget_ = 6 * hedge_cost;
    std::int32_t ahead_budget_ = ahead_burst * hedge_cost;
    Duration margin_ = margin_max;
    std::int64_t least_base_ns_ = 0;  // one way, of the nearest link
    Duration latency_{1'000'000'000};
    bool is_latency_guess_ = false;
    Duration grace_ = grace_max;
    Duration class_wait_ = latency_ / class_wait_latency_share;
    LinkClasses classes_;
    link::RateCaps caps_;
    bool reports_ = false;
    bool acks_absent_ = false;
    Instant active_at_{-1'000'000'000'000};
    std::array<wire::Seq31, last_tries_max> last_tries_{};  // of this run
    std::size_t last_tries_count_ = 0;
    wire::Seq31 stuck_at_;
    Instant stuck_since_ = never;
    std::array<Link, links_max> links_{};
};

template <class Send, class Narrow>
void Dispatch::run(Instant now, LinkMask open, Send&& send, Narrow&& narrow) noexcept {
    const LinkMask usable = speaking(open);
    if (spaced_ != 0) [[unlikely]]
        open_spaced(now);
    for (Ledger::Entry* next = ledger_.any_wanted() ? &ledger_.first_wanted() : nullptr; next != nullptr;) {
        Ledger::Entry& e = *next;
        const std::int64_t bytes = e.packet.length + header_bytes;
        const std::int64_t left = e.deadline.ns + least_base_ns_ - now.ns;
        const LinkMask tight = narrow(static_cast<std::size_t>(e.packet.length));
        const LinkMask all = tight == 0 ? usable : widest(open, tight);
        const LinkMask able = e.ahead ? all & ~with_open_copy(e) : all;
        const Choice choice = is_limited_
                                  ? choose_by_class(bytes, left, able, awaited_by(e, open, able, tight, now), now)
                                  : choose(bytes, left, able);
        if (choice.link != no_link) {
            if (is_limited_) [[unlikely]]
                note_class(choice.link, able);
            Decision why = Decision::sent;
            if (e.sends != 0) [[unlikely]]
                why = note_again(e, choice.link, left);
            const Fate fate = put(e, choice.link, why, now);
            send(choice.link, e.packet, fate);
        } else if (left < least_base_ns_) {
            give_up(e, Decision::too_late, now);
        } else if (able != all) {
            // It is on its way on the others.
        } else if (choice.safe_ns == never.ns) {
            break;
        } else {
            // It waits for one of the others; those with room take what they can bring in time.
            next = ledger_.next_wanted(e, now + Duration{choice.safe_ns - least_base_ns_});
            continue;
        }
        next = ledger_.next_wanted(e);
    }
    if (last_tries_count_ != 0) [[unlikely]]
        double_last_tries(now, usable, send);
    each_link(silent_ & up_, [&](LinkId link) { hedge(link, now, usable, send); });
    if ((silent_ & open) != 0) [[unlikely]]
        each_link(for_packets_ahead(open, now), [&](LinkId link) { send_ahead(link, now, send, narrow); });
}

template <class Send>
void Dispatch::send_copy(Ledger::Entry& e, LinkId link, Instant now, Send&& send) noexcept {
    hedge_budget_ -= hedge_cost;
    counters_.add(Counter::hedges_sent);
    ++at(link).copies;
    e.hedged = true;
    const Fate fate = put(e, link, Decision::copied, now);
    send(link, e.packet, fate);
}

// Only on capacity that nobody waits for.
template <class Send>
void Dispatch::double_last_tries(Instant now, LinkMask open, Send&& send) noexcept {
    const std::size_t count = std::exchange(last_tries_count_, 0);
    if (ledger_.any_wanted()) return;
    for (std::size_t i = 0; i < count && hedge_budget_ >= hedge_cost; ++i) {
        Ledger::Entry* const e = ledger_.find(last_tries_[i]);
        if (e == nullptr || e->state != Ledger::State::in_flight || e->hedged) continue;
        LinkMask others = with_room_to_spare(for_copies(open));
        if (is_limited_) others &= classes_.first_of(open) & ~caps_.closed(now);
        for (std::size_t copy = 0; copy < 2; ++copy)
            if (e->link[copy] != no_link && !e->is_lost(static_cast<int>(copy))) others &= ~mask_of(e->link[copy]);
        const std::int64_t left = e->deadline.ns + least_base_ns_ - now.ns;
        const Choice choice = choose(e->packet.length + header_bytes, left, others);
        if (choice.link != no_link) send_copy(*e, choice.link, now, send);
    }
}

template <class Send>
void Dispatch::hedge(LinkId silent, Instant now, LinkMask open, Send&& send) noexcept {
    Link& l = at(silent);
    if (l.hedged_to - l.flight.begin() > l.flight.end() - l.flight.begin()) l.hedged_to = l.flight.begin();
    for (; l.hedged_to != l.flight.end() && hedge_budget_ >= hedge_cost; ++l.hedged_to) {
        const link::Flight::Sent* const sent = l.flight.find(l.hedged_to);
        if (sent == nullptr) continue;
        Ledger::Entry* const e = ledger_.find(sent->sequence);
        if (e == nullptr || e->state != Ledger::State::in_flight || e->hedged || !is_swallowed(*e)) continue;
        if (ledger_.any_wanted() && e->deadline - now > urgent) return;
        // Better a copy that may be late than none.
        const LinkMask others = for_copies(open) & ~mask_of(silent);
        const std::int64_t bytes = e->packet.length + header_bytes;
        const Choice choice =
            is_limited_ ? choose_by_class(bytes, never.ns, others, 0, now) : choose(bytes, never.ns, others);
        if (choice.link == no_link) return;
        if (now + Duration{lanes_[choice.link.index()].delay_ns} > e->deadline + Duration{least_base_ns_}) continue;
        send_copy(*e, choice.link, now, send);
    }
}

template <class Send, class Narrow>
void Dispatch::send_ahead(LinkId silent, Instant now, Send&& send, Narrow&& narrow) noexcept {
    Link& l = at(silent);
    l.ahead_at = std::max(l.ahead_at, now - ahead_burst_span);
    while (l.ahead_at < now && ahead_budget_ >= hedge_cost) {
        Ledger::Entry* const e = next_ahead(silent, now);
        if (e == nullptr || (narrow(static_cast<std::size_t>(e->packet.length)) & mask_of(silent)) != 0) {
            l.ahead_at = now;
            return;
        }
        ahead_budget_ -= hedge_cost;
        counters_.add(Counter::sent_ahead);
        const Fate fate = put(*e, silent, Decision::sent_ahead, now);
        l.ahead_at = l.ahead_at + l.path.time_of(e->packet.length + header_bytes);
        send(silent, e->packet, fate);
    }
}

}  // namespace hawser::bond
