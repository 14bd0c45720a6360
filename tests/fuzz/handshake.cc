// SPDX-License-Identifier: MIT
// A handshake's fields exist in handshakes of full length, and nowhere else.
#include "engine/base/check.h"
#include "engine/wire/srt.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packet = SrtPacket::over(Bytes(data, size));
    if (!packet) return 0;
    const auto handshake = Handshake::over(*packet);
    HAWSER_CHECK(handshake.has_value() ==
                 (size >= handshake_bytes_min && load_be16(data) == static_cast<std::uint16_t>(SrtControl::handshake)));
    if (!handshake) return 0;
    HAWSER_CHECK(handshake->initial_sequence().raw() == (load_be32(data + 24) & Seq31::mask));
    HAWSER_CHECK(handshake->socket_id() == load_be32(data + 40));
    volatile std::uint32_t sink =
        handshake->version() ^ handshake->extension_field() ^ static_cast<std::uint32_t>(handshake->request_type());
    (void)sink;
    return 0;
}
