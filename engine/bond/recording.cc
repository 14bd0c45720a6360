// SPDX-License-Identifier: MIT
#include "engine/bond/recording.h"

#include "engine/wire/report.h"
#include "engine/wire/srtla.h"

namespace hawser::bond {

namespace {

constexpr std::size_t type_bytes = 2;
constexpr std::size_t whole = FlightRecord::head_bytes_max;
// Version, encryption, extension, initial sequence, MSS, flow window, request type, the sender's socket id.
constexpr std::size_t handshake_bytes = wire::srt_header_bytes + 28;
static_assert(handshake_bytes <= whole);

std::size_t srtla_bytes(std::uint16_t type) noexcept {
    const bool is_open = type == static_cast<std::uint16_t>(wire::SrtlaType::ack) ||
                         type == static_cast<std::uint16_t>(wire::SrtlaType::keepalive) || type == wire::report_type;
    return is_open ? whole : type_bytes;
}

}  // namespace

std::size_t recorded_bytes(Bytes packet) noexcept {
    const auto type = wire::packet_type(packet);
    if (!type) return 0;
    if (wire::is_srtla_space(*type)) return srtla_bytes(*type);
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return type_bytes;
    if (srt->is_data()) return wire::srt_header_bytes;
    switch (srt->control_type()) {
        case wire::SrtControl::handshake: return handshake_bytes;
        case wire::SrtControl::ack:
        case wire::SrtControl::nak:
        case wire::SrtControl::drop_request: return whole;
        case wire::SrtControl::keepalive:
        case wire::SrtControl::congestion_warning:
        case wire::SrtControl::shutdown:
        case wire::SrtControl::ackack:
        case wire::SrtControl::peer_error:
        case wire::SrtControl::user: break;  // user: new keys are announced in it
    }
    return wire::srt_header_bytes;
}

}  // namespace hawser::bond
