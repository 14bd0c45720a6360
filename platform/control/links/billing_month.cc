// SPDX-License-Identifier: MIT
#include "platform/control/links/billing_month.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hawser::control {

namespace {

std::int32_t days_in(std::int32_t year, std::int32_t month) {
    static constexpr std::array<std::int32_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

Date billing_date(std::int32_t year, std::int32_t month, std::uint8_t billing_day) {
    if (month == 0) return billing_date(year - 1, 12, billing_day);
    if (month == 13) return billing_date(year + 1, 1, billing_day);
    return {year, month, std::min<std::int32_t>(billing_day, days_in(year, month))};
}

}  // namespace

Date billing_month(const Date& today, std::uint8_t billing_day) {
    const Date own = billing_date(today.year, today.month, billing_day);
    return own <= today ? own : billing_date(today.year, today.month - 1, billing_day);
}

Date next_billing_month(const Date& month, std::uint8_t billing_day) {
    return billing_date(month.year, month.month + 1, billing_day);
}

Date days_after(const Date& date, std::int32_t days) {
    const std::int32_t beyond = date.day + days - days_in(date.year, date.month);
    if (beyond <= 0) return {date.year, date.month, date.day + days};
    return date.month == 12 ? Date{date.year + 1, 1, beyond} : Date{date.year, date.month + 1, beyond};
}

std::string date_text(const Date& d) {
    const auto two = [](std::int32_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    return std::to_string(d.year) + "-" + two(d.month) + "-" + two(d.day);
}

std::optional<Date> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    Date date;
    const auto number = [&](std::size_t at, std::size_t size, std::int32_t& out) {
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, out);
        return error == std::errc() && end == text.data() + at + size;
    };
    if (!number(0, 4, date.year) || !number(5, 2, date.month) || !number(8, 2, date.day)) return std::nullopt;
    if (date.year < 2000 || date.month < 1 || date.month > 12) return std::nullopt;
    if (date.day < 1 || date.day > days_in(date.year, date.month)) return std::nullopt;
    return date;
}

}  // namespace hawser::control
