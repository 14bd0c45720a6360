// SPDX-License-Identifier: MIT
#include "platform/control/radio/file_name.h"

#include <time.h>

#include <array>
#include <cmath>

namespace hawser::control {

std::string harmless(std::string text) {
    for (char& c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
                              c == '-' || c == '.' || c == '_';
        if (!is_plain) c = '_';
    }
    if (text.starts_with('.') || text.starts_with('-')) text.front() = '_';
    return text;
}

namespace {

std::optional<std::string> value_of(const std::string& field, const NameFields& f) {
    if (field == "radio") return harmless(f.radio);
    if (field == "source") return harmless(f.source);
    if (field == "ssrc") return std::to_string(f.ssrc);
    if (field == "frequency") return std::to_string(std::llround(f.frequency));
    if (field == "khz") return std::to_string(std::llround(f.frequency / 1000));
    if (field == "preset") return harmless(f.preset);
    return std::nullopt;
}

}  // namespace

std::optional<std::string> file_name(const std::string& pattern, const NameFields& fields, std::int64_t unix_ns) {
    const std::int64_t tenths = unix_ns / 100'000'000;
    std::string format;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '{') {
            const std::size_t end = pattern.find('}', i);
            if (end == std::string::npos) return std::nullopt;
            const auto value = value_of(pattern.substr(i + 1, end - i - 1), fields);
            if (!value) return std::nullopt;
            format += *value;
            i = end;
        } else if (pattern.compare(i, 2, "%1") == 0) {
            format += std::to_string(tenths % 10);
            ++i;
        } else if (pattern[i] == '%' && i + 1 < pattern.size()) {
            format += pattern.substr(i++, 2);
        } else {
            format += pattern[i];
        }
    }
    const auto seconds = static_cast<time_t>(tenths / 10);
    tm utc{};
    if (::gmtime_r(&seconds, &utc) == nullptr) return std::nullopt;
    std::array<char, 4096> name;
    const std::size_t length = ::strftime(name.data(), name.size(), format.c_str(), &utc);
    if (length == 0 || name[length - 1] == '/') return std::nullopt;
    return std::string(name.data(), length);
}

}  // namespace hawser::control
