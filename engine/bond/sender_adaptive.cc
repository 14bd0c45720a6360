// SPDX-License-Identifier: MIT
// The sender with the selector `adaptive`: packets go through Dispatch, which says what leaves where at the end of the
// turn; answers go to it; what SRT asks for and sends again passes through LossReports and the ledger first.
#include "engine/bond/sender.h"
#include "engine/bond/sender_parts.h"
#include "engine/wire/extension.h"

namespace hawser::bond {

void Sender::set_adaptive(bool adaptive, Instant now, Actions& out) noexcept {
    if (adaptive_ == adaptive) return;
    adaptive_ = adaptive;
    dispatch_at_ = never;
    dispatch_.set_bystander(!adaptive);
    if (adaptive) {
        dispatch_.clear(now);
        queue_held(now);
    } else {
        send_waiting(now, out);
    }
}

// What waits for a cap when adaptive begins waits in its queue from then on.
void Sender::queue_held(Instant now) noexcept {
    while (!cap_queue_.empty()) {
        const CapQueue::Held held = cap_queue_.take();
        const auto srt = wire::SrtPacket::over(pool_.bytes(held.packet));
        const Instant deadline = deadlines_.of(srt->timestamp_us(), held.since);
        if (dispatch_.on_data(held.sequence, held.packet, deadline, now) == Dispatch::Taken::queued) {
            dispatch_at_ = now;
            continue;
        }
        drop_from_local(Counter::drop_rate_cap, pool_.bytes(held.packet), now);
        pool_.release(held.packet.buffer);
    }
}

// What waits for room when adaptive ends leaves by the choice of the selector that follows, as much at a time as a
// round of actions holds.
void Sender::send_waiting(Instant now, Actions& out) noexcept {
    Ledger& ledger = dispatch_.ledger();
    Instant opens_at = now;  // the first cap, where all are at theirs
    for (std::size_t room = Actions::sends_max / 2; room > 0 && ledger.any_wanted(); --room) {
        Ledger::Entry& e = ledger.first_wanted();
        const LinkId link = choose(e.packet.length, now);
        if (link == no_link) {
            if (const Instant at = dispatch_.caps().opens_at(alive_); at != never) {
                opens_at = at;
                break;
            }
            drop_from_local(Counter::packets_given_up, pool_.bytes(e.packet), now);
            ledger.give_up(e);
            continue;
        }
        accounting_.note_sent(link, e.sequence, now);
        const PacketRef packet = ledger.take(e);
        route(packet, link, sent_on(link), now, out);
        out.release_after(packet.buffer);
    }
    dispatch_at_ = ledger.any_wanted() ? opens_at : never;
    arm(dispatch_at_);
    if (dispatch_at_ == never) dispatch_.clear(now);
}

// What the receiver made of the offer.
void Sender::note_answer(Instant now, Actions& out) noexcept {
    const auto answer = wire::answer_in(wire::extension_half(Bytes(registration_.key())));
    const bool reports = answer && answer->delivery_reports;
    dispatch_.set_reports(reports);
    reports_by_others_ = reports && answer->reports_by_others;
    if (adaptive_)
        out.tell(
            event(EventKind::reports_answer, now, no_link, reports ? 1 : 0, answer && answer->reorder_hold ? 1 : 0));
}

bool Sender::queue_data(const Completion& c, const wire::SrtPacket& srt, Instant now, Actions& out) noexcept {
    // It waits: the first link that is back carries what is still in time then.
    if (alive_ == 0) tell_no_uplink(0, now, out);
    if (srt.message_number() == 0 && !srt.is_retransmission() && dispatch_.note_parity(srt.sequence())) [[unlikely]] {
        send_at_once(c.packet, now, out);
        return false;
    }
    const auto taken = dispatch_.on_data(srt.sequence(), c.packet, deadlines_.of(srt.timestamp_us(), now), now);
    if (dispatch_at_ == never) {
        dispatch_at_ = now + Dispatch::tick_interval;
        arm(dispatch_at_);
    }
    if (taken == Dispatch::Taken::known) {
        counters_.add(Counter::retransmissions_absorbed);
        record_data(recorder_, {.decision = Decision::absorbed}, no_link, pool_.bytes(c.packet), now);
    }
    if (taken == Dispatch::Taken::out_of_reach) send_at_once(c.packet, now, out);
    return taken == Dispatch::Taken::queued;
}

void Sender::tick_dispatch(Instant now, Actions& out) noexcept {
    if (!adaptive_) {
        send_waiting(now, out);
        return;
    }
    dispatch_.tick(now);
    watch_reserve(now, out);
    each_link(dispatch_.take_probes(now) & alive_, [&](LinkId link) {
        // Two bytes do not say which question they answer.
        if (uplinks_[link.index()].keepalive.form() != link::KeepaliveForm::bare) send_keepalive(link, now, out);
    });
    dispatch_at_ = dispatch_.active(now) ? now + Dispatch::tick_interval : never;
}

// SRT's own control packets are not kept: they leave at once, where they arrive first, and data make room for them
// where an uplink has a cap.
LinkId Sender::choose_soonest(std::size_t packet_bytes, Instant now) noexcept {
    if (busy_ != 0) settle_busy(now);
    const LinkMask open = alive_ & ~busy_;
    LinkId link = no_link;
    if (dispatch_.is_limited()) {
        link = choose_soonest_of(open & ~dispatch_.caps().closed(now), packet_bytes, now);
        // Where only what is kept in reserve is not busy.
        if (link == no_link && (open & ~dispatch_.kept()) == 0) return choose_soonest_of(alive_, packet_bytes, now);
    }
    return link != no_link ? link : choose_soonest_of(open, packet_bytes, now);
}

LinkId Sender::choose_soonest_of(LinkMask open, std::size_t packet_bytes, Instant now) noexcept {
    LinkId link = dispatch_.soonest(packet_bytes <= plain_bytes_max_ ? open : open & ~narrower_than(packet_bytes));
    if (link == no_link) link = dispatch_.soonest(open);
    if (dispatch_.is_limited() && link != no_link) dispatch_.caps().note_sent(link, packet_bytes, now);
    return link;
}

// Data that are older than anything kept: SRT knows why. And parity of SRT's packet filter, which bears another
// packet's sequence and message number 0 (Haivision/srt c39196c9, packetfilter.cpp), and is no packet that anybody asks
// for. They respect caps like all data.
void Sender::send_at_once(const PacketRef& ref, Instant now, Actions& out) noexcept {
    if (busy_ != 0) settle_busy(now);
    const LinkMask closed = dispatch_.is_limited() ? dispatch_.caps().closed(now) : 0;
    const LinkId link = choose_soonest_of(alive_ & ~busy_ & ~closed, ref.length, now);
    if (link != no_link)
        route(ref, link, {.decision = Decision::sent}, now, out);
    else
        drop_from_local((closed & alive_) != 0 ? Counter::drop_rate_cap : Counter::drop_no_uplink, pool_.bytes(ref),
                        now);
}

Fate Sender::on_report(LinkId link, Bytes packet, Instant now) noexcept {
    const auto report = wire::DeliveryReport::over(packet);
    if (!report || !adaptive_ || !dispatch_.reports()) return drop_from_uplink(Counter::drop_bad_report);
    if (!registration_.is_member(link)) return drop_from_uplink(Counter::drop_unregistered);
    heard(link, now);
    counters_.add(Counter::reports_in);
    if (!report->link()) {
        dispatch_.on_report(link, *report, now);
        return {.decision = Decision::report_in};
    }
    // What another link brought, though it cannot say so itself.
    if (*report->link() >= links_max || !registration_.is_member(link_at(*report->link())))
        return drop_from_uplink(Counter::drop_bad_report);
    counters_.add(Counter::reports_by_others_in);
    const LinkId other = link_at(*report->link());
    heard(other, now);
    dispatch_.on_report(other, *report, now);
    return {.decision = Decision::report_in};
}

// A NAK without the sequences that are on their way, have come, or cannot come in time any more.
Fate Sender::forward_nak(const PacketRef& ref, const wire::SrtPacket& nak, const wire::LossList& losses,
                         Actions& out) noexcept {
    counters_.add(Counter::srt_nak_sequences, static_cast<std::uint64_t>(losses.count()));
    std::array<std::uint8_t, wire::datagram_bytes_max> bytes;
    std::size_t size = wire::srt_header_bytes;
    std::uint64_t held = 0;
    std::optional<wire::LossRange> open;
    const auto close = [&] {
        if (!open) return;
        store_be32(bytes.data() + size, open->first.raw() | (open->first == open->last ? 0 : ~wire::Seq31::mask));
        size += 4;
        if (open->first == open->last) return;
        store_be32(bytes.data() + size, open->last.raw());
        size += 4;
    };
    losses.each([&](wire::Seq31 sequence) {
        if (dispatch_.on_asked(sequence)) {
            ++held;
            return;
        }
        if (size + 16 > bytes.size()) return;  // SRT asks again
        if (open && open->last.plus(1) == sequence) {
            open->last = sequence;
            return;
        }
        close();
        open = wire::LossRange{sequence, sequence};
    });
    close();
    counters_.add(Counter::nak_sequences_held, held);
    if (held == 0) return forward(ref, out);
    const auto taken_out = static_cast<std::uint16_t>(std::min<std::uint64_t>(held, 0xFFFF));
    if (size == wire::srt_header_bytes || local_socket_ == no_socket) return {Decision::nak_withheld, taken_out, 0};
    std::copy_n(nak.bytes().begin(), wire::srt_header_bytes, bytes.begin());
    if (!out.send_bytes(local_socket_, Bytes(bytes).first(size), &caller_.endpoint()))
        return drop_from_uplink(Counter::drop_no_room);
    counters_.add(Counter::local_packets_out);
    return {Decision::nak_thinned, taken_out, 0};
}

}  // namespace hawser::bond
