// SPDX-License-Identifier: MIT
// What was learned of radiods, as the cache holds it, and how the accounts of several processes become one: names and
// their groups, who announced itself, the channels of each group and what they last told, and which have gone.
//  - Times are Unix seconds of this machine's clock, which may have been wrong when they were noted, and may be wrong
//    now. By up to clock_error_s a time of the future is taken for one of an hour ago; what is further ahead is not
//    used, but stays in the file: the clock may be behind. What has become too old stays as much longer: it may be
//    ahead.
//  - A channel that has gone is remembered as gone for as long as anybody's older account of it could bring it back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/radio/status.h"

namespace hawser::control {

inline constexpr std::int64_t name_good_for_s = 600;              // untuned
inline constexpr std::int64_t channel_good_for_s = 24 * 3600;     // untuned
inline constexpr std::int64_t radio_good_for_s = 30 * 24 * 3600;  // untuned
inline constexpr std::int64_t clock_error_s = 24 * 3600;          // untuned
inline constexpr std::int64_t clock_drift_s = 60;                 // so little is no error: clocks are slewed

struct CachedChannel {
    Endpoint source;
    std::int64_t heard_s = 0;
    std::vector<std::uint8_t> status;  // without bins
    std::uint64_t settings = 0;        // settings_of() the status
    bool is_old = false;               // nobody of its group answered since: good until its time is over
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
    std::string name;  // as it was asked for or announced; empty: by its group alone
    std::string description;
    std::string interface;
    bool is_announced = false;
    std::int64_t seen_s = 0;  // something of it was heard or announced
    std::map<std::uint32_t, CachedChannel> channels;
    Endpoint group{};
    std::map<std::uint32_t, std::int64_t> gone{};  // when; none of them is in `channels`
};

struct CachedName {
    Endpoint group;
    std::int64_t until_s = 0;
};

struct CacheState {
    std::map<std::string, CachedName> names;
    std::map<std::string, CachedRadio> radios;  // by CachedGroup::key()
};

// A hash of the fields that a command could set, but for those that move by themselves.
[[nodiscard]] std::uint64_t settings_of(const radio::Status& status);
// The packet as far as it tells of the channel: a sweep is no news an hour later, and may be as long as a datagram.
// Empty where the packet cannot be read.
[[nodiscard]] std::vector<std::uint8_t> without_bins(Bytes packet);

// Whether the file keeps what was noted then and may be used for so long.
[[nodiscard]] bool is_kept(std::int64_t at_s, std::int64_t good_for_s, std::int64_t now_s);
// Leaves what may be used now: neither too old nor of the future.
void keep_usable(CacheState& state, std::int64_t now_s);
// Into one process's account, what the file says beside it: the younger of each name, channel and end of a channel, and
// its own where they are equally old. What nobody can use any more is left out.
void merge_cache(CacheState& own, const CacheState& file, std::int64_t now_s);
// Forgets the channels, and the ends of channels, of longest ago until the text is no longer than that, of names of
// usual length.
void bound_cache(CacheState& state, std::size_t bytes_max);

}  // namespace hawser::control
