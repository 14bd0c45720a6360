// SPDX-License-Identifier: MIT
// What an operator is told of a state that may flap: it is told when it has lasted, and told anew when its opposite
// has. Between the two nothing is said, however often it changes. And of a count that grows in fits: when one begins,
// and what it came to when it is over.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace hawser::bond {

class LastingState {
public:
    // True when `state` has lasted `patience` and differs from what was told last; false was told at first.
    [[nodiscard]] bool note(bool state, Duration patience, Instant now) noexcept {
        if (state == told_) {
            since_ = never;
            return false;
        }
        if (since_ == never) since_ = now;
        if (now - since_ < patience) return false;
        told_ = state;
        lasted_ = since_ - told_at_;
        told_at_ = since_;
        since_ = never;
        return true;
    }
    [[nodiscard]] bool told() const noexcept { return told_; }
    // How long the other state had lasted.
    [[nodiscard]] Duration lasted() const noexcept { return lasted_; }

private:
    bool told_ = false;
    Instant since_ = never;
    Instant told_at_;
    Duration lasted_;
};

class Fit {
public:
    enum class News : std::uint8_t { none, begins, ends };
    // `total` grows. A fit ends when it has not for `patience`.
    [[nodiscard]] News note(std::uint64_t total, Duration patience, Instant now) noexcept {
        const bool grew = total != total_;
        total_ = total;
        if (grew) grown_at_ = now;
        if (!is_on_ && grew) {
            is_on_ = true;
            begun_at_ = now;
            return News::begins;
        }
        if (!is_on_ || now - grown_at_ < patience) return News::none;
        is_on_ = false;
        count_ = total - told_total_;
        told_total_ = total;
        return News::ends;
    }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    // Of the fit that has ended.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] Duration length() const noexcept { return grown_at_ - begun_at_; }

private:
    bool is_on_ = false;
    std::uint64_t total_ = 0;
    std::uint64_t told_total_ = 0;
    std::uint64_t count_ = 0;
    Instant grown_at_;
    Instant begun_at_;
};

}  // namespace hawser::bond
