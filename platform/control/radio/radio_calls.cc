// SPDX-License-Identifier: MIT
#include "platform/control/radio/radio_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "platform/linux/clock.h"

namespace hawser::control {

using radio::RadioEvent;
using radio::TuneRefusal;
using Event = radio::RadioEventKind;

namespace {
bool has_sweep(const radio::Status& status) {
    return !status.spectrum.bins.empty() || !status.spectrum.byte_bins.empty();
}
}  // namespace

RadioCalls::RadioCalls(RadioLink& link, radio::Service& service) : link_(link), service_(service) {
    link_.listeners().add(this, [this](const RadioEvent& e) { on_event(e); });
}

RadioCalls::~RadioCalls() { link_.listeners().remove(this); }

RadioCalls::Id RadioCalls::add(Call call) {
    const Id id(++last_id_);
    calls_.emplace(id.value, std::move(call));
    link_.pump();
    return id;
}

RadioCalls::Asked RadioCalls::tune(radio::RadioId radio, std::uint32_t ssrc, const radio::Command& command,
                                   Function function) {
    const auto request = service_.tune(radio, ssrc, command, 0, os::now());
    if (!request) return Failure{request.error()};
    return add({Kind::request, request->value, std::nullopt, std::move(function)});
}

RadioCalls::Asked RadioCalls::create(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec,
                                     Function function) {
    const auto request = service_.tune(radio, ssrc, radio::command_for(spec), 0, os::now());
    if (!request) return Failure{request.error()};
    return add({Kind::request, request->value, spec, std::move(function)});
}

RadioCalls::Asked RadioCalls::ensure(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec,
                                     Function function) {
    if (ssrc == 0 || ssrc == radio::poll_all_ssrc) return Failure{TuneRefusal::bad_ssrc};
    const Instant now = os::now();
    Call call{Kind::want, 0, spec, std::move(function), Step::last, ssrc, 0, now};
    const std::uint32_t number = service_.find_equal(radio, spec, ssrc).value_or(ssrc);
    if (number == ssrc) {
        if (!want_own(call, radio, now)) return Failure{TuneRefusal::too_many};
        return add(std::move(call));
    }
    const auto request = service_.tune(radio, number, radio::Command(), 0, now);
    if (!request) return Failure{request.error()};
    call.kind = Kind::request;
    call.key = request->value;
    call.step = Step::foreign;
    return add(std::move(call));
}

bool RadioCalls::want_own(Call& call, radio::RadioId radio, Instant now) {
    const auto want = service_.ensure(radio, call.own, *call.spec, now);
    call.kind = Kind::want;
    call.key = want ? want->value : 0;
    call.step = Step::last;
    return want.has_value();
}

RadioCalls::Asked RadioCalls::remove(radio::RadioId radio, std::uint32_t ssrc, Function function) {
    const auto request = service_.remove(radio, ssrc, os::now());
    if (!request) return Failure{request.error()};
    return add({Kind::request, request->value, std::nullopt, std::move(function)});
}

RadioCalls::Id RadioCalls::list(radio::RadioId radio, Function function) {
    // A list that is over, though nobody has looked since, answers those who asked before.
    link_.pump();
    const Instant now = os::now();
    service_.discover(radio, now);
    return add({Kind::list, radio.value, std::nullopt, std::move(function), Step::last, 0, 0, now});
}

RadioCalls::Asked RadioCalls::spectrum(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec,
                                       Function function) {
    const Instant now = os::now();
    const auto request = service_.tune(radio, ssrc, radio::command_for(spec), 0, now);
    if (!request) return Failure{request.error()};
    return add({Kind::request, request->value, spec, std::move(function), Step::sweep, 0, 0, now});
}

bool RadioCalls::forget(Id id) { return calls_.erase(id.value) != 0; }

void RadioCalls::on_event(const RadioEvent& e) {
    switch (e.kind) {
        case Event::confirmed:
        case Event::expired:
        case Event::channel_removed: return answer(Kind::request, e.request.value, e);
        case Event::channel_active:
        case Event::channel_refused:
        case Event::channel_unreachable: return answer(Kind::want, e.want.value, e);
        case Event::list_done: return answer(Kind::list, e.radio.value, e);
        case Event::channel_lost:
        case Event::radiod_restarted:
        case Event::number_clash:
        case Event::channel_listed:
        case Event::list_settled: return;
    }
}

// Several may wait for one list.
void RadioCalls::answer(Kind kind, std::uint64_t key, const RadioEvent& e) {
    std::vector<std::uint64_t> asked;
    for (const auto& [id, call] : calls_)
        if (call.kind == kind && call.key == key && (kind != Kind::list || call.asked < e.at)) asked.push_back(id);
    std::sort(asked.begin(), asked.end());
    for (const std::uint64_t id : asked) {
        const auto found = calls_.find(id);
        if (found == calls_.end()) continue;  // forgotten by the one before
        if (goes_on(found->second, e)) continue;
        const Call call = std::move(found->second);
        calls_.erase(found);
        if (call.function) call.function(answer_of(call, e));
    }
}

// True: something else was asked for it, whose answer will be the call's.
bool RadioCalls::goes_on(Call& call, const RadioEvent& e) {
    if (e.kind != Event::confirmed) return false;
    const radio::Status& status = service_.status();
    if (call.step == Step::foreign) {
        const bool is_made = is_newborn(status, e.packets, e.took);
        if (!first_difference(*call.spec, status) && !is_made) return false;
        // Nobody was there: the question made a channel, for ever.
        if (is_made) static_cast<void>(service_.remove(e.radio, e.ssrc, e.at));
        return want_own(call, e.radio, e.at);
    }
    if (call.step == Step::sweep) {
        if (has_sweep(status) || !is_spectrum(status.channel.demod_type) || ++call.empty > empty_sweeps_max)
            return false;
        const auto request = service_.tune(e.radio, e.ssrc, radio::command_for(*call.spec), 0, e.at);
        if (request) call.key = request->value;
        return bool(request);
    }
    return false;
}

RadioAnswer RadioCalls::answer_of(const Call& call, const RadioEvent& e) const {
    using Outcome = RadioAnswer::Outcome;
    RadioAnswer a{Outcome::done, e.radio, e.ssrc, e.field, e.reused, nullptr, e.source, e.packets, e.took, e.cut_short};
    const bool is_list = call.kind == Kind::list;
    if ((is_list && e.answers == 0) || e.kind == Event::expired || e.kind == Event::channel_unreachable)
        a.outcome = Outcome::no_answer;
    else if (!is_list)
        a.status = &service_.status();
    if (call.asked != Instant{}) a.took = e.at - call.asked;
    if (a.status == nullptr) return a;
    a.reused = a.reused || call.step == Step::foreign;
    if (call.spec) a.field = first_difference(*call.spec, *a.status).value_or(a.field);
    if (call.step == Step::sweep && a.field == radio::RadioField::eol && !has_sweep(*a.status))
        a.field = radio::RadioField::bin_data;
    if (a.field != radio::RadioField::eol) a.outcome = Outcome::refused;
    return a;
}

}  // namespace hawser::control
