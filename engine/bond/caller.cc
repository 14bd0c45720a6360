// SPDX-License-Identifier: MIT
#include "engine/bond/caller.h"

#include <algorithm>
#include <array>

#include "engine/base/bytes.h"

namespace hawser::bond {

std::optional<std::array<std::uint8_t, wire::handshake_bytes_min>> build_rejection(const wire::SrtPacket& packet) {
    const auto handshake = wire::Handshake::over(packet);
    if (!handshake) return std::nullopt;
    std::array<std::uint8_t, wire::handshake_bytes_min> out{};
    std::copy_n(packet.bytes().begin(), out.size(), out.begin());
    store_be32(out.data() + 8, 0);                        // timestamp
    store_be32(out.data() + 12, handshake->socket_id());  // to the caller's own socket
    store_be16(out.data() + 22, 0);                       // no extensions follow
    store_be32(out.data() + 36, static_cast<std::uint32_t>(wire::handshake_reject_conflict));
    store_be32(out.data() + 40, 0);  // from no socket
    return out;
}

}  // namespace hawser::bond
