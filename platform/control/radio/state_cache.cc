// SPDX-License-Identifier: MIT
#include "platform/control/radio/state_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/replace_file.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

using Document = nlohmann::json;
using radio::RadioField;

constexpr int version = 1;
constexpr std::int64_t clock_error_s = 86'400;  // of a machine that wrote it with a wrong clock
constexpr std::size_t kept_names_max = 1024;
constexpr std::size_t radios_max = 1024;
constexpr std::size_t channels_max = 8192;  // the roster's

std::int64_t unix_s() { return static_cast<std::int64_t>(::time(nullptr)); }

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
    if (hex.size() % 2 != 0 || hex.size() > 2 * StateCache::status_bytes_max) return std::nullopt;
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
const Document& list_in(const Document& j, const char* key) {
    static const Document empty = Document::array();
    const auto found = j.find(key);
    return found != j.end() && found->is_array() ? *found : empty;
}

// A hash of the fields that a command could set, but for those that move by themselves.
std::uint64_t settings_of(const radio::Status& s) {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;  // FNV-1a, 64 bits
    const auto mix = [&hash](const void* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x0000'0100'0000'01B3;
    };
    for (const auto& row : wire::radio_fields) {
        const RadioField f = row.field;
        if (!row.settable || !s.has(f) || f == RadioField::command_tag || f == RadioField::lifetime ||
            (f == RadioField::gain && s.agc.enable) || (f == RadioField::rf_gain && s.frontend.agc) ||
            (f == RadioField::rf_atten && s.frontend.agc))
            continue;
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

void read_channels(const Document& list, std::int64_t now_s, CachedRadio& radio) {
    for (const Document& c : list) {
        if (!c.is_object() || radio.channels.size() == channels_max) continue;
        CachedChannel channel;
        channel.heard_s = number_in(c, "heard");
        const auto source = os::parse_endpoint(text_in(c, "from"));
        auto status = bytes_of(text_in(c, "status"));
        radio::Status decoded;
        if (!source || !status || channel.heard_s + StateCache::channel_good_for_s < now_s ||
            channel.heard_s > now_s + clock_error_s || radio::decode_status(*status, decoded))
            continue;
        channel.source = *source;
        channel.status = std::move(*status);
        channel.settings = settings_of(decoded);
        channel.is_old = flag_in(c, "old");
        radio.channels[decoded.channel.ssrc] = std::move(channel);
    }
}

std::string read_whole(const std::string& path, std::string& complaint) {
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.is_open()) {
        if (errno != ENOENT && errno != ENOTDIR) complaint = os::errno_text(Errno{errno, "open"});
        return {};
    }
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
        complaint = "it is no file";
        return {};
    }
    if (about.st_size > static_cast<off_t>(StateCache::file_bytes_max)) {
        complaint = "it is longer than any cache";
        return {};
    }
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t got = 0;
    while (got < text.size()) {
        const ssize_t n = ::read(fd.get(), text.data() + got, text.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return text;
}

}  // namespace

std::string CachedGroup::key() const { return os::endpoint_text(group) + (interface.empty() ? "" : "," + interface); }

CacheReading parse_cache(std::string_view text, std::int64_t now_s) {
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
        if (!n.is_object() || out.state.names.size() == kept_names_max) continue;
        const auto group = os::parse_endpoint(text_in(n, "group"));
        const CachedName name{group.value_or(Endpoint{}), number_in(n, "until")};
        if (group && name.until_s > now_s && name.until_s <= now_s + clock_error_s)
            out.state.names[text_in(n, "name")] = name;
    }
    for (const Document& r : list_in(j, "radios")) {
        if (!r.is_object() || out.state.radios.size() == radios_max) continue;
        const auto group = os::parse_endpoint(text_in(r, "group"));
        CachedRadio radio;
        radio.seen_s = number_in(r, "seen");
        if (!group || radio.seen_s + StateCache::radio_good_for_s < now_s || radio.seen_s > now_s + clock_error_s)
            continue;
        radio.name = text_in(r, "name");
        radio.description = text_in(r, "description");
        radio.interface = text_in(r, "interface");
        radio.is_announced = flag_in(r, "announced");
        read_channels(list_in(r, "channels"), now_s, radio);
        radio.group = *group;
        out.state.radios[CachedGroup(*group, radio.interface).key()] = std::move(radio);
    }
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
        j["radios"].push_back(std::move(r));
    }
    // Names come from the network: what is no UTF-8 is replaced.
    return j.dump(-1, ' ', false, Document::error_handler_t::replace) + "\n";
}

void bound_cache(CacheState& state, std::size_t bytes_max) {
    // More than the text around a status and around a radio's name, description and interface.
    constexpr std::size_t channel_bytes = 128;
    constexpr std::size_t radio_bytes = 1024;
    struct Entry {
        std::int64_t heard_s;
        CachedRadio* radio;
        std::uint32_t ssrc;
        std::size_t bytes;
    };
    std::vector<Entry> all;
    for (auto& [group, radio] : state.radios)
        for (const auto& [ssrc, c] : radio.channels)
            all.push_back({c.heard_s, &radio, ssrc, 2 * c.status.size() + channel_bytes});
    std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.heard_s > b.heard_s; });
    std::size_t bytes = (state.radios.size() + state.names.size()) * radio_bytes;
    for (const Entry& e : all) {
        bytes += e.bytes;
        if (bytes > bytes_max) e.radio->channels.erase(e.ssrc);
    }
}

void merge_cache(CacheState& into, const CacheState& other) {
    for (const auto& [name, known] : other.names) {
        const auto [at, is_new] = into.names.try_emplace(name, known);
        if (!is_new && at->second.until_s < known.until_s) at->second = known;
    }
    for (const auto& [group, radio] : other.radios) {
        const auto [at, is_new] = into.radios.try_emplace(group, radio);
        if (!is_new && at->second.seen_s < radio.seen_s) at->second = radio;
    }
}

StateCache::StateCache(Loop& loop, std::string path, Notice notice)
    : loop_(loop), path_(std::move(path)), notice_(std::move(notice)), worker_(loop, "hawser-cache") {
    std::string complaint;
    const std::string text = read_whole(path_, complaint);
    CacheReading reading = parse_cache(text, unix_s());
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
    if (found == state_.names.end() || found->second.until_s <= unix_s()) return std::nullopt;
    return found->second.group;
}

void StateCache::learn_name(const std::string& host, const Endpoint& group) {
    if (state_.names.size() >= kept_names_max && state_.names.count(host) == 0) return;
    state_.names[host] = {group, unix_s() + name_good_for_s};
    changed();
}

void StateCache::learn_radio(const CachedGroup& group, const CachedRadio& radio) {
    const std::string key = group.key();
    if (state_.radios.size() >= radios_max && state_.radios.count(key) == 0) return;
    CachedRadio& known = state_.radios[key];
    known.group = group.group;
    known.interface = group.interface;
    bool is_change = known.seen_s + name_good_for_s < unix_s();
    const auto take = [&is_change](std::string& to, const std::string& from) {
        if (from.empty() || from == to) return;
        to = from;
        is_change = true;
    };
    take(known.name, radio.name);
    take(known.description, radio.description);
    is_change = is_change || (radio.is_announced && !known.is_announced);
    known.is_announced = known.is_announced || radio.is_announced;
    known.seen_s = unix_s();
    if (is_change) changed();
}

void StateCache::learn_channel(const CachedGroup& group, const Endpoint& source, Bytes packet,
                               const radio::Status& status) {
    if (packet.size() > status_bytes_max) return;
    const auto found = state_.radios.find(group.key());
    if (found == state_.radios.end()) return;
    CachedRadio& radio = found->second;
    radio.seen_s = unix_s();
    if (radio.channels.size() >= channels_max && radio.channels.count(status.channel.ssrc) == 0) return;
    CachedChannel& channel = radio.channels[status.channel.ssrc];
    const std::uint64_t settings = settings_of(status);
    // Whoever reads it an hour later is to know that it was there until now.
    const bool was_long_ago = channel.heard_s + name_good_for_s < unix_s();
    const bool is_change =
        channel.settings != settings || !(channel.source == source) || was_long_ago || channel.is_old;
    channel.is_old = false;
    channel.settings = settings;
    channel.source = source;
    channel.heard_s = unix_s();
    if (!is_change) return;
    channel.status.assign(packet.begin(), packet.end());
    changed();
}

void StateCache::forget_channel(const CachedGroup& group, std::uint32_t ssrc) {
    const auto found = state_.radios.find(group.key());
    if (found != state_.radios.end() && found->second.channels.erase(ssrc) != 0) changed();
}

void StateCache::mark_old(const CachedGroup& group) {
    const auto found = state_.radios.find(group.key());
    if (found == state_.radios.end()) return;
    bool is_change = false;
    for (auto& [ssrc, c] : found->second.channels) is_change = !std::exchange(c.is_old, true) || is_change;
    if (is_change) changed();
}

void StateCache::changed() {
    if (is_foreign_ || std::exchange(is_dirty_, true)) return;
    const Instant now = os::now();
    timer_.set(writes_ == 0 ? now + write_interval : std::max(now, written_ + write_interval));
}

void StateCache::write() {
    if (!is_dirty_) return;
    const bool is_posted = worker_.post([state = state_, path = path_, this]() mutable -> Worker::Done {
        std::string ignored;
        // Another hawser may have written since: it knows other radiods.
        merge_cache(state, parse_cache(read_whole(path, ignored), unix_s()).state);
        bound_cache(state, file_bytes_max);
        const auto written = os::replace_file(path, cache_text(state), {.is_durable = true, .makes_folder = true});
        if (written) return {};
        return [this, path, error = written.error()] {
            if (!std::exchange(is_refused_, true))
                notice_("the cache " + path + " cannot be written: " + os::errno_text(error));
        };
    });
    written_ = os::now();
    ++writes_;
    // A disk that is behind gets the newest state later.
    is_dirty_ = !is_posted;
    if (is_dirty_) timer_.set(written_ + write_interval);
}

void StateCache::flush() {
    write();
    worker_.finish();
    if (is_dirty_) {
        // The queue was full then.
        write();
        worker_.finish();
    }
    // Nobody may run the loop any more.
    worker_.hand_out();
}

}  // namespace hawser::control
