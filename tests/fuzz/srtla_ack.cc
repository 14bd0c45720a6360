// SPDX-License-Identifier: MIT
// An SRTLA ACK of any length: entries inside the datagram, each a sequence or refused.
#include "engine/base/check.h"
#include "engine/wire/srtla.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto ack = SrtlaAck::over(Bytes(data, size));
    HAWSER_CHECK(ack.has_value() == (size >= 8 && size % 4 == 0));
    if (!ack) return 0;
    HAWSER_CHECK(4 + 4 * ack->count() == size);
    for (std::size_t i = 0; i < ack->count(); ++i) {
        const std::uint32_t word = load_be32(data + 4 + 4 * i);
        const auto sequence = ack->at(i);
        HAWSER_CHECK(sequence.has_value() == (word <= Seq31::mask));
        if (sequence) HAWSER_CHECK(sequence->raw() == word);
    }
    return 0;
}
