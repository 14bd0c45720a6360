// SPDX-License-Identifier: MIT
// A hash whose collisions a stranger cannot prepare: products of 64 by 64 bits folded to 64, under secret keys (the
// construction of wyhash, Wang Yi 2019, public domain). For tables that strangers fill; not a signature.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/base/endpoint.h"

namespace hawser {

class KeyedHash {
public:
    KeyedHash(std::uint64_t key0, std::uint64_t key1, std::uint64_t key2) : key0_(key0), key1_(key1), key2_(key2) {}

    [[nodiscard]] std::uint64_t of(std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
        return fold(fold(a ^ key0_, b ^ key1_) ^ c, key2_);
    }
    [[nodiscard]] std::uint64_t of(const Endpoint& e) const {
        std::uint64_t high, low;
        std::memcpy(&high, e.address.data(), 8);
        std::memcpy(&low, e.address.data() + 8, 8);
        return of(high, low, (std::uint64_t{e.scope} << 16) | e.port);
    }

private:
    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::uint64_t key0_;
    std::uint64_t key1_;
    std::uint64_t key2_;
};

}  // namespace hawser
