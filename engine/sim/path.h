// SPDX-License-Identifier: MIT
// One direction between two addresses: nodes in a row. What leaves the last one has arrived.
// Each path draws from a generator of its own, so that traffic on one link does not change the fate of another's.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/sim/node.h"

namespace hawser::sim {

// The usual row: outage, loss, rate, delay, duplication; every part may be left as it is.
struct LinkShape {
    Duration delay{};
    Duration jitter{};
    bool reorders = false;
    std::uint32_t loss_per_million = 0;
    std::uint32_t duplicates_per_million = 0;
    std::uint64_t bits_per_second = 0;  // 0: no limit
    std::size_t queue_bytes = 256 * 1024;
    std::vector<Outage::Window> outages;
    bool outages_hold = false;
    std::uint32_t payload_bytes_max = 0;  // longer datagrams are refused with EMSGSIZE; 0: no limit
};

class Path {
public:
    explicit Path(std::uint64_t seed) : random_(seed) {}
    Path(std::uint64_t seed, const LinkShape& shape) : payload_bytes_max(shape.payload_bytes_max), random_(seed) {
        add(Outage({shape.outages, shape.outages_hold}));
        add(Loss(shape.loss_per_million));
        add(Rate({shape.bits_per_second, shape.queue_bytes}));
        add(Delay({shape.delay, shape.jitter, shape.reorders}));
        add(Duplicate(shape.duplicates_per_million));
    }

    void add(Node node) { nodes_.push_back(std::move(node)); }
    // The first node of kind N, to change it while the world runs.
    template <class N>
    [[nodiscard]] N& node() {
        N* found = nullptr;
        for (Node& n : nodes_)
            if (found == nullptr) found = std::get_if<N>(&n);
        HAWSER_CHECK(found != nullptr);
        return *found;
    }
    void set_dark(bool dark) { node<Outage>().set_dark(dark); }

    void push(Datagram&& datagram, Instant now) {
        ++offered_;
        if (nodes_.empty())
            ready_.push(now, std::move(datagram));
        else
            std::visit([&](auto& n) { n.push(std::move(datagram), now, random_); }, nodes_.front());
    }
    [[nodiscard]] Instant next() const {
        Instant earliest = ready_.next();
        for (const Node& node : nodes_)
            earliest = std::min(earliest, std::visit([](const auto& n) { return n.next(); }, node));
        return earliest;
    }
    // Moves everything that is due, and appends what has arrived to `out`.
    void advance(Instant now, std::vector<Datagram>& out) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            for (Datagram d; std::visit([&](auto& n) { return n.pop(now, d); }, nodes_[i]); d = Datagram{}) {
                if (i + 1 == nodes_.size())
                    ready_.push(now, std::move(d));
                else
                    std::visit([&](auto& n) { n.push(std::move(d), now, random_); }, nodes_[i + 1]);
            }
        }
        for (Datagram d; ready_.pop(now, d); d = Datagram{}) {
            ++arrived_;
            out.push_back(std::move(d));
        }
    }

    [[nodiscard]] std::uint64_t offered() const { return offered_; }
    [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
    [[nodiscard]] std::uint64_t dropped() const {
        std::uint64_t sum = 0;
        for (const Node& node : nodes_) sum += std::visit([](const auto& n) { return n.dropped(); }, node);
        return sum;
    }

    std::uint32_t payload_bytes_max = 0;  // 0: no limit

private:
    std::deque<Node> nodes_;
    TimedQueue ready_;
    Random random_;
    std::uint64_t offered_ = 0;
    std::uint64_t arrived_ = 0;
};

}  // namespace hawser::sim
