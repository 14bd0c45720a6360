// SPDX-License-Identifier: MIT
// Which of a numbered run of packets have arrived at a bench's end, and how long each took from the stamp in its
// payload. A packet that comes again counts as a duplicate; one beyond the run is not counted at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/wire/srt.h"

namespace hawser::perf {

class Arrivals {
public:
    explicit Arrivals(std::uint64_t packets_max) : latency_ns_(packets_max, 0) {}

    // The packet with this index; it is long enough to hold a stamp. True when it is new.
    bool take(std::uint64_t index, Bytes packet, std::int64_t now) {
        if (index >= latency_ns_.size()) return false;
        if (latency_ns_[index] != 0) {
            ++duplicates_;
            return false;
        }
        const std::int64_t taken = now - static_cast<std::int64_t>(load_be64(packet.data() + wire::srt_header_bytes));
        latency_ns_[index] =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(taken, 1, std::numeric_limits<std::uint32_t>::max()));
        ++received_;
        return true;
    }
    [[nodiscard]] bool has(std::uint64_t index) const { return index < latency_ns_.size() && latency_ns_[index] != 0; }

    [[nodiscard]] std::uint64_t received() const { return received_; }
    [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
    // By index; 0 where nothing came.
    [[nodiscard]] const std::vector<std::uint32_t>& latency_ns() const { return latency_ns_; }

private:
    std::vector<std::uint32_t> latency_ns_;
    std::uint64_t received_ = 0;
    std::uint64_t duplicates_ = 0;
};

}  // namespace hawser::perf
