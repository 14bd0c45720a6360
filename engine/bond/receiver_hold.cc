// SPDX-License-Identifier: MIT
// The way of data of groups that asked for more than SRTLA to the SRT server: in order, each packet once, within its
// time (reorder_hold.h, session_time.h). Without the hold the packets pass as they come, and are followed for reports.
#include "engine/bond/receiver.h"
#include "engine/wire/loss_list.h"

namespace hawser::bond {

using wire::SrtPacket;

namespace {

// Sends that one call may use for packets that were held, leaving room for what else the call does.
constexpr std::size_t drain_sends_max = 192;
static_assert(drain_sends_max + 32 <= Actions::sends_max);
// The links of a sender that has begun anew come within their round trips, and their first packets with them. Untuned.
constexpr Duration hold_pause{500'000'000};

}  // namespace

Fate Receiver::deliver(std::uint32_t g, PacketRef ref, const SrtPacket& packet, Instant now, Actions& out) noexcept {
    // Parity of SRT's packet filter bears the sequence of another packet, and message number 0 (Haivision/srt
    // c39196c9, packetfilter.cpp).
    if (packet.message_number() == 0) return to_server(g, ref, out);
    ReorderHold& hold = holds_[g];
    const wire::Seq31 sequence = packet.sequence();
    const auto deadline = hold.is_holding() ? table_.group(g).time.deadline(packet.timestamp_us(), now) : std::nullopt;
    auto place = hold.place(sequence);
    if (place == ReorderHold::Place::wait && hold.make_room_for(sequence)) {
        tally_.add_hold_bounded(now);
        drain(g, now, out);
        place = hold.place(sequence);
    }
    Fate fate;
    switch (place) {
        case ReorderHold::Place::pass: fate = to_server(g, ref, out); break;
        case ReorderHold::Place::wait:
            if (hold.keep(sequence, ref, wait_until(g, deadline, now), now)) return {.decision = Decision::held};
            return to_server(g, ref, out);
        case ReorderHold::Place::duplicate: return {.decision = Decision::duplicate};
    }
    if (!hold.is_in_order()) drain(g, now, out);
    return fate;
}

// Not longer than the latency from now, whatever the timestamps say.
Instant Receiver::wait_until(std::uint32_t g, std::optional<Instant> deadline, Instant now) const noexcept {
    if (now < table_.group(g).hold_from) [[unlikely]]
        return now;
    if (!deadline) return now + options_.hold_without_deadline;
    const Instant due = std::min(*deadline, now + *table_.group(g).time.latency()) - options_.hold_margin;
    return std::max(due, now);
}

// What may go to the server goes.
void Receiver::drain(std::uint32_t g, Instant now, Actions& out) noexcept {
    ReorderHold& hold = holds_[g];
    while (out.sends().size() < drain_sends_max) {
        const auto packet = hold.pop(now);
        if (!packet) return;
        if (table_.group(g).server == no_socket) {
            counters_.add(Counter::drop_no_server);
            record_server(dropped_from_local(Counter::drop_no_server), g, pool_.bytes(*packet), now);
            pool_.release(packet->buffer);
            continue;
        }
        const bool is_out = to_server(g, *packet, out).decision == Decision::delivered;
        record_server(is_out ? Fate{.decision = Decision::released} : dropped_from_local(Counter::drop_no_room), g,
                      pool_.bytes(*packet), now);
        out.release_after(packet->buffer);
    }
    hold.postpone(now);
}

// False when the actions have no room for more now.
bool Receiver::release_due(Instant now, Actions& out) noexcept {
    while (held_.next_due() <= now) {
        if (out.sends().size() >= drain_sends_max) return false;
        const HeldPackets::Held& held = held_.at(held_.first());
        const std::uint32_t g = held.group;
        holds_[g].release_through(held.sequence);
        drain(g, now, out);
    }
    return true;
}

// A sender that has begun anew repairs nothing of before: the gap is the SRT server's to ask for, while there is time.
void Receiver::pause_hold(std::uint32_t g, Instant now, Actions& out) noexcept {
    if (!holds_[g].is_holding()) return;
    table_.group(g).hold_from = now + hold_pause;
    holds_[g].release_all();
    drain(g, now, out);
}

// The session ends: what waits goes before the word that ends it.
void Receiver::flush_hold(std::uint32_t g, Instant now, Actions& out) noexcept {
    if (!table_.group(g).extension.any()) return;
    holds_[g].release_all();
    drain(g, now, out);
}

// What still waits, when its session gives way to another or its server's socket goes.
void Receiver::drop_held(std::uint32_t g, Instant now) noexcept {
    holds_[g].abandon([&](const PacketRef& packet) { drop_from_server(Counter::drop_session_over, g, packet, now); });
}

void Receiver::on_server_ack(std::uint32_t g, const SrtPacket& ack, Instant now, Actions& out) noexcept {
    const auto next = wire::ack_next_expected(ack);
    ReorderHold& hold = holds_[g];
    const auto ours = hold.next_expected();
    if (!next || !ours) return;
    // The server has given up what we still wait for. One that is far off is of another session.
    const std::int32_t ahead = wire::distance(*ours, *next);
    if (ahead <= 0 || ahead > ServerSession::sequence_window) return;
    hold.release_through(next->plus(-1));
    drain(g, now, out);
}

// What it asks for may pass again, though it came before: it can be lost between here and there.
void Receiver::on_server_nak(std::uint32_t g, const SrtPacket& nak) noexcept {
    if (!holds_[g].is_holding()) return;
    const auto list = wire::LossList::over(nak.body(), ReorderHold::ahead_max + ReorderHold::behind_max);
    if (list) list->each([&](wire::Seq31 s) { holds_[g].forget(s); });
}

}  // namespace hawser::bond
