// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4), for names that others derive with it: channel numbers and groups. Not on any path that is in a
// hurry, and no secret goes through it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hawser {

[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::string_view message);

}  // namespace hawser
