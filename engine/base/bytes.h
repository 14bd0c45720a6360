// SPDX-License-Identifier: MIT
// Big-endian loads and stores at offsets fixed by the type, so that a field outside its header does not compile.
// A Fixed<N> proves once that N bytes are there; a short packet ends at that door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hawser {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] constexpr std::uint16_t load_be16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>((p[0] << 8) | p[1]);
}
[[nodiscard]] constexpr std::uint32_t load_be32(const std::uint8_t* p) {
    return (static_cast<std::uint32_t>(p[0]) << 24) | (static_cast<std::uint32_t>(p[1]) << 16) |
           (static_cast<std::uint32_t>(p[2]) << 8) | static_cast<std::uint32_t>(p[3]);
}
[[nodiscard]] constexpr std::uint64_t load_be64(const std::uint8_t* p) {
    return (static_cast<std::uint64_t>(load_be32(p)) << 32) | load_be32(p + 4);
}
constexpr void store_be16(std::uint8_t* p, std::uint16_t v) {
    p[0] = static_cast<std::uint8_t>(v >> 8);
    p[1] = static_cast<std::uint8_t>(v);
}
constexpr void store_be32(std::uint8_t* p, std::uint32_t v) {
    store_be16(p, static_cast<std::uint16_t>(v >> 16));
    store_be16(p + 2, static_cast<std::uint16_t>(v));
}
constexpr void store_be64(std::uint8_t* p, std::uint64_t v) {
    store_be32(p, static_cast<std::uint32_t>(v >> 32));
    store_be32(p + 4, static_cast<std::uint32_t>(v));
}

template <std::size_t N>
class Fixed {
public:
    [[nodiscard]] static constexpr std::optional<Fixed> over(Bytes bytes) {
        if (bytes.size() < N) return std::nullopt;
        return Fixed(bytes.data());
    }
    template <std::size_t Offset>
    [[nodiscard]] constexpr std::uint8_t u8() const {
        static_assert(Offset + 1 <= N);
        return data_[Offset];
    }
    template <std::size_t Offset>
    [[nodiscard]] constexpr std::uint16_t u16() const {
        static_assert(Offset + 2 <= N);
        return load_be16(data_ + Offset);
    }
    template <std::size_t Offset>
    [[nodiscard]] constexpr std::uint32_t u32() const {
        static_assert(Offset + 4 <= N);
        return load_be32(data_ + Offset);
    }
    template <std::size_t Offset>
    [[nodiscard]] constexpr std::uint64_t u64() const {
        static_assert(Offset + 8 <= N);
        return load_be64(data_ + Offset);
    }

private:
    constexpr explicit Fixed(const std::uint8_t* data) : data_(data) {}
    const std::uint8_t* data_;
};

}  // namespace hawser
