// SPDX-License-Identifier: MIT
// Rates and amounts of data as people write them, and back. Prefixes are decimal (k, M, G, T), for amounts binary ones
// too (Ki, Mi, Gi, Ti); a fraction may have six digits; letters may be small or capital, and a blank may stand before
// the unit. The error of a parser is a sentence's rest: "'8 apples' is no rate, as in 8M, 8 Mbit/s or 500kbit/s".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace hawser::control {

inline constexpr std::uint64_t megabyte = 1'000'000;

// Bits per second: "8M", "8 Mbit/s", "500kbit/s", "2.5Mbps", "64000".
[[nodiscard]] Result<std::uint64_t, std::string> parse_rate(std::string_view text);
// Bytes: "50GB", "20 GiB", "1.5T", "700000000".
[[nodiscard]] Result<std::uint64_t, std::string> parse_amount(std::string_view text);

// "8 Mbit/s", "512.5 kbit/s"; what a parser above reads as the same number unless it had more than three decimals.
[[nodiscard]] std::string rate_text(std::uint64_t bits_per_second);
// "50 GB", "1.234 TB".
[[nodiscard]] std::string amount_text(std::uint64_t bytes);

}  // namespace hawser::control
