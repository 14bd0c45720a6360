// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/base/random.h"
#include "platform/control/links/budgets.h"

using namespace hawser;
using namespace hawser::control;
using Kind = Budgets::NewsKind;

namespace {

constexpr Date november{2026, 11, 20};

LinkPolicy policy(std::uint64_t bytes, std::uint8_t day = 1, AtLimit at_limit = AtLimit::demote) {
    LinkPolicy p;
    p.budget_bytes = bytes;
    p.billing_day = day;
    p.at_limit = at_limit;
    return p;
}

struct Desk {
    Budgets budgets;

    explicit Desk(std::uint64_t bytes = 1'000'000, std::uint8_t day = 1) {
        budgets.set_today(november);
        budgets.set_policy("wwan0", policy(bytes, day));
    }
    std::vector<Budgets::News> use(std::uint64_t bytes) {
        budgets.count("wwan0", bytes);
        return budgets.take_news();
    }
    [[nodiscard]] const Budgets::Month& month() const { return budgets.find("wwan0")->month; }
};

}  // namespace

TEST_CASE("a billing month begins on its day, and in a shorter month on the last one") {
    const auto [y, m, d, day, text] = GENERATE(table<int, int, int, int, const char*>({
        {2026, 11, 20, 5, "2026-11-05"},
        {2026, 11, 5, 5, "2026-11-05"},
        {2026, 11, 4, 5, "2026-10-05"},
        {2026, 1, 4, 5, "2025-12-05"},
        {2026, 2, 28, 31, "2026-02-28"},
        {2026, 2, 27, 31, "2026-01-31"},
        {2026, 3, 30, 31, "2026-02-28"},
        {2028, 2, 29, 30, "2028-02-29"},
        {2028, 2, 28, 30, "2028-01-30"},
        {2026, 4, 30, 31, "2026-04-30"},
        {2026, 12, 31, 31, "2026-12-31"},
        {2026, 1, 1, 1, "2026-01-01"},
    }));
    CAPTURE(y, m, d, day);
    CHECK(date_text(billing_month({y, m, d}, static_cast<std::uint8_t>(day))) == text);
}

TEST_CASE("over thirty years of days each month follows the one before it, and each day is in one") {
    const std::uint8_t day = GENERATE(std::uint8_t{1}, std::uint8_t{15}, std::uint8_t{28}, std::uint8_t{29},
                                      std::uint8_t{30}, std::uint8_t{31});
    Date month = billing_month({2020, 1, 1}, day);
    for (int year = 2020; year < 2050; ++year) {
        for (int m = 1; m <= 12; ++m) {
            for (int d = 1; d <= 31; ++d) {
                const Date today{year, m, d};
                const int last = m == 2 ? (year % 4 == 0 ? 29 : 28) : (m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31);
                if (d > last) continue;
                const Date now = billing_month(today, day);
                REQUIRE(now <= today);
                REQUIRE(today < next_billing_month(now, day));
                if (now == month) continue;
                REQUIRE(now == next_billing_month(month, day));
                month = now;
            }
        }
    }
}

TEST_CASE("75, 95 and 100 percent are told once each") {
    Desk desk;
    CHECK(desk.use(749'999).empty());
    auto news = desk.use(1);
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::warning);
    CHECK(news[0].percent == 75);
    CHECK(news[0].used == 750'000);
    CHECK(desk.use(100'000).empty());
    news = desk.use(100'000);
    REQUIRE(news.size() == 1);
    CHECK(news[0].percent == 95);
    CHECK_FALSE(desk.budgets.is_used_up("wwan0"));
    news = desk.use(50'000);
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::used_up);
    CHECK(desk.budgets.is_used_up("wwan0"));
    CHECK(desk.use(5'000'000).empty());
}

TEST_CASE("who passes several levels at once is told of the last") {
    Desk desk;
    const auto news = desk.use(2'000'000);
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::used_up);
}

TEST_CASE("what was told is not told again after the text was read by another process") {
    Desk desk;
    CHECK(desk.use(960'000).size() == 1);
    CHECK(desk.budgets.take_changed());
    CHECK_FALSE(desk.budgets.take_changed());
    Budgets other;
    other.set_today(november);
    REQUIRE(other.read(desk.budgets.text()));
    other.set_policy("wwan0", policy(1'000'000));
    CHECK(other.take_news().empty());
    CHECK(other.find("wwan0")->month.used == 960'000);
    other.count("wwan0", 40'000);
    REQUIRE(other.take_news().size() == 1);
    CHECK(other.text() != desk.budgets.text());
}

TEST_CASE("a month begins with nothing used, which is told of what had been warned of") {
    Desk desk;
    CHECK(desk.use(1'000'000).size() == 1);
    desk.budgets.set_today({2026, 11, 30});
    CHECK(desk.budgets.take_news().empty());
    desk.budgets.set_today({2026, 12, 1});
    const auto news = desk.budgets.take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::renewed);
    CHECK(news[0].had_been_used_up);
    CHECK(desk.month().used == 0);
    CHECK(desk.use(750'000).size() == 1);  // and warns again
}

TEST_CASE("a clock that jumps ahead and back finds its month again, with what was used since") {
    Desk desk;
    CHECK(desk.use(760'000).size() == 1);
    desk.budgets.set_today({2038, 1, 19});
    static_cast<void>(desk.budgets.take_news());
    CHECK(desk.use(100'000).empty());
    desk.budgets.set_today({2026, 11, 20});
    CHECK(desk.budgets.take_news().empty());  // 75 percent had been told
    CHECK(desk.month().used == 860'000);
    CHECK(desk.use(90'000).size() == 1);
}

TEST_CASE("a clock that jumps back goes on with the month that was") {
    Desk desk;
    CHECK(desk.use(760'000).size() == 1);
    desk.budgets.set_today({2001, 1, 1});
    CHECK(desk.budgets.take_news().empty());
    CHECK(desk.month().used == 760'000);
    desk.budgets.set_today({2026, 11, 21});
    CHECK(desk.month().used == 760'000);
}

TEST_CASE("bytes count before any clock is believed, and belong to the first month that is known") {
    Budgets budgets;
    budgets.set_policy("wwan0", policy(1'000'000));
    budgets.count("wwan0", 800'000);
    CHECK(budgets.take_news().size() == 1);
    Budgets again;
    REQUIRE(again.read(budgets.text()));
    again.set_policy("wwan0", policy(1'000'000));
    again.set_today(november);
    CHECK(again.take_news().empty());
    CHECK(again.find("wwan0")->month.used == 800'000);
    CHECK(date_text(*again.find("wwan0")->month.from) == "2026-11-01");
}

TEST_CASE("another billing day, a larger budget and a count set by hand") {
    Desk desk;
    CHECK(desk.use(1'000'000).size() == 1);
    desk.budgets.set_policy("wwan0", policy(1'000'000, 15));
    CHECK(desk.budgets.take_news().empty());
    CHECK(desk.month().used == 1'000'000);
    CHECK(date_text(*desk.month().from) == "2026-11-15");
    desk.budgets.set_policy("wwan0", policy(2'000'000, 15));
    auto news = desk.budgets.take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::renewed);
    CHECK(desk.use(600'000).size() == 1);  // 80 percent
    CHECK(desk.budgets.set_used("wwan0", 0));
    CHECK(desk.budgets.take_news().empty());
    CHECK(desk.month().told == 0);
    CHECK_FALSE(desk.budgets.set_used("wwan7", 0));
}

TEST_CASE("a link without a budget is counted and never told of") {
    Budgets budgets;
    budgets.set_today(november);
    budgets.set_policy("eth0", LinkPolicy{});
    budgets.count("eth0", 10'000'000'000);
    CHECK(budgets.take_news().empty());
    CHECK(budgets.find("eth0")->month.used == 10'000'000'000);
    CHECK_FALSE(budgets.is_used_up("eth0"));
}

TEST_CASE("what is no such text, is cut in half or comes from a later version changes nothing") {
    Desk desk;
    desk.budgets.count("eth0", 7);
    CHECK(desk.use(500'000).empty());
    const std::string good = desk.budgets.text();
    for (std::size_t cut = 0; cut + 2 < good.size(); ++cut) {
        INFO(cut);
        REQUIRE_FALSE(desk.budgets.read(good.substr(0, cut)));
    }
    CHECK(desk.budgets.text() == good);
    const auto refused = [&](const std::string& text, const std::string& why) {
        INFO(text);
        const auto read = desk.budgets.read(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().find(why) != std::string::npos);
        CHECK(desk.budgets.text() == good);
    };
    refused("[]", "does not begin");
    refused("{}", "does not begin");
    refused(R"({"format":"hawser budgets","version":2,"links":{}})", "version 2");
    refused(R"({"format":"hawser budgets","version":1})", "no links");
    const auto with = [](const std::string& link) {
        return R"({"format":"hawser budgets","version":1,"links":{"wwan0":)" + link + "}}";
    };
    refused(with("7"), "wwan0");
    refused(with(R"({"from":"2026-13-01","used_bytes":1,"told_percent":0,"billing_day":1})"), "wwan0");
    refused(with(R"({"from":"2026-11-01","used_bytes":-1,"told_percent":0,"billing_day":1})"), "wwan0");
    refused(with(R"({"from":"2026-11-01","used_bytes":1,"told_percent":80,"billing_day":1})"), "wwan0");
    refused(with(R"({"from":"2026-11-01","used_bytes":1,"told_percent":0,"billing_day":0})"), "wwan0");
    refused(with(R"({"from":"2026-11-01","used_bytes":1e30,"told_percent":0,"billing_day":1})"), "wwan0");
    CHECK(desk.budgets.read(with(R"({"from":null,"used_bytes":1,"told_percent":0,"billing_day":31})")));
}

TEST_CASE("over random histories with restarts each level is told once a month, and no byte is forgotten") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{21}));
    CAPTURE(seed);
    Random random(seed);
    const auto day = static_cast<std::uint8_t>(1 + random.below(31));
    auto budgets = std::make_unique<Budgets>();
    Date today{2026, 1, 1};
    budgets->set_today(today);
    budgets->set_policy("wwan0", policy(1'000'000, day));
    std::uint64_t used = 0;
    std::map<int, int> told;
    Date month = billing_month(today, day);
    for (int step = 0; step < 3000; ++step) {
        switch (random.below(8)) {
            case 0: {
                if (++today.day > 28) today = {today.year + today.month / 12, today.month % 12 + 1, 1};
                if (billing_month(today, day) != month) {
                    month = billing_month(today, day);
                    used = 0;
                    told.clear();
                }
                budgets->set_today(today);
                break;
            }
            case 1: {
                auto again = std::make_unique<Budgets>();
                if (random.below(2) == 0) again->set_today(today);
                REQUIRE(again->read(budgets->text()));
                again->set_today(today);
                again->set_policy("wwan0", policy(1'000'000, day));
                budgets = std::move(again);
                break;
            }
            default: {
                const std::uint64_t bytes = random.below(30'000);
                used += bytes;
                budgets->count("wwan0", bytes);
            }
        }
        for (const Budgets::News& n : budgets->take_news())
            if (n.kind != Kind::renewed) REQUIRE(++told[n.kind == Kind::used_up ? 100 : n.percent] == 1);
        REQUIRE(budgets->find("wwan0")->month.used == used);
        REQUIRE(budgets->is_used_up("wwan0") == (used >= 1'000'000));
        REQUIRE((told.count(100) == 1) == (used >= 1'000'000));
    }
}
