// SPDX-License-Identifier: MIT
#include "engine/radio/tuner.h"

#include <algorithm>

namespace hawser::radio {

Tuner::Tuner(const TunerOptions& options, Random random)
    : options_(options), random_(random), due_(options.requests_max) {}

std::uint32_t Tuner::take_slot() {
    if (free_ != none) {
        const std::uint32_t slot = free_;
        free_ = slots_[slot].behind;
        return slot;
    }
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
}

Result<RequestId, TuneRefusal> Tuner::submit(const Request& request, const Command& command, Instant now) {
    if (request.ssrc == 0 || request.ssrc == poll_all_ssrc) return Failure{TuneRefusal::bad_ssrc};
    if (in_hand_ == options_.requests_max) {
        ++figures_.refused;
        return Failure{TuneRefusal::too_many};
    }
    const std::uint32_t slot = take_slot();
    ++in_hand_;
    ++figures_.submitted;
    Slot& s = slots_[slot];
    s.request = request;
    s.command = command;
    // 31 bits, and never 0, which is the tag of a channel that had no command.
    s.tag = (static_cast<std::uint32_t>(random_.next()) & 0x7FFF'FFFF) | 1u << 30;
    s.packets = 0;
    s.submitted = now;
    s.behind = none;
    Channel& channel = channels_[key(request.radio, request.ssrc)];
    if (channel.first == none) {
        channel.first = slot;
        make_ready(slot);
    } else {
        slots_[channel.last].behind = slot;
        s.state = State::queued;
    }
    channel.last = slot;
    set_timer(slot);
    return id_of(slot);
}

void Tuner::make_ready(std::uint32_t slot) {
    slots_[slot].state = State::to_send;
    ready_.push_back(slot);
}

void Tuner::set_timer(std::uint32_t slot) {
    const Slot& s = slots_[slot];
    const Instant end = s.submitted + options_.limit;
    due_.set(slot, s.state == State::waiting ? std::min(s.retry, end) : end);
}

Duration Tuner::wait_after(std::uint32_t packets) {
    Duration wait = options_.first_retry;
    for (std::uint32_t i = 1; i < packets && wait < options_.retry_max; ++i) wait = wait * 2;
    wait = std::min(wait, options_.retry_max);
    // 90 to 110 %: several clients that met once do not meet each time.
    return wait * (900 + static_cast<std::int64_t>(random_.below(201))) / 1000;
}

void Tuner::collect_due(Instant now) {
    while (due_.next() <= now) {
        const std::uint32_t slot = due_.first();
        if (slots_[slot].state == State::cancelled) {
            end_cancelled(slot);
            continue;
        }
        if (slots_[slot].submitted + options_.limit <= now) return;
        make_ready(slot);
        set_timer(slot);
    }
}

std::optional<Tuner::Packet> Tuner::next_packet(Instant now) {
    collect_due(now);
    std::uint32_t slot = none;
    while (ready_at_ < ready_.size()) {
        const std::uint32_t candidate = ready_[ready_at_++];
        const Slot& s = slots_[candidate];
        if (s.state == State::to_send && s.submitted + options_.limit > now) {
            slot = candidate;
            break;
        }
    }
    if (slot == none) {
        ready_.clear();
        ready_at_ = 0;
        return std::nullopt;
    }
    Slot& s = slots_[slot];
    s.state = State::waiting;
    ++s.packets;
    ++figures_.packets;
    s.sent = now;
    s.retry = now + wait_after(s.packets);
    set_timer(slot);
    return Packet{s.request.radio, build_command(room_, s.tag, s.request.ssrc, s.command.elements())};
}

std::optional<Tuner::Done> Tuner::on_status(RadioId radio, std::uint32_t ssrc, std::uint32_t tag, Instant now) {
    const auto found = channels_.find(key(radio, ssrc));
    if (found == channels_.end()) return std::nullopt;
    const Slot& s = slots_[found->second.first];
    if (s.packets == 0 || s.tag != tag) {
        ++figures_.stray_tags;
        return std::nullopt;
    }
    if (s.state == State::cancelled) {
        end_cancelled(found->second.first);
        return std::nullopt;
    }
    ++figures_.confirmed;
    return finish(found->second.first, true, now);
}

std::optional<Tuner::Done> Tuner::next_expired(Instant now) {
    collect_due(now);
    if (due_.next() > now) return std::nullopt;
    ++figures_.expired;
    // The first of its channel, submitted no later, so that commands end in their order.
    const Request& request = slots_[due_.first()].request;
    const Channel& channel = channels_.at(key(request.radio, request.ssrc));
    // Nobody waits for that one, and who does has waited long enough.
    if (slots_[channel.first].state == State::cancelled) end_cancelled(channel.first);
    return finish(channel.first, false, now);
}

Tuner::Done Tuner::finish(std::uint32_t slot, bool confirmed, Instant now) {
    const Slot& s = slots_[slot];
    const Done done{id_of(slot), s.request, now - s.submitted, s.packets, confirmed};
    unlink(slot);
    release(slot);
    return done;
}

bool Tuner::cancel(RequestId id) {
    const auto slot = static_cast<std::uint32_t>(id.value);
    if (slot >= slots_.size() || id_of(slot) != id) return false;
    Slot& s = slots_[slot];
    if (s.state == State::free || s.state == State::cancelled) return false;
    ++figures_.cancelled;
    if (s.packets != 0) {
        s.state = State::cancelled;
        ++lingering_;
        due_.set(slot, s.sent + options_.first_retry);
        return true;
    }
    unlink(slot);
    release(slot);
    return true;
}

void Tuner::unlink(std::uint32_t slot) {
    const auto found = channels_.find(key(slots_[slot].request.radio, slots_[slot].request.ssrc));
    HAWSER_CHECK(found != channels_.end());
    Channel& channel = found->second;
    const std::uint32_t behind = slots_[slot].behind;
    if (channel.first == slot) {
        channel.first = behind;
        if (behind == none) {
            channels_.erase(found);
        } else {
            make_ready(behind);
        }
        return;
    }
    std::uint32_t before = channel.first;
    while (slots_[before].behind != slot) before = slots_[before].behind;
    slots_[before].behind = behind;
    if (channel.last == slot) channel.last = before;
}

void Tuner::release(std::uint32_t slot) {
    due_.remove(slot);
    Slot& s = slots_[slot];
    s.state = State::free;
    ++s.generation;
    s.behind = free_;
    free_ = slot;
    --in_hand_;
}

void Tuner::end_cancelled(std::uint32_t slot) {
    --lingering_;
    unlink(slot);
    release(slot);
}

bool Tuner::is_consistent() const {
    std::uint32_t linked = 0;
    std::uint32_t cancelled = 0;
    for (const auto& [key_of, channel] : channels_) {
        if (channel.first == none) return false;
        for (std::uint32_t slot = channel.first; slot != none; slot = slots_[slot].behind) {
            const Slot& s = slots_[slot];
            if (key(s.request.radio, s.request.ssrc) != key_of || !due_.contains(slot)) return false;
            if ((s.state == State::queued) != (slot != channel.first) || s.state == State::free) return false;
            if (s.behind == none && channel.last != slot) return false;
            ++linked;
            cancelled += s.state == State::cancelled ? 1 : 0;
        }
    }
    return linked == in_hand_ && cancelled == lingering_ && due_.size() == in_hand_ && due_.is_consistent();
}

}  // namespace hawser::radio
