// SPDX-License-Identifier: MIT
// What the program says about itself, on standard error: one line each, with time and level, through spdlog.
// Three dialects: `plain` for people; the same for the journal, which keeps time and level itself; and `compat` for
// what watches the peers' programs, where a line begins with its text (GUIs look for substrings, some for prefixes).
// Saying something never waits for who reads it: lines that nobody reads are left out. Not for the pump's thread.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hawser::app {

enum class Level : unsigned char { trace, debug, info, warn, error, off };

// "trace" "debug" "info" "warn" ("warning") "error" ("err", "critical") "off"; absent for anything else.
[[nodiscard]] std::optional<Level> parse_level(std::string_view text);

void set_up_log(Level level, bool compat);  // from here on a thread of its own writes them (output_thread.h)
void set_log_level(Level level);
[[nodiscard]] bool logs(Level level);
void log_line(Level level, std::string_view line);
[[nodiscard]] std::string_view name_of(Level level);

// Also tells a listener of what this thread logs; an empty one ends that. Other threads' lines are not its own.
void set_log_listener(std::function<void(Level level, std::string_view line)> listener);

template <class... Args>
void log(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (logs(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace hawser::app
