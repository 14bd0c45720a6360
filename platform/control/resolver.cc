// SPDX-License-Identifier: MIT
#include "platform/control/resolver.h"

#include <netdb.h>

#include <algorithm>

#include "platform/linux/sockaddr.h"

namespace hawser::control {

void Resolution::add(const Endpoint& address) {
    const auto known_end = resolved.addresses.begin() + resolved.count;
    if (std::find(resolved.addresses.begin(), known_end, address) != known_end) return;
    if (resolved.count == resolved_max)
        ++left_out;
    else
        resolved.addresses[resolved.count++] = address;
}

Resolution resolve(const std::string& host, std::uint16_t port) {
    Resolution out;
    out.host = host;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (code != 0) {
        out.error = ::gai_strerror(code);
        out.is_final = code == EAI_NONAME || code == EAI_FAMILY || code == EAI_FAIL;
        return out;
    }
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
        Endpoint e = os::from_sockaddr(a->ai_addr);
        e.port = port;
        out.add(e);
    }
    ::freeaddrinfo(found);
    if (!out.is_good()) {
        out.error = "it has no address";
        out.is_final = true;
    }
    return out;
}

}  // namespace hawser::control
