// SPDX-License-Identifier: MIT
#include "engine/wire/srtla.h"

#include <algorithm>

namespace hawser::wire {

std::optional<Telemetry> keepalive_telemetry(Bytes bytes) {
    const auto packet = Fixed<keepalive_extended_bytes>::over(bytes);
    if (!packet || packet->u16<10>() != keepalive_magic || packet->u16<12>() != keepalive_version) return std::nullopt;
    Telemetry t;
    t.connection = packet->u32<14>();
    t.window = static_cast<std::int32_t>(packet->u32<18>());
    t.in_flight = static_cast<std::int32_t>(packet->u32<22>());
    t.rtt_ms = packet->u32<26>();
    t.naks = packet->u32<30>();
    t.bytes_per_second = packet->u32<34>();
    return t;
}

std::array<std::uint8_t, keepalive_timestamped_bytes> build_keepalive(std::uint64_t timestamp_ms) {
    std::array<std::uint8_t, keepalive_timestamped_bytes> out{};
    store_be16(out.data(), static_cast<std::uint16_t>(SrtlaType::keepalive));
    store_be64(out.data() + 2, timestamp_ms);
    return out;
}

std::array<std::uint8_t, keepalive_extended_bytes> build_keepalive(std::uint64_t timestamp_ms,
                                                                   const Telemetry& telemetry) {
    std::array<std::uint8_t, keepalive_extended_bytes> out{};
    store_be16(out.data(), static_cast<std::uint16_t>(SrtlaType::keepalive));
    store_be64(out.data() + 2, timestamp_ms);
    store_be16(out.data() + 10, keepalive_magic);
    store_be16(out.data() + 12, keepalive_version);
    store_be32(out.data() + 14, telemetry.connection);
    store_be32(out.data() + 18, static_cast<std::uint32_t>(telemetry.window));
    store_be32(out.data() + 22, static_cast<std::uint32_t>(telemetry.in_flight));
    store_be32(out.data() + 26, telemetry.rtt_ms);
    store_be32(out.data() + 30, telemetry.naks);
    store_be32(out.data() + 34, telemetry.bytes_per_second);
    return out;
}

std::array<std::uint8_t, registration_bytes> build_registration(SrtlaType type, const GroupKey& key) {
    std::array<std::uint8_t, registration_bytes> out{};
    store_be16(out.data(), static_cast<std::uint16_t>(type));
    std::copy(key.begin(), key.end(), out.begin() + 2);
    return out;
}

std::array<std::uint8_t, padded_bytes> build_padded(SrtlaType type) {
    std::array<std::uint8_t, padded_bytes> out{};
    store_be16(out.data(), static_cast<std::uint16_t>(type));
    return out;
}

}  // namespace hawser::wire
