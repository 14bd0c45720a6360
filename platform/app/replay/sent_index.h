// SPDX-License-Identifier: MIT
// Which copies of which SRT packets a link was given, in order, and which of them a sequence number means.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace hawser::app {

inline constexpr std::int64_t ms_ns = 1'000'000;  // a millisecond

enum class CopyFate : std::uint8_t { unknown, delivered, lost };

struct SentCopy {
    std::int64_t sent_ns = 0;
    std::uint32_t sequence = 0;
    std::uint32_t bytes = 0;   // on the wire, with the headers of IP and UDP
    std::uint32_t before = 0;  // the copy of the same sequence before it, one more than its index; 0: none
    CopyFate fate = CopyFate::unknown;
    bool has_time = false;
    std::int64_t arrived_ns = 0;  // where has_time: on the receiver's clock (link_fates.h)
};

class SentIndex {
public:
    void add(std::uint32_t sequence, std::uint32_t bytes, std::int64_t sent_ns) {
        std::uint32_t& newest = newest_[sequence];
        SentCopy copy;
        copy.sent_ns = sent_ns;
        copy.sequence = sequence;
        copy.bytes = bytes;
        copy.before = newest;
        copies_.push_back(copy);
        newest = static_cast<std::uint32_t>(copies_.size());
    }
    // As a link keeps the order: the first copy at or behind `from` that was sent until then. Of many only the last few
    // are looked at: a sender makes no more.
    [[nodiscard]] std::optional<std::size_t> find(std::uint32_t sequence, std::size_t from,
                                                  std::int64_t until_ns) const {
        std::optional<std::size_t> found;
        const auto newest = newest_.find(sequence);
        std::uint32_t at = newest == newest_.end() ? 0 : newest->second;
        for (int i = 0; i < looks_max && at > from; ++i) {
            if (copies_[at - 1].sent_ns <= until_ns) found = at - 1;
            at = copies_[at - 1].before;
        }
        return found;
    }
    [[nodiscard]] bool has(std::uint32_t sequence) const { return newest_.count(sequence) != 0; }
    // The kernel did not take it: it was never under way.
    void take_back(std::uint32_t sequence) {
        if (const auto newest = newest_.find(sequence); newest != newest_.end())
            is_refused_.push_back(newest->second - 1);
    }
    // Once all are there: those that were refused are gone, and indices stand from then on.
    void settle();

    [[nodiscard]] const std::vector<SentCopy>& copies() const { return copies_; }
    [[nodiscard]] SentCopy& operator[](std::size_t i) { return copies_[i]; }

private:
    static constexpr int looks_max = 32;
    std::vector<SentCopy> copies_;
    std::vector<std::size_t> is_refused_;
    std::unordered_map<std::uint32_t, std::uint32_t> newest_;  // by sequence: one more than the index
};

}  // namespace hawser::app
