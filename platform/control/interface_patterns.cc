// SPDX-License-Identifier: MIT
#include "platform/control/interface_patterns.h"

#include <fnmatch.h>

#include <algorithm>
#include <vector>

namespace hawser::control {

bool may_be_automatic(const AutomaticUplinks& automatic, const std::string& interface, const std::string& mac) {
    const auto is_like = [](const std::string& text, const std::string& pattern) {
        return !text.empty() && ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
    };
    const auto matches = [&](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            return is_like(interface, pattern) || is_like(mac, pattern);
        });
    };
    return !matches(automatic.exclude) && (automatic.include.empty() || matches(automatic.include));
}

std::string pattern_of(const std::string& text) {
    std::string out;
    for (const char c : text) out += std::string(c == '*' || c == '?' || c == '[' || c == '\\' ? "\\" : "") + c;
    return out;
}

}  // namespace hawser::control
