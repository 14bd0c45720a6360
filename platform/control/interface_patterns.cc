// SPDX-License-Identifier: MIT
#include "platform/control/interface_patterns.h"

#include <fnmatch.h>

#include <algorithm>
#include <vector>

namespace hawser::control {

bool may_be_automatic(const AutomaticUplinks& automatic, const std::string& interface, const std::string& mac) {
    const auto matches = [&](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            // Only what looks like an address: "e*" is for names, and no modem's address has to fear it.
            const bool is_for_mac = pattern.find(':') != std::string::npos;
            return is_for_mac ? ::fnmatch(pattern.c_str(), mac.c_str(), FNM_CASEFOLD) == 0
                              : ::fnmatch(pattern.c_str(), interface.c_str(), 0) == 0;
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
