// SPDX-License-Identifier: MIT
#include "platform/app/demo/report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace hawser::demo {
namespace {

std::string rtt_text(const LinkRow& link) { return link.rtt_ms ? fmt::format("{:.0f}", *link.rtt_ms) : "-"; }

std::uint64_t bytes_up(const std::vector<LinkCounts>& links) {
    return std::accumulate(links.begin(), links.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const LinkCounts& link) { return sum + link.up.bytes_in; });
}

double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t lost(const Figures& f) { return f.sent - f.refused - f.received - f.damaged - f.waiting; }

nlohmann::ordered_json direction(const DirectionCounts& counts) {
    return {{"packets_in", counts.packets_in},
            {"packets_out", counts.packets_out},
            {"lost_queue", counts.lost_queue},
            {"lost_random", counts.lost_random},
            {"lost_dark", counts.lost_dark}};
}

}  // namespace

std::string table(double seconds, const std::vector<LinkRow>& links, const Figures& figures) {
    std::uint64_t total = 0;
    for (const LinkRow& link : links) total += link.rate_bps;
    std::string text = fmt::format("{:<4} {:<12} {:<13} {:>8} {:>6} {:>7} {:>9} {:>7} {:>7}\n", "link", "source",
                                   "state", "kbit/s", "share", "RTT ms", "in flight", "window", "NAKs");
    for (std::size_t i = 0; i < links.size(); ++i) {
        const LinkRow& link = links[i];
        text +=
            fmt::format("{:<4} {:<12} {:<13} {:>8} {:>5.0f}% {:>7} {:>9} {:>7} {:>7}\n", i + 1, link.source,
                        link.dark ? link.state + " (dark)" : link.state, link.rate_bps / 1000,
                        100 * share_of(link.rate_bps, total), rtt_text(link), link.in_flight, link.window, link.naks);
    }
    return text +
           fmt::format("{:>4.0f} s  {} kbit/s over {} links, {} payloads sent, {:.2f}% whole and on time so far\n",
                       seconds, total / 1000, links.size(), figures.sent, 100 * figures.on_time_share());
}

std::string in_words(const Options& options, const Summary& summary) {
    const Figures& f = summary.figures;
    std::string text = fmt::format(
        "\n{} of {:.1f} s at {} kbit/s over {} links, SRT latency {} ms{}\n"
        "payloads sent {}, whole {}, whole and on time {} ({:.3f}%), late {}, lost {}, refused {}, damaged {}, unknown "
        "{}\n"
        "longest gap {} ms, SRT sent again {}, SRT connections {}\n",
        summary.picture ? "picture" : "pattern", summary.seconds, options.bitrate_kbps, options.links.size(),
        options.latency_ms, summary.interrupted ? " (interrupted)" : "", f.sent, f.received, f.on_time,
        100 * f.on_time_share(), f.late, lost(f), f.refused, f.damaged, f.unknown, f.longest_gap.ms(),
        summary.srt_retransmissions, summary.srt_connections);
    const std::uint64_t total = bytes_up(summary.emulated);
    for (std::size_t i = 0; i < summary.emulated.size(); ++i) {
        const DirectionCounts& up = summary.emulated[i].up;
        text += fmt::format(
            "link {}: {:.1f}% of the bytes; of {} packets {} lost in the queue, {} at random, {} in the dark\n", i + 1,
            100 * share_of(up.bytes_in, total), up.packets_in, up.lost_queue, up.lost_random, up.lost_dark);
    }
    return text;
}

std::string as_json(const Options& options, const Summary& summary) {
    const Figures& f = summary.figures;
    const std::uint64_t total = bytes_up(summary.emulated);
    auto links = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < summary.links.size(); ++i) {
        const LinkRow& link = summary.links[i];
        const LinkShape& shape = options.links[i];
        const LinkCounts& counts = summary.emulated[i];
        links.push_back({{"link", i + 1},
                         {"source", link.source},
                         {"state", link.state},
                         {"share", share_of(counts.up.bytes_in, total)},
                         {"bytes", counts.up.bytes_in},
                         {"rtt_ms", link.rtt_ms ? nlohmann::ordered_json(*link.rtt_ms) : nlohmann::ordered_json()},
                         {"in_flight", link.in_flight},
                         {"window", link.window},
                         {"naks", link.naks},
                         {"emulated",
                          {{"rate_kbps", shape.rate_kbps},
                           {"delay_ms", shape.delay.ms()},
                           {"queue_ms", shape.queue.ms()},
                           {"loss", shape.loss},
                           {"up", direction(counts.up)},
                           {"down", direction(counts.down)}}}});
    }
    const nlohmann::ordered_json report{{"seconds", std::round(summary.seconds * 1000) / 1000},
                                        {"interrupted", summary.interrupted},
                                        {"stream", summary.picture ? "ffmpeg" : "pattern"},
                                        {"bitrate_kbps", options.bitrate_kbps},
                                        {"latency_ms", options.latency_ms},
                                        {"select", select::name_of(options.select)},
                                        {"io", summary.io},
                                        {"sent", f.sent},
                                        {"received", f.received},
                                        {"on_time", f.on_time},
                                        {"on_time_share", f.on_time_share()},
                                        {"late", f.late},
                                        {"lost", lost(f)},
                                        {"refused", f.refused},
                                        {"damaged", f.damaged},
                                        {"unknown", f.unknown},
                                        {"longest_gap_ms", f.longest_gap.ms()},
                                        {"srt_retransmissions", summary.srt_retransmissions},
                                        {"srt_connections", summary.srt_connections},
                                        {"links", links}};
    return report.dump();
}

}  // namespace hawser::demo
