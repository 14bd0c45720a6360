// SPDX-License-Identifier: MIT
#include "platform/control/radio/state_cache.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "platform/control/radio/cache_text.h"
#include "platform/linux/clock.h"
#include "platform/linux/errno_text.h"

namespace hawser::control {

std::int64_t unix_s() { return static_cast<std::int64_t>(::time(nullptr)); }

StateCache::StateCache(Loop& loop, std::string path, Notice notice, UnixClock clock)
    : path_(std::move(path)),
      notice_(std::move(notice)),
      clock_(std::move(clock)),
      loop_(loop),
      worker_(loop, "hawser-cache") {
    std::string complaint;
    const std::string text = read_cache_file(path_, complaint);
    refreshed_s_ = clock_();
    CacheReading reading = parse_cache(text, refreshed_s_);
    state_ = std::move(reading.state);
    if (complaint.empty()) complaint = reading.complaint;
    is_foreign_ = reading.is_foreign;
    if (!complaint.empty()) notice_("the cache " + path_ + " is not used: " + complaint);
    loop_.watch(timer_.fd(), [this] {
        timer_.acknowledge();
        write();
    });
}

StateCache::~StateCache() {
    flush();
    loop_.unwatch(timer_.fd());
}

std::string StateCache::default_path() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        // A relative one is to be ignored (XDG base directories).
        return value != nullptr && value[0] == '/' ? std::string(value) : std::string();
    };
    // systemd gives several folders with colons between.
    if (const std::string d = variable("CACHE_DIRECTORY"); !d.empty()) return d.substr(0, d.find(':')) + "/radio.json";
    if (const std::string d = variable("XDG_CACHE_HOME"); !d.empty()) return d + "/hawser/radio.json";
    if (const std::string d = variable("HOME"); !d.empty()) return d + "/.cache/hawser/radio.json";
    return "/var/cache/hawser/radio.json";
}

std::optional<Endpoint> StateCache::group_of(const std::string& host) const {
    const auto found = state_.names.find(host);
    if (found == state_.names.end() || found->second.until_s <= clock_()) return std::nullopt;
    return found->second.group;
}

Duration StateCache::age_of(const CachedChannel& channel) const {
    return Duration{std::max<std::int64_t>(clock_() - channel.heard_s, 0) * 1'000'000'000};
}

void StateCache::learn_name(const std::string& host, const Endpoint& group) {
    if (state_.names.size() >= cached_names_max && state_.names.count(host) == 0) return;
    state_.names[host] = {group, clock_() + name_good_for_s};
    changed();
}

// Whoever reads it an hour later is to know that it was there until now. A clock that was set makes the file's times
// wrong by as much.
bool StateCache::is_due(std::int64_t heard_s, std::int64_t now_s) const {
    return std::abs(now_s - heard_s) >= refresh_interval_s || std::abs(now_s - refreshed_s_) >= refresh_interval_s;
}

void StateCache::learn_radio(const CachedGroup& group, const CachedRadio& radio) {
    const std::string key = group.key();
    if (state_.radios.size() >= cached_radios_max && state_.radios.count(key) == 0) return;
    CachedRadio& known = state_.radios[key];
    known.group = group.group;
    known.interface = group.interface;
    const std::int64_t now_s = clock_();
    bool is_change = is_due(known.seen_s, now_s);
    const auto take = [&is_change](std::string& to, const std::string& from) {
        if (from.empty() || from == to) return;
        to = from;
        is_change = true;
    };
    take(known.name, radio.name);
    take(known.description, radio.description);
    is_change = is_change || (radio.is_announced && !known.is_announced);
    known.is_announced = known.is_announced || radio.is_announced;
    known.seen_s = now_s;
    if (is_change) changed();
}

void StateCache::learn_channel(const CachedGroup& group, const Endpoint& source, Bytes packet,
                               const radio::Status& status) {
    const auto found = state_.radios.find(group.key());
    if (found == state_.radios.end()) return;
    CachedRadio& radio = found->second;
    const std::int64_t now_s = clock_();
    radio.seen_s = now_s;
    const std::uint32_t ssrc = status.channel.ssrc;
    const std::uint64_t settings = settings_of(status);
    const auto known = radio.channels.find(ssrc);
    if (known != radio.channels.end()) {
        CachedChannel& c = known->second;
        const bool is_same = c.settings == settings && c.source == source && !c.is_old;
        if (is_same && !is_due(std::exchange(c.heard_s, now_s), now_s)) return;
    } else if (radio.channels.size() >= cached_channels_max) {
        return;
    }
    const bool has_bins = !status.spectrum.bins.empty() || !status.spectrum.byte_bins.empty();
    std::vector<std::uint8_t> kept = has_bins ? without_bins(packet) : std::vector(packet.begin(), packet.end());
    if (kept.empty() || kept.size() > cached_status_bytes_max) return;
    std::int64_t heard_s = now_s;
    // It is there again: younger than its end, though it be in the same second.
    if (const auto gone = radio.gone.extract(ssrc); !gone.empty() && gone.mapped() - now_s < clock_drift_s)
        heard_s = std::max(now_s, gone.mapped() + 1);
    radio.channels[ssrc] = {source, heard_s, std::move(kept), settings, false};
    changed();
}

void StateCache::forget_channel(const CachedGroup& group, std::uint32_t ssrc) {
    const auto found = state_.radios.find(group.key());
    if (found == state_.radios.end()) return;
    CachedRadio& radio = found->second;
    const auto channel = radio.channels.extract(ssrc);
    if (channel.empty()) return;
    const std::int64_t now_s = clock_();
    const std::int64_t heard_s = channel.mapped().heard_s;
    // Without room it may come back out of another's memory until its time is over.
    if (radio.gone.size() < cached_channels_max)
        radio.gone[ssrc] = heard_s - now_s <= clock_drift_s ? std::max(now_s, heard_s) : now_s;
    changed();
}

void StateCache::mark_old(const CachedGroup& group) {
    const auto found = state_.radios.find(group.key());
    if (found == state_.radios.end()) return;
    bool is_change = false;
    for (auto& [ssrc, c] : found->second.channels) is_change = !std::exchange(c.is_old, true) || is_change;
    if (is_change) changed();
}

void StateCache::changed() {
    if (is_foreign_ || std::exchange(is_dirty_, true) || is_writing_) return;
    const Instant now = os::now();
    timer_.set(written_ ? std::max(now, *written_ + write_interval) : now + write_interval);
}

void StateCache::write() {
    if (!is_dirty_ || is_writing_) return;
    const std::int64_t now_s = clock_();
    // What they are to keep from coming back is too old by now.
    for (auto& [key, radio] : state_.radios)
        std::erase_if(radio.gone, [&](const auto& g) { return !is_kept(g.second, channel_good_for_s, now_s); });
    is_writing_ = worker_.post([state = state_, path = path_, clock = clock_, this]() mutable -> Worker::Done {
        const CacheUpdate update = update_cache_file(path, std::move(state), clock);
        return [this, update] { on_written(update); };
    });
    if (!is_writing_) {  // no thread can be had
        timer_.set(os::now() + retry_interval);
        return;
    }
    is_dirty_ = false;
    refreshed_s_ = now_s;
    ++writes_;
}

void StateCache::on_written(const CacheUpdate& update) {
    is_writing_ = false;
    written_ = os::now();
    if (update.is_foreign) {
        // A newer hawser was started beside this one.
        is_foreign_ = true;
        is_dirty_ = false;
        return notice_("the cache " + path_ + " is not used any more: it is of another version of hawser");
    }
    if (update.error) {
        is_dirty_ = true;
        timer_.set(*written_ + retry_interval);
        if (std::exchange(is_refused_, true)) return;
        return notice_("the cache " + path_ + " cannot be written: " + os::errno_text(*update.error));
    }
    is_refused_ = false;
    if (is_dirty_) timer_.set(*written_ + write_interval);
}

// Nobody may run the loop any more.
void StateCache::finish_writing() {
    worker_.finish();
    worker_.hand_out();
}

void StateCache::flush() {
    finish_writing();
    write();
    finish_writing();
}

}  // namespace hawser::control
