// SPDX-License-Identifier: MIT
#include "engine/radio/rtp_clock.h"

#include <algorithm>

namespace hawser::radio {

void RtpClock::on_status(std::uint64_t gps_ns, wire::RtpTime snap, std::uint32_t tick_rate) {
    if (tick_rate == 0 || gps_ns > gps_ns_max) return;
    if (tick_rate != tick_rate_) reset();
    tick_rate_ = tick_rate;
    const std::int64_t ticks = count_ == 0 ? 0 : anchor_ticks_ + distance(anchor_, snap);
    const std::int64_t origin = unix_ns_of_gps(gps_ns, leap_seconds_) - ns_of(ticks);
    if (count_ != 0) {
        const std::int64_t off = origin - earliest();
        if (off > contradiction.ns || off < -contradiction.ns) {
            ++contradictions_;
            reset();
            on_status(gps_ns, snap, tick_rate);
            return;
        }
    }
    anchor_ = snap;
    anchor_ticks_ = ticks;
    origins_[count_++ % kept] = origin;
}

std::int64_t RtpClock::earliest() const {
    return *std::min_element(origins_.begin(), origins_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, kept)));
}

std::optional<std::int64_t> RtpClock::unix_ns_at(wire::RtpTime timestamp) const {
    if (count_ == 0) return std::nullopt;
    return earliest() + ns_of(anchor_ticks_ + distance(anchor_, timestamp));
}

}  // namespace hawser::radio
