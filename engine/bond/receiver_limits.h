// SPDX-License-Identifier: MIT
// How many groups strangers may have made, and how many of their questions are answered: token buckets per source
// prefix and for all together, an allow-list, and the tally of refusals that is told once a second instead of once
// each. A group's token goes when it is made, for an address that was shown to be real (receiver_ids.h). An answer's
// goes for an address that may be forged, so it is there for whom it is sent to: many senders' worth, and no limit for
// all together that a flood could use up.
// The prefix buckets hold no addresses: a prefix hashes to one cell in each of two rows, and passes when either has a
// token. So spoofed prefixes cannot fill the table, and to block somebody they must meet both of its cells.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/endpoint.h"
#include "engine/base/keyed_hash.h"
#include "engine/base/time.h"
#include "engine/bond/receiver_options.h"
#include "engine/bond/token_bucket.h"
#include "engine/border/event.h"

namespace hawser::bond {

// One bucket for each prefix, in fixed memory.
class PrefixBuckets {
public:
    PrefixBuckets(KeyedHash hash, Duration interval, std::uint32_t burst)
        : hash_(hash), interval_(interval), burst_(burst) {}

    [[nodiscard]] bool has_token(std::uint64_t prefix, Instant now) const noexcept;
    // Of each of its cells that has one.
    void take(std::uint64_t prefix, Instant now) noexcept;

private:
    static constexpr std::size_t cells = 1024;  // of each row; 16 KiB in all
    static std::size_t cell(std::uint64_t hash, std::size_t row) { return (row == 0 ? hash : hash >> 32) % cells; }

    KeyedHash hash_;
    Duration interval_;
    std::uint32_t burst_;
    std::array<std::array<TokenBucket, cells>, 2> rows_;
};

class RegistrationLimiter {
public:
    RegistrationLimiter(const ReceiverOptions& options, KeyedHash hash);

    // Whether the source may have one more group. Loopback sources have no prefix limit: nobody can forge them, and
    // test rigs share one address.
    [[nodiscard]] bool allows(const Endpoint& from, Instant now) const noexcept;
    // It was made.
    void take(const Endpoint& from, Instant now) noexcept;

private:
    PrefixBuckets prefixes_;
    Duration global_interval_;
    std::uint32_t global_burst_;
    TokenBucket global_;
};

// REG2s in answer to REG1s, which are as long as those and go wherever those say that they come from.
class AnswerLimiter {
public:
    AnswerLimiter(const ReceiverOptions& options, KeyedHash hash);

    // True, and a token is gone, when one more may be sent there. Always to loopback.
    [[nodiscard]] bool admit(const Endpoint& to, Instant now) noexcept;

private:
    PrefixBuckets prefixes_;
};

[[nodiscard]] inline bool is_allowed(const ReceiverOptions& options, const Endpoint& from) {
    if (options.allowed_count == 0) return true;
    for (std::uint32_t i = 0; i < options.allowed_count; ++i)
        if (options.allowed[i].holds(from)) return true;
    return false;
}

// Counts by kind, told together and at most once a second.
class RefusalTally {
public:
    static constexpr std::size_t reasons = 6;  // RefusalReason's values

    void add(RefusalReason reason, Instant now) noexcept {
        ++counts_[static_cast<std::size_t>(reason)];
        arm(now);
    }
    // A packet that no SRT server could be found for.
    void add_no_server(Instant now) noexcept {
        ++no_server_;
        arm(now);
    }
    // A gap that a bound of the reorder hold gave up.
    void add_hold_bounded(Instant now) noexcept {
        ++hold_bounded_;
        arm(now);
    }
    // An errno of the listening socket; the last one of a second is told.
    void add_uplink_error(int error, Instant now) noexcept {
        uplink_error_ = error;
        arm(now);
    }
    [[nodiscard]] Instant due() const noexcept { return due_; }
    // Calls tell(kind, a, b) for each kind that occurred, and begins anew.
    template <class Tell>
    void flush(Tell&& tell) noexcept {
        for (std::size_t i = 0; i < reasons; ++i)
            if (counts_[i] != 0) tell(EventKind::receiver_refusing, static_cast<std::uint32_t>(i), counts_[i]);
        if (no_server_ != 0) tell(EventKind::receiver_no_server, no_server_, 0u);
        if (hold_bounded_ != 0) tell(EventKind::receiver_hold_bounded, hold_bounded_, 0u);
        if (uplink_error_ != 0) tell(EventKind::receiver_uplink_error, static_cast<std::uint32_t>(uplink_error_), 0u);
        *this = RefusalTally{};
    }

private:
    void arm(Instant now) noexcept {
        if (due_ == never) due_ = now + Duration{1'000'000'000};
    }
    std::array<std::uint32_t, reasons> counts_{};
    std::uint32_t no_server_ = 0;
    std::uint32_t hold_bounded_ = 0;
    int uplink_error_ = 0;
    Instant due_ = never;
};

}  // namespace hawser::bond
