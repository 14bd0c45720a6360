// SPDX-License-Identifier: MIT
// Keepalives of every length: what is read is what was there, and an extended one builds again to the same bytes.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/wire/srtla.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    const auto timestamp = keepalive_timestamp(bytes);
    HAWSER_CHECK(timestamp.has_value() == (size >= keepalive_timestamped_bytes));
    const auto telemetry = keepalive_telemetry(bytes);
    if (!telemetry) return 0;
    HAWSER_CHECK(size >= keepalive_extended_bytes);
    const auto again = build_keepalive(*timestamp, *telemetry);
    // Its first two bytes are the type, which these readers do not look at.
    HAWSER_CHECK(std::equal(again.begin() + 2, again.end(), bytes.begin() + 2));
    return 0;
}
