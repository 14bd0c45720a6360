// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_limits.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace hawser::bond {
namespace {

Duration interval_of(std::uint32_t per_second) {
    return Duration{1'000'000'000} / std::int64_t{std::max(1u, per_second)};
}

// The first bits of an address: of IPv4 the /24, of IPv6 so many as are said.
std::uint64_t prefix_of(const Endpoint& e, unsigned v6_bits) {
    if (e.is_v4()) return (std::uint64_t{1} << 63) | (e.v4() >> 8);
    return load_be64(e.address.data()) >> (64 - v6_bits);
}

constexpr unsigned customer_bits = 56;  // what one customer of a network holds (RFC 6177, 2)
constexpr unsigned site_bits = 48;      // what a site holds

}  // namespace

bool PrefixBuckets::has_token(std::uint64_t prefix, Instant now) const noexcept {
    const std::uint64_t h = hash_.of(prefix, 0, 0);
    return rows_[0][cell(h, 0)].has_token(now, interval_, burst_) ||
           rows_[1][cell(h, 1)].has_token(now, interval_, burst_);
}

void PrefixBuckets::take(std::uint64_t prefix, Instant now) noexcept {
    const std::uint64_t h = hash_.of(prefix, 0, 0);
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        TokenBucket& bucket = rows_[row][cell(h, row)];
        if (bucket.has_token(now, interval_, burst_)) bucket.take(now, interval_);
    }
}

RegistrationLimiter::RegistrationLimiter(const ReceiverOptions& options, KeyedHash hash)
    : prefixes_(hash, interval_of(options.prefix_per_second), std::max(1u, options.prefix_burst)),
      global_interval_(
          interval_of(options.global_per_second != 0 ? options.global_per_second : options.groups_max / 2)),
      global_burst_(std::max(1u, options.global_burst != 0 ? options.global_burst : options.groups_max)) {}

bool RegistrationLimiter::allows(const Endpoint& from, Instant now) const noexcept {
    if (!global_.has_token(now, global_interval_, global_burst_)) return false;
    return from.is_loopback() || prefixes_.has_token(prefix_of(from, customer_bits), now);
}

void RegistrationLimiter::take(const Endpoint& from, Instant now) noexcept {
    global_.take(now, global_interval_);
    if (!from.is_loopback()) prefixes_.take(prefix_of(from, customer_bits), now);
}

AnswerLimiter::AnswerLimiter(const ReceiverOptions& options, KeyedHash hash)
    : prefixes_(hash, interval_of(options.answers_per_second), std::max(1u, options.answers_burst)) {}

bool AnswerLimiter::admit(const Endpoint& to, Instant now) noexcept {
    if (to.is_loopback()) return true;
    const std::uint64_t prefix = prefix_of(to, site_bits);
    if (!prefixes_.has_token(prefix, now)) return false;
    prefixes_.take(prefix, now);
    return true;
}

}  // namespace hawser::bond
