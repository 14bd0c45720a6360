// SPDX-License-Identifier: MIT
// The commands that ask a running program over its control socket, behind their command lines: one call, or a
// connection that is kept, and found again after the program's restart. Each answers the process's exit code: 0 done,
// 1 failed, 2 usage.
#pragma once

#include <string>

namespace hawser::app {

[[nodiscard]] int show_status(const std::string& path, bool json);
// Until Ctrl-C: the same each second.
[[nodiscard]] int watch_status(const std::string& path, bool json);
// The live view, `q` ends it; or one page on what need not be a terminal.
[[nodiscard]] int show_top(const std::string& path, bool once);
// `params`: a JSON object as text.
[[nodiscard]] int call_method(const std::string& path, const std::string& method, const std::string& params);
[[nodiscard]] int show_budgets(const std::string& path, bool json);
// `name`: empty: none given.
[[nodiscard]] int dump_recorder(const std::string& path, const std::string& name);
[[nodiscard]] int show_log(const std::string& path, bool follow, bool json);

}  // namespace hawser::app
