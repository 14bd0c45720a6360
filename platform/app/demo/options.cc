// SPDX-License-Identifier: MIT
#include "platform/app/demo/options.h"

#include <array>
#include <charconv>
#include <optional>

namespace hawser::demo {
namespace {

using namespace literals;

// Bounds that keep the emulator's memory and the arithmetic small; far beyond any modem.
constexpr double rate_kbps_max = 1'000'000;
constexpr double wait_ms_max = 10'000;
constexpr double window_s_max = 86'400;

std::optional<double> read_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Failure<Problem> refuse(std::string_view option, std::string_view text, const std::string& why) {
    return Failure{Problem{std::string(option) + " " + std::string(text) + ": " + why}};
}

// The link's index from its number, counted from 1.
std::optional<std::size_t> read_link(std::string_view text, std::size_t link_count) {
    const auto number = read_number(text);
    if (!number || !(*number >= 1 && *number <= static_cast<double>(link_count))) return std::nullopt;
    const auto index = static_cast<std::size_t>(*number);
    return static_cast<double>(index) == *number ? std::optional(index - 1) : std::nullopt;
}

std::string link_expected(std::size_t link_count) { return "expected a link from 1 to " + std::to_string(link_count); }

// False when there is no such setting or the number is out of its range.
bool apply(LinkShape& shape, std::string_view name, double number) {
    const auto within = [number](double most) { return number >= 0 && number <= most; };
    const auto wait = [number] { return Duration{static_cast<std::int64_t>(number * 1e6)}; };
    if (name == "rate" && within(rate_kbps_max)) return shape.rate_kbps = static_cast<std::uint32_t>(number), true;
    if (name == "delay" && within(wait_ms_max)) return shape.delay = wait(), true;
    if (name == "queue" && within(wait_ms_max)) return shape.queue = wait(), true;
    if (name == "loss" && within(100)) return shape.loss = number / 100, true;
    return false;
}

}  // namespace

std::vector<LinkShape> default_links(std::size_t count) {
    constexpr std::array<LinkShape, 4> modems{{{.rate_kbps = 5000, .delay = 20_ms, .queue = 300_ms, .loss = 0},
                                               {.rate_kbps = 4000, .delay = 35_ms, .queue = 300_ms, .loss = 0},
                                               {.rate_kbps = 3000, .delay = 50_ms, .queue = 300_ms, .loss = 0},
                                               {.rate_kbps = 2000, .delay = 70_ms, .queue = 300_ms, .loss = 0}}};
    std::vector<LinkShape> links;
    for (std::size_t i = 0; i < count; ++i) links.push_back(modems[i % modems.size()]);
    return links;
}

Outcome<Unit> apply_link_setting(std::string_view text, std::vector<LinkShape>& links) {
    constexpr std::string_view option = "--link";
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return refuse(option, text, "expected LINK:NAME=NUMBER[,NAME=NUMBER...]");
    const auto link = read_link(text.substr(0, colon), links.size());
    if (!link) return refuse(option, text, link_expected(links.size()));
    LinkShape shape = links[*link];
    std::string_view rest = text.substr(colon + 1);
    do {
        const std::size_t comma = rest.find(',');
        const std::string_view setting = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        const std::size_t equals = setting.find('=');
        const auto number = equals == std::string_view::npos ? std::nullopt : read_number(setting.substr(equals + 1));
        if (!number || !apply(shape, setting.substr(0, equals), *number))
            return refuse(option, text,
                          "'" + std::string(setting) +
                              "' is not one of rate=KBIT/S (to 1000000), delay=MS and queue=MS " +
                              "(to 10000), loss=PERCENT");
    } while (!rest.empty());
    links[*link] = shape;
    return Unit{};
}

Outcome<DarkWindow> read_dark_window(std::string_view text, std::size_t link_count) {
    constexpr std::string_view option = "--dark";
    const std::size_t at = text.find('@');
    const std::size_t plus = at == std::string_view::npos ? at : text.find('+', at);
    if (plus == std::string_view::npos) return refuse(option, text, "expected LINK@START+SECONDS");
    const auto link = read_link(text.substr(0, at), link_count);
    if (!link) return refuse(option, text, link_expected(link_count));
    const auto start = read_number(text.substr(at + 1, plus - at - 1));
    const auto length = read_number(text.substr(plus + 1));
    const auto sane = [](std::optional<double> seconds) {
        return seconds && *seconds >= 0 && *seconds <= window_s_max;
    };
    if (!sane(start) || !sane(length)) return refuse(option, text, "expected START and SECONDS from 0 to 86400");
    const auto duration = [](double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e9)}; };
    return DarkWindow{.link = *link, .start = duration(*start), .length = duration(*length)};
}

}  // namespace hawser::demo
