// SPDX-License-Identifier: MIT
// An RTP packet of any bytes: its payload lies inside, behind the header.
#include "engine/wire/rtp.h"

#include "engine/base/check.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packet = wire::RtpPacket::over(Bytes(data, size));
    if (!packet) return 0;
    const Bytes payload = packet->payload();
    HAWSER_CHECK(payload.data() >= data + wire::rtp_header_bytes && payload.data() + payload.size() <= data + size);
    const auto header = wire::build_rtp_header(packet->header());
    HAWSER_CHECK(wire::RtpPacket::over(header)->header().ssrc == packet->ssrc());
    return 0;
}
