// SPDX-License-Identifier: MIT
// The views of an SRT packet: no read outside the datagram, and fields that agree with the bytes.
#include "engine/wire/srt.h"

#include "engine/base/check.h"
#include "engine/wire/srtla.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    const auto type = packet_type(bytes);
    HAWSER_CHECK(type.has_value() == (size >= 2));

    const auto packet = SrtPacket::over(bytes);
    HAWSER_CHECK(packet.has_value() == (size >= srt_header_bytes));
    if (!packet) return 0;
    HAWSER_CHECK(packet->body().size() + srt_header_bytes == size);
    HAWSER_CHECK(packet->is_data() == (*type < 0x8000));
    if (packet->is_data()) {
        HAWSER_CHECK(packet->sequence().raw() == load_be32(data));
        HAWSER_CHECK(!is_srtla_space(*type));
    } else {
        HAWSER_CHECK(static_cast<std::uint16_t>(packet->control_type()) == *type);
        HAWSER_CHECK(ack_next_expected(*packet).has_value() == (size >= srt_header_bytes + 4));
    }
    // Read everything, for the sanitizers to see.
    volatile std::uint32_t sink = packet->timestamp_us() ^ packet->destination() ^ packet->control_info() ^
                                  packet->message_number() ^ std::uint32_t{packet->is_retransmission()};
    (void)sink;
    return 0;
}
