// SPDX-License-Identifier: MIT
// What was learned of radiods, kept on disk: names and their groups, who announced itself, the channels of each group
// and what they last told. For a start that need not ask everything again; whoever uses it verifies it.
//  - Written by a worker, at most once in write_interval however many changes come, and at flush(); as a whole or not
//    at all. A counter that moves is no change: what could be set is.
//  - What others wrote meanwhile stays: of each group the younger account wins.
//  - What would be longer than file_bytes_max loses the channels that were heard longest ago.
//  - A file that is damaged or too long is told once and taken for empty; one of another version is left alone too.
// Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/radio/status.h"
#include "platform/control/worker.h"

namespace hawser::control {

struct CachedChannel {
    Endpoint source;
    std::int64_t heard_s = 0;  // Unix time
    std::vector<std::uint8_t> status;
    std::uint64_t settings = 0;  // a hash of what could be set
    bool is_old = false;         // nobody of its group answered since: good until its time is over
};

// One group by two interfaces is two radiods'.
struct CachedGroup {
    // Conversion is meant: most groups are known by their address alone.
    CachedGroup(const Endpoint& at, std::string by = {}) : group(at), interface(std::move(by)) {}
    Endpoint group;
    std::string interface;  // its name; empty: where the route goes
    // "239.1.2.3:5006", or "239.1.2.3:5006,eth0".
    [[nodiscard]] std::string key() const;
};

struct CachedRadio {
    std::string name;  // as it was asked for or announced
    std::string description;
    std::string interface;
    bool is_announced = false;
    std::int64_t seen_s = 0;  // something of it was heard or announced
    std::map<std::uint32_t, CachedChannel> channels;
    Endpoint group{};
};

struct CachedName {
    Endpoint group;
    std::int64_t until_s = 0;
};

// The file's content; what does not read is an empty state with the reason.
struct CacheState {
    std::map<std::string, CachedName> names;
    std::map<std::string, CachedRadio> radios;  // by CachedGroup::key()
};
struct CacheReading {
    CacheState state;
    std::string complaint;
    bool is_foreign = false;  // of a newer hawser, to whom it is left
};
[[nodiscard]] CacheReading parse_cache(std::string_view text, std::int64_t now_s);
[[nodiscard]] std::string cache_text(const CacheState& state);
// Forgets the channels that were heard longest ago until the text is no longer than that, of names of usual length.
void bound_cache(CacheState& state, std::size_t bytes_max);
// Of each name and radio the younger account.
void merge_cache(CacheState& into, const CacheState& other);

class StateCache {
public:
    using Notice = std::function<void(const std::string&)>;
    static constexpr Duration write_interval{1'000'000'000};
    static constexpr std::int64_t name_good_for_s = 600;              // untuned
    static constexpr std::int64_t channel_good_for_s = 24 * 3600;     // untuned
    static constexpr std::int64_t radio_good_for_s = 30 * 24 * 3600;  // untuned
    static constexpr std::size_t file_bytes_max = 16 << 20;           // 8192 channels are 6 MB
    static constexpr std::size_t status_bytes_max = 1024;             // without bins; longer ones are not kept

    // Reads the file, which blocks: at the start. An absent file is an empty one.
    StateCache(Loop& loop, std::string path, Notice notice);
    ~StateCache();
    StateCache(const StateCache&) = delete;
    StateCache& operator=(const StateCache&) = delete;

    // Where it is unless the operator says otherwise: systemd's CACHE_DIRECTORY, XDG_CACHE_HOME/hawser,
    // HOME/.cache/hawser, /var/cache/hawser.
    [[nodiscard]] static std::string default_path();

    [[nodiscard]] const CacheState& state() const { return state_; }
    [[nodiscard]] std::optional<Endpoint> group_of(const std::string& host) const;
    void learn_name(const std::string& host, const Endpoint& group);
    // What is empty or false of it is left as it was known; its channels are not looked at.
    void learn_radio(const CachedGroup& group, const CachedRadio& radio);
    void learn_channel(const CachedGroup& group, const Endpoint& source, Bytes packet, const radio::Status& status);
    void forget_channel(const CachedGroup& group, std::uint32_t ssrc);
    // Nobody of the group answered a poll: its channels may be there all the same.
    void mark_old(const CachedGroup& group);
    // Writes now what is not written yet, and waits for it; tells whoever is told when it could not be.
    void flush();
    [[nodiscard]] std::uint64_t writes() const { return writes_; }

private:
    void changed();
    void write();

    Loop& loop_;
    std::string path_;
    Notice notice_;
    CacheState state_;
    bool is_dirty_ = false;
    bool is_foreign_ = false;
    bool is_refused_ = false;  // told once
    Instant written_;
    std::uint64_t writes_ = 0;
    Timer timer_;
    Worker worker_;
};

}  // namespace hawser::control
