// SPDX-License-Identifier: MIT
// Days and billing months. A month begins on its billing day, in a shorter month on its last one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::control {

struct Date {
    std::int32_t year = 0;
    std::int32_t month = 0;  // 1 to 12
    std::int32_t day = 0;    // 1 to 31

    friend bool operator==(const Date&, const Date&) = default;
    friend auto operator<=>(const Date&, const Date&) = default;
};

// The first day of the billing month that holds `today`, and of the one after it. `billing_day`: 1 to 31.
[[nodiscard]] Date billing_month(const Date& today, std::uint8_t billing_day);
[[nodiscard]] Date next_billing_month(const Date& month, std::uint8_t billing_day);
// `days`: 0 to 28.
[[nodiscard]] Date days_after(const Date& date, std::int32_t days);

[[nodiscard]] std::string date_text(const Date& date);  // "2026-11-05"
// Absent: it is no day from the year 2000 on.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text);

}  // namespace hawser::control
