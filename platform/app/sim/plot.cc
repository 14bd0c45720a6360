// SPDX-License-Identifier: MIT
#include "platform/app/sim/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "platform/app/sim/report.h"

namespace hawser::app {

namespace {

// Pixels.
constexpr double left = 70, right = 70, width = 1000, panel = 90, gap = 34, title = 40;

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    return out;
}

class Picture {
public:
    explicit Picture(double seconds) : seconds_(seconds) {}

    void heading(const std::string& text) {
        y_ += title;
        body_ += fmt::format("<text class=\"h\" x=\"{}\" y=\"{:.0f}\">{}</text>\n", left, y_ - 14, escaped(text));
    }
    // Opens a panel; what is drawn next is in it.
    void open(const std::string& name, const std::string& scale_left, const std::string& scale_right) {
        y_ += gap;
        body_ += fmt::format(
            "<rect class=\"p\" x=\"{}\" y=\"{:.0f}\" width=\"{}\" height=\"{}\"/>\n"
            "<text x=\"{}\" y=\"{:.0f}\">{}</text>\n<text class=\"e\" x=\"{}\" y=\"{:.0f}\">{}</text>\n"
            "<text class=\"q\" x=\"{}\" y=\"{:.0f}\">{}</text>\n",
            left, y_, width, panel, left, y_ - 4, escaped(name), left - 4, y_ + 10, scale_left, left + width + 4,
            y_ + 10, scale_right);
        for (double s = 0; s <= seconds_; s += tick()) {
            const double x = at(s);
            body_ += fmt::format("<text class=\"t\" x=\"{:.1f}\" y=\"{:.0f}\">{:g}</text>\n", x, y_ + panel + 11, s);
        }
        y_ += panel;
    }
    // `values` in parts of the panel's height.
    void area(const char* style, const std::vector<double>& values, double bucket_s) {
        if (values.empty()) return;
        std::string d = fmt::format("M{:.1f} {:.1f}", at(0), y_);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double top = y_ - panel * std::clamp(values[i], 0.0, 1.0);
            d += fmt::format("L{:.1f} {:.1f}L{:.1f} {:.1f}", at(bucket_s * static_cast<double>(i)), top,
                             at(bucket_s * static_cast<double>(i + 1)), top);
        }
        body_ += fmt::format("<path class=\"{}\" d=\"{}L{:.1f} {:.1f}Z\"/>\n", style, d,
                             at(bucket_s * static_cast<double>(values.size())), y_);
    }
    void line(const char* style, const std::vector<double>& values, double bucket_s) {
        std::string d;
        for (std::size_t i = 0; i < values.size(); ++i)
            d += fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', at(bucket_s * (static_cast<double>(i) + 0.5)),
                             y_ - panel * std::clamp(values[i], 0.0, 1.0));
        if (!d.empty()) body_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, d);
    }
    [[nodiscard]] std::string finish(const std::string& legend) const {
        return fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1:.0f}\" viewBox=\"0 0 {0} {1:.0f}\">\n"
            "<style>svg{{background:#fff}}text{{font:11px sans-serif;fill:#333}}.h{{font-size:15px;font-weight:bold}}"
            ".t{{text-anchor:middle;font-size:9px}}.e{{text-anchor:end}}.q{{fill:#c60}}.p{{fill:#fff;stroke:#bbb}}"
            ".cap{{fill:#dde4ea}}.out{{fill:none;stroke:#146;stroke-width:1.2}}.queue{{fill:none;stroke:#e80;stroke-"
            "width:1}}"
            ".lost{{fill:#c22}}.gone{{fill:#c22;fill-opacity:.45}}.seen{{fill:#8b8}}</style>\n{2}<text x=\"{3}\" "
            "y=\"{4:.0f}\">{5}</text>\n</svg>\n",
            left + width + right, y_ + 50, body_, left, y_ + 34, escaped(legend));
    }

private:
    [[nodiscard]] double at(double s) const { return left + width * std::clamp(s / seconds_, 0.0, 1.0); }
    [[nodiscard]] double tick() const { return seconds_ <= 15 ? 1 : seconds_ <= 90 ? 5 : seconds_ <= 400 ? 30 : 300; }

    double seconds_;
    double y_ = 0;
    std::string body_;
};

// The share of each second's payloads that came in time.
void draw_viewer(Picture& picture, const MatrixRun& run, double seconds) {
    const sim::TripOutcome& o = run.outcome;
    const auto count = static_cast<std::size_t>(std::ceil(seconds));
    const double per_second = static_cast<double>(o.payloads) / seconds;
    std::vector<double> seen(count), late_ones;
    const double limit_ns = run.cell.latency_ms * 1e6 + 3e8;  // as the metric of the same name
    for (const sim::HandOver& h : o.hand_overs) {
        const auto s = static_cast<std::size_t>(static_cast<double>(h.made.ns) / 1e9);
        if (s < count && static_cast<double>((h.got - h.made).ns) <= limit_ns) seen[s] += 1 / per_second;
    }
    picture.open("the viewer: payloads on time, by the second they were made in", "100 %", "");
    picture.area("lost", std::vector<double>(count, 1.0), 1);
    picture.area("seen", seen, 1);
}

void draw_link(Picture& picture, const std::string& name, const sim::LinkOutcome& link, double seconds,
               double bucket_s) {
    const auto& series = link.up.series;
    double top = 1, queue_top = 1;
    for (const sim::LinkSample& s : series) {
        top = std::max({top, static_cast<double>(s.capacity_bytes), static_cast<double>(s.bytes_out)});
        queue_top = std::max(queue_top, static_cast<double>(s.queue_bytes));
    }
    // A hold's burst would flatten the rest.
    std::vector<double> sorted;
    sorted.reserve(series.size());
    for (const sim::LinkSample& s : series) sorted.push_back(std::max<double>(s.capacity_bytes, s.bytes_out));
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty()) top = std::clamp(2 * sorted[sorted.size() * 95 / 100], 1.0, top);
    std::vector<double> capacity, out, queue, lost;
    const auto count = std::min(series.size(), static_cast<std::size_t>(seconds / bucket_s));
    for (std::size_t i = 0; i < count; ++i) {
        const sim::LinkSample& s = series[i];
        capacity.push_back(s.capacity_bytes / top);
        out.push_back(s.bytes_out / top);
        queue.push_back(s.queue_bytes / queue_top);
        const int gone = s.dropped_queue + s.dropped_loss + s.dropped_outage;
        lost.push_back(gone == 0 ? 0 : std::min(0.05 + gone / 400.0, 0.25));
    }
    picture.open(fmt::format("{}: {:.0f} % of the bytes; lost {} in the queue, {} at random, {} in outages", name,
                             100 * link.share, link.up.dropped_queue, link.up.dropped_loss, link.up.dropped_outage),
                 fmt::format("{:.1f} Mbit/s", top * 8 / bucket_s / 1e6),
                 link.up.capacity_bps > 0 ? fmt::format("{:.0f} ms", queue_top * 8000 / link.up.capacity_bps)
                                          : fmt::format("{:.0f} kB", queue_top / 1000));
    picture.area("cap", capacity, bucket_s);
    picture.area("gone", lost, bucket_s);
    picture.line("queue", queue, bucket_s);
    picture.line("out", out, bucket_s);
}

}  // namespace

std::string plot_svg(const MatrixPlan& plan, const std::vector<MatrixRun>& runs) {
    const double media_s = runs.empty() ? 1 : plan.seconds.value_or(plan.scenarios[runs.front().cell.scenario].seconds);
    const double seconds = media_s + 1;
    Picture picture(seconds);
    for (const MatrixRun& run : runs) {
        const Scenario& s = plan.scenarios[run.cell.scenario];
        picture.heading(fmt::format(
            "{}, {}: {:.2f} % on time (oracle {:.2f} %), {:.0f} kbit/s over {:.0f}, latency {:g} ms, seed {}", s.name,
            select::name_of(plan.selections[run.selection].mode), 100 * run.outcome.on_time, 100 * run.omniscient,
            run.kbps, run.capacity_kbps, run.cell.latency_ms, run.seed));
        draw_viewer(picture, run, media_s);
        for (std::size_t i = 0; i < run.outcome.links.size(); ++i)
            draw_link(picture, s.links[i].name, run.outcome.links[i], seconds, 0.2);
    }
    return picture.finish(
        "seconds; grey: what the link could carry; blue: what came out of it; orange: its queue (scale at the right); "
        "red: losses, or payloads that were not on time; green: payloads that were");
}

}  // namespace hawser::app
