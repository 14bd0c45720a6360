// SPDX-License-Identifier: MIT
#include "platform/control/interface_patterns.h"

#include <fnmatch.h>

#include <algorithm>
#include <vector>

namespace hawser::control {

bool may_be_automatic(const AutomaticUplinks& automatic, const std::string& interface) {
    const auto matches = [&](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            return ::fnmatch(pattern.c_str(), interface.c_str(), 0) == 0;
        });
    };
    return !matches(automatic.exclude) && (automatic.include.empty() || matches(automatic.include));
}

std::string pattern_of(const std::string& interface) {
    std::string out;
    for (const char c : interface) out += std::string(c == '*' || c == '?' || c == '[' || c == '\\' ? "\\" : "") + c;
    return out;
}

}  // namespace hawser::control
