// SPDX-License-Identifier: MIT
// Delivery report: what came by one link and when, from the receiver to the sender that asked for it in its REG1
// (engine/wire/extension.h). A type of SRTLA's space that every public peer ignores.
//
//    0  u16 type 0x9A00
//    2  u8 version: 1; or 2, a report of another link than the one it comes by
//    3  u8 count of entries
//    4  u32 number: 1 for a link's first report, one more for each; modulo 2^32
//    8  u32 clock: the receiver's, when the report was written; us, modulo 2^32
//   12  u32 next expected: the SRT sequence before which all have come or were given up, whichever link brought them;
//       top bit set: not known
//   16  u32 arrived: SRT data packets that this link has brought so far, copies too; modulo 2^32. Of several reports
//       that say again what was said, up to the last entry of each
//   20  entries of 6 bytes in order of arrival, the last of them packet number `arrived` of the link:
//         u32 SRT sequence, u16 age: arrival before `clock`, in 10 us; 65535: that long ago or longer
//   Of version 2, behind the entries: u32 the link, as its sender's keepalives number it.
//   What follows is padding, since some carriers drop tiny datagrams.
//
// Version 2 is for a link whose way back is dark: its sender asks for it in that link's keepalives (report_ask_bit),
// and only where the receiver has said that it answers such (wire::Extension::reports_by_others).
//
// Each report that a link sends by itself repeats the entries of the one before it: where two in a row are lost, the
// sender sees by `arrived` that entries are missing which it never saw. Reports of one link may overtake each other, so
// a sender heeds `arrived` (and `number`) and lets older ones count for their entries only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/wire/seq.h"
#include "engine/wire/srtla.h"

namespace hawser::wire {

inline constexpr std::uint16_t report_type = 0x9A00;
inline constexpr std::uint8_t report_version = 1;
inline constexpr std::uint8_t report_version_by_another = 2;
inline constexpr std::size_t report_link_bytes = 4;
// Of Telemetry::connection: what this link brought should be reported by another one, too.
inline constexpr std::uint32_t report_ask_bit = 1u << 31;
// The same: the sender has begun anew within a group of before. Of what is missing now it has nothing, so the SRT
// server must learn of the gap at once.
inline constexpr std::uint32_t renewed_bit = 1u << 30;
inline constexpr std::uint32_t connection_mask = ~(report_ask_bit | renewed_bit);
inline constexpr std::size_t report_header_bytes = 20;
inline constexpr std::size_t report_entry_bytes = 6;
// What a receiver of ours puts into one at most. A reader takes any count.
inline constexpr std::size_t report_entries_max = 128;
inline constexpr std::size_t report_bytes_max =
    report_header_bytes + report_entries_max * report_entry_bytes + report_link_bytes;
inline constexpr std::uint32_t report_age_unit_us = 10;
inline constexpr std::uint16_t report_age_max = 0xFFFF;
static_assert(is_srtla_space(report_type));

struct ReportEntry {
    Seq31 sequence;
    std::uint16_t age = 0;  // 10 us; report_age_max: that long or longer

    [[nodiscard]] bool has_time() const { return age != report_age_max; }
    [[nodiscard]] std::uint32_t age_us() const { return age * report_age_unit_us; }
    friend bool operator==(const ReportEntry&, const ReportEntry&) = default;
};

class DeliveryReport {
public:
    // Absent for another type or version, or when fewer entries are there than it says.
    [[nodiscard]] static std::optional<DeliveryReport> over(Bytes bytes) {
        const auto header = Fixed<report_header_bytes>::over(bytes);
        if (!header || header->u16<0>() != report_type) return std::nullopt;
        const bool is_by_another = header->u8<2>() == report_version_by_another;
        if (!is_by_another && header->u8<2>() != report_version) return std::nullopt;
        const std::size_t entries = header->u8<3>() * report_entry_bytes;
        const Bytes rest = bytes.subspan(report_header_bytes);
        if (rest.size() < entries + (is_by_another ? report_link_bytes : 0)) return std::nullopt;
        DeliveryReport report(*header, rest.first(entries));
        if (is_by_another) report.link_ = load_be32(rest.data() + entries);
        return report;
    }
    // The link that it is of, where that is another one than it came by.
    [[nodiscard]] std::optional<std::uint32_t> link() const { return link_; }
    [[nodiscard]] std::uint32_t number() const { return header_.u32<4>(); }
    [[nodiscard]] std::uint32_t clock_us() const { return header_.u32<8>(); }
    [[nodiscard]] std::optional<Seq31> next_expected() const {
        const std::uint32_t word = header_.u32<12>();
        if ((word & ~Seq31::mask) != 0) return std::nullopt;
        return Seq31(word);
    }
    [[nodiscard]] std::uint32_t arrived() const { return header_.u32<16>(); }
    [[nodiscard]] std::size_t count() const { return entries_.size() / report_entry_bytes; }
    // Entry i < count(), oldest first; absent where the sequence's top bit is set.
    [[nodiscard]] std::optional<ReportEntry> at(std::size_t i) const {
        const std::uint8_t* entry = entries_.data() + i * report_entry_bytes;
        const std::uint32_t word = load_be32(entry);
        if ((word & ~Seq31::mask) != 0) return std::nullopt;
        return ReportEntry{Seq31(word), load_be16(entry + 4)};
    }
    // Which of the link's arrivals entry i is: arrived() for the last.
    [[nodiscard]] std::uint32_t ordinal(std::size_t i) const {
        return arrived() - static_cast<std::uint32_t>(count() - 1 - i);
    }

private:
    DeliveryReport(Fixed<report_header_bytes> header, Bytes entries) : header_(header), entries_(entries) {}
    Fixed<report_header_bytes> header_;
    Bytes entries_;
    std::optional<std::uint32_t> link_;
};

struct ReportHeader {
    std::uint32_t number = 0;
    std::uint32_t clock_us = 0;
    std::optional<Seq31> next_expected;
    std::uint32_t arrived = 0;
};

class ReportBuilder {
public:
    explicit ReportBuilder(const ReportHeader& header) {
        store_be16(bytes_.data(), report_type);
        bytes_[2] = report_version;
        store_be32(bytes_.data() + 4, header.number);
        store_be32(bytes_.data() + 8, header.clock_us);
        store_be32(bytes_.data() + 12, header.next_expected ? header.next_expected->raw() : ~Seq31::mask);
        store_be32(bytes_.data() + 16, header.arrived);
    }
    // At most report_entries_max, oldest first.
    void add(Seq31 sequence, std::int64_t age_us) {
        HAWSER_CHECK(count_ < report_entries_max);
        const std::int64_t units = std::clamp<std::int64_t>(age_us / report_age_unit_us, 0, report_age_max);
        std::uint8_t* entry = bytes_.data() + report_header_bytes + count_ * report_entry_bytes;
        store_be32(entry, sequence.raw());
        store_be16(entry + 4, static_cast<std::uint16_t>(units));
        bytes_[3] = static_cast<std::uint8_t>(++count_);
    }
    // The datagram, zero-filled to 32 bytes where shorter.
    [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(report_bytes(count_)); }
    // The same for another link to carry; no more is added then.
    [[nodiscard]] Bytes bytes_by_another(std::uint32_t link) {
        bytes_[2] = report_version_by_another;
        const std::size_t length = report_header_bytes + count_ * report_entry_bytes;
        store_be32(bytes_.data() + length, link);
        return Bytes(bytes_).first(std::max(padded_bytes, length + report_link_bytes));
    }
    // How long a report of so many entries is.
    [[nodiscard]] static constexpr std::size_t report_bytes(std::size_t entries) {
        return std::max(padded_bytes, report_header_bytes + entries * report_entry_bytes);
    }

private:
    std::array<std::uint8_t, report_bytes_max> bytes_{};
    std::size_t count_ = 0;
};

}  // namespace hawser::wire
