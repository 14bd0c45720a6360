// SPDX-License-Identifier: MIT
// Names of recordings from a pattern: what strftime knows (%Y %m %d %H %M %S ..., UTC), %1 for tenths of a second, and
// {radio} {source} {ssrc} {frequency} {khz} {preset}. What comes from the network cannot leave the folder: in a field,
// everything but letters, digits, and + - . _ becomes '_', and no field begins with a dot or a hyphen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hawser::control {

struct NameFields {
    std::string radio;
    std::uint32_t ssrc = 0;
    double frequency = 0;  // Hz
    std::string preset;
    std::string description{};  // of the front end; no part of a name
    std::string source{};       // address of who sends it
};

// What the network said, as part of a name: neither a folder above, nor hidden, nor an option.
[[nodiscard]] std::string harmless(std::string text);

// Absent when the pattern has an unknown {field}, an open brace, or gives no name.
[[nodiscard]] std::optional<std::string> file_name(const std::string& pattern, const NameFields& fields,
                                                   std::int64_t unix_ns);

}  // namespace hawser::control
