// SPDX-License-Identifier: MIT
#include "platform/app/radio/places.h"

#include <algorithm>

namespace hawser::app {

Places::Answer Places::announce(std::uint32_t ssrc, const Endpoint& from, Instant now) {
    const auto known = channels_.find(ssrc);
    if (known != channels_.end()) return known->second.is_on_trial ? Answer::trial : Answer::place;
    const auto sender = senders_.find(from.address);
    const bool is_heard = sender != senders_.end() && sender->second.is_heard;
    if (places_ < places_max_) {
        give_place(ssrc, from.address);
        return Answer::place;
    }
    // One that sends may try all its channels.
    const std::size_t own = sender == senders_.end() ? 0 : sender->second.trials;
    if (own >= trials_of_one && !is_heard) return Answer::none;
    if (trials_.size() >= trials_max && !cede_trial(from.address, now)) return Answer::none;
    channels_[ssrc] = {from.address, true};
    Sender& trier = senders_[from.address];
    count_trials(from.address, trier, trier.trials + 1);
    trials_.emplace_back(now + trial_time, ssrc);
    return Answer::trial;
}

Places::Heard Places::on_heard(std::uint32_t ssrc, const Endpoint& from) {
    const auto found = channels_.find(ssrc);
    if (found == channels_.end()) return {};
    const bool was_on_trial = found->second.is_on_trial;
    // Announced by one, sent by another: it is the sender's.
    if (!was_on_trial && found->second.sender != from.address) {
        take_away(ssrc);
        give_place(ssrc, from.address);
    }
    Heard out{true};
    if (was_on_trial) {
        take_away(ssrc);
        out.given_up = places_ < places_max_ ? std::nullopt : who_gives_way();
        out.has_place = places_ < places_max_ || out.given_up;
        if (out.given_up) take_away(*out.given_up);
        if (out.has_place) give_place(ssrc, from.address);
    }
    const auto sender = senders_.find(from.address);
    if (sender != senders_.end() && !sender->second.is_heard) {
        never_heard_.erase({sender->second.places.size(), sender->first});
        sender->second.is_heard = true;
    }
    return out;
}

std::vector<std::uint32_t> Places::end_trials(Instant now) {
    std::vector<std::uint32_t> over;
    for (; !trials_.empty() && trials_.front().first <= now; trials_.pop_front()) {
        const auto found = channels_.find(trials_.front().second);
        if (found == channels_.end() || !found->second.is_on_trial) continue;
        over.push_back(found->first);
    }
    for (const std::uint32_t ssrc : over) take_away(ssrc);
    over.insert(over.end(), ceded_.begin(), ceded_.end());
    ceded_.clear();
    return over;
}

bool Places::cede_trial(const Address& to, Instant now) {
    const auto own = senders_.find(to);
    const std::size_t has = own == senders_.end() ? 0 : own->second.trials;
    const bool is_heard = own != senders_.end() && own->second.is_heard;
    const auto sender_of = [this](const auto& trial) { return channels_.at(trial.second).sender; };
    std::optional<std::uint32_t> ceded;
    if (triers_.rbegin()->first >= has + 2) {
        const Address& richest = triers_.rbegin()->second;
        const auto latest = std::find_if(trials_.rbegin(), trials_.rend(),
                                         [&](const auto& trial) { return sender_of(trial) == richest; });
        ceded = latest->second;
    } else if (has == 0 || is_heard) {
        const Instant end_max = now + (trial_time - trial_sure);
        const auto oldest = std::find_if(trials_.begin(), trials_.end(), [&](const auto& trial) {
            return trial.first <= end_max && !senders_.at(sender_of(trial)).is_heard;
        });
        if (oldest != trials_.end()) ceded = oldest->second;
    }
    if (!ceded) return false;
    take_away(*ceded);
    ceded_.push_back(*ceded);
    return true;
}

void Places::count_trials(const Address& address, Sender& sender, std::size_t trials) {
    triers_.erase({sender.trials, address});
    sender.trials = trials;
    if (trials != 0) triers_.insert({trials, address});
}

bool Places::has_place(std::uint32_t ssrc) const {
    const auto found = channels_.find(ssrc);
    return found != channels_.end() && !found->second.is_on_trial;
}

void Places::give_place(std::uint32_t ssrc, const Address& address) {
    Sender& sender = senders_[address];
    const std::size_t before = sender.places.size();
    sender.places.insert(ssrc);
    rank(address, sender, before);
    channels_[ssrc] = {address, false};
    ++places_;
}

void Places::take_away(std::uint32_t ssrc) {
    const auto channel = channels_.find(ssrc);
    const auto sender = senders_.find(channel->second.sender);
    if (channel->second.is_on_trial) {
        count_trials(sender->first, sender->second, sender->second.trials - 1);
        std::erase_if(trials_, [ssrc](const auto& trial) { return trial.second == ssrc; });
    } else {
        const std::size_t before = sender->second.places.size();
        sender->second.places.erase(ssrc);
        rank(sender->first, sender->second, before);
        --places_;
    }
    channels_.erase(channel);
    if (sender->second.places.empty() && sender->second.trials == 0) senders_.erase(sender);
}

void Places::rank(const Address& address, Sender& sender, std::size_t before) {
    if (sender.is_heard) return;
    never_heard_.erase({before, address});
    if (!sender.places.empty()) never_heard_.insert({sender.places.size(), address});
}

std::optional<std::uint32_t> Places::who_gives_way() const {
    if (never_heard_.empty()) return std::nullopt;
    return *senders_.at(never_heard_.rbegin()->second).places.rbegin();
}

bool Places::is_consistent() const {
    std::size_t places = 0, trials = 0;
    for (const auto& [ssrc, channel] : channels_) {
        const auto sender = senders_.find(channel.sender);
        if (sender == senders_.end()) return false;
        if (sender->second.places.count(ssrc) != (channel.is_on_trial ? 0u : 1u)) return false;
        ++(channel.is_on_trial ? trials : places);
    }
    std::size_t owned = 0, tried = 0, ranked = 0, triers = 0;
    for (const auto& [address, sender] : senders_) {
        owned += sender.places.size();
        tried += sender.trials;
        const bool is_ranked = !sender.is_heard && !sender.places.empty();
        if (never_heard_.count({sender.places.size(), address}) != (is_ranked ? 1u : 0u)) return false;
        ranked += is_ranked ? 1 : 0;
        if (triers_.count({sender.trials, address}) != (sender.trials != 0 ? 1u : 0u)) return false;
        triers += sender.trials != 0 ? 1 : 0;
        if (sender.places.empty() && sender.trials == 0) return false;
    }
    return places == places_ && owned == places && places <= places_max_ && tried == trials &&
           trials_.size() == trials && trials <= trials_max && ranked == never_heard_.size() &&
           triers == triers_.size();
}

}  // namespace hawser::app
