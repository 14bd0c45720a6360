// SPDX-License-Identifier: MIT
// The last source address that was converted: packets mostly come from where the one before came from, and then a
// comparison with the kernel's bytes and a copy replace the conversion. Of no socket in particular: the same bytes mean
// the same address everywhere.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/base/endpoint.h"
#include "platform/linux/sockaddr.h"

namespace hawser::os {

class AddressMemo {
public:
    // `address` is a whole sockaddr_in (with its zeros, which the kernel writes) or sockaddr_in6.
    void read(const void* address, Endpoint& out) noexcept {
        std::uint64_t head[2];
        std::memcpy(head, address, sizeof head);
        if (((head[0] ^ head_[0]) | (head[1] ^ head_[1])) != 0 || (is_long_ && !is_same_tail(address))) [[unlikely]]
            convert(address);
        out = endpoint_;
    }

private:
    static_assert(sizeof(sockaddr_in) == 16 && sizeof(sockaddr_in6) == 28);

    [[nodiscard]] bool is_same_tail(const void* address) const noexcept {
        return std::memcmp(static_cast<const char*>(address) + sizeof head_, tail_, sizeof tail_) == 0;
    }
    [[gnu::noinline]] void convert(const void* address) noexcept {
        endpoint_ = from_sockaddr(address);
        std::memcpy(head_, address, sizeof head_);
        sa_family_t family;
        std::memcpy(&family, address, sizeof family);
        is_long_ = family == AF_INET6;
        if (is_long_) std::memcpy(tail_, static_cast<const char*>(address) + sizeof head_, sizeof tail_);
    }

    // Nothing is remembered at first: family 0 with the any address, which from_sockaddr gives it too.
    std::uint64_t head_[2] = {};
    unsigned char tail_[12] = {};
    bool is_long_ = false;
    Endpoint endpoint_;
};

}  // namespace hawser::os
