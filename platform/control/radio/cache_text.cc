// SPDX-License-Identifier: MIT
#include "platform/control/radio/cache_text.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

using Document = nlohmann::json;

constexpr int version = 1;

std::string hex_of(const std::vector<std::uint8_t>& bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t b : bytes) {
        out += digits[b >> 4];
        out += digits[b & 15];
    }
    return out;
}

std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    return std::nullopt;
}

std::optional<std::vector<std::uint8_t>> bytes_of(const std::string& hex) {
    if (hex.size() % 2 != 0 || hex.size() > 2 * cached_status_bytes_max) return std::nullopt;
    std::vector<std::uint8_t> out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = digit(hex[i]);
        const auto low = digit(hex[i + 1]);
        if (!high || !low) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return out;
}

// Members of the wanted kind; anything else is as good as absent.
std::string text_in(const Document& j, const char* key) {
    const auto found = j.find(key);
    return found != j.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::int64_t number_in(const Document& j, const char* key) {
    const auto found = j.find(key);
    return found != j.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
bool flag_in(const Document& j, const char* key) {
    const auto found = j.find(key);
    return found != j.end() && found->is_boolean() && found->get<bool>();
}
// Seconds; what no clock shows is as long ago as can be.
std::int64_t time_in(const Document& j) {
    constexpr std::int64_t time_max_s = std::int64_t{1} << 33;  // in the year 2242: sums of it overflow nothing
    const std::int64_t s = j.is_number_integer() ? j.get<std::int64_t>() : 0;
    return s >= 0 && s <= time_max_s ? s : 0;
}
std::int64_t time_in(const Document& j, const char* key) {
    const auto found = j.find(key);
    return found != j.end() ? time_in(*found) : 0;
}
const Document& list_in(const Document& j, const char* key) {
    static const Document empty = Document::array();
    const auto found = j.find(key);
    return found != j.end() && found->is_array() ? *found : empty;
}

void read_channels(const Document& list, CachedRadio& radio) {
    for (const Document& c : list) {
        if (!c.is_object() || radio.channels.size() == cached_channels_max) continue;
        CachedChannel channel;
        const auto source = os::parse_endpoint(text_in(c, "from"));
        auto status = bytes_of(text_in(c, "status"));
        radio::Status decoded;
        if (!source || !status || radio::decode_status(*status, decoded)) continue;
        channel.heard_s = time_in(c, "heard");
        channel.source = *source;
        channel.status = std::move(*status);
        channel.settings = settings_of(decoded);
        channel.is_old = flag_in(c, "old");
        radio.channels[decoded.channel.ssrc] = std::move(channel);
    }
}

// Pairs of number and time.
void read_gone(const Document& list, CachedRadio& radio) {
    for (const Document& g : list) {
        if (!g.is_array() || g.size() != 2 || !g[0].is_number_unsigned()) continue;
        const auto ssrc = g[0].get<std::uint64_t>();
        if (ssrc > 0xFFFF'FFFF || radio.channels.count(static_cast<std::uint32_t>(ssrc)) != 0) continue;
        if (radio.gone.size() < cached_channels_max) radio.gone[static_cast<std::uint32_t>(ssrc)] = time_in(g[1]);
    }
}

}  // namespace

CacheReading read_cache(std::string_view text) {
    CacheReading out;
    if (text.empty()) return out;
    const Document j = Document::parse(text, nullptr, false);
    if (!j.is_object() || !j.contains("hawser_radio_cache")) {
        out.complaint = "it is damaged";
        return out;
    }
    if (number_in(j, "hawser_radio_cache") != version) {
        out.complaint = "it is of another version of hawser";
        out.is_foreign = true;
        return out;
    }
    for (const Document& n : list_in(j, "names")) {
        if (!n.is_object() || out.state.names.size() == cached_names_max) continue;
        if (const auto group = os::parse_endpoint(text_in(n, "group")))
            out.state.names[text_in(n, "name")] = {*group, time_in(n, "until")};
    }
    for (const Document& r : list_in(j, "radios")) {
        if (!r.is_object() || out.state.radios.size() == cached_radios_max) continue;
        const auto group = os::parse_endpoint(text_in(r, "group"));
        if (!group) continue;
        CachedRadio radio;
        radio.seen_s = time_in(r, "seen");
        radio.name = text_in(r, "name");
        radio.description = text_in(r, "description");
        radio.interface = text_in(r, "interface");
        radio.is_announced = flag_in(r, "announced");
        read_channels(list_in(r, "channels"), radio);
        read_gone(list_in(r, "gone"), radio);
        radio.group = *group;
        out.state.radios[CachedGroup(*group, radio.interface).key()] = std::move(radio);
    }
    return out;
}

CacheReading parse_cache(std::string_view text, std::int64_t now_s) {
    CacheReading out = read_cache(text);
    keep_usable(out.state, now_s);
    return out;
}

std::string cache_text(const CacheState& state) {
    Document j = {{"hawser_radio_cache", version}, {"names", Document::array()}, {"radios", Document::array()}};
    for (const auto& [name, known] : state.names)
        j["names"].push_back({{"name", name}, {"group", os::endpoint_text(known.group)}, {"until", known.until_s}});
    for (const auto& [key, radio] : state.radios) {
        Document r = {{"group", key.substr(0, key.find(','))}, {"name", radio.name},
                      {"description", radio.description},      {"interface", radio.interface},
                      {"announced", radio.is_announced},       {"seen", radio.seen_s},
                      {"channels", Document::array()}};
        for (const auto& [ssrc, c] : radio.channels) {
            r["channels"].push_back({{"ssrc", ssrc},
                                     {"from", os::endpoint_text(c.source)},
                                     {"heard", c.heard_s},
                                     {"status", hex_of(c.status)}});
            if (c.is_old) r["channels"].back()["old"] = true;
        }
        for (const auto& [ssrc, at_s] : radio.gone) r["gone"].push_back({ssrc, at_s});
        j["radios"].push_back(std::move(r));
    }
    // Names come from the network: what is no UTF-8 is replaced.
    return j.dump(-1, ' ', false, Document::error_handler_t::replace) + "\n";
}

}  // namespace hawser::control
