// SPDX-License-Identifier: MIT
#include "platform/app/demo/on_time.h"

#include <algorithm>

namespace hawser::demo {
namespace {

using namespace literals;

// Beyond the budget, for what comes late to be told from what never came. Untuned.
constexpr Duration forget_after = 10'000_ms;

}  // namespace

std::uint64_t payload_hash(std::span<const std::uint8_t> payload) {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const std::uint8_t byte : payload) hash = (hash ^ byte) * 0x100000001B3u;
    return hash;
}

double Figures::on_time_share() const {
    const std::uint64_t decided = sent - waiting;
    return decided == 0 ? 1.0 : static_cast<double>(on_time) / static_cast<double>(decided);
}

void OnTime::sent(std::uint32_t sequence, std::uint64_t hash, Instant now) {
    const std::lock_guard lock(mutex_);
    ++figures_.sent;
    // A new SRT session draws a new first sequence, so an equal one is an old entry whose time has passed.
    entries_[sequence] = {.sent = now, .hash = hash, .came = false};
    order_.push_back({now, sequence});
    forget(now);
}

void OnTime::refused() {
    const std::lock_guard lock(mutex_);
    ++figures_.sent;
    ++figures_.refused;
}

void OnTime::received(std::uint32_t sequence, std::uint64_t hash, Instant now) {
    const std::lock_guard lock(mutex_);
    if (last_received_ != never) figures_.longest_gap = std::max(figures_.longest_gap, now - last_received_);
    last_received_ = now;
    const auto entry = entries_.find(sequence);
    if (entry == entries_.end() || entry->second.came) {
        ++figures_.unknown;
        return;
    }
    entry->second.came = true;
    if (entry->second.hash != hash) {
        ++figures_.damaged;
        return;
    }
    ++figures_.received;
    ++(now - entry->second.sent <= budget_ ? figures_.on_time : figures_.late);
}

Figures OnTime::figures(Instant now) {
    const std::lock_guard lock(mutex_);
    Figures now_known = figures_;
    // The newest are at the end: those within the budget may still come.
    for (auto order = order_.rbegin(); order != order_.rend() && now - order->sent <= budget_; ++order) {
        const auto entry = entries_.find(order->sequence);
        if (entry != entries_.end() && !entry->second.came) ++now_known.waiting;
    }
    return now_known;
}

void OnTime::forget(Instant now) {
    while (!order_.empty() && now - order_.front().sent > budget_ + forget_after) {
        const auto entry = entries_.find(order_.front().sequence);
        if (entry != entries_.end() && entry->second.sent == order_.front().sent) entries_.erase(entry);
        order_.pop_front();
    }
}

}  // namespace hawser::demo
