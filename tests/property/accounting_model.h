// SPDX-License-Identifier: MIT
// The reference's accounting as its documentation and behaviour describe it (BELABOX/srtla 37862da): a log of 256 per
// link, walked from the newest entry backwards, links in list order. Slow and plain, so that it can be judged by eye.
// Every sequence compare goes through one function: plain, as the reference's, or circular, as ours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace hawser::test {

struct ModelLink {
    unsigned id = 0;
    std::int64_t log[256];
    unsigned index = 0;  // next to be written
    int in_flight = 0;
    int window = 20000;

    explicit ModelLink(unsigned number) : id(number) { clear(); }
    void clear() { std::fill(std::begin(log), std::end(log), std::int64_t{-1}); }

    // Walks what is visible, newest first: 255 entries, never the one at the write index. Stops when visit says so.
    template <class Visit>
    void walk(Visit&& visit) {
        for (unsigned back = 1; back <= 255; ++back)
            if (visit(log[(index + 256 - back) % 256])) return;
    }
};

class AccountingModel {
public:
    explicit AccountingModel(bool circular) : circular_(circular) {}

    void add(unsigned id) { links_.insert(links_.begin(), ModelLink(id)); }
    void remove(unsigned id) {
        std::erase_if(links_, [&](const ModelLink& link) { return link.id == id; });
    }
    void fail(unsigned id) {
        ModelLink& link = at(id);
        link.clear();
        link.in_flight = 0;
        link.window = 1000;
    }
    void sent(unsigned id, std::uint32_t sequence) {
        ModelLink& link = at(id);
        link.log[link.index] = sequence;
        link.index = (link.index + 1) % 256;
        ++link.in_flight;
    }
    void srt_ack(std::uint32_t next_expected) {
        for (ModelLink& link : links_) {
            int count = 0;
            link.walk([&](std::int64_t& entry) {
                if (entry >= 0 && before(static_cast<std::uint32_t>(entry), next_expected)) entry = -1;
                if (entry >= 0) ++count;
                return false;
            });
            link.in_flight = count;
        }
    }
    std::optional<unsigned> lost(std::uint32_t sequence) {
        ModelLink* holder = take(sequence);
        if (holder == nullptr) return std::nullopt;
        holder->window = std::max(holder->window - 100, 1000);
        return holder->id;
    }
    // One entry of an SRTLA ACK; `alive`: bit per link id.
    std::optional<unsigned> srtla_ack(std::uint32_t sequence, std::uint32_t alive) {
        ModelLink* holder = take(sequence);
        if (holder != nullptr) {
            if (holder->in_flight > 0) --holder->in_flight;
            if (holder->in_flight * 1000 > holder->window) holder->window += 29;
        }
        for (ModelLink& link : links_)
            if (((alive >> link.id) & 1) != 0) link.window = std::min(link.window + 1, 60000);
        return holder != nullptr ? std::optional(holder->id) : std::nullopt;
    }
    // Whose entry take() would free.
    std::optional<unsigned> holder(std::uint32_t sequence) {
        for (ModelLink& link : links_) {
            bool found = false;
            link.walk([&](std::int64_t entry) { return found = entry == static_cast<std::int64_t>(sequence); });
            if (found) return link.id;
        }
        return std::nullopt;
    }
    void new_session() {
        for (ModelLink& link : links_) {
            link.clear();
            link.in_flight = 0;
        }
    }
    // Whole part of window / (in_flight + 1); the first in list order that beats all before it.
    std::optional<unsigned> pick(std::uint32_t usable) {
        int best = -1;
        std::optional<unsigned> winner;
        for (const ModelLink& link : links_) {
            if (((usable >> link.id) & 1) == 0) continue;
            const int score = link.window / (link.in_flight + 1);
            if (score > best) {
                best = score;
                winner = link.id;
            }
        }
        return winner;
    }
    // All sequences in sight, once each, that lie before next_expected, in order from the lowest.
    std::vector<std::uint32_t> covered(std::uint32_t next_expected) {
        std::vector<std::uint32_t> found;
        for (ModelLink& link : links_)
            link.walk([&](std::int64_t& entry) {
                if (entry >= 0 && before(static_cast<std::uint32_t>(entry), next_expected))
                    found.push_back(static_cast<std::uint32_t>(entry));
                return false;
            });
        std::sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) { return before(a, b); });
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

    std::vector<ModelLink>& links() { return links_; }
    ModelLink& at(unsigned id) {
        return *std::find_if(links_.begin(), links_.end(), [&](const ModelLink& link) { return link.id == id; });
    }

private:
    [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const {
        if (!circular_) return a < b;
        const std::uint32_t steps = (b - a) & 0x7FFF'FFFF;
        return steps != 0 && steps < 0x4000'0000;
    }
    // Frees the entry that the walk meets first; whose it was.
    ModelLink* take(std::uint32_t sequence) {
        for (ModelLink& link : links_) {
            bool found = false;
            link.walk([&](std::int64_t& entry) {
                found = entry == static_cast<std::int64_t>(sequence);
                if (found) entry = -1;
                return found;
            });
            if (found) return &link;
        }
        return nullptr;
    }

    bool circular_;
    std::vector<ModelLink> links_;  // in list order: last added first
};

}  // namespace hawser::test
