// SPDX-License-Identifier: MIT
// The bottleneck of a line: when will it have carried the next so many bytes? A trace's opportunity carries 1500 bytes
// times the scale, a datagram may span opportunities, one may carry several, and what an empty queue leaves unused is
// lost, as in mahimahi's mm-link (ravinet/mahimahi, ae477d4). A steady rate serialises exactly.
#pragma once

#include <cstdint>

#include "engine/sim/line.h"

namespace hawser::sim {

class Capacity {
public:
    explicit Capacity(const LineShape& shape);

    // The scenario's clock begins.
    void restart(Instant now);
    // Carries `bytes` that arrive now, after everything carried before; answers when they are through. `live`: pauses
    // count. Calls come in order of time.
    [[nodiscard]] Instant carry(std::int64_t bytes, Instant now, bool live);
    // When the outage of this kind that covers `at` ends; never when there is none.
    [[nodiscard]] Instant outage_end(LineOutage::Kind kind, Instant at) const;
    // What it could carry in [from, to), pauses aside. 0 where there is no limit.
    [[nodiscard]] double bytes_between(Instant from, Instant to) const;

private:
    [[nodiscard]] Instant cursor_time() const;
    void step_cursor();
    void seek(Instant at);
    [[nodiscard]] std::int64_t opportunities_before(Instant at) const;

    LineShape shape_;
    bool has_pauses_ = false;
    Instant origin_{};
    Duration period_{};
    Instant done_{-1};        // the last bytes are through
    std::int64_t cycle_ = 0;  // the next opportunity: number next_ of this repetition
    std::size_t next_ = 0;
    double credit_ = 0;  // bytes left of the opportunity under way
};

}  // namespace hawser::sim
