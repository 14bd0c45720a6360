// SPDX-License-Identifier: MIT
#include "platform/control/quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>

#include "platform/control/quoted.h"

namespace hawser::control {

namespace {

constexpr std::uint64_t kilo = 1000;
constexpr std::uint64_t kibi = 1024;
constexpr std::size_t decimals_max = 6;
constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();

struct UnitRow {
    std::string_view name;  // in small letters
    std::uint64_t factor;
};

constexpr auto rate_prefixes = std::to_array<UnitRow>({
    {"", 1},
    {"k", kilo},
    {"m", kilo* kilo},
    {"g", kilo* kilo* kilo},
});
constexpr std::array<std::string_view, 5> rate_endings{"", "bit/s", "bits/s", "bps", "bit"};

constexpr auto amount_units = std::to_array<UnitRow>({
    {"", 1},
    {"b", 1},
    {"k", kilo},
    {"kb", kilo},
    {"m", kilo* kilo},
    {"mb", kilo* kilo},
    {"g", kilo* kilo* kilo},
    {"gb", kilo* kilo* kilo},
    {"t", kilo* kilo* kilo* kilo},
    {"tb", kilo* kilo* kilo* kilo},
    {"kib", kibi},
    {"mib", kibi* kibi},
    {"gib", kibi* kibi* kibi},
    {"tib", kibi* kibi* kibi* kibi},
});

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::size_t quoted_max = 40;  // a quantity is short

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::string small(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// The digits before the unit, as a whole number of 10^-decimals; `text` keeps the unit.
struct Mantissa {
    std::uint64_t value = 0;
    std::uint64_t one = 1;  // 10^decimals
};
std::optional<Mantissa> take_number(std::string_view& text) {
    Mantissa m;
    bool has_point = false;
    bool has_digit = false;
    std::size_t decimals = 0;
    for (; !text.empty() && (is_digit(text.front()) || text.front() == '.'); text.remove_prefix(1)) {
        if (text.front() == '.') {
            if (has_point || !has_digit) return std::nullopt;
            has_point = true;
            continue;
        }
        has_digit = true;
        if (has_point && ++decimals > decimals_max) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(text.front() - '0');
        if (m.value > (greatest - digit) / 10) return std::nullopt;
        m.value = m.value * 10 + digit;
        if (has_point) m.one *= 10;
    }
    if (!has_digit || (has_point && decimals == 0)) return std::nullopt;
    return m;
}

// Cut to whole units.
std::optional<std::uint64_t> scaled(const Mantissa& m, std::uint64_t factor) {
    const std::uint64_t whole = m.value / m.one;
    const std::uint64_t part = m.value % m.one * factor / m.one;
    if (whole > (greatest - part) / factor) return std::nullopt;
    return whole * factor + part;
}
// The part after the point times the greatest factor must not wrap.
static_assert(amount_units.back().factor < greatest / 1'000'000);

std::optional<std::uint64_t> rate_factor(std::string_view unit) {
    for (const UnitRow& prefix : rate_prefixes)
        for (const std::string_view ending : rate_endings)
            if (unit == std::string(prefix.name).append(ending)) return prefix.factor;
    return std::nullopt;
}

std::optional<std::uint64_t> amount_factor(std::string_view unit) {
    const auto row =
        std::find_if(amount_units.begin(), amount_units.end(), [&](const UnitRow& r) { return r.name == unit; });
    return row == amount_units.end() ? std::nullopt : std::optional(row->factor);
}

template <class FactorOf>
Result<std::uint64_t, std::string> parse(std::string_view text, const char* expected, FactorOf&& factor_of) {
    std::string_view rest = without_blanks(text);
    const auto number = take_number(rest);
    const auto factor = number ? factor_of(small(without_blanks(rest))) : std::nullopt;
    if (!factor) return Failure{quoted(text, quoted_max) + " is no " + expected};
    const auto value = scaled(*number, *factor);
    if (!value) return Failure{quoted(text, quoted_max) + " is more than can be counted"};
    return *value;
}

std::string text_of(std::uint64_t value, std::span<const std::string_view> units) {
    std::size_t i = 0;
    std::uint64_t factor = 1;
    for (; i + 1 < units.size() && value / factor >= kilo; ++i) factor *= kilo;
    std::string out = std::to_string(value / factor);
    // Three decimals, cut, and none that say nothing.
    const std::uint64_t thousandths = factor == 1 ? 0 : value % factor / (factor / kilo);
    if (thousandths != 0) {
        std::string decimals = std::to_string(kilo + thousandths).substr(1);
        decimals.erase(decimals.find_last_not_of('0') + 1);
        out.append(".").append(decimals);
    }
    return out.append(" ").append(units[i]);
}

}  // namespace

Result<std::uint64_t, std::string> parse_rate(std::string_view text) {
    return parse(text, "rate, as in 8M, 8 Mbit/s or 500kbit/s", rate_factor);
}

Result<std::uint64_t, std::string> parse_amount(std::string_view text) {
    return parse(text, "amount of data, as in 50GB or 20 GiB", amount_factor);
}

std::string rate_text(std::uint64_t bits_per_second) {
    static constexpr std::array<std::string_view, 4> units{"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    return text_of(bits_per_second, units);
}

std::string amount_text(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 5> units{"B", "kB", "MB", "GB", "TB"};
    return text_of(bytes, units);
}

}  // namespace hawser::control
