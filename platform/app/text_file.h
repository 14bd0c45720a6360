// SPDX-License-Identifier: MIT
// A small text file as a whole.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace hawser::app {

inline constexpr std::size_t text_file_bytes_max = std::size_t{1} << 20;

// The error names the file and says why: what the system says, or that it is longer than that.
[[nodiscard]] Result<std::string, std::string> read_text_file(const std::string& path);

}  // namespace hawser::app
