// SPDX-License-Identifier: MIT
#include "engine/radio/roster.h"

#include <algorithm>

namespace hawser::radio {

namespace {

// Front-end samples only grow while a radiod runs.
bool counts_anew(const Status& before, const Status& now) {
    return before.has(RadioField::input_samples) && now.has(RadioField::input_samples) &&
           now.frontend.input_samples < before.frontend.input_samples;
}

// Earlier by both of radiod's clocks, and not by much: two sockets, of the status group and of a data group, are not
// read in the order in which radiod sent.
bool is_overtaken(const Status& before, const Status& now) {
    constexpr std::uint64_t seconds_max = 2;  // untuned; far beyond a turn of the loop, far below a restart
    const std::uint64_t samples = before.frontend.input_samples - now.frontend.input_samples;
    const std::uint64_t ns = before.channel.gps_time - now.channel.gps_time;
    return counts_anew(before, now) && before.has(RadioField::gps_time) && now.has(RadioField::gps_time) &&
           before.channel.gps_time > now.channel.gps_time && ns <= seconds_max * 1'000'000'000 &&
           samples <= seconds_max * before.frontend.input_samprate;
}

}  // namespace

Roster::Noted Roster::note(RadioId radio, const Endpoint& source, const Status& status, Instant now) {
    Noted noted;
    auto found = numbers_.find(key(radio, status.channel.ssrc));
    if (found == numbers_.end()) {
        if (size_ == channels_max) return noted;
        found = numbers_.try_emplace(key(radio, status.channel.ssrc)).first;
    }
    Number& number = found->second;
    auto sender = std::find_if(number.senders.begin(), number.senders.end(),
                               [&](const OnAir& on_air) { return on_air.source == source; });
    if (sender == number.senders.end()) {
        // Another port: the same radiod again, if its counts say so, in whose place it is then.
        const auto before = std::find_if(number.senders.begin(), number.senders.end(),
                                         [&](const OnAir& on_air) { return counts_anew(on_air.status, status); });
        noted.is_new = number.senders.empty();
        noted.restarted = before != number.senders.end();
        if (noted.restarted) {
            sender = before;
        } else {
            if (number.senders.size() == 4) return noted;
            number.senders.push_back({});
            ++size_;
            sender = number.senders.end() - 1;
        }
        sender->radio = radio;
        sender->source = source;
        sender->first_heard = now;
    } else if (is_overtaken(sender->status, status)) {
        return noted;
    } else {
        noted.restarted = counts_anew(sender->status, status);
        for (const OnAir& other : number.senders)
            noted.clash = noted.clash || (other.source != source && other.heard > sender->first_heard);
        noted.clash = noted.clash && !number.clash_told;
        number.clash_told = number.clash_told || noted.clash;
    }
    sender->heard = now;
    sender->status = status;
    sender->status.drop_views();
    return noted;
}

const OnAir* Roster::find(RadioId radio, std::uint32_t ssrc) const {
    const auto found = numbers_.find(key(radio, ssrc));
    if (found == numbers_.end() || found->second.senders.empty()) return nullptr;
    const auto& senders = found->second.senders;
    return &*std::max_element(senders.begin(), senders.end(),
                              [](const OnAir& a, const OnAir& b) { return a.heard < b.heard; });
}

void Roster::forget(RadioId radio, std::uint32_t ssrc) {
    const auto found = numbers_.find(key(radio, ssrc));
    if (found == numbers_.end()) return;
    size_ -= found->second.senders.size();
    numbers_.erase(found);
}

std::size_t Roster::forget_unheard(RadioId radio, Instant since) {
    std::size_t gone = 0;
    for (auto at = numbers_.begin(); at != numbers_.end();) {
        if (RadioId(static_cast<std::uint16_t>(at->first >> 32)) == radio)
            gone += std::erase_if(at->second.senders, [&](const OnAir& on_air) { return on_air.heard < since; });
        at = at->second.senders.empty() ? numbers_.erase(at) : std::next(at);
    }
    size_ -= gone;
    return gone;
}

std::vector<const OnAir*> Roster::channels(RadioId radio) const {
    std::vector<const OnAir*> all;
    for (const auto& [number, entry] : numbers_)
        for (const OnAir& on_air : entry.senders)
            if (on_air.radio == radio) all.push_back(&on_air);
    return all;
}

}  // namespace hawser::radio
