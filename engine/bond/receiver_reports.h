// SPDX-License-Identifier: MIT
// Delivery reports (engine/wire/report.h) of the links whose senders asked for them: what each link brought and when,
// and which link's report is due. It decides and writes; the receiver sends.
//
// Laws, which tests/unit/bond quotes:
//  - Two reports of a link are `interval` apart, except that report_fresh_max new entries, or a keepalive that is about
//    to be answered, do not wait.
//  - Each entry is said twice: by the first report after it, and by the next one, which comes when the next packets
//    ask for it or after two intervals.
//  - A link that asks (its way back seems dark) has its last entries said again by another link, and for a while each
//    of its reports goes by that one too.
//  - What a link is sent in SRTLA ACKs and reports, or others for it, never exceeds what it brought, headers of IP and
//    UDP included: forged packets gain their sender nothing. Only tiny packets ever meet this; the report then waits
//    for more of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/due_heap.h"
#include "engine/base/time.h"
#include "engine/wire/report.h"

namespace hawser::bond {

// New entries that wait for no interval. Half a report, as the other half repeats.
inline constexpr std::uint32_t report_fresh_max = 16;

class ReportBook {
public:
    explicit ReportBook(std::uint32_t links) : links_(std::make_unique<Link[]>(links)), due_(links) {}

    // A link joins; nothing is known of it.
    void begin(std::uint32_t slot, Duration interval) noexcept {
        due_.remove(slot);
        links_[slot] = Link{};
        links_[slot].interval = interval;
    }
    // It goes: nothing of it is due any more.
    void end(std::uint32_t slot) noexcept { due_.remove(slot); }

    // The link brought an SRT data packet of so many bytes.
    void note(std::uint32_t slot, wire::Seq31 sequence, std::size_t bytes, Instant now) noexcept {
        Link& link = links_[slot];
        link.credit += static_cast<std::int64_t>(bytes) + headers_min;
        link.entries[link.arrived % wire::report_entries_max] = {now, sequence};
        ++link.arrived;
        const bool waits = link.arrived - link.said < report_fresh_max && now < link.sent_at + link.interval;
        const Instant due = waits ? link.sent_at + link.interval : now;
        if (!due_.contains(slot) || due < due_.due(slot)) due_.set(slot, due);
    }
    // The link was sent an SRTLA ACK of so many bytes.
    void on_ack(std::uint32_t slot, std::size_t bytes) noexcept {
        links_[slot].credit -= static_cast<std::int64_t>(bytes) + headers_max;
    }

    // Something new, or said only once.
    [[nodiscard]] bool is_pending(std::uint32_t slot) const noexcept {
        return links_[slot].arrived != links_[slot].said_twice;
    }
    // So much new that its report goes at once, before the turn brings more than one can hold.
    [[nodiscard]] bool is_full(std::uint32_t slot) const noexcept {
        return links_[slot].arrived - links_[slot].said >= report_fresh_max;
    }
    // The link whose report is due first, and when; never when there is none.
    [[nodiscard]] std::uint32_t first() const noexcept { return due_.first(); }
    [[nodiscard]] Instant next_due() const noexcept { return due_.next(); }

    // The report of a link that is pending, if it may be sent now. Then it counts as sent; else it waits for the link's
    // next packet.
    [[nodiscard]] std::optional<wire::ReportBuilder> take(std::uint32_t slot,
                                                          const std::optional<wire::Seq31>& next_expected,
                                                          Instant now) noexcept {
        Link& link = links_[slot];
        due_.remove(slot);
        const std::uint32_t count = std::min<std::uint32_t>(link.arrived - link.said_twice, wire::report_entries_max);
        auto report = write(link, count, next_expected, now);
        if (!report) return report;
        link.said_twice = link.said;
        link.said = link.arrived;
        link.sent_at = now;
        if (is_pending(slot)) due_.set(slot, now + link.interval * 2);
        return report;
    }

    // The way back to the link's sender seems dark: for a while its reports are worth sending by another link, too.
    void ask(std::uint32_t slot, Instant now) noexcept { links_[slot].asked_until = now + asked_time; }
    [[nodiscard]] bool is_asked(std::uint32_t slot, Instant now) const noexcept {
        return now < links_[slot].asked_until;
    }
    // What the link brought last, said or not.
    [[nodiscard]] std::optional<wire::ReportBuilder> again(std::uint32_t slot,
                                                           const std::optional<wire::Seq31>& next_expected,
                                                           Instant now) noexcept {
        Link& link = links_[slot];
        return write(link, std::min<std::uint32_t>(link.arrived, wire::report_entries_max), next_expected, now);
    }
    // Whether there is credit for a copy of a report, which it then costs.
    [[nodiscard]] bool may_copy(std::uint32_t slot, std::size_t bytes) noexcept {
        Link& link = links_[slot];
        const std::int64_t cost = static_cast<std::int64_t>(bytes) + headers_max;
        if (link.credit < cost) return false;
        link.credit -= cost;
        return true;
    }

    [[nodiscard]] std::uint32_t arrived(std::uint32_t slot) const noexcept { return links_[slot].arrived; }
    [[nodiscard]] std::uint32_t reports(std::uint32_t slot) const noexcept { return links_[slot].number; }
    [[nodiscard]] bool is_due(std::uint32_t slot) const noexcept { return due_.contains(slot); }
    [[nodiscard]] bool is_consistent() const noexcept { return due_.is_consistent(); }

private:
    // Of IP and UDP: what came is taken for IPv4, what is sent for IPv6, so that the law holds for both.
    static constexpr std::int64_t headers_min = 28;
    static constexpr std::int64_t headers_max = 48;
    // Twice the pace at which a sender asks.
    static constexpr Duration asked_time{200'000'000};
    static_assert((std::uint64_t{1} << 32) % wire::report_entries_max == 0, "the ring's places survive the wrap");

    struct Entry {
        Instant at;
        wire::Seq31 sequence;
    };
    // Packets of the link are numbered from 1, modulo 2^32; packet n is at place (n - 1) of the ring.
    struct Link {
        Duration interval{};
        Instant sent_at{-1'000'000'000'000};  // long ago
        Instant asked_until{-1'000'000'000'000};
        std::int64_t credit = 0;  // bytes it brought less those it was sent
        std::uint32_t arrived = 0;
        std::uint32_t said = 0;        // up to this packet at least once
        std::uint32_t said_twice = 0;  // up to this one at least twice
        std::uint32_t number = 0;
        std::array<Entry, wire::report_entries_max> entries{};
    };

    [[nodiscard]] static std::optional<wire::ReportBuilder> write(Link& link, std::uint32_t count,
                                                                  const std::optional<wire::Seq31>& next_expected,
                                                                  Instant now) noexcept {
        const std::size_t bytes = wire::ReportBuilder::report_bytes(count);
        const std::int64_t cost = static_cast<std::int64_t>(bytes) + headers_max;
        if (count == 0 || link.credit < cost) return std::nullopt;
        link.credit -= cost;
        wire::ReportHeader header;
        header.number = ++link.number;
        header.clock_us = static_cast<std::uint32_t>(now.ns / 1'000);
        header.next_expected = next_expected;
        header.arrived = link.arrived;
        wire::ReportBuilder report(header);
        for (std::uint32_t i = count; i > 0; --i) {
            const Entry& entry = link.entries[(link.arrived - i) % wire::report_entries_max];
            report.add(entry.sequence, (now - entry.at).us());
        }
        return report;
    }

    std::unique_ptr<Link[]> links_;
    DueHeap due_;
};

}  // namespace hawser::bond
