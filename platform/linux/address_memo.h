// SPDX-License-Identifier: MIT
// The last source address that was converted: packets mostly come from where the one before came from, and then a
// comparison with the kernel's bytes and a copy replace the conversion. Of no socket in particular: the same bytes mean
// the same address everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/endpoint.h"
#include "platform/linux/sockaddr.h"

namespace hawser::os {

class AddressMemo {
public:
    // `address` is a whole sockaddr_in or sockaddr_in6.
    void read(const void* address, Endpoint& out) noexcept {
        std::uint64_t head;
        std::memcpy(&head, address, sizeof head);
        if (head != head_ || (is_long_ && !is_same_tail(address))) [[unlikely]]
            convert(address);
        out = endpoint_;
    }

private:
    [[nodiscard]] bool is_same_tail(const void* address) const noexcept {
        return std::memcmp(static_cast<const char*>(address) + sizeof head_, tail_, sizeof tail_) == 0;
    }
    [[gnu::noinline]] void convert(const void* address) noexcept {
        endpoint_ = from_sockaddr(address);
        std::memcpy(&head_, address, sizeof head_);
        sa_family_t family;
        std::memcpy(&family, address, sizeof family);
        is_long_ = family == AF_INET6;
        if (is_long_) std::memcpy(tail_, static_cast<const char*>(address) + sizeof head_, sizeof tail_);
    }

    // Nothing is remembered at first: family 0 with the any address, which from_sockaddr gives it too.
    std::uint64_t head_ = 0;  // family, port, and the whole address of IPv4
    unsigned char tail_[20] = {};
    bool is_long_ = false;
    Endpoint endpoint_;
    static_assert(offsetof(sockaddr_in, sin_addr) == 4 && sizeof(sockaddr_in6) == sizeof head_ + sizeof tail_);
};

}  // namespace hawser::os
