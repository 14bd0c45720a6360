// SPDX-License-Identifier: MIT
// What the demonstration is asked to do, and the reading of its own small notations (--link, --dark).
// Reading is pure and answers with a sentence that names the setting and what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/border/selection.h"
#include "platform/app/demo/link_shape.h"
#include "platform/app/demo/problem.h"

namespace hawser::demo {

enum class IoChoice : std::uint8_t { automatic, uring, epoll };

struct Options {
    std::uint32_t seconds = 30;  // of picture; 0: until interrupted
    std::uint32_t bitrate_kbps = 6000;
    std::uint32_t latency_ms = 1000;
    select::Mode select = select::Mode::adaptive;
    IoChoice io = IoChoice::automatic;
    std::vector<LinkShape> links;
    std::vector<DarkWindow> dark;
    std::uint64_t seed = 1;
    bool pattern = false;  // no ffmpeg: the built-in stream
    bool json = false;
    std::string keep_ts;  // file for the received stream; empty: none
};

// Four modems of unequal worth, none of which carries the default bit rate alone; repeated for more links.
[[nodiscard]] std::vector<LinkShape> default_links(std::size_t count);

// "2:rate=3000,delay=40,loss=1.5,queue=300" (kbit/s, ms, percent, ms), applied to links[1].
[[nodiscard]] Outcome<Unit> apply_link_setting(std::string_view text, std::vector<LinkShape>& links);

// "2@5+3": link 2 is dark from second 5 for 3 seconds; decimals allowed.
[[nodiscard]] Outcome<DarkWindow> read_dark_window(std::string_view text, std::size_t link_count);

}  // namespace hawser::demo
