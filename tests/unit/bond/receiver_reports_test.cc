// SPDX-License-Identifier: MIT
// When a link's delivery reports leave, and what they say.
#include <catch2/catch.hpp>

#include <map>
#include <vector>

#include "engine/base/random.h"
#include "engine/bond/receiver_reports.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::bond;
using wire::DeliveryReport;
using wire::Seq31;

namespace {

constexpr std::size_t media_bytes = 1332;

struct Said {
    std::uint32_t number = 0;
    std::uint32_t arrived = 0;
    std::vector<std::uint32_t> sequences;
    std::vector<std::uint32_t> ages_us;
    std::size_t bytes = 0;
};
Said read(const wire::ReportBuilder& report) {
    const auto r = DeliveryReport::over(report.bytes());
    REQUIRE(r);
    Said said{r->number(), r->arrived(), {}, {}, report.bytes().size()};
    for (std::size_t i = 0; i < r->count(); ++i) {
        REQUIRE(r->at(i));
        said.sequences.push_back(r->at(i)->sequence.raw());
        said.ages_us.push_back(r->at(i)->age_us());
    }
    return said;
}
std::optional<Said> take(ReportBook& book, std::uint32_t slot, Instant now) {
    const auto report = book.take(slot, std::nullopt, now);
    if (!report) return std::nullopt;
    return read(*report);
}

}  // namespace

TEST_CASE("a link's first packet is reported at once, the next ones an interval after the report before") {
    ReportBook book(4);
    book.begin(2, 10_ms);
    CHECK(book.next_due() == never);
    Instant now{1'000'000'000};
    book.note(2, Seq31(7), media_bytes, now);
    CHECK(book.next_due() == now);
    CHECK(book.first() == 2);
    CHECK(take(book, 2, now)->sequences == std::vector<std::uint32_t>{7});
    book.note(2, Seq31(8), media_bytes, now + 1_ms);
    CHECK(book.next_due() == now + 10_ms);
    book.note(2, Seq31(9), media_bytes, now + 4_ms);
    CHECK(book.next_due() == now + 10_ms);
    const auto second = take(book, 2, now + 10_ms);
    CHECK(second->number == 2);
    CHECK(second->arrived == 3);
    CHECK(second->sequences == std::vector<std::uint32_t>{7, 8, 9});
    CHECK(second->ages_us == std::vector<std::uint32_t>{10'000, 9'000, 6'000});
    // After a pause the next packet waits for nothing.
    book.note(2, Seq31(10), media_bytes, now + 25_ms);
    CHECK(book.next_due() == now + 25_ms);
}

TEST_CASE("sixteen new packets wait for no interval, and are said again by the next report") {
    ReportBook book(1);
    book.begin(0, 10_ms);
    const Instant now{1'000'000'000};
    for (std::uint32_t i = 0; i < 16; ++i) book.note(0, Seq31(i), media_bytes, now);
    CHECK(book.is_full(0));
    CHECK(take(book, 0, now)->sequences.size() == 16);
    for (std::uint32_t i = 16; i < 31; ++i) book.note(0, Seq31(i), media_bytes, now + 1_ms);
    CHECK_FALSE(book.is_full(0));
    CHECK(book.next_due() == now + 10_ms);
    book.note(0, Seq31(31), media_bytes, now + 2_ms);
    CHECK(book.next_due() == now + 2_ms);
    const auto second = take(book, 0, now + 2_ms);
    CHECK(second->sequences.size() == 32);
    CHECK(second->bytes == wire::ReportBuilder::report_bytes(32));
}

TEST_CASE("what no later packet makes a report repeat is repeated once, after two intervals") {
    ReportBook book(1);
    book.begin(0, 10_ms);
    const Instant now{1'000'000'000};
    book.note(0, Seq31(5), media_bytes, now);
    CHECK(take(book, 0, now));
    CHECK(book.is_pending(0));
    CHECK(book.next_due() == now + 20_ms);
    const auto again = take(book, 0, now + 20_ms);
    CHECK(again->number == 2);
    CHECK(again->arrived == 1);
    CHECK(again->sequences == std::vector<std::uint32_t>{5});
    CHECK_FALSE(book.is_pending(0));
    CHECK(book.next_due() == never);
    CHECK_FALSE(take(book, 0, now + 20_ms));
}

TEST_CASE("a link that goes has nothing due, and who takes its place begins anew") {
    ReportBook book(2);
    book.begin(1, 10_ms);
    const Instant now{1'000'000'000};
    book.note(1, Seq31(5), media_bytes, now);
    book.end(1);
    CHECK(book.next_due() == never);
    book.begin(1, 10_ms);
    CHECK_FALSE(book.is_pending(1));
    book.note(1, Seq31(6), media_bytes, now);
    const auto first = take(book, 1, now);
    CHECK(first->number == 1);
    CHECK(first->arrived == 1);
}

TEST_CASE("packets smaller than reports get fewer of them: a link is never sent more than it brought") {
    ReportBook book(1);
    book.begin(0, 10_ms);
    Instant now{1'000'000'000};
    std::size_t in = 0;
    std::size_t out = 0;
    std::uint32_t reports = 0;
    hawser::Random random(1);
    for (std::uint32_t i = 0; i < 2000; ++i) {
        now = now + Duration{std::int64_t{random.below(30'000'000)}};
        const std::size_t bytes = 16 + random.below(20);
        book.note(0, Seq31(i), bytes, now);
        in += bytes + 28;
        if (random.below(3) == 0) {
            book.on_ack(0, 8);
            out += 8 + 28;
        }
        if (book.next_due() > now) continue;
        if (const auto said = take(book, 0, now)) {
            out += said->bytes + 28;
            ++reports;
            CHECK(said->arrived == i + 1);
        }
        REQUIRE(out <= in);
    }
    CHECK(reports > 200);
}

TEST_CASE("a link that asks is told again what its sender has not heard of, in as many reports as that takes") {
    ReportBook book(2);
    book.begin(1, 10_ms);
    const Instant now{1'000'000'000};
    std::uint32_t brought = 0;
    const auto bring = [&](std::uint32_t count) {
        for (const std::uint32_t end = brought + count; brought < end; ++brought)
            book.note(1, Seq31(brought), media_bytes, now);
    };
    Instant asked = now;
    const auto again = [&](std::int32_t in_flight, Duration later = 40_ms) {
        std::vector<Said> said;
        asked = asked + later;
        book.again(1, in_flight, std::nullopt, asked,
                   [&](const wire::ReportBuilder& report) { said.push_back(read(report)); });
        return said;
    };
    CHECK(again(1000).empty());
    bring(40);
    REQUIRE(again(-5).size() == 1);  // what senders say may be nonsense
    CHECK(again(0).at(0).sequences.size() == 40);
    bring(260);
    // What is under way, and a report more.
    const auto said = again(150);
    REQUIRE(said.size() == 3);
    std::uint32_t next = 300 - 150 - wire::report_entries_max;
    for (const Said& report : said) {
        CHECK(report.arrived == next + report.sequences.size());
        for (const std::uint32_t sequence : report.sequences) CHECK(sequence == next++);
        for (const std::uint32_t age : report.ages_us) CHECK(age > 0);
    }
    CHECK(next == 300);
    CHECK(said[1].number == said[0].number + 1);
    // Who asks too often is told once.
    CHECK(again(150, 0_ms).empty());
    // No more than is kept.
    bring(3000);
    std::vector<std::uint32_t> kept;
    for (const Said& report : again(2'000'000'000))
        kept.insert(kept.end(), report.sequences.begin(), report.sequences.end());
    REQUIRE(kept.size() == report_memory);
    for (std::uint32_t i = 0; i < report_memory; ++i) REQUIRE(kept[i] == 3300 - report_memory + i);
    // Who takes its place has brought nothing yet.
    book.end(1);
    book.begin(1, 10_ms);
    CHECK(again(1000).empty());
    brought = 5000;
    bring(2);
    CHECK(again(1000).at(0).sequences == std::vector<std::uint32_t>{5000, 5001});
}

TEST_CASE("what is said again stays below what the link brought, and leaves no gap where it ends") {
    ReportBook book(1);
    book.begin(0, 10_ms);
    Instant now{1'000'000'000};
    std::size_t in = 0;
    std::size_t out = 0;
    std::uint32_t cut_short = 0;
    hawser::Random random(7);
    for (std::uint32_t i = 0; i < 4000; ++i) {
        now = now + 5_ms;
        const std::size_t bytes = i < 2000 ? 16 : media_bytes;
        book.note(0, Seq31(i), bytes, now);
        in += bytes + 28;
        if (random.below(8) != 0) continue;
        std::uint32_t last = 0;
        book.again(0, 1000, std::nullopt, now, [&](const wire::ReportBuilder& report) {
            const Said said = read(report);
            out += said.bytes + wire::report_link_bytes + 28;
            if (last != 0) CHECK(said.arrived - said.sequences.size() == last);
            last = said.arrived;
        });
        REQUIRE(out <= in);
        cut_short += last != 0 && last != i + 1 ? 1 : 0;
    }
    CHECK(cut_short > 5);
    // A long stream buys no more than a second's worth.
    for (std::uint32_t i = 4000; i < 100'000; ++i) book.note(0, Seq31(i), media_bytes, now);
    out = 0;
    for (int i = 0; i < 1000; ++i) {
        now = now + 40_ms;
        book.again(0, 1000, std::nullopt, now,
                   [&](const wire::ReportBuilder& report) { out += report.bytes().size(); });
    }
    CHECK(out > 100'000);
    CHECK(out < 210'000);
}

TEST_CASE("every packet is said twice by reports that name the link's arrivals without a gap") {
    const std::uint32_t links = 3;
    ReportBook book(links);
    for (std::uint32_t l = 0; l < links; ++l) book.begin(l, 10_ms);
    hawser::Random random(2);
    Instant now{1'000'000'000};
    std::vector<std::vector<std::uint32_t>> sent(links);
    std::vector<std::map<std::uint32_t, std::uint32_t>> times(links);  // by ordinal: how often it was said
    std::vector<Instant> last(links, Instant{-1'000'000'000'000});
    std::vector<std::uint32_t> number(links, 0);
    const auto collect = [&](std::uint32_t l) {
        const bool full = book.is_full(l);
        const auto said = take(book, l, now);
        REQUIRE(said);
        REQUIRE((full || now - last[l] >= 10_ms));
        last[l] = now;
        REQUIRE(said->number == ++number[l]);
        REQUIRE(said->arrived == sent[l].size());
        for (std::size_t i = 0; i < said->sequences.size(); ++i) {
            const std::size_t ordinal = said->arrived - (said->sequences.size() - i);
            REQUIRE(said->sequences[i] == sent[l][ordinal]);
            ++times[l][static_cast<std::uint32_t>(ordinal)];
        }
    };
    for (int i = 0; i < 20'000; ++i) {
        now = now + Duration{std::int64_t{random.below(6'000'000)}};
        while (book.next_due() <= now) collect(book.first());
        const std::uint32_t l = random.below(links);
        const std::uint32_t burst = random.below(20) == 0 ? 40 : 1;
        for (std::uint32_t n = 0; n < burst; ++n) {
            sent[l].push_back(random.below(1u << 31));
            book.note(l, Seq31(sent[l].back()), media_bytes, now);
            if (book.is_full(l)) collect(l);
        }
        REQUIRE(book.is_consistent());
    }
    now = now + 10_ms;
    while (book.next_due() <= now) collect(book.first());
    now = now + 20_ms;
    while (book.next_due() <= now) collect(book.first());
    CHECK(book.next_due() == never);
    for (std::uint32_t l = 0; l < links; ++l) {
        REQUIRE(times[l].size() == sent[l].size());
        for (const auto& [ordinal, count] : times[l]) REQUIRE(count == 2);
    }
}
