// SPDX-License-Identifier: MIT
#include "platform/control/json_text.h"

namespace hawser::control {

namespace {

// The library escapes control characters below 0x20; DEL and those of 8 bits (U+0080 to U+009F) move cursors too.
std::string without_controls(std::string text) {
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const bool is_del = byte(at) == 0x7F;
        const bool is_c1 = byte(at) == 0xC2 && at + 1 < text.size() && byte(at + 1) < 0xA0;
        if (!is_del && !is_c1) continue;
        out.append(text, done, at - done);
        at += is_c1 ? 1 : 0;
        const unsigned code = byte(at);
        constexpr const char* digits = "0123456789abcdef";
        out.append("\\u00").append(1, digits[code >> 4]).append(1, digits[code & 15]);
        done = at + 1;
    }
    return done == 0 ? text : out.append(text, done, std::string::npos);
}

template <class Value>
std::string dumped(const Value& value) {
    return without_controls(value.dump(-1, ' ', false, Value::error_handler_t::replace));
}

}  // namespace

std::string text_of(const nlohmann::ordered_json& value) { return dumped(value); }
std::string text_of(const nlohmann::json& value) { return dumped(value); }

}  // namespace hawser::control
