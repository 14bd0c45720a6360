// SPDX-License-Identifier: MIT
// Reads the answers of one link, SRTLA ACKs and delivery reports, for the fates of its copies. A link keeps the order,
// so each answer means the next copy of its sequence, and a count of arrivals tells of those that no answer names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/wire/report.h"
#include "platform/app/replay/link_fates.h"

namespace hawser::app {

// A delivery report, of which the entries at the end may be missing.
struct CutReport {
    explicit CutReport(Bytes head) : head_(head) {}
    [[nodiscard]] bool is_one() const {
        return head_.size() >= wire::report_header_bytes && load_be16(head_.data()) == wire::report_type;
    }
    [[nodiscard]] bool is_by_another() const { return head_[2] == wire::report_version_by_another; }
    [[nodiscard]] std::uint32_t clock_us() const { return load_be32(head_.data() + 8); }
    [[nodiscard]] std::uint32_t number() const { return load_be32(head_.data() + 4); }
    [[nodiscard]] std::uint32_t arrived() const { return load_be32(head_.data() + 16); }
    [[nodiscard]] std::uint32_t entries() const { return head_[3]; }
    [[nodiscard]] std::size_t seen() const {
        return std::min<std::size_t>(entries(), (head_.size() - wire::report_header_bytes) / wire::report_entry_bytes);
    }
    [[nodiscard]] wire::ReportEntry at(std::size_t i) const {
        const std::uint8_t* entry = head_.data() + wire::report_header_bytes + i * wire::report_entry_bytes;
        return {wire::Seq31(load_be32(entry)), load_be16(entry + 4)};
    }

private:
    Bytes head_;
};

class LinkAnswers {
public:
    explicit LinkAnswers(LinkHistory& link) : link_(link) {}

    void on_ack(const LoggedPacket& packet);
    void on_report(const CutReport& report, std::int64_t received_ns, std::int64_t clock_ns);
    // At the log's end. `last_sent`: when each sequence was sent last, by whatever link.
    void finish(std::int64_t end_ns, const std::unordered_map<std::uint32_t, std::int64_t>& last_sent);

private:
    // The n-th arrival of a link is that copy's.
    struct Anchor {
        std::int64_t ordinal = 0;
        std::size_t index = 0;
    };
    [[nodiscard]] std::optional<std::size_t> find(std::uint32_t sequence, std::size_t from, std::int64_t told_ns) const;
    void deliver(std::size_t i, std::int64_t told_ns);
    void stamp(std::size_t i, std::int64_t at_ns);
    void settle_between(const Anchor& a, const Anchor& b);
    void settle_range(std::size_t begin, std::size_t end, std::int64_t arrived);
    void begin_count(std::int64_t ordinal, std::size_t index);
    void end_count();
    void settle_by_acks(const std::unordered_map<std::uint32_t, std::int64_t>& last_sent);

    LinkHistory& link_;
    std::vector<Anchor> anchors_;
    std::int64_t reported_ns_ = 0;
    std::int64_t reported_ = 0;      // arrivals that the newest report counts
    std::int64_t before_pause_ = 0;  // and the newest before a pause
    std::size_t next_acked_ = 0;     // copies that an ACK may name next, as it comes in order; the same of reports
    std::size_t next_reported_ = 0;
    std::size_t settled_ = 0;  // below this the fate of copies is that of a count that has ended
    bool has_rejoined_ = false;
    bool has_report_ = false;
    std::uint32_t number_ = 0;
    std::int64_t arrived_ = 0;
    std::int64_t slowest_ns_ = 0;
};

}  // namespace hawser::app
