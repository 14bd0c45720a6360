// SPDX-License-Identifier: MIT
// UMSG_SHUTDOWN, SRT's goodbye, as libsrt sends it: header and one word of padding (draft-sharabayko-srt-01, 3.2.7).
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/wire/srt.h"

namespace hawser::wire {

// `destination`: the socket id of the end that is to hear it.
[[nodiscard]] inline std::array<std::uint8_t, srt_header_bytes + 4> build_shutdown(std::uint32_t destination) {
    std::array<std::uint8_t, srt_header_bytes + 4> packet{};
    store_be16(packet.data(), static_cast<std::uint16_t>(SrtControl::shutdown));
    store_be32(packet.data() + 12, destination);
    return packet;
}

}  // namespace hawser::wire
