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

RadioCalls::RadioCalls(RadioLink& link, radio::Service& service) : link_(link), service_(service) {
    link_.listeners().add(this, [this](const RadioEvent& e) { on_event(e); });
}

RadioCalls::~RadioCalls() { link_.listeners().remove(this); }

RadioCalls::Id RadioCalls::add(Call call) {
    calls_.emplace(++last_id_, std::move(call));
    const Id id(last_id_);
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
    radio::ChannelSpec wanted = spec;
    const std::uint32_t number = service_.find_equal(radio, spec).value_or(ssrc);
    // How long another's channel lives is its maker's affair.
    if (number != ssrc) wanted.lifetime.reset();
    const auto want = service_.ensure(radio, number, wanted, os::now());
    const bool is_number = ssrc != 0 && ssrc != radio::poll_all_ssrc;
    if (!want) return Failure{is_number ? TuneRefusal::too_many : TuneRefusal::bad_ssrc};
    return add({Kind::want, want->value, std::nullopt, std::move(function)});
}

RadioCalls::Asked RadioCalls::remove(radio::RadioId radio, std::uint32_t ssrc, Function function) {
    const auto request = service_.remove(radio, ssrc, os::now());
    if (!request) return Failure{request.error()};
    return add({Kind::request, request->value, std::nullopt, std::move(function)});
}

RadioCalls::Id RadioCalls::list(radio::RadioId radio, Function function) {
    service_.discover(radio, os::now());
    return add({Kind::list, radio.value, std::nullopt, std::move(function)});
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
    using Outcome = RadioAnswer::Outcome;
    std::vector<std::uint64_t> asked;
    for (const auto& [id, call] : calls_)
        if (call.kind == kind && call.key == key) asked.push_back(id);
    std::sort(asked.begin(), asked.end());
    for (const std::uint64_t id : asked) {
        const auto found = calls_.find(id);
        if (found == calls_.end()) continue;  // forgotten by the one before
        const Call call = std::move(found->second);
        calls_.erase(found);
        RadioAnswer a{Outcome::done, e.radio, e.ssrc, e.field, e.reused, nullptr, e.source, e.packets, e.took};
        const bool is_nobody = kind == Kind::list && e.answers == 0;
        if (is_nobody || e.kind == Event::expired || e.kind == Event::channel_unreachable)
            a.outcome = Outcome::no_answer;
        else if (kind != Kind::list)
            a.status = &service_.status();
        if (call.spec && a.status != nullptr) a.field = first_difference(*call.spec, *a.status).value_or(a.field);
        if (a.field != radio::RadioField::eol) a.outcome = Outcome::refused;
        if (call.function) call.function(a);
    }
}

}  // namespace hawser::control
