// SPDX-License-Identifier: MIT
// A live MPEG transport stream, cut into payloads of seven packets as SRT carries them.
// From an ffmpeg child (test picture and tone, at the pace of real time), from a descriptor, or, where there is no
// ffmpeg, a counted pattern of our own at the same rate. The child is ended by its own process id.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/time.h"
#include "platform/app/demo/problem.h"
#include "platform/linux/fd.h"

namespace hawser::demo {

inline constexpr std::size_t ts_packet_bytes = 188;                // ISO/IEC 13818-1
inline constexpr std::size_t payload_bytes = 7 * ts_packet_bytes;  // 1316: SRT's live default (SRT_LIVE_DEF_PLSIZE)
using Payload = std::array<std::uint8_t, payload_bytes>;

class TsFeed {
public:
    enum class Got : std::uint8_t { payload, nothing_yet, ended };

    // kbps: of the transport stream. Fails with ENOENT's sentence where ffmpeg is not installed.
    [[nodiscard]] static Outcome<TsFeed> picture(std::uint32_t kbps);
    [[nodiscard]] static Outcome<TsFeed> pattern(std::uint32_t kbps);
    [[nodiscard]] static TsFeed from_descriptor(os::Fd fd);
    [[nodiscard]] static bool has_ffmpeg();

    TsFeed(TsFeed&& other) noexcept;
    TsFeed& operator=(TsFeed&&) = delete;
    ~TsFeed();

    // Readable when next() may have something.
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] Got next(Payload& payload);
    // Ends the child and waits for it, at most two seconds before it is killed.
    void end();

private:
    explicit TsFeed(os::Fd fd) : fd_(std::move(fd)) {}
    [[nodiscard]] Got next_from_pipe(Payload& payload);
    [[nodiscard]] Got next_of_pattern(Payload& payload);

    os::Fd fd_;        // the pipe, or the pattern's timer
    pid_t child_ = 0;  // 0: none
    std::array<std::uint8_t, payload_bytes * 48> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    // The pattern's pace.
    Duration gap_;  // zero: not a pattern
    Instant due_;
    std::uint64_t made_ = 0;
};

}  // namespace hawser::demo
