// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_limits.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace hawser::bond {
namespace {

Duration interval_of(std::uint32_t per_second) {
    return Duration{1'000'000'000} / std::int64_t{std::max(1u, per_second)};
}

// The part of an address that one customer of a network holds: IPv4 /24, IPv6 /56.
std::uint64_t prefix_of(const Endpoint& e) {
    if (e.is_v4()) return (std::uint64_t{1} << 63) | (e.v4() >> 8);
    return load_be64(e.address.data()) >> 8;
}

}  // namespace

RegistrationLimiter::RegistrationLimiter(const ReceiverOptions& options, KeyedHash hash)
    : hash_(hash),
      prefix_interval_(interval_of(options.prefix_per_second)),
      global_interval_(
          interval_of(options.global_per_second != 0 ? options.global_per_second : options.groups_max / 2)),
      prefix_burst_(std::max(1u, options.prefix_burst)),
      global_burst_(std::max(1u, options.global_burst != 0 ? options.global_burst : options.groups_max)) {}

bool RegistrationLimiter::admit(const Endpoint& from, Instant now) noexcept {
    if (!global_.has_token(now, global_interval_, global_burst_)) return false;
    if (!from.is_loopback()) {
        const std::uint64_t h = hash_.of(prefix_of(from), 0, 0);
        TokenBucket& first = rows_[0][h % cells];
        TokenBucket& second = rows_[1][(h >> 32) % cells];
        const bool first_has = first.has_token(now, prefix_interval_, prefix_burst_);
        const bool second_has = second.has_token(now, prefix_interval_, prefix_burst_);
        if (!first_has && !second_has) return false;
        if (first_has) first.take(now, prefix_interval_);
        if (second_has) second.take(now, prefix_interval_);
    }
    global_.take(now, global_interval_);
    return true;
}

}  // namespace hawser::bond
