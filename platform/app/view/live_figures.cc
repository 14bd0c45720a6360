// SPDX-License-Identifier: MIT
#include "platform/app/view/live_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "platform/app/plain_text.h"
#include "platform/control/quantity.h"

namespace hawser::app {

namespace {

using rpc::Params;

double number(const Params& of, const char* name, double otherwise) {
    const auto found = of.is_object() ? of.find(name) : of.end();
    return found != of.end() && found->is_number() ? found->get<double>() : otherwise;
}

bool flag(const Params& of, const char* name) {
    const auto found = of.is_object() ? of.find(name) : of.end();
    return found != of.end() && found->is_boolean() && found->get<bool>();
}

std::string text(const Params& of, const char* name, std::string_view otherwise) {
    const auto found = of.is_object() ? of.find(name) : of.end();
    return found != of.end() && found->is_string() ? printable(found->get<std::string>()) : std::string(otherwise);
}

const Params& member(const Params& of, const char* name) {
    static const Params none;
    const auto found = of.is_object() ? of.find(name) : of.end();
    return found != of.end() ? *found : none;
}

std::string rate_text(double bytes_per_second) {
    if (bytes_per_second < 0) return "-";
    const double kbps = bytes_per_second * 8 / 1000;
    return kbps >= 1000 ? fmt::format("{:.2f} Mbit/s", kbps / 1000) : fmt::format("{:.0f} kbit/s", kbps);
}

std::string figure(double value, const char* unit) {
    return value < 0 ? std::string("-") : fmt::format("{:.1f}{}", value, unit);
}

// Cut to so many bytes, and at a character's beginning; names are of any length.
std::string cut(const std::string& name, std::size_t length) {
    if (name.size() <= length) return name;
    std::size_t end = length - 1;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
    return name.substr(0, end) + "~";
}

}  // namespace

LiveLink LiveFigures::row_of(const std::string& key, const Params& link, double seconds) {
    LiveLink row;
    const bool sends = is_sender_;
    const double bytes = number(link, sends ? "bytes_out" : "bytes_in", 0);
    const double packets = number(link, sends ? "packets_out" : "packets_in", 0);
    const double lost = number(link, "lost", 0);
    const double naks = number(link, "nak_count", 0);
    const auto found = before_.find(key);
    Before& b = found == before_.end() ? before_[key] : found->second;
    // A place that another link has taken counts from zero again.
    const bool continues = found != before_.end() && seconds > 0 && bytes >= b.bytes && packets >= b.packets;
    row.bytes_per_second = continues ? (bytes - b.bytes) / seconds : number(link, "bitrate_bytes_per_sec", -1);
    // By the selector's own count or by NAKs, whichever grows more: with the mode, one takes over from the other.
    if (sends && continues && packets > b.packets)
        row.loss = 100 * std::max(lost - b.lost, naks - b.naks) / (packets - b.packets);
    b.bytes = bytes;
    b.packets = packets;
    b.lost = lost;
    b.naks = naks;
    b.seen = true;
    if (row.bytes_per_second >= 0) b.history.push_back(row.bytes_per_second);
    if (b.history.size() > history_max) b.history.pop_front();
    row.history.assign(b.history.begin(), b.history.end());
    return row;
}

void LiveFigures::take(const Params& stats) {
    const double at_ms = number(stats, "monotonic_ms", 0);
    // A program that was started anew has other counters, and maybe another role.
    const bool is_sender = text(stats, "role", "sender") != "receiver";
    if (is_sender != is_sender_ || at_ms < at_ms_) before_.clear();
    const double seconds = at_ms_ < 0 ? 0 : (at_ms - at_ms_) / 1000;
    is_sender_ = is_sender;
    at_ms_ = at_ms;
    rows_.clear();
    summary_.clear();
    for (auto& [key, b] : before_) b.seen = false;
    if (is_sender)
        take_sender(stats, seconds);
    else
        take_receiver(stats, seconds);
    double total = rows_.empty() ? 0 : -1;
    for (const LiveLink& row : rows_)
        if (row.bytes_per_second >= 0) total = std::max(total, 0.0) + row.bytes_per_second;
    for (LiveLink& row : rows_)
        if (row.bytes_per_second >= 0) row.share = total > 0 ? 100 * row.bytes_per_second / total : 0;
    for (auto b = before_.begin(); b != before_.end();) b = b->second.seen ? std::next(b) : before_.erase(b);
    summary_.push_back(fmt::format("all links: {}", rate_text(total)));
}

void LiveFigures::take_sender(const Params& stats, double seconds) {
    for (const Params& link : member(stats, "links")) {
        const std::string name = text(link, "name", text(link, "label", "?"));
        LiveLink row = row_of(name, link, seconds);
        row.name = name;
        row.state = text(link, "state", flag(link, "connected") ? "connected" : "not connected");
        if (flag(link, "stall_gated")) row.state += ", gated";
        const double priority = number(link, "priority", 1);
        if (const std::string limit = text(link, "limit", ""); !limit.empty())
            row.state += ", " + limit + " by its budget";
        else if (priority > 1)
            row.state += fmt::format(", class {:.0f}", priority);
        const double rtt_us = number(link, "rtt_us", 0);
        if (rtt_us > 0) row.rtt_ms = rtt_us / 1000;
        row.window = number(link, "window_packets", -1);
        row.in_flight = number(link, "in_flight_packets", -1);
        if (number(link, "base_rtt_us", 0) > 0) row.queue_ms = number(link, "queue_delay_us", 0) / 1000;
        rows_.push_back(std::move(row));
    }
    summary_.push_back(fmt::format(
        "sender to {}, selector {}, {} of {} links connected, {}", text(stats, "receiver", "?"),
        text(stats, "mode", "?"), number(stats, "active_links", 0), number(stats, "total_links", 0),
        text(stats, "caller", "").empty() ? std::string("no SRT caller") : "SRT caller " + text(stats, "caller", "")));
    const Params& rate = member(stats, "safe_bitrate");
    const double bits = number(rate, "bits_per_second", -1);
    if (bits >= 0)
        summary_.push_back(fmt::format("safe bitrate {} ({}), offered {}", rate_text(bits / 8),
                                       text(rate, "cause", "?"),
                                       rate_text(number(rate, "offered_bits_per_second", 0) / 8)));
    const Params& counters = member(stats, "counters");
    summary_.push_back(fmt::format("{} packets wait, {} lost, {} repaired, {} given up, {} dropped for want of a link",
                                   number(stats, "waiting_packets", 0), number(counters, "losses_seen", 0),
                                   number(counters, "repairs_sent", 0), number(counters, "packets_given_up", 0),
                                   number(counters, "drop_no_uplink", 0)));
}

void LiveFigures::take_receiver(const Params& stats, double seconds) {
    std::size_t sessions = 0;
    const Params& groups = member(stats, "groups");
    for (const Params& group : groups) {
        const std::string group_name = fmt::format("{}", number(group, "group", 0));
        if (text(group, "state", "") == "session") ++sessions;
        for (const Params& link : member(group, "links")) {
            const std::string sender = text(link, "sender", "?");
            const std::string name = fmt::format("{} {}", group_name, sender);
            LiveLink row = row_of(name, link, seconds);
            row.name = name;
            row.state = flag(link, "live") ? text(group, "state", "?") : std::string("silent");
            const Params& said = member(link, "telemetry");  // what the sender says of its link
            if (number(said, "rtt_ms", 0) > 0) row.rtt_ms = number(said, "rtt_ms", 0);
            row.window = number(said, "window_packets", -1);
            row.in_flight = number(said, "in_flight_packets", -1);
            rows_.push_back(std::move(row));
        }
    }
    summary_.push_back(fmt::format("receiver: {} of {} groups, {} SRT sessions", groups.size(),
                                   number(stats, "groups_max", 0), sessions));
}

std::string budgets_table(const Params& answer) {
    std::string out = fmt::format("{:<24} {:>13} {:>13} {:>7}  {:<10}  {:<10}  {}\n", "link", "used", "budget", "",
                                  "since", "until", "state");
    const auto amount = [](const Params& row, const char* name) {
        const double bytes = number(row, name, -1);
        return bytes < 0 ? std::string("-") : control::amount_text(static_cast<std::uint64_t>(bytes));
    };
    for (const Params& row : member(answer, "budgets")) {
        const double percent = number(row, "used_percent", -1);
        const std::string state = text(row, "state", "?");
        out += fmt::format("{:<24} {:>13} {:>13} {:>7}  {:<10}  {:<10}  {}\n", cut(text(row, "link", "?"), 24),
                           amount(row, "used_bytes"), amount(row, "budget_bytes"), figure(percent, "%"),
                           text(row, "month", "?"), text(row, "next_month", "?"),
                           percent < 0         ? ""
                           : state == "within" ? "then " + text(row, "at_limit", "?")
                                               : state);
    }
    return out;
}

std::string sparkline(const std::vector<double>& values) {
    static constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double greatest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    std::string out;
    for (const double v : values) {
        const double height = greatest > 0 ? v / greatest * 7.99 : 0;
        out += blocks[static_cast<std::size_t>(std::clamp(height, 0.0, 7.0))];
    }
    return out;
}

std::string table_of(const LiveFigures& figures, bool history) {
    std::string out;
    for (const std::string& line : figures.summary()) out += line + "\n";
    out += fmt::format("\n{:<28} {:>13} {:>6} {:>9} {:>7} {:>8} {:>9} {:>9}  {}{}\n",
                       figures.is_sender() ? "uplink" : "group, sender", "rate", "share", "RTT", "loss", "window",
                       "in flight", "queue", history ? fmt::format("{:<31}", "last 30 s") : std::string(), "state");
    for (const LiveLink& row : figures.links()) {
        out += fmt::format("{:<28} {:>13} {:>6} {:>9} {:>7} {:>8} {:>9} {:>9}  ", cut(row.name, 28),
                           rate_text(row.bytes_per_second), figure(row.share, "%"), figure(row.rtt_ms, " ms"),
                           figure(row.loss, "%"), figure(row.window, ""),
                           row.in_flight < 0 ? "-" : fmt::format("{:.0f}", row.in_flight), figure(row.queue_ms, " ms"));
        if (history)
            out += sparkline(row.history) + std::string(LiveFigures::history_max - row.history.size() + 1, ' ');
        out += row.state + "\n";
    }
    return out;
}

}  // namespace hawser::app
