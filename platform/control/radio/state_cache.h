// SPDX-License-Identifier: MIT
// What was learned of radiods, kept on disk: names and their groups, who announced itself, the channels of each group
// and what they last told. For a start that need not ask everything again; whoever uses it verifies it.
//  - Written by a worker, at most once in write_interval however many changes come, and at flush(); as a whole or not
//    at all. A counter that moves is no change: what could be set is. What is heard all the time is written anew each
//    refresh_interval_s, so that it is young in the file as well.
//  - What could not be written is written later, and at the end.
//  - What others wrote meanwhile stays (cache_state.h): of each channel the younger account wins, or its end.
//  - What would be longer than cache_file_bytes_max loses the channels that were heard longest ago.
//  - A file that is damaged or too long is told once and taken for empty; one of another version, now or later, is told
//    once and left alone.
// Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/radio/status.h"
#include "platform/control/radio/cache_file.h"
#include "platform/control/radio/cache_state.h"
#include "platform/control/worker.h"

namespace hawser::control {

[[nodiscard]] std::int64_t unix_s();

class StateCache {
public:
    using Notice = std::function<void(const std::string&)>;
    static constexpr Duration write_interval{1'000'000'000};   // from the end of one to the beginning of the next
    static constexpr Duration retry_interval{60'000'000'000};  // after one that failed; untuned
    static constexpr std::int64_t refresh_interval_s = 600;    // untuned

    // Reads the file, which blocks: at the start. An absent file is an empty one.
    StateCache(Loop& loop, std::string path, Notice notice, UnixClock clock = unix_s);
    ~StateCache();
    StateCache(const StateCache&) = delete;
    StateCache& operator=(const StateCache&) = delete;

    // Where it is unless the operator says otherwise: systemd's CACHE_DIRECTORY, XDG_CACHE_HOME/hawser,
    // HOME/.cache/hawser, /var/cache/hawser.
    [[nodiscard]] static std::string default_path();

    [[nodiscard]] const CacheState& state() const { return state_; }
    [[nodiscard]] std::optional<Endpoint> group_of(const std::string& host) const;
    // How long ago it was heard; never negative.
    [[nodiscard]] Duration age_of(const CachedChannel& channel) const;
    void learn_name(const std::string& host, const Endpoint& group);
    // What is empty or false of it is left as it was known; its channels are not looked at.
    void learn_radio(const CachedGroup& group, const CachedRadio& radio);
    // The status is the packet's. One that is longer than cached_status_bytes_max without its bins is not kept.
    void learn_channel(const CachedGroup& group, const Endpoint& source, Bytes packet, const radio::Status& status);
    void forget_channel(const CachedGroup& group, std::uint32_t ssrc);
    // Nobody of the group answered a poll: its channels may be there all the same.
    void mark_old(const CachedGroup& group);
    // Writes now what is not written yet, and waits for it; tells whoever is told when it could not be.
    void flush();
    [[nodiscard]] std::uint64_t writes() const { return writes_; }

private:
    [[nodiscard]] bool is_due(std::int64_t heard_s, std::int64_t now_s) const;
    void changed();
    void write();
    void on_written(const CacheUpdate& update);
    void finish_writing();

    std::string path_;
    Notice notice_;
    UnixClock clock_;
    CacheState state_;
    bool is_dirty_ = false;
    bool is_writing_ = false;
    bool is_foreign_ = false;
    bool is_refused_ = false;         // told, until one is written
    std::int64_t refreshed_s_ = 0;    // by the clock, which may be set: read, or given to the worker
    std::optional<Instant> written_;  // the last one's end
    std::uint64_t writes_ = 0;
    Loop& loop_;
    Timer timer_;
    Worker worker_;
};

}  // namespace hawser::control
