// SPDX-License-Identifier: MIT
#include "platform/control/rpc/json.h"

namespace hawser::rpc {

bool is_nested_too_deep(std::string_view text) {
    int depth = 0;
    bool is_in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_in_string) {
            if (c == '\\') ++i;
            if (c == '"') is_in_string = false;
            continue;
        }
        if (c == '"') is_in_string = true;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (depth > nesting_max) return true;
    }
    return false;
}

std::optional<Params> parse_json(std::string_view text, std::string& complaint) {
    if (is_nested_too_deep(text)) {
        complaint = "nested deeper than " + std::to_string(nesting_max) + " levels";
        return std::nullopt;
    }
    try {
        return Params::parse(text.begin(), text.end());
    } catch (const Params::exception& e) {
        complaint = e.what();
        // The library's tag, "[json.exception.parse_error.101] ", says nothing to an operator.
        if (const auto end = complaint.find("] "); complaint.front() == '[' && end != std::string::npos)
            complaint.erase(0, end + 2);
        return std::nullopt;
    }
}

}  // namespace hawser::rpc
