// SPDX-License-Identifier: MIT
// Whom to ask for names through an uplink: the servers that its rule says, or those that the system knows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"

namespace hawser::control {

inline constexpr std::uint16_t name_server_port = 53;
// As many as resolv.conf(5) takes; more would be asked when nobody waits any longer.
inline constexpr std::size_t name_servers_max = 3;

// "10.64.0.1", "2001:db8::1", and with a port "10.64.0.1:5353", "[2001:db8::1]:5353". The error is a sentence.
[[nodiscard]] Result<Endpoint, std::string> parse_name_server(std::string_view text);
// Several with blanks between them, each once; none for an empty text.
[[nodiscard]] Result<std::vector<Endpoint>, std::string> parse_name_servers(std::string_view text);
// As it is parsed: the port is left out where it is the usual one.
[[nodiscard]] std::string name_server_text(const Endpoint& server);

// Reads files. Those of resolv.conf, and, where it has only a server on this machine (which asks by whatever way it
// likes), those that systemd-resolved and NetworkManager say stand behind it. None on this machine, at most
// name_servers_max.
[[nodiscard]] std::vector<Endpoint> system_name_servers();
// Of one such file; none where it cannot be read.
[[nodiscard]] std::vector<Endpoint> name_servers_of(const std::string& resolv_conf);

}  // namespace hawser::control
