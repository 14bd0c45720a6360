// SPDX-License-Identifier: MIT
// The cache's file as text: JSON of one version. What does not read is an empty state with the reason; an entry that
// does not read is left out alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "platform/control/radio/cache_state.h"

namespace hawser::control {

inline constexpr std::size_t cached_names_max = 1024;
inline constexpr std::size_t cached_radios_max = 1024;
inline constexpr std::size_t cached_channels_max = 8192;      // of a radio: the roster's
inline constexpr std::size_t cached_status_bytes_max = 1024;  // longer ones are not kept

struct CacheReading {
    CacheState state;
    std::string complaint;
    bool is_foreign = false;  // of a newer hawser, to whom it is left
};
// All that it says, of whatever time.
[[nodiscard]] CacheReading read_cache(std::string_view text);
// What of it may be used now.
[[nodiscard]] CacheReading parse_cache(std::string_view text, std::int64_t now_s);
[[nodiscard]] std::string cache_text(const CacheState& state);

}  // namespace hawser::control
