// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/base/random.h"
#include "platform/control/links/budgets.h"
#include "tests/few_runs.h"

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

TEST_CASE("some days after a day") {
    CHECK(days_after({2026, 11, 20}, 4) == Date{2026, 11, 24});
    CHECK(days_after({2026, 11, 27}, 4) == Date{2026, 12, 1});
    CHECK(days_after({2026, 12, 31}, 1) == Date{2027, 1, 1});
    CHECK(days_after({2028, 2, 29}, 28) == Date{2028, 3, 28});
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
    const auto news = desk.budgets.take_news();
    REQUIRE(news.size() == 1);  // 75 percent had been told
    CHECK(news[0].kind == Kind::redated);
    CHECK(news[0].used == 860'000);
    CHECK(desk.month().used == 860'000);
    CHECK(desk.use(90'000).size() == 1);
}

TEST_CASE("a clock that jumps back goes on with the month that was") {
    Desk desk;
    CHECK(desk.use(760'000).size() == 1);
    desk.budgets.set_today({2001, 1, 1});
    REQUIRE(desk.budgets.take_news().size() == 1);
    CHECK(desk.month().used == 760'000);
    desk.budgets.set_today({2026, 11, 21});
    CHECK(desk.month().used == 760'000);
}

TEST_CASE("a month that began under a clock far ahead is another one when the clock is right, and ends as each does") {
    Budgets budgets;
    budgets.set_today({2038, 1, 19});
    budgets.set_policy("wwan0", policy(1'000'000));
    budgets.count("wwan0", 760'000);
    CHECK(budgets.take_news().size() == 1);
    budgets.set_today({2026, 11, 20});
    const auto news = budgets.take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == Kind::redated);
    CHECK(news[0].used == 760'000);
    const Budgets::Month& month = budgets.find("wwan0")->month;
    CHECK(date_text(*month.from) == "2026-11-01");
    CHECK(month.used == 760'000);
    budgets.set_today({2026, 12, 1});
    REQUIRE(budgets.take_news().size() == 1);  // renewed
    CHECK(month.used == 0);
}

TEST_CASE("a clock that goes ahead by steps and back finds its month, with all that was used since") {
    Desk desk;
    CHECK(desk.use(100'000).empty());
    desk.budgets.set_today({2038, 1, 19});
    CHECK(desk.use(200'000).empty());
    desk.budgets.set_today({2039, 3, 1});
    CHECK(desk.use(300'000).empty());
    desk.budgets.set_today({2026, 11, 21});
    CHECK(desk.month().used == 600'000);
}

TEST_CASE("a clock that goes back and ahead again finds its month, with what was used since") {
    // As a small computer does that starts at its image's date, with a count from the file.
    const bool restarts = GENERATE(false, true);
    Desk desk;
    desk.budgets.set_today({2027, 3, 15});
    CHECK(desk.use(500'000).empty());
    if (restarts) {
        Budgets again;
        again.set_today({2026, 11, 25});
        REQUIRE(again.read(desk.budgets.text()));
        again.set_policy("wwan0", policy(1'000'000));
        desk.budgets = std::move(again);
    } else {
        desk.budgets.set_today({2026, 11, 25});
    }
    CHECK(desk.use(1000).size() == 1);  // the clock went back
    CHECK(desk.month().used == 501'000);
    // Now it is right.
    const auto [day, used] = GENERATE(table<Date, std::uint64_t>(
        {{Date{2027, 3, 15}, 501'000}, {Date{2027, 3, 31}, 501'000}, {Date{2027, 4, 2}, 1000}}));
    desk.budgets.set_today(day);
    CHECK(desk.month().used == used);
}

TEST_CASE("a clock that was a little ahead does not make the month it was in begin with the one before it") {
    Desk desk;
    CHECK(desk.use(500'000).empty());
    desk.budgets.set_today({2026, 12, 5});
    CHECK(desk.use(10'000).empty());
    desk.budgets.set_today({2026, 11, 20});
    CHECK(desk.use(10'000).size() == 1);  // the clock went back
    CHECK(desk.month().used == 520'000);
    desk.budgets.set_today({2026, 11, 30});
    desk.budgets.set_today({2026, 12, 1});
    CHECK(desk.month().used == 0);
}

TEST_CASE(
    "over random histories with wrong clocks no byte is forgotten, and the second month after counts to the byte") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, test::runs(std::uint64_t{41}, std::uint64_t{9})));
    CAPTURE(seed);
    Random random(seed);
    const auto day = static_cast<std::uint8_t>(1 + random.below(31));
    Budgets budgets;
    Date today{2026, 1, 1};
    budgets.set_policy("wwan0", policy(1'000'000'000, day));
    std::uint64_t used = 0;  // in this month, truly
    Date month = billing_month(today, day);
    int whole_months = 0;  // without a wrong clock
    bool was_wrong = true;
    for (int step = 0; step < 2000; ++step) {
        if (++today.day > 28) today = {today.year + today.month / 12, today.month % 12 + 1, 1};
        if (billing_month(today, day) != month) {
            month = billing_month(today, day);
            used = 0;
            whole_months = was_wrong ? 0 : whole_months + 1;
            was_wrong = false;
        }
        const std::uint64_t bytes = random.below(30'000);
        // Not on a month's first day: a clock that still says the month before has its bytes counted there.
        if (random.below(40) == 0 && used != 0) {
            // Ahead or back, by days or by years, some steps of it; the truth goes on meanwhile.
            for (std::uint32_t n = 1 + random.below(3); n > 0; --n) {
                const auto years = static_cast<std::int32_t>(random.below(3)) * 5 - 5;
                const Date wrong{today.year + years, 1 + static_cast<std::int32_t>(random.below(12)),
                                 1 + static_cast<std::int32_t>(random.below(28))};
                if (billing_month(wrong, day) == wrong) continue;  // as if the month began then
                budgets.set_today(wrong);
                budgets.count("wwan0", bytes);
                used += bytes;
            }
            was_wrong = true;
            whole_months = 0;
        }
        budgets.set_today(today);
        budgets.count("wwan0", bytes);
        used += bytes;
        static_cast<void>(budgets.take_news());
        if (step % 8 == 0) {
            Budgets again;
            again.set_today(today);
            REQUIRE(again.read(budgets.text()));
            REQUIRE(again.text() == budgets.text());
        }
        const Budgets::Month& now = budgets.find("wwan0")->month;
        REQUIRE(*now.from == month);
        REQUIRE(now.used >= used);
        if (whole_months >= 2) REQUIRE(now.used == used);
    }
}

TEST_CASE("a text that is read late is added to what was counted, and so are its warnings") {
    Desk early;
    CHECK(early.use(760'000).size() == 1);
    const std::string text = early.budgets.text();
    Desk late;
    CHECK(late.use(30'000).empty());
    late.budgets.count("eth0", 5);
    REQUIRE(late.budgets.read(text));
    CHECK(late.month().used == 790'000);
    CHECK(late.budgets.find("wwan0")->budget == 1'000'000);
    CHECK(late.budgets.find("eth0")->month.used == 5);
    CHECK(late.budgets.take_changed());
    CHECK(late.budgets.take_news().empty());  // 75 percent was told by the run before
    CHECK(late.use(160'000).size() == 1);
}

TEST_CASE("of an uplink that is not there nothing is told until it is") {
    Desk desk;
    desk.budgets.leave("wwan0");
    CHECK(desk.use(960'000).empty());
    CHECK(desk.month().told == 0);
    desk.budgets.set_policy("wwan0", policy(1'000'000));
    const auto news = desk.budgets.take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].percent == 95);
    desk.budgets.leave("wwan0");
    desk.budgets.set_today({2026, 12, 1});
    desk.budgets.set_today({2027, 1, 1});
    CHECK(desk.budgets.take_news().empty());
    desk.budgets.set_policy("wwan0", policy(1'000'000));
    const auto later = desk.budgets.take_news();
    REQUIRE(later.size() == 1);
    CHECK(later[0].kind == Kind::renewed);
}

TEST_CASE("for the 257th link the one makes room that is not there and whose month is oldest, which is told") {
    Budgets budgets;
    budgets.set_today({2026, 10, 2});
    budgets.count("usb7", 5);
    budgets.set_today(november);
    budgets.set_policy("wwan0", policy(1'000'000));
    for (std::size_t i = 0; budgets.accounts().size() < Budgets::links_known_max; ++i)
        budgets.count("usb" + std::to_string(100 + i), 100 + i);
    // Those that count on for the month are of this one; usb7 has not been seen in it.
    budgets.set_policy("wwan1", policy(1'000'000));
    CHECK(budgets.find("wwan1") != nullptr);
    CHECK(budgets.accounts().size() == Budgets::links_known_max);
    CHECK(budgets.take_forgotten().size() == 1);
    CHECK(budgets.find("wwan0") != nullptr);
    Budgets full;
    for (std::size_t i = 0; i < Budgets::links_known_max; ++i) full.set_policy("usb" + std::to_string(i), policy(0));
    full.set_policy("wwan0", policy(0));
    CHECK(full.find("wwan0") == nullptr);
    full.leave("usb3");
    full.set_policy("wwan0", policy(0));
    CHECK(full.find("wwan0") != nullptr);
    CHECK(full.take_forgotten() == std::vector<std::string>{"usb3"});
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
    const std::string left =
        R"({"from":"2026-11-01","used_bytes":1,"told_percent":0,"billing_day":1,"counted_bytes":5,)";
    refused(with(left + R"("left":[{"from":"2026-12-01","used_bytes":1,"told_percent":0,"counted_bytes":6,)"
                        R"("day":"2026-12-02"}]})"),
            "wwan0");
    refused(with(left + R"("left":[{},{},{},{},{}]})"), "wwan0");
    refused(with(left + R"("left":7})"), "wwan0");
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
