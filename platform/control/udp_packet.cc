// SPDX-License-Identifier: MIT
#include "platform/control/udp_packet.h"

#include <algorithm>

namespace hawser::control {

namespace {

constexpr std::size_t v4_bytes = 20;
constexpr std::size_t v6_bytes = 40;
constexpr std::size_t udp_bytes = 8;
constexpr std::uint8_t udp_protocol = 17;
constexpr std::uint8_t hops = 64;

// RFC 1071: the ones' complement sum of 16-bit words.
class Checksum {
public:
    void add(Bytes bytes) {
        for (std::size_t i = 0; i < bytes.size(); i += 2)
            sum_ += std::uint32_t{bytes[i]} << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
    }
    void add(std::uint32_t word) { sum_ += word; }
    [[nodiscard]] std::uint16_t value() const {
        std::uint64_t sum = sum_;
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum & 0xFFFF);
    }

private:
    std::uint64_t sum_ = 0;
};

bool is_v4(const Endpoint& e) { return e.is_v4() || e.is_any(); }

}  // namespace

UdpHeaders udp_headers(const Endpoint& from, const Endpoint& to, std::size_t length, Bytes payload) {
    UdpHeaders h;
    const bool v4 = is_v4(from) && is_v4(to);
    const auto udp_length = static_cast<std::uint16_t>(udp_bytes + length);
    std::uint8_t* const ip = h.bytes.data();
    std::uint8_t* const udp = ip + (v4 ? v4_bytes : v6_bytes);
    h.size = (v4 ? v4_bytes : v6_bytes) + udp_bytes;
    store_be16(udp, from.port);
    store_be16(udp + 2, to.port);
    store_be16(udp + 4, udp_length);
    if (v4) {
        ip[0] = 0x45;
        store_be16(ip + 2, static_cast<std::uint16_t>(v4_bytes + udp_length));
        ip[8] = hops;
        ip[9] = udp_protocol;
        std::copy_n(from.address.begin() + 12, 4, ip + 12);
        std::copy_n(to.address.begin() + 12, 4, ip + 16);
        Checksum sum;
        sum.add(Bytes(ip, v4_bytes));
        store_be16(ip + 10, sum.value());
        return h;
    }
    ip[0] = 0x60;
    store_be16(ip + 4, udp_length);
    ip[6] = udp_protocol;
    ip[7] = hops;
    std::copy(from.address.begin(), from.address.end(), ip + 8);
    std::copy(to.address.begin(), to.address.end(), ip + 24);
    Checksum sum;
    sum.add(Bytes(ip + 8, 32));
    sum.add(std::uint32_t{udp_length} + udp_protocol);
    sum.add(Bytes(udp, udp_bytes));
    sum.add(payload);
    store_be16(udp + 6, sum.value() != 0 ? sum.value() : std::uint16_t{0xFFFF});
    return h;
}

}  // namespace hawser::control
