// SPDX-License-Identifier: MIT
#include "platform/control/radio/cache_state.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "engine/radio/automatic.h"
#include "engine/wire/radio_tlv.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

using radio::RadioField;

// Where a moment stands among others. One that cannot have been yet was noted by a wrong clock: whatever was noted
// within the last hour is taken for younger.
std::int64_t order_of(std::int64_t at_s, std::int64_t now_s) {
    constexpr std::int64_t doubt_s = 3600;  // untuned
    return at_s > now_s + clock_drift_s ? now_s - doubt_s : at_s;
}
bool is_far_ahead(std::int64_t at_s, std::int64_t now_s) { return at_s > now_s + clock_error_s; }
bool is_usable(std::int64_t at_s, std::int64_t good_for_s, std::int64_t now_s) {
    return !is_far_ahead(at_s, now_s) && at_s >= now_s - good_for_s;
}
// What is far ahead stays as it is: perhaps it is now that the clock is wrong.
std::int64_t kept_time(std::int64_t at_s, std::int64_t now_s) {
    return is_far_ahead(at_s, now_s) ? at_s : order_of(at_s, now_s);
}
std::int64_t learned_s(const CachedName& name) { return name.until_s - name_good_for_s; }

// This process's clock has been set back since where its own account is of the future.
void correct_own(CacheState& own, std::int64_t now_s) {
    for (auto& [name, known] : own.names) known.until_s = order_of(learned_s(known), now_s) + name_good_for_s;
    for (auto& [key, radio] : own.radios) {
        radio.seen_s = order_of(radio.seen_s, now_s);
        for (auto& [ssrc, c] : radio.channels) c.heard_s = order_of(c.heard_s, now_s);
        for (auto& [ssrc, at_s] : radio.gone) at_s = order_of(at_s, now_s);
    }
}

void merge_channels(CachedRadio& own, const CachedRadio& file, std::int64_t now_s) {
    for (const auto& [ssrc, c] : file.channels) {
        const auto [at, is_new] = own.channels.try_emplace(ssrc, c);
        if (!is_new && order_of(at->second.heard_s, now_s) < order_of(c.heard_s, now_s)) at->second = c;
    }
    for (const auto& [ssrc, at_s] : file.gone) {
        const auto [at, is_new] = own.gone.try_emplace(ssrc, at_s);
        if (!is_new && order_of(at->second, now_s) < order_of(at_s, now_s)) at->second = at_s;
    }
    // Heard in the second in which it went, it was heard before: its end is what was noted last.
    std::erase_if(own.gone, [&](const auto& gone) {
        const auto channel = own.channels.find(gone.first);
        if (channel == own.channels.end()) return false;
        if (order_of(channel->second.heard_s, now_s) > order_of(gone.second, now_s)) return true;
        own.channels.erase(channel);
        return false;
    });
}

void merge_radio(CachedRadio& own, const CachedRadio& file, std::int64_t now_s) {
    const bool is_younger = order_of(own.seen_s, now_s) < order_of(file.seen_s, now_s);
    const auto take = [is_younger](std::string& to, const std::string& from) {
        if (!from.empty() && (is_younger || to.empty())) to = from;
    };
    take(own.name, file.name);
    take(own.description, file.description);
    own.is_announced = own.is_announced || file.is_announced;
    if (is_younger) own.seen_s = file.seen_s;
    merge_channels(own, file, now_s);
}

void settle(CacheState& state, std::int64_t now_s) {
    std::erase_if(state.names, [&](const auto& n) { return !is_kept(learned_s(n.second), name_good_for_s, now_s); });
    for (auto& [name, known] : state.names) known.until_s = kept_time(learned_s(known), now_s) + name_good_for_s;
    for (auto& [key, radio] : state.radios) {
        std::erase_if(radio.channels,
                      [&](const auto& c) { return !is_kept(c.second.heard_s, channel_good_for_s, now_s); });
        std::erase_if(radio.gone, [&](const auto& g) { return !is_kept(g.second, channel_good_for_s, now_s); });
        radio.seen_s = kept_time(radio.seen_s, now_s);
        for (auto& [ssrc, c] : radio.channels) c.heard_s = kept_time(c.heard_s, now_s);
        for (auto& [ssrc, at_s] : radio.gone) at_s = kept_time(at_s, now_s);
    }
    std::erase_if(state.radios, [&](const auto& r) {
        return r.second.channels.empty() && !is_kept(r.second.seen_s, radio_good_for_s, now_s);
    });
}

}  // namespace

bool is_kept(std::int64_t at_s, std::int64_t good_for_s, std::int64_t now_s) {
    return at_s >= now_s - good_for_s - clock_error_s;
}

std::string CachedGroup::key() const { return os::endpoint_text(group) + (interface.empty() ? "" : "," + interface); }

std::uint64_t settings_of(const radio::Status& s) {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;  // FNV-1a, 64 bits
    const auto mix = [&hash](const void* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x0000'0100'0000'01B3;
    };
    for (const auto& row : wire::radio_fields) {
        const RadioField f = row.field;
        if (!row.settable || !s.has(f) || f == RadioField::command_tag || radio::moves_by_itself(f, s)) continue;
        mix(&f, sizeof f);
        std::visit(
            [&](const auto& v) {
                using V = std::decay_t<decltype(v)>;
                if constexpr (std::is_same_v<V, std::string_view>)
                    mix(v.data(), v.size());
                else if constexpr (std::is_same_v<V, Endpoint>)
                    mix(v.address.data(), v.address.size());
                else if constexpr (std::is_arithmetic_v<V>)
                    mix(&v, sizeof v);
            },
            radio::value_of(s, f));
    }
    return hash;
}

std::vector<std::uint8_t> without_bins(Bytes packet) {
    auto reader = wire::RadioReader::over(packet);
    if (!reader) return {};
    // The end mark may be new, and a length of 128 or more be written with one byte more.
    std::vector<std::uint8_t> out(packet.size() + packet.size() / 128 + 1);
    wire::RadioBuilder builder(out, reader->type());
    wire::RadioElement e;
    while (reader->next(e)) {
        const auto field = static_cast<RadioField>(e.field);
        if (field != RadioField::bin_data && field != RadioField::bin_byte_data) builder.bytes(field, e.value);
    }
    const auto whole = builder.finish();
    if (!whole || reader->is_damaged()) return {};
    out.resize(whole->size());
    return out;
}

void keep_usable(CacheState& state, std::int64_t now_s) {
    std::erase_if(state.names, [&](const auto& n) {
        return n.second.until_s <= now_s || learned_s(n.second) > now_s + clock_drift_s;
    });
    for (auto& [key, radio] : state.radios) {
        std::erase_if(radio.channels,
                      [&](const auto& c) { return !is_usable(c.second.heard_s, channel_good_for_s, now_s); });
        std::erase_if(radio.gone, [&](const auto& g) { return !is_usable(g.second, channel_good_for_s, now_s); });
    }
    std::erase_if(state.radios, [&](const auto& r) {
        return r.second.channels.empty() && !is_usable(r.second.seen_s, radio_good_for_s, now_s);
    });
    correct_own(state, now_s);
}

void merge_cache(CacheState& own, const CacheState& file, std::int64_t now_s) {
    correct_own(own, now_s);
    for (const auto& [name, known] : file.names) {
        const auto [at, is_new] = own.names.try_emplace(name, known);
        if (!is_new && order_of(learned_s(at->second), now_s) < order_of(learned_s(known), now_s)) at->second = known;
    }
    for (const auto& [key, radio] : file.radios) {
        const auto [at, is_new] = own.radios.try_emplace(key, radio);
        if (!is_new) merge_radio(at->second, radio, now_s);
    }
    settle(own, now_s);
}

void bound_cache(CacheState& state, std::size_t bytes_max) {
    // More than the text around a status, of an end, and around a radio's name, description and interface.
    constexpr std::size_t channel_bytes = 128;
    constexpr std::size_t gone_bytes = 32;
    constexpr std::size_t radio_bytes = 1024;
    struct Entry {
        std::int64_t at_s;
        CachedRadio* radio;
        std::uint32_t ssrc;
        std::size_t bytes;
    };
    std::vector<Entry> all;
    for (auto& [key, radio] : state.radios) {
        for (const auto& [ssrc, c] : radio.channels)
            all.push_back({c.heard_s, &radio, ssrc, 2 * c.status.size() + channel_bytes});
        for (const auto& [ssrc, at_s] : radio.gone) all.push_back({at_s, &radio, ssrc, gone_bytes});
    }
    std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.at_s > b.at_s; });
    std::size_t bytes = (state.radios.size() + state.names.size()) * radio_bytes;
    for (const Entry& e : all) {
        bytes += e.bytes;
        if (bytes <= bytes_max) continue;
        e.radio->channels.erase(e.ssrc);
        e.radio->gone.erase(e.ssrc);
    }
}

}  // namespace hawser::control
