// SPDX-License-Identifier: MIT
#include "platform/app/sim/trace_file.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/sim/line.h"

namespace hawser::app {

namespace {

constexpr double ms_max = 1e8;                                   // a day and more
constexpr double kbps_max = 1e7;                                 // 10 Gbit/s
constexpr std::size_t opportunities_max = std::size_t{1} << 22;  // two hours at 8 Mbit/s

bool is_gap(char c) { return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';'; }

struct Line {
    double values[2] = {0, 0};
    int count = 0;
    std::string_view bad;  // the first word that is no number, or one too many
};

Line read_line(std::string_view text) {
    Line line;
    text = text.substr(0, text.find('#'));
    for (std::size_t i = 0; i < text.size();) {
        if (is_gap(text[i])) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < text.size() && !is_gap(text[end])) ++end;
        const std::string_view word = text.substr(i, end - i);
        double value = 0;
        const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (line.count == 2 || error != std::errc() || rest != word.data() + word.size() || !std::isfinite(value)) {
            line.bad = word;
            return line;
        }
        line.values[line.count++] = value;
        i = end;
    }
    return line;
}

// For a message: short, and nothing in it that moves a cursor.
std::string shown(std::string_view word) {
    std::string out;
    for (const char c : word.substr(0, 40)) out += c >= ' ' && c < 0x7F ? c : '?';
    return "'" + out + (word.size() > 40 ? "...'" : "'");
}

// Lays the bytes that a rate carried over the whole milliseconds in which an opportunity's worth was full.
class RateIntegral {
public:
    // False when there would be too many.
    bool add(double from_ms, double to_ms, double kbps) {
        const double bytes = (to_ms - from_ms) * kbps / 8;
        const double whole = static_cast<double>(sim::opportunity_bytes);
        if ((held_ + bytes) / whole + static_cast<double>(out.size()) > static_cast<double>(opportunities_max))
            return false;
        double passed = whole - held_;
        for (; passed <= bytes; passed += whole)
            out.push_back(static_cast<std::uint32_t>(std::ceil(from_ms + passed * 8 / kbps)));
        held_ = bytes - (passed - whole);
        return true;
    }
    std::vector<std::uint32_t> out;

private:
    double held_ = 0;
};

}  // namespace

Result<std::vector<std::uint32_t>, std::string> parse_trace(std::string_view text) {
    RateIntegral rates;
    int form = 0;  // numbers in a line
    double last_ms = 0, last_kbps = 0;
    std::size_t number = 0;
    bool is_first = true;
    const auto fail = [&number](const std::string& what) { return Failure{std::to_string(number) + ": " + what}; };
    while (!text.empty()) {
        ++number;
        const std::size_t end = text.find('\n');
        const Line line = read_line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.bad.empty())
            return fail(shown(line.bad) + (line.count == 2 ? " is a number too many" : " is no number"));
        if (line.count == 0) continue;
        if (form == 0) form = line.count;
        if (line.count != form)
            return fail(form == 1 ? "one number a line was expected, as in the first"
                                  : "two numbers were expected, seconds and kbit/s, as in the first line");
        const double ms = form == 1 ? line.values[0] : line.values[0] * 1000;
        if (ms < 0 || ms > ms_max) return fail("the time is not between 0 and 100000 s");
        if (!is_first && ms < last_ms) return fail("the time is before that of the line above");
        if (form == 1) {
            if (ms != std::floor(ms)) return fail("a whole number of milliseconds was expected");
            if (rates.out.size() == opportunities_max) return fail("there are too many lines");
            rates.out.push_back(static_cast<std::uint32_t>(ms));
        } else {
            if (line.values[1] < 0 || line.values[1] > kbps_max)
                return fail("the rate is not between 0 and 1e7 kbit/s");
            if (is_first && ms > 0) return fail("the first time must be 0");
            if (!is_first && last_kbps > 0 && !rates.add(last_ms, ms, last_kbps))
                return fail("that is too much capacity");
            last_kbps = line.values[1];
        }
        last_ms = ms;
        is_first = false;
    }
    if (is_first) return Failure{std::string("1: there are no figures in it")};
    if (rates.out.empty()) return fail("it carries nothing at all");
    // The period of rates is the last line's time, an opportunity more or not.
    const auto period = static_cast<std::uint32_t>(std::ceil(last_ms));
    if (form == 2 && rates.out.back() < period) rates.out.push_back(period);
    if (rates.out.back() == 0) return fail("it ends at 0 ms: the last time is the period");
    return std::move(rates.out);
}

Result<std::string, std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const auto close = [](std::FILE* f) { std::fclose(f); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "re"), close);
    const auto why = [&path] {
        return Failure{"cannot read " + path + ": " + std::strerror(errno != 0 ? errno : EIO)};
    };
    if (!file) return why();
    std::string text;
    char piece[65536];
    errno = 0;
    for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, file.get())) > 0;) {
        text.append(piece, n);
        if (text.size() > bytes_max)
            return Failure{path + " is larger than " + std::to_string(bytes_max >> 20) + " MiB"};
    }
    if (std::ferror(file.get()) != 0) return why();
    return text;
}

}  // namespace hawser::app
