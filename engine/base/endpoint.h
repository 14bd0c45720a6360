// SPDX-License-Identifier: MIT
// A UDP address as the engine sees it: 16 bytes of IPv6 (IPv4 as ::ffff:a.b.c.d), port, scope.
// One form for both families makes equality one comparison and lets a dual-stack socket's sources compare with a v4
// one's. Conversion to and from the kernel's sockaddr lives in platform/linux.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace hawser {

struct Endpoint {
    std::array<std::uint8_t, 16> address{};
    std::uint32_t scope = 0;  // interface index of a link-local IPv6 address, else 0
    std::uint16_t port = 0;   // host byte order
    std::uint16_t reserved = 0;

    // Three words: this runs for each packet of an unconnected socket.
    friend bool operator==(const Endpoint& a, const Endpoint& b) {
        return ((a.word<0>() ^ b.word<0>()) | (a.word<1>() ^ b.word<1>()) | (a.word<2>() ^ b.word<2>())) == 0;
    }

    [[nodiscard]] constexpr bool is_v4() const {
        for (std::size_t i = 0; i < 10; ++i)
            if (address[i] != 0) return false;
        return address[10] == 0xFF && address[11] == 0xFF;
    }
    // The IPv4 address in host byte order; meaningless unless is_v4().
    [[nodiscard]] constexpr std::uint32_t v4() const {
        return (std::uint32_t{address[12]} << 24) | (std::uint32_t{address[13]} << 16) |
               (std::uint32_t{address[14]} << 8) | std::uint32_t{address[15]};
    }
    [[nodiscard]] static constexpr Endpoint from_v4(std::uint32_t host_order, std::uint16_t port) {
        Endpoint e;
        e.address[10] = e.address[11] = 0xFF;
        e.address[12] = static_cast<std::uint8_t>(host_order >> 24);
        e.address[13] = static_cast<std::uint8_t>(host_order >> 16);
        e.address[14] = static_cast<std::uint8_t>(host_order >> 8);
        e.address[15] = static_cast<std::uint8_t>(host_order);
        e.port = port;
        return e;
    }
    // True for the all-zero and the v4 any address alike.
    [[nodiscard]] constexpr bool is_any() const {
        if (is_v4()) return v4() == 0;
        return address == std::array<std::uint8_t, 16>{};
    }
    // True for 127.0.0.0/8 and ::1.
    [[nodiscard]] constexpr bool is_loopback() const {
        if (is_v4()) return address[12] == 127;
        std::array<std::uint8_t, 16> one{};
        one[15] = 1;
        return address == one;
    }
    [[nodiscard]] std::uint64_t hash() const {
        std::uint64_t a, b;
        std::memcpy(&a, address.data(), 8);
        std::memcpy(&b, address.data() + 8, 8);
        std::uint64_t h = a * 0x9E3779B97F4A7C15u ^ (b + port) * 0xC2B2AE3D27D4EB4Fu;
        h ^= h >> 32;
        h *= 0xD6E8FEB86659FD93u;
        return h ^ (h >> 32);
    }

private:
    // Of all bytes, eight at a time.
    template <std::size_t Index>
    [[nodiscard]] std::uint64_t word() const {
        static_assert(Index < 3);
        std::uint64_t w;
        std::memcpy(&w, reinterpret_cast<const std::uint8_t*>(this) + 8 * Index, sizeof w);
        return w;
    }
};
static_assert(sizeof(Endpoint) == 24);

}  // namespace hawser
