// SPDX-License-Identifier: MIT
#include "engine/bond/dispatch.h"

#include <utility>

#include "engine/bond/recording.h"
#include "engine/border/command.h"

namespace hawser::bond {

namespace {

// With a receiver that answers in tens: room for two answers until a rate is known, since links 150 ms away never make
// up for less (twelve leave 1 to 2 % of the packets behind), and rates over several answers, of which narrow links give
// one a second.
constexpr link::PathSettings plain_path{.queue_target = Duration{80'000'000},
                                        .rate_span = Duration{250'000'000},
                                        .rate_memory = Duration{3'000'000'000},
                                        .recent_span = Duration{300'000'000},
                                        .idle_after = Duration{3'000'000'000},
                                        .rate_bytes_min = 6 * link::PathModel::packet_bytes,
                                        .first_packets = 20,
                                        .window_packets_min = 8,
                                        .answers_in_tens = true};

// A tenth of the latency may stand in queues, and this much whatever the latency: jitter and answers in tens are as
// long. At 60 to 200 ms of latency 20 is as good, none loses 20 of 100 packets on Wi-Fi and to receivers that answer in
// tens.
constexpr Duration target_least{40'000'000};

// From so much of a queue on a link is full, where nothing but the next packet's choice sorts out what was sent. More
// makes classes differ in delay by more packets than SRT takes for reordering (40 in the field), and less sends a third
// of a stream that the first class has room for to the next.
constexpr Duration full_queue{20'000'000};

}  // namespace

void Dispatch::link_up(LinkId link, Instant now) noexcept {
    Link& l = at(link);
    l.flight.clear();
    l.path.clear();
    l.path.set(path_settings());
    l.is_spaced = false;
    spaced_ &= ~mask_of(link);
    l.feedback_at = l.own_word_at = now;
    l.probe_at = now + probe_interval;
    l.echo_settles_at = never;
    l.hedged_to = l.silent_to = l.passed_to = l.acknowledged_to = l.flight.begin();
    l.acknowledged_at = Instant{};
    l.has_arrived = false;
    if (now - l.left_at < window_memory)
        l.path.begin_with(std::min(std::exchange(l.last_window, 0) / 2, window_remembered_max));
    up_ |= mask_of(link);
    silent_ &= ~mask_of(link);
    unanswered_ &= ~mask_of(link);
    refresh(link);
    refresh_least();
}

void Dispatch::link_down(LinkId link, Instant now) noexcept {
    if ((up_ & mask_of(link)) == 0) return;
    Link& l = at(link);
    l.last_window = l.path.window();
    l.left_at = now;
    if ((silent_ & mask_of(link)) != 0) l.hold.on_down();
    l.flight.settle_before(l.flight.end(), [&](std::uint32_t position, const link::Flight::Sent& sent) {
        note_lost(link, position, sent.sequence);
    });
    up_ &= ~mask_of(link);
    silent_ &= ~mask_of(link);
    unanswered_ &= ~mask_of(link);
    refresh_least();
}

void Dispatch::new_session(Instant now) noexcept {
    ledger_.clear(
        [&](const Ledger::Entry& e) { note_dropped(e, Counter::drop_session_over, Decision::session_over, now); });
    each_link(up_, [&](LinkId link) {
        Link& l = at(link);
        open_packets_ -= l.flight.open();
        l.flight.clear();
        l.echo_settles_at = never;
        refresh(link);
    });
    HAWSER_CHECK(open_packets_ == 0);
    stuck_since_ = never;
    hedge_budget_ = 6 * hedge_cost;
    ahead_budget_ = ahead_burst * hedge_cost;
}

void Dispatch::clear(Instant now) noexcept {
    new_session(now);
    each_link(up_, [&](LinkId link) {
        at(link).hold = link::HoldTrust();
        link_up(link, now);
    });
}

link::PathSettings Dispatch::path_settings() const noexcept {
    link::PathSettings settings = reports_ && !is_bystander_ ? link::PathSettings() : plain_path;
    if (is_bystander_) settings.queue_target = full_queue;
    const Duration share = std::max(latency_ / 10, is_bystander_ ? Duration{} : target_least);
    settings.queue_target = std::min(settings.queue_target, share);
    return settings;
}

void Dispatch::set_reports(bool reports) noexcept {
    if (reports_ == reports) return;
    reports_ = reports;
    take_settings();
}

void Dispatch::set_bystander(bool is_bystander) noexcept {
    if (is_bystander_ == is_bystander) return;
    is_bystander_ = is_bystander;
    take_settings();
}

void Dispatch::set_latency(Duration latency, bool is_guess) noexcept {
    is_latency_guess_ = is_guess;
    if (latency_ == latency) return;
    latency_ = latency;
    margin_ = std::min(margin_max, latency / 5);
    grace_ = std::min(grace_max, latency / 4);
    class_wait_ = std::min(class_wait_max, latency / class_wait_latency_share);
    take_settings();
}

void Dispatch::take_settings() noexcept {
    for (Link& l : links_) l.path.set(path_settings());
    each_link(up_, [this](LinkId link) { refresh(link); });
}

void Dispatch::refresh_least() noexcept {
    std::int64_t least = link::PathModel::rtt_unknown.ns;
    bool any = false;
    each_link(up_, [&](LinkId link) {
        const std::int64_t rtt = at(link).path.base_rtt().ns;
        least = any ? std::min(least, rtt) : rtt;
        any = true;
    });
    least_base_ns_ = least / 2;
}

Dispatch::Choice Dispatch::choose(std::int64_t bytes, std::int64_t left, LinkMask open) const noexcept {
    std::int64_t least = never.ns;
    std::uint32_t best = no_link.value;
    for (LinkMask rest = open; rest != 0; rest &= rest - 1) {
        const auto i = static_cast<std::uint32_t>(std::countr_zero(rest));
        const Lane& lane = lanes_[i];
        if (lane.room < bytes || lane.safe_ns > left || lane.delay_ns >= least) continue;
        least = lane.delay_ns;
        best = i;
    }
    Choice choice{LinkId(static_cast<std::uint8_t>(best))};
    if (best == no_link.value)
        each_link(open, [&](LinkId link) {
            const Lane& lane = lanes_[link.index()];
            if (lane.room >= bytes) choice.safe_ns = std::min(choice.safe_ns, lane.safe_ns);
        });
    return choice;
}

Dispatch::Choice Dispatch::choose_by_class(std::int64_t bytes, std::int64_t left, LinkMask open, LinkMask awaited,
                                           Instant now) noexcept {
    const LinkMask free = open & ~caps_.closed(now);
    for (std::size_t i = 0; i < classes_.steps(); ++i) {
        const LinkMask there = classes_.step(i) & open;
        if ((classes_.step(i) & (open | awaited)) == 0) continue;
        const Choice choice = choose(bytes, left, there & free);
        if (choice.link != no_link || awaited != 0 || there == open) return choice;
    }
    return choose(bytes, left, free);
}

void Dispatch::space(LinkId link, std::int64_t bytes, Instant now) noexcept {
    Link& l = at(link);
    l.opens_at = l.path.space(bytes, now);
    l.is_spaced = l.opens_at > now;
    if (l.is_spaced) spaced_ |= mask_of(link);
}

void Dispatch::open_spaced(Instant now) noexcept {
    each_link(spaced_, [&](LinkId link) {
        if (at(link).opens_at > now) return;
        at(link).is_spaced = false;
        spaced_ &= ~mask_of(link);
        refresh_load(link);
    });
}

void Dispatch::set_limits(LinkId link, std::uint8_t priority, std::uint64_t rate_cap,
                          std::uint32_t overhead_bytes) noexcept {
    if (priority == priority_reserve)
        classes_.set_reserve(link);
    else
        classes_.set(link, std::size_t{priority} - priority_first);
    caps_.set(link, rate_cap, overhead_bytes);
    is_limited_ = classes_.several() || caps_.any();
}

void Dispatch::forget(LinkId link) noexcept {
    at(link).lost = at(link).copies = 0;
    at(link).last_window = 0;
    at(link).hold = link::HoldTrust();
    classes_.forget(link);
    caps_.set(link, 0, 0);
    is_limited_ = classes_.several() || caps_.any();
}

void Dispatch::note_acknowledged(LinkId link, std::size_t packets, Instant sent_at, std::int32_t in_flight,
                                 Instant now) noexcept {
    if ((up_ & mask_of(link)) == 0) return;
    at(link).acknowledged_at = now;
    at(link).path.on_acknowledged(static_cast<std::int64_t>(packets) * link::PathModel::packet_bytes, sent_at,
                                  std::int64_t{in_flight} * link::PathModel::packet_bytes, now);
    refresh(link);
}

LinkMask Dispatch::with_room_to_spare(LinkMask open) const noexcept {
    LinkMask spare = 0;
    each_link(open, [&](LinkId link) {
        if (at(link).flight.bytes() * 2 <= at(link).path.window()) spare |= mask_of(link);
    });
    return spare;
}

void Dispatch::note_lost(LinkId link, std::uint32_t position, wire::Seq31 sequence) noexcept {
    --open_packets_;
    Ledger::Entry* const e = ledger_.find(sequence);
    if (e == nullptr) return;
    for (std::size_t copy = 0; copy < 2; ++copy)
        if (e->link[copy] == link && e->position[copy] == position)
            e->lost = static_cast<std::uint8_t>(e->lost | 1u << copy);
    if (e->state == Ledger::State::in_flight && (!e->has_open_copy() || is_swallowed(*e))) ledger_.want(*e);
}

// The network has lost it, as opposed to what leaves with its link or never left, or came though nobody named it: what
// is delivered and has no other copy came by this one.
void Dispatch::count_lost(LinkId link, std::uint32_t position, const link::Flight::Sent& sent) noexcept {
    const Ledger::Entry* const e = ledger_.find(sent.sequence);
    if (e != nullptr && e->state == Ledger::State::delivered && e->sends == 1)
        return note_lost(link, position, sent.sequence);
    ++at(link).lost;
    const bool was_silent = static_cast<std::int32_t>(position - at(link).silent_to) < 0;
    at(link).path.on_lost(sent.bytes, sent.counted, was_silent);
    counters_.add(Counter::losses_seen);
    note_lost(link, position, sent.sequence);
}

// The same of each copy whose fate is open.
void Dispatch::count_lost(Ledger::Entry& e) noexcept {
    each_open_copy(e, [&](LinkId link, std::uint32_t position, link::Flight::Sent sent) {
        at(link).flight.give_up(position);
        count_lost(link, position, sent);
        refresh(link);
    });
}

// The same of all that left on a link before that position.
void Dispatch::count_lost_before(LinkId link, std::uint32_t position) noexcept {
    at(link).flight.settle_before(
        position, [&](std::uint32_t at, const link::Flight::Sent& sent) { count_lost(link, at, sent); });
}

// What the newest arrival on a link says of those before it.
void Dispatch::settle(LinkId link, Instant now) noexcept {
    Link& l = at(link);
    if (static_cast<std::int32_t>(l.silent_to - l.flight.begin()) < 0) l.silent_to = l.flight.begin();
    l.flight.settle(now,
                    [&](std::uint32_t position, const link::Flight::Sent& sent) { count_lost(link, position, sent); });
    refresh(link);
}

// That packet came by that link, so long before its answer left. For each packet, so within its callers.
[[gnu::always_inline]] inline Dispatch::Arrival Dispatch::note_arrival(LinkId link, wire::Seq31 sequence, Duration age,
                                                                       Instant now) noexcept {
    Ledger::Entry* const e = ledger_.find(sequence);
    if (e == nullptr) return {};
    if (e->parity != 0) [[unlikely]] {
        --e->parity;
        return {};
    }
    if (e->sends == 0) [[unlikely]]
        return {};
    Link& l = at(link);
    Arrival arrival;
    // Of two copies on one link the open one, unless it cannot have come yet.
    int lost = -1;
    for (int copy = 0; copy < 2; ++copy) {
        if (e->link[static_cast<std::size_t>(copy)] != link) continue;
        if (e->is_lost(copy)) {
            lost = copy;
            continue;
        }
        const std::uint32_t position = e->position[static_cast<std::size_t>(copy)];
        const link::Flight::Sent* const sent = l.flight.find(position);
        if (sent == nullptr) return {};  // known since an earlier answer
        if (e->sends > 1 && now - sent->at() - age < l.path.base_rtt() * 3 / 4) [[unlikely]]
            continue;
        arrival = {sent->counted ? 0 : sent->bytes, sent->at(), Duration{std::int64_t{sent->expected_us} * 1000}};
        l.flight.arrived(position);
        --open_packets_;
        lost = -1;
        break;
    }
    if (lost >= 0) {
        e->lost = static_cast<std::uint8_t>(e->lost & ~(1u << lost));
        arrival.bytes = e->packet.length + header_bytes;
        l.flight.belated(e->position[static_cast<std::size_t>(lost)], now);
        counters_.add(Counter::losses_belied);
    }
    if (e->state != Ledger::State::given_up) ledger_.note_delivered(*e);
    return arrival;
}

void Dispatch::on_report(LinkId link, const wire::DeliveryReport& report, Instant now) noexcept {
    if ((up_ & mask_of(link)) == 0) return;
    Link& l = at(link);
    const bool is_own_way = !report.link();
    // What another link says of a membership that has not spoken itself may be of the one before it. And a report that
    // leaves a gap would let the link's own words, which are on their way, count as lost.
    if (!is_own_way && (!l.has_arrived || static_cast<std::int32_t>(report.arrived() - l.arrived) >
                                              static_cast<std::int32_t>(report.count())))
        return;
    // Its own way back is as dark as before when another link had to say it.
    if (is_own_way)
        heard_itself(link, now);
    else
        heard(link, now);
    const std::int64_t in_flight = l.flight.bytes();
    // Entries that an earlier report has named are known; a report that was overtaken brings what there is left.
    std::size_t first = 0;
    std::int64_t bytes = 0;
    if (l.has_arrived) {
        const auto fresh = static_cast<std::int32_t>(report.arrived() - l.arrived);
        if (fresh >= 0) {
            first = report.count() - std::min(report.count(), static_cast<std::size_t>(fresh));
            // Two reports in a row are gone: what only they named came all the same.
            const std::int64_t unnamed = fresh - static_cast<std::int64_t>(report.count() - first);
            bytes += std::min<std::int64_t>(unnamed, 1000) * link::PathModel::packet_bytes;
            l.arrived = report.arrived();
        }
    } else {
        l.has_arrived = true;
        l.arrived = report.arrived();
    }
    Instant newest_sent = never;
    Duration newest_expected;
    Duration newest_age;
    std::uint32_t newest_age_us = 0;
    for (std::size_t i = first; i < report.count(); ++i) {
        const auto entry = report.at(i);
        if (!entry) continue;
        const Duration age{std::int64_t{entry->age_us()} * 1000};
        const Arrival arrival = note_arrival(link, entry->sequence, age, now);
        bytes += arrival.bytes;
        if (arrival.sent_at == never || !entry->has_time()) continue;
        newest_sent = arrival.sent_at;
        newest_expected = arrival.expected;
        newest_age = age;
        newest_age_us = entry->age_us();
    }
    if (newest_sent != never) {
        if (is_own_way) l.path.on_rtt(now - newest_sent - newest_age, now);
        l.hold.on_arrivals(bytes, report.clock_us() - newest_age_us, now);
        l.path.on_arrivals(bytes, report.clock_us() - newest_age_us, newest_sent, in_flight, now);
        l.path.note_expected(newest_expected, now);
    }
    if (const auto next = report.next_expected())
        ledger_.note_delivered_before(*next, [&](Ledger::Entry& e) { note_inferred(e); });
    settle(link, now);
    refresh_least();
}

void Dispatch::on_srtla_ack(LinkId link, const wire::SrtlaAck& ack, Instant now) noexcept {
    if (reports_ || (up_ & mask_of(link)) == 0) return;
    Link& l = at(link);
    heard_itself(link, now);
    const std::int64_t in_flight = l.flight.bytes();
    std::int64_t bytes = 0;
    Instant newest_sent = never;
    Duration newest_expected;
    for (std::size_t i = 0; i < ack.count(); ++i) {
        const auto sequence = ack.at(i);
        if (!sequence) continue;
        const Arrival arrival = note_arrival(link, *sequence, Duration{}, now);
        bytes += arrival.bytes;
        if (arrival.sent_at == never) continue;
        newest_sent = arrival.sent_at;
        newest_expected = arrival.expected;
    }
    if (newest_sent != never) {
        l.acknowledged_at = now;
        l.acknowledged_to = l.flight.end();
        l.path.on_acknowledged(bytes, newest_sent, in_flight, now);
        l.path.note_expected(newest_expected, now);
    }
    settle(link, now);
    refresh_least();
}

// What was sent before an echo's question, and no report has named by now, is lost. Of a plain receiver it says only
// that it is in no queue: lost is then what SRT still asks for.
void Dispatch::settle_echo(LinkId link, Instant now) noexcept {
    Link& l = at(link);
    if (l.echo_settles_at > now) return;
    l.echo_settles_at = never;
    if (!reports_) {
        l.passed_to = l.echo_position;
        return;
    }
    count_lost_before(link, l.echo_position);
    refresh(link);
}

void Dispatch::on_echo(LinkId link, Duration rtt, Instant now) noexcept {
    if ((up_ & mask_of(link)) == 0) return;
    Link& l = at(link);
    heard_itself(link, now);
    const Instant asked_at = now - rtt;
    // The first echo's word stands until it is acted on: they may come faster than it falls due.
    settle_echo(link, now);
    if (l.echo_settles_at == never) {
        l.echo_settles_at = now + report_slack;
        l.echo_position = l.flight.position_at(asked_at);
    }
    if (reports_)
        l.path.on_rtt(rtt, now);
    else
        on_plain_echo(link, asked_at, now);
    refresh(link);
    refresh_least();
}

// What was sent before an echo's question is in no queue. Where ACKs of ten packets are rare, that is what there is to
// know of a link's rate and queue; what is lost after all is taken off again.
void Dispatch::on_plain_echo(LinkId link, Instant asked_at, Instant now) noexcept {
    Link& l = at(link);
    const std::int64_t in_flight = l.flight.bytes();
    const bool is_heard = acks_absent_ || l.flight.end() - l.acknowledged_to <= unacknowledged_max;
    const bool counts = is_heard && now - l.acknowledged_at > acks_rare;
    const std::int64_t released = l.flight.release(asked_at, counts);
    if (counts)
        l.path.on_acknowledged(released, asked_at, in_flight, now);
    else
        l.path.on_rtt(now - asked_at, now);
    // What has been in no queue for so long, and nobody has named since.
    count_lost_before(link, l.flight.position_at(asked_at - unnamed_max));
}

void Dispatch::on_srt_ack(wire::Seq31 next_expected, Instant now) noexcept {
    if (reports_)
        ledger_.release_before(next_expected, [&](const Ledger::Entry& e) { note_overtaken(e, now); });
    else
        release_covered(next_expected, now);
    if (stuck_since_ == never || wire::distance(stuck_at_, next_expected) > 0) {
        stuck_at_ = next_expected;
        stuck_since_ = now;
    }
}

// A plain receiver: what SRT's ACK covers needs no word of SRTLA's any more. Where there is none at all, the ACK is an
// answer of each link that it covers packets of.
void Dispatch::release_covered(wire::Seq31 next_expected, Instant now) noexcept {
    struct Covered {
        std::int64_t bytes = 0;
        std::int64_t in_flight = 0;
        Instant sent_at;
    };
    std::array<Covered, links_max> covered;
    LinkMask links = 0;
    ledger_.release_before(next_expected, [&](Ledger::Entry& e) {
        note_overtaken(e, now);
        each_open_copy(e, [&](LinkId link, std::uint32_t position, const link::Flight::Sent& sent) {
            if (!sent.released && !acks_absent_) return;
            Link& l = at(link);
            Covered& c = covered[link.index()];
            if ((links & mask_of(link)) == 0) c = {0, l.flight.bytes(), sent.at()};
            links |= mask_of(link);
            if (!sent.released) c.bytes += sent.bytes;
            c.sent_at = std::max(c.sent_at, sent.at());
            l.flight.give_up(position);
            --open_packets_;
        });
    });
    each_link(links, [&](LinkId link) {
        const Covered& c = covered[link.index()];
        if (acks_absent_) {
            heard(link, now);
            if (c.bytes != 0) at(link).path.on_acknowledged(c.bytes, c.sent_at, c.in_flight, now);
        }
        refresh(link);
    });
}

bool Dispatch::on_asked(wire::Seq31 sequence) noexcept {
    Ledger::Entry* const e = ledger_.find(sequence);
    if (e == nullptr) return false;
    if (!reports_ && e->state == Ledger::State::in_flight && is_passed(*e)) count_lost(*e);
    if (e->state == Ledger::State::in_flight && is_swallowed(*e)) ledger_.want(*e);
    if (e->state == Ledger::State::given_up) return !is_latency_guess_;
    if (e->state != Ledger::State::delivered) return true;
    // It came to the bond's far end and was lost behind it, or the question crossed the answer.
    if (++e->asked < asked_max) return true;
    if (e->packet.buffer == no_buffer) return false;
    e->asked = 0;
    ledger_.want(*e);
    return true;
}

void Dispatch::on_unsent(LinkId link, wire::Seq31 sequence) noexcept {
    Ledger::Entry* const e = ledger_.find(sequence);
    const int copy = e == nullptr ? -1 : e->copy_on(link);
    if (copy < 0) return;
    const std::uint32_t position = e->position[static_cast<std::size_t>(copy)];
    Link& l = at(link);
    if (l.flight.find(position) == nullptr) return;
    l.flight.give_up(position);
    note_lost(link, position, sequence);
    if (e->sends != 0) --e->sends;  // it is no repair that follows
    e->ahead = e->ahead && e->sends != 0;
    refresh(link);
}

void Dispatch::give_up(wire::Seq31 sequence, Instant now) noexcept {
    Ledger::Entry* const e = ledger_.find(sequence);
    if (e != nullptr && e->state == Ledger::State::wanted) give_up(*e, Decision::too_large, now);
}

void Dispatch::give_up(Ledger::Entry& e, Decision why, Instant now) noexcept {
    note_given_up(e, why, now);
    ledger_.give_up(e);
}

void Dispatch::note_dropped(const Ledger::Entry& e, Counter count, Decision why, Instant now) noexcept {
    counters_.add(count);
    if (e.packet.buffer != no_buffer) record_data(recorder_, {why, e.sends, 0}, no_link, pool_.bytes(e.packet), now);
}

void Dispatch::tick(Instant now) noexcept {
    const Duration slack = reports_ ? silence_slack : silence_slack_plain;
    each_link(up_, [&](LinkId link) {
        settle_echo(link, now);
        Link& l = at(link);
        if (l.flight.bytes() == 0) return;
        if (reports_ && now - l.own_word_at > l.path.base_rtt() + unanswered_slack && !is_unanswered(link)) {
            unanswered_ |= mask_of(link);
            l.probe_at = std::min(l.probe_at, now);
        }
        const Instant since = std::max(l.feedback_at, l.flight.oldest_at());
        if (now - since > l.path.base_rtt() * 2 + slack && (silent_ & mask_of(link)) == 0) {
            silent_ |= mask_of(link);
            l.hedged_to = l.flight.begin();
            l.hold.on_silence(l.path.recent_bytes_per_ns(), l.path.bytes_per_ns());
            l.ahead_at = now;
            l.probe_at = std::min(l.probe_at, now);
        }
    });
    if (!reports_ && stuck_since_ != never && now - stuck_since_ >= stuck_max) note_stuck(stuck_at_, now);
}

// What was sent ahead waits for no other link any more.
void Dispatch::end_silence(LinkId link, Instant now) noexcept {
    Link& l = at(link);
    silent_ &= ~mask_of(link);
    l.silent_to = l.flight.end();
    l.hold.on_heard(l.flight.bytes(), l.path.base_rtt(), now);
    for (std::uint32_t p = l.flight.begin(); p != l.flight.end(); ++p) {
        const link::Flight::Sent* const sent = l.flight.find(p);
        Ledger::Entry* const e = sent == nullptr ? nullptr : ledger_.find(sent->sequence);
        if (e != nullptr && e->state == Ledger::State::wanted && e->ahead) ledger_.note_under_way(*e);
    }
}

LinkMask Dispatch::for_packets_ahead(LinkMask open, Instant now) noexcept {
    const LinkMask there = admitted(open);
    if (!reports_ || !ledger_.any_wanted() || (there & ~silent_) == 0) return 0;
    const Duration left = ledger_.first_wanted().deadline - now;
    if (latency_ - left < std::min(ahead_backlog, latency_ / 4)) return 0;
    LinkMask likely = 0;
    each_link(there & silent_ & ~metered_, [&](LinkId link) {
        const Link& l = at(link);
        if (l.hold.is_likely() && !l.path.is_shallow() && l.path.time_of(link::PathModel::packet_bytes).ns > 0)
            likely |= mask_of(link);
    });
    return is_limited_ ? likely & classes_.first_of(there) : likely;
}

Ledger::Entry* Dispatch::next_ahead(LinkId silent, Instant now) noexcept {
    const Link& l = at(silent);
    if (l.flight.full()) return nullptr;
    if (is_limited_ && (caps_.closed(now) & mask_of(silent)) != 0) return nullptr;
    // A silence is as likely to go on for as long as it has lasted as to end before. A link that holds delivers all at
    // once then: where what stands before a packet counted, too, such links lost half a point at 1 s of latency.
    const Instant least = now + (now - l.feedback_at) + l.path.base_rtt() / 2;
    for (int back = 0; back < ahead_look_back; ++back) {
        Ledger::Entry* const e = ledger_.find(ledger_.newest().plus(-back));
        if (e == nullptr || e->state != Ledger::State::wanted || e->sends != 0) continue;
        return e->deadline < least ? nullptr : e;
    }
    return nullptr;
}

// All that was sent of a packet has passed the queues.
bool Dispatch::is_passed(const Ledger::Entry& e) const noexcept {
    bool is_passed = true;
    each_open_copy(e, [&](LinkId link, std::uint32_t position, const link::Flight::Sent&) {
        is_passed = is_passed && static_cast<std::int32_t>(position - at(link).passed_to) < 0;
    });
    return is_passed;
}

// All that was sent of a packet is on links that are silent, while another speaks.
bool Dispatch::is_swallowed(const Ledger::Entry& e) const noexcept {
    if ((admitted(up_) & ~silent_) == 0) return false;
    bool is_swallowed = true;
    each_open_copy(e, [&](LinkId link, std::uint32_t, const link::Flight::Sent&) {
        is_swallowed = is_swallowed && (silent_ & mask_of(link)) != 0;
    });
    return is_swallowed;
}

// The receiver waits for this one no more, and no answer has named it: it came, and the answer was lost, or it was
// given up. The first question for it tells.
void Dispatch::note_inferred(Ledger::Entry& e) noexcept { e.asked = asked_max - 1; }

// A plain receiver's SRT server waits for this one: where its links have passed it, it is lost.
void Dispatch::note_stuck(wire::Seq31 next_expected, Instant now) noexcept {
    stuck_since_ = now;
    Ledger::Entry* const e = ledger_.find(next_expected);
    if (e != nullptr && e->state == Ledger::State::in_flight && is_passed(*e)) count_lost(*e);
}

LinkMask Dispatch::take_probes(Instant now) noexcept {
    LinkMask probes = 0;
    if (!active(now)) return 0;
    // What is kept in reserve costs no more than the second's keepalive while others are there.
    each_link(admitted(up_), [&](LinkId link) {
        Link& l = at(link);
        const bool asks = !reports_ || l.flight.empty() || ((silent_ | unanswered_) & mask_of(link)) != 0;
        if (!asks || l.probe_at > now) return;
        const bool is_silent = reports_ && (silent_ & mask_of(link)) != 0;
        const Duration often =
            std::clamp((now - l.feedback_at) / probe_silence_share, probe_interval_silent, probe_interval);
        l.probe_at = now + (is_silent ? often : probe_interval);
        probes |= mask_of(link);
    });
    return probes;
}

LinkId Dispatch::soonest(LinkMask open) const noexcept {
    LinkId best = no_link;
    std::int64_t least = never.ns;
    each_link(is_limited_ ? classes_.first_of(speaking(open)) : speaking(open), [&](LinkId link) {
        if (lanes_[link.index()].delay_ns >= least) return;
        least = lanes_[link.index()].delay_ns;
        best = link;
    });
    return best;
}

Dispatch::View Dispatch::view(LinkId link) const noexcept {
    const Link& l = at(link);
    if ((up_ & mask_of(link)) == 0) {
        // What it lost and carried stays counted.
        View down{};
        down.lost = l.lost;
        down.copies = l.copies;
        return down;
    }
    return View{l.path.base_rtt(),
                l.path.queue_delay(),
                l.path.window(),
                l.flight.bytes(),
                l.flight.open(),
                static_cast<std::uint32_t>(l.path.bytes_per_ns() * 1e9F),
                l.lost,
                l.copies,
                (silent_ & mask_of(link)) != 0};
}

bool Dispatch::is_consistent() const noexcept {
    if ((silent_ & ~up_) != 0 || !ledger_.is_consistent()) return false;
    std::uint32_t open = 0;
    for (std::size_t i = 0; i < links_max; ++i) {
        const Link& l = links_[i];
        if (!l.flight.is_consistent()) return false;
        open += l.flight.open();
        const LinkId link(static_cast<std::uint8_t>(i));
        if ((up_ & mask_of(link)) == 0 && !l.flight.empty()) return false;
        if ((up_ & mask_of(link)) != 0 && lanes_[i].room != room_of(l)) return false;
    }
    return open == open_packets_;
}

}  // namespace hawser::bond
