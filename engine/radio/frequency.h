// SPDX-License-Identifier: MIT
// Frequencies as operators write them. The letter of the multiple may stand where the point would:
// `147m435`, `10m0`, `760k0`, `14.074e6`, `7.1m`, `7040000`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::radio {

// Hz; absent for anything else than one finite, non-negative number. Exactly the double nearest to the decimal number.
[[nodiscard]] std::optional<double> parse_frequency(std::string_view text);
// A plain decimal number (`-12.5`, `1e3`) and nothing beside it.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text);
// The shortest text that reads back as the same number: 500000 and not 5e+05, as far as such rows of digits are read.
[[nodiscard]] std::string format_number(double value);
[[nodiscard]] std::string format_number(float value);

}  // namespace hawser::radio
