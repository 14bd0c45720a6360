// SPDX-License-Identifier: MIT
// The cache's file, shared by every hawser of the user: who writes reads first what others wrote, and nobody else
// writes between the two. Blocks; for a worker, or for the start.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "platform/control/radio/cache_state.h"

namespace hawser::control {

inline constexpr std::size_t cache_file_bytes_max = 16 << 20;  // 8192 channels are 6 MB

// Unix time in seconds; called by the worker too.
using UnixClock = std::function<std::int64_t()>;

// Empty where it is absent; else empty with a complaint where it cannot be read.
[[nodiscard]] std::string read_cache_file(const std::string& path, std::string& complaint);

struct CacheUpdate {
    std::optional<Errno> error{};  // nothing has changed
    bool is_foreign = false;       // of another version of hawser, and left alone
};
// The file becomes what it says with this beside it (merge_cache), within its bound, as a whole or not at all. Waits a
// few seconds for whoever else writes.
[[nodiscard]] CacheUpdate update_cache_file(const std::string& path, CacheState own, const UnixClock& clock);

}  // namespace hawser::control
