// SPDX-License-Identifier: MIT
// The loss list of an SRT NAK: single sequences, and ranges whose first word has its top bit set and whose last
// (inclusive) follows. Ranges may wrap past 0x7FFFFFFF to 0.
// Source: draft-sharabayko-srt-01 appendix A. The list starts after the 16-byte header (Haivision/srt c39196c9,
// core.cpp): peers that read it from byte 4 take header words for losses.
//
// A list is walked whole or not at all: `over` answers nothing for a list that is malformed (empty, not a multiple
// of four bytes, a first without a last, a last with its top bit, a range that runs backwards) or that asks for more
// than `limit` sequences, so no packet decides how long a loop runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/wire/seq.h"

namespace hawser::wire {

struct LossRange {
    Seq31 first;
    Seq31 last;  // inclusive

    [[nodiscard]] std::int32_t count() const { return distance(first, last) + 1; }
};

class LossList {
public:
    [[nodiscard]] static std::optional<LossList> over(Bytes body, std::int32_t limit) {
        if (body.empty() || body.size() % 4 != 0) return std::nullopt;
        std::int64_t total = 0;
        for (std::size_t at = 0; at < body.size();) {
            const auto range = range_at(body, at);
            if (!range || range->count() < 1) return std::nullopt;
            total += range->count();
            if (total > limit) return std::nullopt;
        }
        return LossList(body, static_cast<std::int32_t>(total));
    }
    // Sequences named, repetitions counted again.
    [[nodiscard]] std::int32_t count() const { return count_; }

    // Calls visit(LossRange) for each entry in order.
    template <class Visit>
    void each_range(Visit&& visit) const {
        for (std::size_t at = 0; at < body_.size();) visit(*range_at(body_, at));
    }
    // Calls visit(Seq31) for each lost sequence in order.
    template <class Visit>
    void each(Visit&& visit) const {
        each_range([&](LossRange range) {
            for (std::int32_t i = 0, n = range.count(); i < n; ++i) visit(range.first.plus(i));
        });
    }

private:
    LossList(Bytes body, std::int32_t count) : body_(body), count_(count) {}

    [[nodiscard]] static std::optional<LossRange> range_at(Bytes body, std::size_t& at) {
        const std::uint32_t word = load_be32(body.data() + at);
        at += 4;
        if ((word & ~Seq31::mask) == 0) return LossRange{Seq31(word), Seq31(word)};
        if (at >= body.size()) return std::nullopt;
        const std::uint32_t last = load_be32(body.data() + at);
        at += 4;
        if ((last & ~Seq31::mask) != 0) return std::nullopt;
        return LossRange{Seq31(word), Seq31(last)};
    }

    Bytes body_;
    std::int32_t count_;
};

}  // namespace hawser::wire
