// SPDX-License-Identifier: MIT
// What two ends of this program agree on beyond SRTLA, in bytes that no peer looks at: the second half of the 256-byte
// id. In REG1 a sender offers; in REG2 the receiver answers with what it will do. A receiver of another make overwrites
// the half with its own randomness and a sender of another make fills it with its own, so nothing happens then; one
// that gave the offer back unchanged would not be taken for an answer, since the two begin with different magics.
// The answer is part of the group's id from then on. Anything malformed is as if absent.
//
// The half of 128 bytes:
//    0  magic, 8 bytes: "hawser/o" offers, "hawser/a" answers
//    8  u8 version: 1
//    9  u8 length: bytes of type-length-values from here, at most 54
//   10  each value: u8 type, u8 length, bytes. Types that are not known are skipped, and so is what a known one has
//       beyond the bytes known here, so that both may grow.
//         1  u32 features, bit 0: delivery reports, bit 1: reorder hold, bit 2: reports of a link by another one
//         2  u32 report interval, us: at least so long between two reports of a link
//   64  left random: it makes an id that a stranger cannot guess, and is free for an authenticator to come
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/wire/srtla.h"

namespace hawser::wire {

inline constexpr std::size_t extension_bytes_max = 64;
inline constexpr std::size_t group_id_receiver_bytes = group_id_bytes - group_id_sender_bytes;
static_assert(extension_bytes_max <= group_id_receiver_bytes);

struct Extension {
    bool delivery_reports = false;  // engine/wire/report.h
    bool reorder_hold = false;      // the receiver hands packets to the SRT server in order, within their time
    std::uint32_t report_interval_us = 10'000;  // a wish in the offer, a promise in the answer
    bool reports_by_others = false;             // of a link that asks for it, by another one as well

    [[nodiscard]] bool any() const { return delivery_reports || reorder_hold; }
    friend bool operator==(const Extension&, const Extension&) = default;
};

namespace detail {

inline constexpr std::array<std::uint8_t, 8> offer_magic{'h', 'a', 'w', 's', 'e', 'r', '/', 'o'};
inline constexpr std::array<std::uint8_t, 8> answer_magic{'h', 'a', 'w', 's', 'e', 'r', '/', 'a'};
inline constexpr std::uint8_t extension_version = 1;
inline constexpr std::size_t extension_header_bytes = 10;
inline constexpr std::uint8_t features_type = 1;
inline constexpr std::uint8_t report_interval_type = 2;
inline constexpr std::uint32_t delivery_reports_bit = 1u << 0;
inline constexpr std::uint32_t reorder_hold_bit = 1u << 1;
inline constexpr std::uint32_t reports_by_others_bit = 1u << 2;

[[nodiscard]] inline std::optional<Extension> read_extension(Bytes half, const std::array<std::uint8_t, 8>& magic) {
    if (half.size() != group_id_receiver_bytes || !std::equal(magic.begin(), magic.end(), half.begin()))
        return std::nullopt;
    const std::size_t length = half[9];
    if (half[8] != extension_version || length > extension_bytes_max - extension_header_bytes) return std::nullopt;
    Extension extension;
    bool has_features = false;
    for (Bytes left = half.subspan(extension_header_bytes, length); !left.empty();) {
        if (left.size() < 2 || left.size() - 2 < left[1]) return std::nullopt;
        const std::uint8_t type = left[0];
        const Bytes value = left.subspan(2, left[1]);
        left = left.subspan(2 + value.size());
        if (type != features_type && type != report_interval_type) continue;
        const auto word = Fixed<4>::over(value);
        if (!word) return std::nullopt;
        if (type == report_interval_type) {
            extension.report_interval_us = word->u32<0>();
            continue;
        }
        extension.delivery_reports = (word->u32<0>() & delivery_reports_bit) != 0;
        extension.reorder_hold = (word->u32<0>() & reorder_hold_bit) != 0;
        extension.reports_by_others = (word->u32<0>() & reports_by_others_bit) != 0;
        has_features = true;
    }
    if (!has_features) return std::nullopt;
    return extension;
}

// Over randomness that is there already; what the extension does not need stays as it is.
inline void write_extension(MutableBytes half, const std::array<std::uint8_t, 8>& magic, const Extension& extension) {
    std::copy(magic.begin(), magic.end(), half.begin());
    half[8] = extension_version;
    half[9] = 12;
    half[10] = features_type;
    half[11] = 4;
    store_be32(half.data() + 12, (extension.delivery_reports ? delivery_reports_bit : 0u) |
                                     (extension.reorder_hold ? reorder_hold_bit : 0u) |
                                     (extension.reports_by_others ? reports_by_others_bit : 0u));
    half[16] = report_interval_type;
    half[17] = 4;
    store_be32(half.data() + 18, extension.report_interval_us);
}

}  // namespace detail

// The half of a registration's id that extensions live in.
[[nodiscard]] inline Bytes extension_half(Bytes id) { return id.subspan(group_id_sender_bytes); }
[[nodiscard]] inline MutableBytes extension_half(MutableBytes id) { return id.subspan(group_id_sender_bytes); }

// Of a REG1's id, its second half; absent where the sender offers nothing.
[[nodiscard]] inline std::optional<Extension> offer_in(Bytes half) {
    return detail::read_extension(half, detail::offer_magic);
}
// Of a REG2's id, its second half; absent where the receiver is of another make or did not take the offer.
[[nodiscard]] inline std::optional<Extension> answer_in(Bytes half) {
    return detail::read_extension(half, detail::answer_magic);
}
// Into a half that has been filled with randomness.
inline void write_offer(MutableBytes half, const Extension& offer) {
    detail::write_extension(half, detail::offer_magic, offer);
}
inline void write_answer(MutableBytes half, const Extension& answer) {
    detail::write_extension(half, detail::answer_magic, answer);
}

}  // namespace hawser::wire
