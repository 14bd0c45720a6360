// SPDX-License-Identifier: MIT
// Where a recording's samples go: one file or stream, of one format. Used by the writer's thread alone; calls may
// block. A failure stays: what comes after it is not written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/control/radio/growing_file.h"
#include "platform/control/radio/wav_header.h"

namespace hawser::control {

enum class Container : std::uint8_t { wav, raw, ogg_opus };

struct SinkFormat {
    Container container = Container::wav;
    SampleFormat samples = SampleFormat::s16;
    std::uint32_t samprate = 0;  // of the ticks: 48000 for Opus
    std::uint32_t channels = 1;
    std::uint32_t serial = 0;  // of an Ogg stream
};

class Sink {
public:
    virtual ~Sink() = default;
    // Whole frames, or one Opus packet that lasts so many ticks.
    virtual Result<Unit, Errno> write(Bytes bytes, std::uint32_t ticks) = 0;
    virtual Result<Unit, Errno> silence(std::uint64_t ticks) = 0;
    // To the disk, with a head that is right for what is there.
    virtual Result<Unit, Errno> flush() = 0;
    // The file's name, also after a failure: what did get there keeps it. flush() before tells of failures.
    virtual Result<std::string, Errno> finish() = 0;
    // Nothing is left of it.
    virtual void discard() = 0;
    [[nodiscard]] virtual std::uint64_t ticks() const = 0;
};

// WAV and raw.
[[nodiscard]] std::unique_ptr<Sink> make_pcm_sink(GrowingFile file, const SinkFormat& format);
// Opus packets as they came, in Ogg pages (RFC 7845).
[[nodiscard]] std::unique_ptr<Sink> make_ogg_sink(GrowingFile file, const SinkFormat& format);

}  // namespace hawser::control
