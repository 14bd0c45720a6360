// SPDX-License-Identifier: MIT
// Tagged numbers: a LinkId is not a BufferId, though both are small integers.
// A tagged number is built explicitly, compares with its own kind only, and offers no arithmetic.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace hawser {

template <class Tag, class Rep>
struct Strong {
    using rep = Rep;

    Rep value{};

    constexpr Strong() = default;
    constexpr explicit Strong(Rep v) : value(v) {}

    friend constexpr bool operator==(Strong, Strong) = default;
    friend constexpr auto operator<=>(Strong, Strong) = default;

    // For indexing arrays whose size is the id's range.
    [[nodiscard]] constexpr std::size_t index() const { return static_cast<std::size_t>(value); }
};

// An uplink of the sender, or one sender address inside a receiver's group: its slot number.
using LinkId = Strong<struct LinkTag, std::uint8_t>;
// A sender known to the receiver: its slot number.
using GroupId = Strong<struct GroupTag, std::uint16_t>;
// A socket that an Io owns.
using SocketId = Strong<struct SocketTag, std::uint16_t>;
// A slot of the packet pool.
using BufferId = Strong<struct BufferTag, std::uint32_t>;

inline constexpr SocketId no_socket{0xFFFF};
inline constexpr LinkId no_link{0xFF};
inline constexpr GroupId no_group{0xFFFF};
inline constexpr BufferId no_buffer{0xFFFF'FFFF};

// Most uplinks that one sender holds; the reference's users have at most eight modems.
inline constexpr std::size_t links_max = 32;

inline constexpr std::size_t cache_line_bytes = 64;

}  // namespace hawser
