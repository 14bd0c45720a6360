// SPDX-License-Identifier: MIT
// A handshake's extension blocks of any lengths: what is read was there.
#include "engine/wire/srt_latency.h"
#include "engine/base/check.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packet = SrtPacket::over(Bytes(data, size));
    if (!packet) return 0;
    const auto latency = handshake_latency(*packet);
    HAWSER_CHECK(!latency || size >= handshake_bytes_min + 16);
    return 0;
}
