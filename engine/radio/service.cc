// SPDX-License-Identifier: MIT
#include "engine/radio/service.h"

#include <algorithm>
#include <utility>

namespace hawser::radio {

namespace {

// An old radiod tells none.
Duration lifetime_of(const Status& s, const ChannelSpec& spec) {
    const std::uint32_t blocks = s.has(RadioField::lifetime) ? s.channel.lifetime : spec.lifetime.value_or(0);
    return s.block_time() * std::int64_t{blocks};
}

// Statuses of one restart come from many channels: told once in so long.
constexpr Duration restart_hold{1'000'000'000};

}  // namespace

Service::Service(const TunerOptions& options, Random random)
    : tuner_(options, Random(random.next())), checks_(wanted_max), random_(Random(random.next())) {}

RadioId Service::add_radio() {
    discoveries_.emplace_back();
    restarts_.push_back(Instant{});
    return RadioId(static_cast<std::uint16_t>(discoveries_.size() - 1));
}

void Service::tell(const RadioEvent& event) {
    if (events_.size() == events_max) {
        events_.pop_front();
        ++events_lost_;
    }
    events_.push_back(event);
}

std::optional<RadioEvent> Service::next_event() {
    if (events_.empty()) return std::nullopt;
    const RadioEvent event = events_.front();
    events_.pop_front();
    return event;
}

// -------- requests

Result<RequestId, TuneRefusal> Service::tune(RadioId radio, std::uint32_t ssrc, const Command& command,
                                             std::uint64_t owner, Instant now) {
    // The upper half says whose it is; a user's owner keeps the lower.
    return tuner_.submit({radio, ssrc, owner & 0xFFFF'FFFF}, command, now);
}

Result<RequestId, TuneRefusal> Service::remove(RadioId radio, std::uint32_t ssrc, Instant now) {
    const auto request = tuner_.submit({radio, ssrc, std::uint64_t{static_cast<std::uint32_t>(Owner::removal)} << 32},
                                       command_to_remove(), now);
    if (request) forget(radio, ssrc);
    return request;
}

void Service::forget(RadioId radio, std::uint32_t ssrc) {
    roster_.forget(radio, ssrc);
    recalled_.forget(radio, ssrc);
}

void Service::discover(RadioId radio, Instant now) { discoveries_[radio.index()].begin(now); }

void Service::finish(const Tuner::Done& done, const Endpoint& source, Instant now) {
    const auto owner = static_cast<Owner>(done.request.owner >> 32);
    const auto slot = static_cast<std::uint32_t>(done.request.owner);
    if (owner == Owner::want) {
        if (done.confirmed)
            on_want_reply(slot, done, source, now);
        else
            on_want_expired(slot, done, now);
        return;
    }
    RadioEvent event;
    event.kind = !done.confirmed           ? RadioEventKind::expired
                 : owner == Owner::removal ? RadioEventKind::channel_removed
                                           : RadioEventKind::confirmed;
    event.radio = done.request.radio;
    event.ssrc = done.request.ssrc;
    event.at = now;
    event.request = done.id;
    event.owner = slot;
    event.source = source;
    event.packets = done.packets;
    event.took = done.took;
    tell(event);
}

// -------- wanted channels

std::optional<std::uint32_t> Service::find_equal(RadioId radio, const ChannelSpec& spec, std::uint32_t own) const {
    const OnAir* const mine = known(radio, own);
    if (mine != nullptr && !first_difference(spec, mine->status)) return own;
    std::optional<std::uint32_t> lowest;
    for (const Roster* roster : {&roster_, &recalled_})
        for (const OnAir* on_air : roster->channels(radio)) {
            const std::uint32_t ssrc = on_air->status.channel.ssrc;
            if (!first_difference(spec, on_air->status) && (!lowest || ssrc < *lowest)) lowest = ssrc;
        }
    return lowest;
}

void Service::recall(RadioId radio, const Endpoint& source, Bytes status, Instant heard) {
    HAWSER_CHECK(radio.index() < discoveries_.size());
    Status decoded;
    if (decode_status(status, decoded) || roster_.find(radio, decoded.channel.ssrc) != nullptr) return;
    recalled_.note(radio, source, decoded, heard);
}

const OnAir* Service::known(RadioId radio, std::uint32_t ssrc) const {
    const OnAir* heard = roster_.find(radio, ssrc);
    return heard != nullptr ? heard : recalled_.find(radio, ssrc);
}

std::optional<WantId> Service::ensure(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, Instant now) {
    return want(radio, ssrc, spec, false, now);
}

std::optional<WantId> Service::declare(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, Instant now) {
    for (std::uint32_t slot = 0; slot < wants_.size(); ++slot) {
        const Want& w = wants_[slot];
        if (w.state != WantState::free && w.for_good && w.radio == radio && w.ssrc == ssrc) withdraw(id_of(slot));
    }
    return want(radio, ssrc, spec, true, now);
}

std::optional<WantId> Service::want(RadioId radio, std::uint32_t ssrc, const ChannelSpec& spec, bool for_good,
                                    Instant now) {
    if (ssrc == 0 || ssrc == poll_all_ssrc) return std::nullopt;
    if (free_wants_.empty()) {
        if (wants_.size() == wanted_max) return std::nullopt;
        wants_.emplace_back();
        free_wants_.push_back(static_cast<std::uint32_t>(wants_.size() - 1));
    }
    const std::uint32_t slot = free_wants_.back();
    free_wants_.pop_back();
    Want& w = wants_[slot];
    const std::uint32_t generation = w.generation;
    w = Want{};
    w.generation = generation;
    w.for_good = for_good;
    w.radio = radio;
    w.ssrc = ssrc;
    w.spec = spec;
    w.begun = now;
    w.retry = retry_first;
    const OnAir* on_air = known(radio, ssrc);
    const bool is_there = on_air != nullptr && !first_difference(spec, on_air->status);
    send_want(slot, is_there ? WantState::probing : WantState::making, now);
    return id_of(slot);
}

bool Service::withdraw(WantId id) {
    const auto slot = static_cast<std::uint32_t>(id.value);
    if (slot >= wants_.size() || wants_[slot].state == WantState::free || id_of(slot) != id) return false;
    release_want(slot);
    return true;
}

void Service::release_want(std::uint32_t slot) {
    Want& w = wants_[slot];
    if (w.state == WantState::probing || w.state == WantState::making) tuner_.cancel(w.request);
    checks_.remove(slot);
    w.state = WantState::free;
    ++w.generation;
    free_wants_.push_back(slot);
}

void Service::rest(std::uint32_t slot, Instant until) {
    wants_[slot].state = WantState::resting;
    checks_.set(slot, until);
}

void Service::send_want(std::uint32_t slot, WantState step, Instant now) {
    Want& w = wants_[slot];
    checks_.remove(slot);
    const Command command = step == WantState::probing ? probe_for(w.spec) : command_for(w.spec);
    const std::uint64_t owner = (std::uint64_t{static_cast<std::uint32_t>(Owner::want)} << 32) | slot;
    const auto request = tuner_.submit({w.radio, w.ssrc, owner}, command, now);
    if (!request) {
        rest(slot, now + retry_first);
        return;
    }
    w.state = step;
    w.sent = now;
    w.request = *request;
}

Duration Service::check_after(const Want& w) const {
    if (w.lifetime == Duration{}) return check_interval;
    // A third, so that one lost probe ends no channel.
    return std::clamp(w.lifetime / 3, check_soonest, check_interval);
}

void Service::on_want_reply(std::uint32_t slot, const Tuner::Done& done, const Endpoint& source, Instant now) {
    Want& w = wants_[slot];
    RadioEvent event;
    event.radio = w.radio;
    event.ssrc = w.ssrc;
    event.at = now;
    event.want = id_of(slot);
    event.source = source;
    event.packets = done.packets;
    const Differences difference = differences(w.spec, status_);
    const bool is_probe = w.state == WantState::probing;
    const bool is_known = difference.first && difference.mark == w.refused;
    // Each command counts: it was made by this one, and what was there before had gone. Two radiods with one number
    // count each for itself.
    const bool had_gone = is_probe && status_.has(RadioField::cmd_cnt) && status_.channel.commands <= w.commands &&
                          (source == w.source || is_of_restart_);
    w.commands = status_.channel.commands;
    w.source = source;
    w.lifetime = lifetime_of(status_, w.spec);
    if (is_known && is_probe && now < w.make_again) return check_later(slot, now);
    if (is_probe && w.was_active && (difference.first || had_gone)) {
        event.kind = RadioEventKind::channel_lost;
        event.field = difference.first.value_or(RadioField::eol);
        tell(event);
        w.was_active = false;
    }
    if (is_probe && difference.first) {
        // Whoever declares it wants to know how long it took from here on; ensure()'s caller waits since he asked.
        if (w.for_good) w.begun = now;
        send_want(slot, WantState::making, now);
        return;
    }
    event.kind = difference.first ? RadioEventKind::channel_refused : RadioEventKind::channel_active;
    event.field = difference.first.value_or(RadioField::eol);
    event.reused = is_probe && !had_gone;
    event.took = now - (is_probe && w.for_good ? w.sent : w.begun);
    // What goes on as it was is no news.
    if (!w.was_active && !is_known) tell(event);
    if (!w.for_good) {
        release_want(slot);
        return;
    }
    w.was_active = !difference.first;
    w.refused = difference.mark;
    if (difference.first) {
        w.refusal_wait = is_known ? std::min(w.refusal_wait * 2, refusal_wait_max) : refusal_wait_first;
        w.make_again = now + w.refusal_wait;
    }
    check_later(slot, now);
}

// It has answered.
void Service::check_later(std::uint32_t slot, Instant now) {
    Want& w = wants_[slot];
    w.retry = retry_first;
    w.state = WantState::active;
    checks_.set(slot, std::exchange(w.check_again, false) ? now : now + check_after(w));
}

void Service::on_want_expired(std::uint32_t slot, const Tuner::Done& done, Instant now) {
    Want& w = wants_[slot];
    RadioEvent event;
    event.kind = RadioEventKind::channel_unreachable;
    event.radio = w.radio;
    event.ssrc = w.ssrc;
    event.at = now;
    event.want = id_of(slot);
    event.packets = done.packets;
    event.took = now - w.begun;
    // Once, and again only after it was there.
    if (w.was_active || w.retry == retry_first) tell(event);
    if (!w.for_good) {
        release_want(slot);
        return;
    }
    w.was_active = false;
    w.refused = 0;  // news again after the silence
    rest(slot, std::exchange(w.check_again, false) ? now : now + w.retry);
    w.retry = std::min(w.retry * 2, retry_max);
}

void Service::on_restart(RadioId radio, const Endpoint& source, Instant now) {
    Instant& told = restarts_[radio.index()];
    if (told != Instant{} && now - told < restart_hold) return;
    told = now;
    RadioEvent event;
    event.kind = RadioEventKind::radiod_restarted;
    event.radio = radio;
    event.at = now;
    event.source = source;
    tell(event);
    // Its refusals were the other's, of what is under way too.
    for (Want& w : wants_)
        if (w.radio == radio) w.make_again = now;
    check_settled(radio, now);
}

void Service::check_now(RadioId radio, Instant now) {
    for (Want& w : wants_) {
        if (w.radio != radio) continue;
        w.make_again = now;
        w.check_again = w.for_good && (w.state == WantState::probing || w.state == WantState::making);
    }
    check_settled(radio, now);
}

void Service::retry_now(RadioId radio, Instant now) {
    for (std::uint32_t slot = 0; slot < wants_.size(); ++slot) {
        const Want& w = wants_[slot];
        if (w.radio != radio || w.state != WantState::resting) continue;
        checks_.set(slot, std::min(checks_.due(slot), std::max(now, w.sent + retry_soonest)));
    }
}

void Service::check_settled(RadioId radio, Instant now) {
    for (std::uint32_t slot = 0; slot < wants_.size(); ++slot) {
        Want& w = wants_[slot];
        if (w.radio != radio || (w.state != WantState::active && w.state != WantState::resting)) continue;
        send_want(slot, WantState::probing, now);
    }
}

// -------- packets and time

bool Service::on_packet(RadioId radio, const Endpoint& source, Bytes packet, Instant now) {
    HAWSER_CHECK(radio.index() < discoveries_.size());
    // Commands, of others and our own, come by the same group.
    if (!packet.empty() && packet[0] == 1) return false;
    if (decode_status(packet, status_)) {
        ++bad_packets_;
        return false;
    }
    const std::uint32_t ssrc = status_.channel.ssrc;
    RadioEvent event;
    event.radio = radio;
    event.ssrc = ssrc;
    event.at = now;
    event.source = source;
    Discovery& discovery = discoveries_[radio.index()];
    if (discovery.is_running()) {
        const OnAir* known = roster_.find(radio, ssrc);
        if (known == nullptr || known->heard < discovery.pass_began()) discovery.on_answer(now, status_.block_time());
        if (known == nullptr || known->heard < discovery.began()) {
            event.kind = RadioEventKind::channel_listed;
            tell(event);
        }
    }
    const Roster::Noted noted = roster_.note(radio, source, status_, now);
    recalled_.forget(radio, ssrc);
    is_of_restart_ = noted.restarted;
    if (noted.clash) {
        event.kind = RadioEventKind::number_clash;
        tell(event);
    }
    if (const auto done = tuner_.on_status(radio, ssrc, status_.channel.tag, now)) finish(*done, source, now);
    if (noted.restarted) on_restart(radio, source, now);
    // Last: the reply to a removal is of a channel until here. Its copy by the data group comes after it.
    if (is_ending(status_)) forget(radio, ssrc);
    return true;
}

void Service::turn(Instant now) {
    while (const auto done = tuner_.next_expired(now)) finish(*done, Endpoint{}, now);
    while (checks_.next() <= now) {
        // After a silence too: what was made may be as wanted, its answer lost.
        send_want(checks_.first(), WantState::probing, now);
    }
}

std::optional<Tuner::Packet> Service::next_packet(Instant now) {
    for (std::size_t i = 0; i < discoveries_.size(); ++i) {
        const RadioId radio(static_cast<std::uint16_t>(i));
        Discovery& discovery = discoveries_[i];
        for (auto step = discovery.next(now); step != Discovery::Step::none; step = discovery.next(now)) {
            if (step == Discovery::Step::poll) {
                const auto tag = static_cast<std::uint32_t>(random_.next()) | 1u;
                return Tuner::Packet{radio, build_command(poll_room_, tag, poll_all_ssrc, {})};
            }
            // A whole poll that a channel did not answer, twice: it has gone. One that nobody answered tells nothing
            // of what is recalled, and one that was cut short nothing of who is not on it.
            const bool is_done = step == Discovery::Step::done;
            if (is_done && discovery.answers() == 0) {
                roster_.forget_unheard(radio, discovery.began());
            } else if (is_done && !discovery.is_cut_short()) {
                roster_.forget_unheard(radio, discovery.began());
                recalled_.forget_unheard(radio, never);
            }
            RadioEvent event;
            event.kind = step == Discovery::Step::settled ? RadioEventKind::list_settled : RadioEventKind::list_done;
            event.radio = radio;
            event.at = now;
            event.took = now - discovery.began();
            event.answers = discovery.answers();
            event.cut_short = discovery.is_cut_short();
            tell(event);
        }
    }
    return tuner_.next_packet(now);
}

Instant Service::next_deadline() const {
    Instant next = std::min(tuner_.next_deadline(), checks_.next());
    for (const Discovery& discovery : discoveries_) next = std::min(next, discovery.next_deadline());
    return next;
}

}  // namespace hawser::radio
