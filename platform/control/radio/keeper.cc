// SPDX-License-Identifier: MIT
#include "platform/control/radio/keeper.h"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

using radio::RadioEvent;
using Event = radio::RadioEventKind;

bool same_spec(const radio::ChannelSpec& a, const radio::ChannelSpec& b) {
    const radio::Command left = radio::command_for(a);
    const radio::Command right = radio::command_for(b);
    return std::equal(left.elements().begin(), left.elements().end(), right.elements().begin(), right.elements().end());
}

bool same_radio(const WantedRadio& a, const WantedRadio& b) {
    return a.text == b.text && a.address.interface == b.address.interface && a.source == b.source;
}

Names::Lookup lookup_of(const Keeper::Settings& settings) {
    if (settings.lookup) return settings.lookup;
    return [](const std::string& host) { return resolve(host, 0); };
}

}  // namespace

Keeper::Keeper(Loop& loop, const Settings& settings, Notice notice)
    : loop_(loop),
      settings_(settings),
      notice_(std::move(notice)),
      names_(loop, lookup_of(settings)),
      radio_names_(loop, names_),
      service_({}, Random(settings.seed)),
      link_(
          loop, service_, settings.ttl, [this](const RadioEvent& e) { on_event(e); }, notice_) {
    if (settings.cache != nullptr) link_.remember_in(*settings.cache);
    link_.on_status([this](radio::RadioId id, const Endpoint& source, const radio::Status&) { on_sender(id, source); });
    link_.on_interfaces([this] { on_interfaces(); });
    loop_.watch(retry_.fd(), [this] { on_retry(); });
}

Keeper::~Keeper() { loop_.unwatch(retry_.fd()); }

// -------- what is wanted

std::size_t Keeper::place_of(const WantedRadio& wanted) {
    std::size_t place = 0;
    while (place < radios_.size() && !same_radio(radios_[place].wanted, wanted)) ++place;
    if (place == radios_.size()) radios_.push_back({});
    radios_[place].wanted = wanted;
    return place;
}

void Keeper::apply(const DesiredState& state) {
    is_stopping_ = false;
    for (Radio& r : radios_) r.is_wanted = false;
    std::vector<std::size_t> places;
    for (const WantedRadio& r : state.radios) {
        places.push_back(place_of(r));
        radios_[places.back()].is_wanted = true;
    }
    std::vector<Channel> before = std::exchange(channels_, {});
    std::vector<std::size_t> fresh;
    for (const WantedChannel& wanted : state.channels) {
        const std::size_t radio = places[wanted.radio];
        const auto same = std::find_if(before.begin(), before.end(), [&](const Channel& c) {
            return c.radio == radio && c.wanted.ssrc == wanted.ssrc;
        });
        channels_.push_back({radio, wanted, std::nullopt, false, {}});
        if (same != before.end() && same->want && same_spec(same->wanted.spec, wanted.spec)) {
            channels_.back().want = same->want;
            channels_.back().is_active = same->is_active;
            channels_.back().refusal = same->refusal;
        } else {
            fresh.push_back(channels_.size() - 1);
        }
        if (same != before.end()) before.erase(same);
    }
    // What is wanted again is not to be ended by what was begun before.
    std::erase_if(removals_, [this](const Removal& r) {
        const bool is_over = is_wanted(r.radio, r.ssrc);
        if (is_over && r.request) service_.cancel(*r.request);
        return is_over;
    });
    for (Channel& gone : before) drop(gone);
    // Joined already, or declared when it is.
    for (const std::size_t i : fresh)
        if (radios_[channels_[i].radio].id) declare(channels_[i]);
    for (const std::size_t radio : places)
        if (!radios_[radio].id) find(radio);
    leave_unwanted();
    arm_retry();
    link_.pump();
}

void Keeper::declare(Channel& c) {
    c.want = service_.declare(*radios_[c.radio].id, c.wanted.ssrc, c.wanted.spec, os::now());
    if (!c.want) tell(TransitionKind::channel_too_many, c.radio, &c);
}

void Keeper::drop(Channel& c) {
    if (c.want) service_.withdraw(*c.want);
    if (!settings_.removes || !radios_[c.radio].id || !c.want) {
        tell(TransitionKind::channel_dropped, c.radio, &c);
        return;
    }
    Removal removal{c.radio, c.wanted.ssrc, c.wanted.name, {}, settings_.retry_interval};
    if (try_removal(removal) || put_off(removal) == Fate::tried_again) removals_.push_back(std::move(removal));
}

// What is to be removed there is waited for.
void Keeper::leave_unwanted() {
    for (std::size_t i = 0; i < radios_.size(); ++i) {
        const bool is_needed = radios_[i].is_wanted || std::any_of(removals_.begin(), removals_.end(),
                                                                   [i](const Removal& r) { return r.radio == i; });
        if (!is_needed) leave(i);
    }
}

void Keeper::stop(std::function<void()> done) {
    std::vector<Channel> all = std::exchange(channels_, {});
    for (Radio& r : radios_) r.is_wanted = false;
    retry_.set(never);
    is_stopping_ = true;
    for (Channel& c : all) drop(c);
    try_removals(never);
    link_.pump();
    if (removals_.empty())
        done();
    else
        stopped_ = std::move(done);
}

// -------- radiods

void Keeper::find(std::size_t radio) {
    if (std::exchange(radios_[radio].is_searched, true)) return;
    radio_names_.find(radios_[radio].wanted.address,
                      [this, radio](const FoundGroup& found) { on_group(radio, found); });
}

void Keeper::on_group(std::size_t place, const FoundGroup& found) {
    Radio& r = radios_[place];
    r.is_searched = false;
    // What is computed again is no news, and where somebody has answered meanwhile there is no doubt.
    const bool is_better =
        found.how == FoundGroup::How::looked_up && !(found.group == r.found.group) && doubt_at(r) <= os::now();
    r.asked = os::now();
    r.is_urgent = false;
    if (!r.is_wanted || (r.id && !is_better)) return arm_retry();
    GroupSpec spec;
    spec.group = found.group;
    spec.interface = r.wanted.address.interface;
    spec.source = r.wanted.source;
    const auto joined = link_.add(spec, plain_name(r.wanted.address));
    Transition t;
    if (!joined) {
        t.text = joined.error().text();
        if (!std::exchange(r.has_failed, true)) tell(TransitionKind::radio_failed, place, nullptr, t);
        return arm_retry();
    }
    leave(place);
    // A group that was left, by whomever, has its number again.
    for (Radio& other : radios_) std::erase(other.before, *joined);
    r.id = *joined;
    r.found = found;
    r.has_failed = false;
    t.text = found.text();
    tell(TransitionKind::radio_joined, place, nullptr, t);
    for (Channel& c : channels_)
        if (c.radio == place) declare(c);
    arm_retry();
    link_.pump();
}

// Its channels are wanted elsewhere; what is there stays as it is.
void Keeper::leave(std::size_t place) {
    Radio& r = radios_[place];
    if (!r.id) return;
    for (Channel& c : channels_) {
        if (c.radio != place || !c.want) continue;
        service_.withdraw(*c.want);
        c.want.reset();
        c.is_active = false;
    }
    link_.drop(*r.id);
    r.before.push_back(*r.id);
    r.id.reset();
    r.senders.clear();
}

void Keeper::on_sender(radio::RadioId id, const Endpoint& source) {
    const std::size_t place = radio_of(id);
    if (place == radios_.size()) return;
    Radio& r = radios_[place];
    if (std::find(r.senders.begin(), r.senders.end(), source) != r.senders.end()) return;
    const bool is_first = r.senders.empty();
    if (r.senders.size() == senders_max) r.senders.erase(r.senders.begin());
    r.senders.push_back(source);
    const Instant now = os::now();
    if (is_first || now - r.verified < verify_interval) return;
    r.verified = now;
    service_.check_now(id, now);
}

Instant Keeper::doubt_at(const Radio& r) const {
    if (!r.is_wanted || r.is_searched) return never;
    if (!r.id) return r.asked + (r.is_urgent ? verify_interval : settings_.retry_interval);
    if (r.found.how == FoundGroup::How::literal) return never;
    const auto heard = link_.heard(*r.id);
    const bool is_guess = !heard && r.found.how == FoundGroup::How::computed;
    return std::max(heard.value_or(r.asked), r.asked) + (is_guess ? settings_.retry_interval : settings_.silence_max);
}

void Keeper::on_retry() {
    retry_.acknowledge();
    const Instant now = os::now();
    for (std::size_t i = 0; i < radios_.size(); ++i)
        if (doubt_at(radios_[i]) <= now) find(i);
    try_removals(now);
    leave_unwanted();
    arm_retry();
    link_.pump();
}

void Keeper::on_interfaces() {
    for (Radio& r : radios_) r.is_urgent = !r.id;
    arm_retry();
}

void Keeper::arm_retry() {
    Instant next = never;
    for (const Radio& r : radios_) next = std::min(next, doubt_at(r));
    for (const Removal& r : removals_) next = std::min(next, r.next);
    retry_.set(next);
}

// -------- removals

bool Keeper::is_wanted(std::size_t radio, std::uint32_t ssrc) const {
    return std::any_of(channels_.begin(), channels_.end(),
                       [&](const Channel& c) { return c.radio == radio && c.wanted.ssrc == ssrc; });
}

// At the group where its radiod is now.
bool Keeper::try_removal(Removal& r) {
    r.next = never;
    r.request.reset();
    const auto id = radios_[r.radio].id;
    if (!id) return false;
    if (const auto request = service_.remove(*id, r.ssrc, os::now())) r.request = *request;
    return r.request.has_value();
}

Keeper::Fate Keeper::put_off(Removal& r) {
    r.request.reset();
    if (is_stopping_) {
        tell_removal(TransitionKind::channel_stays, r, "no answer; left as it is");
        return Fate::over;
    }
    // Once.
    if (r.wait == settings_.retry_interval) tell_removal(TransitionKind::channel_stays, r, "no answer; trying again");
    r.next = os::now() + r.wait;
    r.wait = std::min(r.wait * 2, std::max(removal_wait_max, settings_.retry_interval));
    return Fate::tried_again;
}

// Those that are due.
void Keeper::try_removals(Instant now) {
    std::erase_if(removals_, [&](Removal& r) {
        if (r.request || r.next > now) return false;
        return !try_removal(r) && put_off(r) == Fate::over;
    });
}

void Keeper::end_of_removal(radio::RequestId request, bool is_gone) {
    const auto found =
        std::find_if(removals_.begin(), removals_.end(), [&](const Removal& r) { return r.request == request; });
    if (found == removals_.end()) return;
    if (is_gone) tell_removal(TransitionKind::channel_removed, *found);
    if (is_gone || put_off(*found) == Fate::over) removals_.erase(found);
    if (is_stopping_) {
        if (removals_.empty() && stopped_) std::exchange(stopped_, nullptr)();
        return;
    }
    leave_unwanted();
    arm_retry();
}

void Keeper::tell_removal(TransitionKind kind, const Removal& r, const std::string& text) {
    Transition t;
    t.channel = r.name;
    t.ssrc = r.ssrc;
    t.text = text;
    tell(kind, r.radio, nullptr, t);
}

// -------- what happened

Keeper::Channel* Keeper::channel_of(radio::WantId want) {
    const auto found =
        std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) { return c.want == want; });
    return found == channels_.end() ? nullptr : &*found;
}

std::size_t Keeper::radio_of(radio::RadioId id) const {
    const auto found = std::find_if(radios_.begin(), radios_.end(), [&](const Radio& r) {
        return r.id == id || std::find(r.before.begin(), r.before.end(), id) != r.before.end();
    });
    return static_cast<std::size_t>(found - radios_.begin());
}

void Keeper::tell(TransitionKind kind, std::size_t radio, const Channel* channel, Transition t) {
    t.kind = kind;
    t.radio = radios_[radio].wanted.name;
    if (channel != nullptr) {
        t.channel = channel->wanted.name;
        t.ssrc = channel->wanted.ssrc;
    }
    listeners_.tell(t);
}

void Keeper::on_event(const RadioEvent& e) {
    const std::size_t radio = radio_of(e.radio);
    if (radio == radios_.size()) return;
    Transition t;
    t.source = e.source;
    t.field = e.field;
    t.reused = e.reused;
    t.packets = e.packets;
    t.took = e.took;
    // The status is the answer's where the event is of one.
    if (e.field != radio::RadioField::eol)
        t.value = radio::format_value(e.field, radio::value_of(service_.status(), e.field));
    const auto of_channel = [&](TransitionKind kind) {
        if (Channel* const channel = channel_of(e.want)) tell_channel(kind, *channel, t);
    };
    switch (e.kind) {
        case Event::channel_active: return of_channel(TransitionKind::channel_active);
        case Event::channel_lost: return of_channel(TransitionKind::channel_lost);
        case Event::channel_refused: return of_channel(TransitionKind::channel_refused);
        case Event::channel_unreachable: return of_channel(TransitionKind::channel_silent);
        case Event::channel_removed: return end_of_removal(e.request, true);
        case Event::expired: return end_of_removal(e.request, false);
        case Event::radiod_restarted: return tell(TransitionKind::radio_restarted, radio, nullptr, t);
        case Event::number_clash: {
            t.ssrc = e.ssrc;
            const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) {
                return c.radio == radio && c.wanted.ssrc == e.ssrc;
            });
            return tell(TransitionKind::number_clash, radio, found == channels_.end() ? nullptr : &*found, t);
        }
        case Event::confirmed:
        case Event::channel_listed:
        case Event::list_settled:
        case Event::list_done: return;
    }
}

void Keeper::tell_channel(TransitionKind kind, Channel& c, const Transition& t) {
    c.is_active = kind == TransitionKind::channel_active;
    std::string refusal;
    if (kind == TransitionKind::channel_refused) refusal = std::to_string(static_cast<int>(t.field)) + " " + t.value;
    const bool is_known = !refusal.empty() && refusal == c.refusal;
    c.refusal = std::move(refusal);
    if (!is_known) tell(kind, c.radio, &c, t);
}

Keeper::Count Keeper::count() const {
    Count out{channels_.size(), 0};
    for (const Channel& c : channels_) out.active += c.is_active ? 1 : 0;
    return out;
}

std::vector<Keeper::RadioRow> Keeper::radios() const {
    std::vector<RadioRow> out;
    for (const Radio& r : radios_) {
        if (!r.is_wanted) continue;
        out.push_back({&r.wanted});
        if (!r.id) continue;
        out.back().group = r.found.group;
        out.back().heard = link_.heard(*r.id);
    }
    return out;
}

std::vector<Keeper::ChannelRow> Keeper::channels() const {
    std::vector<ChannelRow> out;
    for (const Channel& c : channels_)
        out.push_back({&radios_[c.radio].wanted, &c.wanted, c.is_active, !c.refusal.empty()});
    return out;
}

}  // namespace hawser::control
