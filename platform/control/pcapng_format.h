// SPDX-License-Identifier: MIT
// What the writer and the reader of capture files agree on: draft-ietf-opsawg-pcapng, as far as it is used here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::control::pcapng {

inline constexpr std::uint32_t section_block = 0x0A0D0D0A;
inline constexpr std::uint32_t interface_block = 1;
inline constexpr std::uint32_t packet_block = 6;
inline constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
inline constexpr std::uint16_t version_major = 1;
inline constexpr std::uint16_t linktype_raw = 101;  // IP without a link layer

// A block: u32 type, u32 length of all of it, content, u32 length again; padded to words.
inline constexpr std::size_t block_frame_bytes = 12;
// Contents ahead of the options: of a section magic, version and length; of an interface link type and snap length; of
// a packet interface, stamp (2), kept and whole length.
inline constexpr std::size_t section_bytes = 16;
inline constexpr std::size_t interface_bytes = 8;
inline constexpr std::size_t packet_bytes = 20;

// Options: comments, then what each kind of block has of its own.
inline constexpr std::uint16_t opt_end = 0;
inline constexpr std::uint16_t opt_comment = 1;
inline constexpr std::uint16_t shb_userappl = 4;
inline constexpr std::uint16_t if_name = 2;
inline constexpr std::uint16_t if_description = 3;
inline constexpr std::uint16_t if_tsresol = 9;
inline constexpr std::uint16_t epb_flags = 2;
inline constexpr std::uint32_t inbound = 1;
inline constexpr std::uint32_t outbound = 2;
inline constexpr std::uint32_t direction_mask = 3;
inline constexpr std::uint8_t nanoseconds = 9;  // of if_tsresol: 10^-9 s
inline constexpr std::size_t option_bytes_max = 4096;

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

}  // namespace hawser::control::pcapng
