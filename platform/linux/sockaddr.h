// SPDX-License-Identifier: MIT
// Endpoint to and from the kernel's sockaddr and to and from text. The engine knows one form (16 bytes, IPv4 mapped);
// which family the kernel wants depends on the socket, so the caller says it.
// The conversions at the top run once per packet of an unconnected socket and are inline for that.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"

namespace hawser::os {

// Room for either family; what the data path stores per queued send.
union SocketAddress {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

// Fills `out` for a socket of `family` (AF_INET or AF_INET6) and returns its length. On AF_INET the endpoint is_v4().
inline socklen_t to_sockaddr(const Endpoint& e, int family, SocketAddress& out) noexcept {
    if (family == AF_INET) {
        out.v4 = sockaddr_in{};
        out.v4.sin_family = AF_INET;
        out.v4.sin_port = htons(e.port);
        std::memcpy(&out.v4.sin_addr, e.address.data() + 12, 4);
        return sizeof(sockaddr_in);
    }
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(e.port);
    out.v6.sin6_flowinfo = 0;
    std::memcpy(&out.v6.sin6_addr, e.address.data(), 16);
    out.v6.sin6_scope_id = e.scope;
    return sizeof(sockaddr_in6);
}

// `address` is aligned as the kernel aligns nothing: read it by copy. Families other than the two give the any address.
inline Endpoint from_sockaddr(const void* address) noexcept {
    sa_family_t family;
    std::memcpy(&family, address, sizeof family);
    Endpoint e;
    if (family == AF_INET) {
        sockaddr_in in;
        std::memcpy(&in, address, sizeof in);
        e.address[10] = e.address[11] = 0xFF;
        std::memcpy(e.address.data() + 12, &in.sin_addr, 4);
        e.port = ntohs(in.sin_port);
    } else if (family == AF_INET6) {
        sockaddr_in6 in;
        std::memcpy(&in, address, sizeof in);
        std::memcpy(e.address.data(), &in.sin6_addr, 16);
        e.port = ntohs(in.sin6_port);
        e.scope = in.sin6_scope_id;
    }
    return e;
}

// "192.0.2.1", "2001:db8::1", "fe80::1%eth0" (or %2 where the interface has no name). No port.
[[nodiscard]] std::string address_text(const Endpoint& e);
// "192.0.2.1:5000", "[2001:db8::1]:5000".
[[nodiscard]] std::string endpoint_text(const Endpoint& e);

// A numeric address without a port (the result's port is 0); brackets around IPv6 are allowed, names are not.
[[nodiscard]] std::optional<Endpoint> parse_address(std::string_view text);
// A numeric address with a port: "192.0.2.1:5000" or "[2001:db8::1]:5000".
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace hawser::os
