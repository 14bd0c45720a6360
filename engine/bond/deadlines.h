// SPDX-License-Identifier: MIT
// When each packet must be at the SRT receiver, on our clock. SRT hands a payload over at its timestamp plus the
// latency that the handshake settled, counted from where the connection began; the timestamps' origin on our clock is
// the least difference between the two, as some packets come to us without delay. Encrypted sessions say all of this in
// clear. Before a handshake was seen: what the operator says, or a second. A listener that hands over what it gets at
// once (file mode, or live without TSBPD), or that waits for what is late (without TLPKTDROP), needs nothing by a
// certain time, and there is no deadline to miss.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/base/time.h"
#include "engine/link/path_model.h"
#include "engine/wire/srt_latency.h"

namespace hawser::bond {

class Deadlines {
public:
    static constexpr Duration latency_unknown{1'000'000'000};
    static constexpr Duration far_away{86'400'000'000'000};  // a day: later than anybody waits

    // What the operator says; zero: as the handshake says.
    void fix(Duration latency) noexcept {
        fixed_ = latency;
        if (latency.ns == 0) return;
        latency_ = latency;
        is_guess_ = false;
    }
    // What an earlier run of ours knew, until a handshake says.
    void expect(Duration latency) noexcept {
        if (latency.ns == 0 || fixed_.ns != 0) return;
        latency_ = latency;
        is_guess_ = false;
    }
    void new_session() noexcept {
        has_origin_ = false;
        origin_.clear();
    }
    // The caller's wish, until the listener's word.
    void on_caller_handshake(const wire::SrtPacket& packet) noexcept {
        if (const auto latency = wire::handshake_latency(packet)) take(latency->sending_ms);
    }
    void on_listener_handshake(const wire::SrtPacket& packet) noexcept {
        const auto latency = wire::handshake_latency(packet);
        if (!latency) return;
        has_deadlines_ = latency->delivers_by_time && latency->drops_late;
        take(latency->receiving_ms);
    }
    [[nodiscard]] Instant of(std::uint32_t timestamp_us, Instant now) noexcept {
        if (!has_deadlines_ && fixed_.ns == 0) [[unlikely]]
            return now + far_away;
        if (!has_origin_) [[unlikely]] {
            has_origin_ = true;
            last_us_ = timestamp_us;
            timeline_ = Duration{};
        }
        timeline_ = timeline_ + Duration{std::int64_t{static_cast<std::int32_t>(timestamp_us - last_us_)} * 1000};
        last_us_ = timestamp_us;
        origin_.note(now.ns - timeline_.ns, now);
        return Instant{origin_.least()} + timeline_ + latency_;
    }
    [[nodiscard]] Duration latency() const noexcept { return latency_; }
    // Nobody has said it: what seems too late may be in time.
    [[nodiscard]] bool is_guess() const noexcept { return is_guess_; }

private:
    void take(std::uint16_t ms) noexcept {
        if (fixed_.ns != 0) return;
        latency_ = Duration{std::int64_t{ms} * 1'000'000};
        is_guess_ = false;
    }

    Duration fixed_;
    Duration latency_ = latency_unknown;
    Duration timeline_;
    std::uint32_t last_us_ = 0;
    bool has_origin_ = false;
    bool has_deadlines_ = true;
    bool is_guess_ = true;
    link::WindowedLeast origin_{Duration{30'000'000'000}};  // the two clocks drift apart by milliseconds a minute
};

}  // namespace hawser::bond
