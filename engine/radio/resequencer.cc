// SPDX-License-Identifier: MIT
#include "engine/radio/resequencer.h"

#include <algorithm>

namespace hawser::radio {

void Resequencer::begin_at(wire::RtpSequence sequence) {
    for (Slot& slot : slots_) slot.taken = false;
    given_up_.fill(false);
    held_ = 0;
    next_ = sequence;
    highest_ = sequence;
    has_stray_ = false;
}

void Resequencer::begin_anew_at(wire::RtpSequence sequence) {
    // Of two jumps before the next packet leaves the way is the sum.
    if (!began_anew_) passed_ = 0;
    passed_ = static_cast<std::uint16_t>(passed_ + sequence.raw() - next_.raw());
    lost_in_jump_ += static_cast<std::uint32_t>(held_);
    figures_.lost += static_cast<std::uint64_t>(held_);
    ++figures_.jumps;
    begin_at(sequence);
    began_anew_ = true;
}

void Resequencer::push(const wire::RtpPacket& packet, Instant now) {
    ++figures_.received;
    if (packet.payload().size() > payload_bytes_max) {
        ++figures_.oversized;
        return;
    }
    if (slots_.empty()) slots_.resize(window);
    if (!begun_) {
        begun_ = true;
        begin_at(packet.sequence());
    }
    const int ahead = distance(next_, packet.sequence());
    if (ahead < 0) {
        on_behind(packet, ahead, now);
    } else if (ahead >= window) {
        // What was held is counted with what is missing, and no more here: the sender may be another by now.
        begin_anew_at(packet.sequence());
        keep(packet, now);
    } else {
        has_stray_ = false;
        keep(packet, now);
    }
}

void Resequencer::on_behind(const wire::RtpPacket& packet, int ahead, Instant now) {
    if (has_stray_ && packet.sequence() == stray_next_) {
        begin_anew_at(packet.sequence());
        keep(packet, now);
        return;
    }
    bool& given_up = given_up_[packet.sequence().raw() % window];
    if (ahead >= -window && given_up) {
        given_up = false;
        ++figures_.late;
        return;
    }
    if (ahead >= -window) {
        ++figures_.duplicates;
        return;
    }
    ++figures_.late;
    has_stray_ = true;
    stray_next_ = packet.sequence().plus(1);
}

void Resequencer::keep(const wire::RtpPacket& packet, Instant now) {
    Slot& slot = slot_of(packet.sequence());
    if (slot.taken) {
        ++figures_.duplicates;
        return;
    }
    if (held_ != 0 && distance(packet.sequence(), highest_) > 0) ++figures_.reordered;
    if (held_ == 0 || distance(highest_, packet.sequence()) > 0) highest_ = packet.sequence();
    slot.taken = true;
    slot.header = packet.header();
    slot.arrived = now;
    slot.payload.assign(packet.payload().begin(), packet.payload().end());
    ++held_;
}

int Resequencer::steps_to_held() const {
    int steps = 0;
    while (steps < window && !slot_of(next_.plus(steps)).taken) ++steps;
    return steps;
}

std::optional<Resequencer::Packet> Resequencer::pop(Instant now) {
    if (held_ == 0) return std::nullopt;
    const int missing = steps_to_held();
    if (missing != 0 && distance(next_, highest_) < ahead_max && now < next_deadline()) return std::nullopt;
    for (int i = 0; i < missing; ++i) given_up_[next_.plus(i).raw() % window] = true;
    figures_.lost += static_cast<std::uint64_t>(missing);
    next_ = next_.plus(missing);
    Slot& slot = slot_of(next_);
    given_up_[next_.raw() % window] = false;
    slot.taken = false;
    --held_;
    next_ = next_.plus(1);
    Packet packet{slot.header, slot.payload, slot.arrived, static_cast<std::uint32_t>(missing), began_anew_, passed_};
    packet.lost += lost_in_jump_;
    began_anew_ = false;
    lost_in_jump_ = 0;
    passed_ = 0;
    return packet;
}

Instant Resequencer::next_deadline() const {
    if (held_ == 0) return never;
    const int steps = steps_to_held();
    // The one after the gap need not be the one that came first.
    Instant first = never;
    for (int i = steps; i < window; ++i) {
        const Slot& slot = slot_of(next_.plus(i));
        if (slot.taken) first = std::min(first, slot.arrived);
    }
    return steps == 0 ? first : first + wait_max;
}

}  // namespace hawser::radio
