// SPDX-License-Identifier: MIT
// A small text file as a whole. Nothing here waits for a pipe's other end.
#pragma once

#include <optional>
#include <string>

#include "engine/base/result.h"

namespace hawser::app {

inline constexpr std::size_t text_file_bytes_max = std::size_t{1} << 20;

// The error names the file and says why: what the system says, or that it is longer than that.
[[nodiscard]] Result<std::string, std::string> read_text_file(const std::string& path);
// Of a file that may be missing (absent then) or longer: one byte more than that is the most that is read.
[[nodiscard]] Result<std::optional<std::string>, std::string> read_text_if_any(const std::string& path);

}  // namespace hawser::app
