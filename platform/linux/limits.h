// SPDX-License-Identifier: MIT
// The process's limits that a busy receiver meets: one descriptor per group.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>

namespace hawser::os {

// Raises the soft limit on descriptors to `wanted`, as far as the hard limit lets it, and answers what holds now.
[[nodiscard]] inline std::uint64_t raise_descriptor_limit(std::uint64_t wanted) noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    if (limit.rlim_cur >= wanted) return limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    // What the hard limit allows cannot be refused.
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    return limit.rlim_cur;
}

}  // namespace hawser::os
