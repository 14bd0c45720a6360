// SPDX-License-Identifier: MIT
// Delivery reports (engine/wire/report.h) of the links whose senders asked for them: what each link brought and when,
// and which link's report is due. It decides and writes; the receiver sends.
//
// Laws, which tests/unit/bond quotes:
//  - Two reports of a link are `interval` apart, except that report_fresh_max new entries, or a keepalive that is about
//    to be answered, do not wait.
//  - Each entry is said twice: by the first report after it, and by the next one, which comes when the next packets
//    ask for it or after two intervals.
//  - A link that asks (its way back seems dark) has what its sender may not know of yet said again by another link, in
//    as many reports as that takes, and for a while each of its reports goes by that one too.
//  - What a link is sent in SRTLA ACKs and reports, or others for it, never exceeds what it brought, headers of IP and
//    UDP included: forged packets gain their sender nothing. What it brought long ago buys credit_max at most, and a
//    question is answered each again_every at most. Tiny packets and many questions meet this; the report then waits
//    for more packets.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "engine/base/due_heap.h"
#include "engine/base/time.h"
#include "engine/wire/report.h"

namespace hawser::bond {

// New entries that wait for no interval. Half a report, as the other half repeats.
inline constexpr std::uint32_t report_fresh_max = 16;
// Entries of a link that can be said again: what 45 Mbit/s bring in a quarter of a second, which is how long it takes
// until a dark way back is noticed, and the question has passed a queue.
inline constexpr std::uint32_t report_memory = 1024;

class ReportBook {
public:
    explicit ReportBook(std::uint32_t links)
        : links_(std::make_unique<Link[]>(links)),
          entries_(std::make_unique_for_overwrite<Entries[]>(links)),
          due_(links) {}

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
        link.credit = std::min(link.credit + static_cast<std::int64_t>(bytes) + headers_min, credit_max);
        entries_[slot][link.arrived % report_memory] = {now.ns, sequence.raw()};
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
        auto report = write(slot, link.arrived, count, 0, next_expected, now);
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
    // What the link brought last, said or not, for a sender that takes so many of its packets to be under way: calls
    // send(ReportBuilder) for each report, oldest first. A report more than they need: a sender passes over what leaves
    // a gap, and a packet that overtook its question, or came twice, or was taken for lost would make one.
    template <class Send>
    void again(std::uint32_t slot, std::int32_t in_flight, const std::optional<wire::Seq31>& next_expected, Instant now,
               Send&& send) noexcept {
        Link& link = links_[slot];
        if (now - link.again_at < again_every) return;
        link.again_at = now;
        constexpr std::uint32_t one_more = wire::report_entries_max;
        const auto wanted = one_more + static_cast<std::uint32_t>(std::clamp(
                                           in_flight, 0, static_cast<std::int32_t>(report_memory - one_more)));
        for (std::uint32_t left = std::min(link.arrived, wanted); left > 0;) {
            const std::uint32_t count = std::min<std::uint32_t>(left, wire::report_entries_max);
            left -= count;
            auto report = write(slot, link.arrived - left, count, wire::report_link_bytes, next_expected, now);
            if (!report) return;
            send(*report);
        }
    }
    // Whether there is credit for a copy by another link of a report of so many bytes, which it then costs.
    [[nodiscard]] bool may_copy(std::uint32_t slot, std::size_t bytes) noexcept {
        return pay(links_[slot], bytes + wire::report_link_bytes);
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
    static constexpr Duration again_every{40'000'000};  // untuned
    // All of report_memory, said again for a second.
    static constexpr std::int64_t credit_max = 200'000;
    static_assert((std::uint64_t{1} << 32) % report_memory == 0, "the ring's places survive the wrap");

    // Without initial values: memory is touched as it is used.
    struct Entry {
        std::int64_t at_ns;
        std::uint32_t sequence;
    };
    static_assert(std::is_trivially_default_constructible_v<Entry>);
    // Packets of a link are numbered from 1, modulo 2^32; packet n is at place (n - 1) of the ring.
    using Entries = std::array<Entry, report_memory>;
    struct Link {
        Duration interval{};
        Instant sent_at{-1'000'000'000'000};  // long ago
        Instant asked_until{-1'000'000'000'000};
        Instant again_at{-1'000'000'000'000};
        std::int64_t credit = 0;  // bytes it brought less those it was sent
        std::uint32_t arrived = 0;
        std::uint32_t said = 0;        // up to this packet at least once
        std::uint32_t said_twice = 0;  // up to this one at least twice
        std::uint32_t number = 0;
    };

    [[nodiscard]] static bool pay(Link& link, std::size_t bytes) noexcept {
        const std::int64_t cost = static_cast<std::int64_t>(bytes) + headers_max;
        if (link.credit < cost) return false;
        link.credit -= cost;
        return true;
    }
    // Of so many packets, the last of them number `last`; so many bytes more are to follow.
    [[nodiscard]] std::optional<wire::ReportBuilder> write(std::uint32_t slot, std::uint32_t last, std::uint32_t count,
                                                           std::size_t more,
                                                           const std::optional<wire::Seq31>& next_expected,
                                                           Instant now) noexcept {
        Link& link = links_[slot];
        if (count == 0 || !pay(link, wire::ReportBuilder::report_bytes(count) + more)) return std::nullopt;
        wire::ReportHeader header;
        header.number = ++link.number;
        header.clock_us = static_cast<std::uint32_t>(now.ns / 1'000);
        header.next_expected = next_expected;
        header.arrived = last;
        wire::ReportBuilder report(header);
        for (std::uint32_t i = count; i > 0; --i) {
            const Entry& entry = entries_[slot][(last - i) % report_memory];
            report.add(wire::Seq31(entry.sequence), (now - Instant{entry.at_ns}).us());
        }
        return report;
    }

    std::unique_ptr<Link[]> links_;
    std::unique_ptr<Entries[]> entries_;
    DueHeap due_;
};

}  // namespace hawser::bond
