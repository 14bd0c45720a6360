// SPDX-License-Identifier: MIT
// Where a radiod is: names as its tools take them (`name[:port][,interface]`), and the multicast group that radiod
// computes from a name instead of asking a name server. Source: ka9q-radio 4e0033b4 (multicast.c).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"

namespace hawser::radio {

inline constexpr std::uint16_t status_port = 5006;
inline constexpr std::uint16_t rtp_port = 5004;

// FNV-1 over the string as it is, into 239/8; 0 for the empty string. Host byte order.
[[nodiscard]] std::uint32_t group_of_name(std::string_view name);
// Of a radiod's status: `.local` is appended where the name does not end in it, as radiod does.
[[nodiscard]] std::uint32_t status_group_of_name(std::string_view name);

// `a.b.c.d[:port]`; port 0 when there is none. Absent for anything else.
[[nodiscard]] std::optional<Endpoint> parse_group(std::string_view text);

struct RadioName {
    std::string host;  // `.local` appended where it has no dot
    std::uint16_t port = 0;
    std::string interface;            // empty: the system's choice
    std::optional<Endpoint> literal;  // when the host is an address
};
// Absent for an empty host or a port that is none.
[[nodiscard]] std::optional<RadioName> parse_radio_name(std::string_view text);

}  // namespace hawser::radio
