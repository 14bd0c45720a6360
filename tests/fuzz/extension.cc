// SPDX-License-Identifier: MIT
// Any half of an id: read or refused within its first 64 bytes; what was read can be written and read again.
#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/wire/extension.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    HAWSER_CHECK(size == group_id_receiver_bytes || !offer_in(Bytes(data, size)));
    std::array<std::uint8_t, group_id_receiver_bytes> half{};
    std::copy_n(data, std::min(size, half.size()), half.begin());
    const auto offer = offer_in(half);
    const auto answer = answer_in(half);
    HAWSER_CHECK(!offer || !answer);

    auto other = half;
    for (std::size_t i = extension_bytes_max; i < other.size(); ++i) other[i] ^= 0xFF;
    HAWSER_CHECK(offer_in(other) == offer && answer_in(other) == answer);
    if (!offer && !answer) return 0;

    const Extension extension = offer ? *offer : *answer;
    write_offer(other, extension);
    HAWSER_CHECK(offer_in(other) == extension);
    write_answer(other, extension);
    HAWSER_CHECK(answer_in(other) == extension);
    return 0;
}
