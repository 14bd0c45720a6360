// SPDX-License-Identifier: MIT
// A capture of any content: every datagram is whole and of this file, each frame is counted once, and what ends the
// reading early is told in plain words.
#include "platform/app/radio/capture.h"

#include "engine/base/check.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // It is only read.
    std::FILE* const file = ::fmemopen(const_cast<std::uint8_t*>(data), size, "r");
    if (file == nullptr) return 0;
    app::CaptureReader reader(file);
    constexpr std::size_t record_header_bytes = 16;
    std::uint64_t frames = 0;
    std::size_t bytes = 0;
    while (const auto d = reader.next()) {
        ++frames;
        bytes += d->bytes.size();
        // Read, so that a sanitizer looks at it.
        std::uint8_t sum = 0;
        for (const std::uint8_t byte : d->bytes) sum = static_cast<std::uint8_t>(sum + byte);
        static_cast<void>(sum);
        HAWSER_CHECK(d->unix_ns.has_value() == reader.is_capture());
        HAWSER_CHECK(reader.is_capture() || d->source == Endpoint{});
    }
    HAWSER_CHECK(bytes <= size);
    HAWSER_CHECK(!reader.is_capture() || (frames + reader.passed_over()) * record_header_bytes <= size);
    HAWSER_CHECK(reader.is_capture() || frames <= 1);
    HAWSER_CHECK(!reader.next());
    for (const char c : reader.complaint()) HAWSER_CHECK(c >= ' ' && c < 0x7F);
    std::fclose(file);
    return 0;
}
