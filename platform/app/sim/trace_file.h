// SPDX-License-Identifier: MIT
// Reads a recording of a link's capacity. Two forms, told apart by the first line with figures:
//   opportunities   one whole number a line, in ms from the start, not descending: at that time 1500 bytes could pass,
//                   as mahimahi and its saturator write them. The last is the period; the recording is looped.
//   rates           two numbers a line: seconds from the start, and the kbit/s that held from then on. The last line's
//                   time is the period, its rate counts for nothing. Blanks, a comma or a semicolon between them.
// Blank lines and what follows a # are skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace hawser::app {

// In the form of sim::LineShape::trace_ms. The error begins with the line's number: "3: 'x' is no ...".
[[nodiscard]] Result<std::vector<std::uint32_t>, std::string> parse_trace(std::string_view text);

// A file's content up to `bytes_max`, or a sentence that names the file and the reason.
[[nodiscard]] Result<std::string, std::string> read_file(const std::string& path, std::size_t bytes_max);

inline constexpr std::size_t trace_bytes_max = std::size_t{64} << 20;

}  // namespace hawser::app
