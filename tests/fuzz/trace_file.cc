// SPDX-License-Identifier: MIT
// A recording of any content: what is read loops without end or going back, what is refused names a line.
#include <algorithm>
#include <string_view>

#include "engine/base/check.h"
#include "platform/app/sim/trace_file.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto trace = app::parse_trace({reinterpret_cast<const char*>(data), size});
    if (trace) {
        HAWSER_CHECK(!trace->empty() && trace->back() > 0 && std::is_sorted(trace->begin(), trace->end()));
    } else {
        HAWSER_CHECK(trace.error().find(": ") != std::string::npos);
        for (const char c : trace.error()) HAWSER_CHECK(c >= ' ' && c < 0x7F);
    }
    return 0;
}
