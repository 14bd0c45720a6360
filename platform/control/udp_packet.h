// SPDX-License-Identifier: MIT
// The IP and UDP headers that a datagram had, for files that want whole packets.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"

namespace hawser::control {

struct UdpHeaders {
    std::array<std::uint8_t, 48> bytes{};
    std::size_t size = 0;  // 28 of IPv4, 48 of IPv6

    [[nodiscard]] Bytes view() const { return Bytes(bytes).first(size); }
};

// For a payload of `length` bytes that begins with `payload`. Ends of which one is IPv4 are IPv4 both: an address that
// is not known is zero. IPv4's UDP checksum is left out, as it may be; IPv6's is right where the payload is whole.
[[nodiscard]] UdpHeaders udp_headers(const Endpoint& from, const Endpoint& to, std::size_t length, Bytes payload);

}  // namespace hawser::control
