// SPDX-License-Identifier: MIT
// A datagram on its way through the simulated network, and the queue that nodes keep datagrams in: ordered by the
// instant of departure, equal instants in the order of entry, so that a run is a function of its seed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"

namespace hawser::sim {

// What a UDP datagram over IPv4 occupies on the wire beside its payload: 20 + 8 bytes.
inline constexpr std::size_t ip_udp_header_bytes = 28;

struct Datagram {
    Endpoint from;
    Endpoint to;
    std::vector<std::uint8_t> bytes;
    int error = 0;  // not a datagram but news about one that `to` had sent to `from`: an errno (ICMP)
};

class TimedQueue {
public:
    void push(Instant due, Datagram&& datagram) {
        items_.push_back(Item{due, entered_++, std::move(datagram)});
        std::push_heap(items_.begin(), items_.end(), later);
    }
    [[nodiscard]] Instant next() const { return items_.empty() ? never : items_.front().due; }
    bool pop(Instant now, Datagram& out) {
        if (next() > now || items_.empty()) return false;
        std::pop_heap(items_.begin(), items_.end(), later);
        out = std::move(items_.back().datagram);
        items_.pop_back();
        return true;
    }
    [[nodiscard]] std::size_t size() const { return items_.size(); }

private:
    struct Item {
        Instant due;
        std::uint64_t entered;
        Datagram datagram;
    };
    static bool later(const Item& a, const Item& b) { return a.due != b.due ? a.due > b.due : a.entered > b.entered; }

    std::vector<Item> items_;
    std::uint64_t entered_ = 0;
};

}  // namespace hawser::sim
