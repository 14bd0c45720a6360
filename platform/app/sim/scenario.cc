// SPDX-License-Identifier: MIT
#include "platform/app/sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/random.h"
#include "engine/base/strong.h"
#include "platform/app/sim/trace_file.h"
#include "platform/app/toml_section.h"

namespace hawser::app {

namespace {

constexpr std::size_t scenario_bytes_max = std::size_t{1} << 20;
constexpr Bounds share{0, 1, "a share"};
constexpr Bounds delay_ms{0, 10'000, "milliseconds"};
constexpr Bounds queue_ms{1, 600'000, "milliseconds"};
constexpr Bounds rate_kbps{1, 1e6, "kbit/s"};
constexpr Bounds time_s{0, 1e5, "seconds"};

Duration of_ms(double ms) { return Duration{static_cast<std::int64_t>(std::llround(ms * 1e6))}; }
Duration of_s(double s) { return of_ms(s * 1000); }

class Reader {
public:
    Reader(std::string file, std::optional<std::string> folder) : folder_(std::move(folder)) {
        complaint_.file = std::move(file);
    }

    Result<Scenario, std::string> read(const toml::table& root) {
        Scenario s;
        Section top(root, "", complaint_);
        s.about = top.text("about").value_or("");
        s.seconds = top.number("seconds", {1, 3600, "seconds"}).value_or(40);
        s.load_percent = top.number("load", {1, 1000, "percent"}).value_or(90);
        s.kbps = top.number("kbps", {10, 200'000, "kbit/s"});
        if (s.kbps && top.has("load")) top.complain("kbps", "give the load or kbps, not both");
        s.srt.latency = of_ms(top.number("latency", {20, 60'000, "milliseconds"}).value_or(2000));
        s.srt.loss_max_ttl = 40;  // what bonding receivers run with
        if (const toml::table* t = top.table("srt")) read_srt(Section(*t, "srt", complaint_), s.srt);
        const auto links = top.tables("link");
        if (links.empty()) complaint_.make(root.source(), "link", "a scenario needs at least one [[link]]");
        if (links.size() > links_max) top.complain("link", fmt::format("more than {} links", links_max));
        for (const toml::table* t : links) s.links.push_back(read_link(*t, s.links.size() + 1));
        top.finish();
        if (complaint_.is_made()) return Failure{complaint_.text};
        return s;
    }

    std::string at(const toml::source_region& where, const std::string& what) {
        complaint_.make(where, "", what);
        return complaint_.text;
    }

private:
    static void read_srt(Section srt, sim::SrtSettings& settings) {
        if (const auto n = srt.number("lossmaxttl", {0, 10'000, "packets"}))
            settings.loss_max_ttl = static_cast<std::int32_t>(*n);
        if (const auto n = srt.number("overhead", {0, 100, "percent"}))
            settings.overhead_percent = static_cast<std::int32_t>(*n);
        if (const auto n = srt.number("retransmitalgo", {0, 1, "0 or 1,"}))
            settings.retransmit_algorithm = static_cast<std::int32_t>(*n);
        settings.patched_receiver = srt.flag("belabox_receiver").value_or(false);
        srt.finish();
    }

    LinkPlan read_link(const toml::table& table, std::size_t number) {
        LinkPlan link;
        link.name = fmt::format("link {}", number);
        Section section(table, link.name, complaint_);
        if (const auto name = section.text("name")) link.name = *name;
        link.metered = section.flag("metered").value_or(false);
        link.has_up_offset = section.has("offset");
        read_line(section, link.up);
        if (!link.up.has_trace() && link.up.shape.kbit_per_second == 0)
            section.complain("kbps", "a link needs kbps, a trace or a radio");
        // The way back, where nothing else is said: wide, as late as the way up, and short in patience.
        link.down.shape.kbit_per_second = 20'000;
        link.down.shape.delay = link.up.shape.delay;
        link.down.shape.jitter = link.up.shape.jitter;
        link.down.shape.queue = of_ms(300);
        if (const toml::table* t = section.table("down")) {
            Section down(*t, section.path() + ": down", complaint_);
            link.has_down_offset = down.has("offset");
            read_line(down, link.down);
            down.finish();
        }
        for (const toml::table* t : section.has("outage") ? section.tables("outage") : decltype(section.tables("")){})
            read_outage(Section(*t, section.path() + ": outage", complaint_), link);
        for (const toml::table* t : section.has("detour") ? section.tables("detour") : decltype(section.tables("")){})
            read_detour(Section(*t, section.path() + ": detour", complaint_), link);
        section.finish();
        return link;
    }

    void read_line(Section& s, LinePlan& line) {
        sim::LineShape& shape = line.shape;
        if (s.has("kbps") + s.has("trace") + s.has("radio") > 1)
            s.complain(s.has("trace") ? "trace" : "radio", "give one of kbps, trace and radio");
        if (const auto kbps = s.number("kbps", rate_kbps)) shape.kbit_per_second = *kbps;
        if (const auto path = s.text("trace")) line.trace = read_trace(s, *path);
        if (const toml::table* t = s.table("radio")) {
            Section radio(*t, s.path() + ": radio", complaint_);
            sim::RadioModel model;
            model.kbit_per_second = radio.number("kbps", rate_kbps).value_or(model.kbit_per_second);
            model.spread = radio.number("spread", {0, 2, "deviation"}).value_or(model.spread);
            model.fades_per_minute = radio.number("fades", {0, 60, "fades a minute"}).value_or(model.fades_per_minute);
            radio.finish();
            line.radio = model;
        }
        if (line.has_trace()) shape.kbit_per_second = 0;
        shape.scale = s.number("scale", {0.01, 100, "a factor"}).value_or(1);
        if (s.has("offset") && !line.has_trace()) s.complain("offset", "only a trace or a radio has an offset");
        if (s.is_text("offset"))
            line.is_offset_by_seed = s.choice("offset", {"seed"}).has_value();
        else if (s.has("offset"))
            line.offsets_s = s.numbers("offset", time_s);
        if (line.offsets_s.empty()) line.offsets_s = {0};
        if (const auto ms = s.number("delay", delay_ms)) shape.delay = of_ms(*ms);
        if (const auto ms = s.number("jitter", delay_ms)) shape.jitter = of_ms(*ms);
        if (const auto ms = s.number("queue", queue_ms)) shape.queue = of_ms(*ms);
        if (const auto n = s.number("queue_bytes", {1500, 1e9, "bytes"})) {
            if (s.has("queue")) s.complain("queue_bytes", "give queue or queue_bytes, not both");
            shape.queue_bytes = static_cast<std::int64_t>(*n);
        }
        if (!shape.queue && !shape.queue_bytes) shape.queue = of_ms(300);
        shape.loss = s.number("loss", share).value_or(shape.loss);
        if (const toml::table* t = s.table("bursts")) {
            Section bursts(*t, s.path() + ": bursts", complaint_);
            sim::GilbertElliott g;
            g.good_to_bad = bursts.number("good_to_bad", share).value_or(0);
            g.bad_to_good = bursts.number("bad_to_good", share).value_or(1);
            g.loss_bad = bursts.number("loss_bad", share).value_or(1);
            g.loss_good = bursts.number("loss_good", share).value_or(0);
            bursts.finish();
            shape.bursts = g;
        }
    }

    // When an outage or a detour is.
    template <class When>
    static void read_times(Section& s, std::string_view what, When& when) {
        for (const std::string_view key : {"start", "length"})
            if (!s.has(key)) s.complain(key, fmt::format("{} needs it, in seconds", what));
        when.start = of_s(s.number("start", time_s).value_or(0));
        when.length = of_s(s.number("length", {0.001, 1e5, "seconds"}).value_or(1));
        when.every = of_s(s.number("every", time_s).value_or(0));
        if (when.every.ns > 0 && when.every < when.length) s.complain("every", "shorter than it lasts");
    }

    static void read_outage(Section s, LinkPlan& link) {
        using Kind = sim::LineOutage::Kind;
        sim::LineOutage o;
        const std::string kind = s.choice("kind", {"dark", "hold", "pause"}).value_or("dark");
        o.kind = kind == "dark" ? Kind::drop : kind == "hold" ? Kind::hold : Kind::pause;
        read_times(s, "an outage", o);
        const std::string way = read_way(s);
        if (way != "down") link.up.shape.outages.push_back(o);
        if (way != "up") link.down.shape.outages.push_back(o);
        s.finish();
    }

    static void read_detour(Section s, LinkPlan& link) {
        sim::Detour d;
        if (!s.has("delay")) s.complain("delay", "a detour needs it, in ms");
        d.delay = of_ms(s.number("delay", delay_ms).value_or(0));
        read_times(s, "a detour", d);
        const std::string way = read_way(s);
        if (way != "down") link.up.shape.detours.push_back(d);
        if (way != "up") link.down.shape.detours.push_back(d);
        s.finish();
    }

    static std::string read_way(Section& s) { return s.choice("way", {"both", "up", "down"}).value_or("both"); }

    Trace read_trace(Section& s, const std::string& path) {
        if (!folder_) {
            s.complain("trace", "a scenario that is not a file has no traces");
            return nullptr;
        }
        const std::string full = path.front() == '/' ? path : *folder_ + path;
        const auto text = read_file(full, trace_bytes_max);
        if (!text) {
            s.complain("trace", text.error());
            return nullptr;
        }
        auto trace = parse_trace(*text);
        if (!trace) {
            s.complain("trace", full + ":" + trace.error());
            return nullptr;
        }
        return std::make_shared<const std::vector<std::uint32_t>>(std::move(trace).value());
    }

    Complaint complaint_;
    std::optional<std::string> folder_;
};

// Where in its trace this line begins with this seed.
Duration offset_of(const LinePlan& line, std::uint64_t seed, std::uint64_t salt, double period_s) {
    if (!line.is_offset_by_seed)
        return of_s(line.offsets_s[(seed + line.offsets_s.size() - 1) % line.offsets_s.size()]);
    Random random(seed * 7919 + salt);
    return of_ms(std::floor(static_cast<double>(random.next() >> 11) * 0x1.0p-53 * period_s * 1000));
}

}  // namespace

Route lay_out(const Scenario& scenario, const Terms& terms) {
    Route route;
    sim::Trip& trip = route.trip;
    trip.seconds = scenario.seconds;
    trip.seed = terms.seed;
    trip.repeat = terms.repeat;
    trip.srt = scenario.srt;
    const auto lay_line = [&](const LinePlan& plan, std::uint64_t salt) {
        sim::LineShape shape = plan.shape;
        Trace trace = plan.trace;
        if (plan.radio)
            trace = std::make_shared<const std::vector<std::uint32_t>>(
                sim::radio_trace(*plan.radio, terms.seed * 1'000'003 + salt));
        if (trace) {
            shape.trace_ms = *trace;
            shape.offset = offset_of(plan, terms.seed, salt, trace->back() / 1000.0);
            route.traces.push_back(std::move(trace));
        }
        return shape;
    };
    for (std::size_t i = 0; i < scenario.links.size(); ++i) {
        const LinkPlan& plan = scenario.links[i];
        sim::TripLink link;
        link.up = lay_line(plan.up, 2 * i + 1);
        link.down = lay_line(plan.down, 2 * i + 2);
        // Both directions of a recording were recorded together.
        if (!plan.has_down_offset && plan.down.has_trace()) link.down.offset = link.up.offset;
        link.settings.metered = plan.metered;
        trip.links.push_back(std::move(link));
    }
    trip.kbit_per_second = 1;
    const double per_payload = static_cast<double>(sim::payload_bytes) / static_cast<double>(sim::payload_wire_bytes);
    const auto at_load = [&](double percent) {
        return std::max(std::round(sim::capacity_kbps(trip) * percent / 100 * per_payload), 1.0);
    };
    if (terms.load_percent)
        trip.kbit_per_second = at_load(*terms.load_percent);
    else
        trip.kbit_per_second = scenario.kbps ? *scenario.kbps : at_load(scenario.load_percent);
    return route;
}

Result<Scenario, std::string> parse_scenario(std::string_view text, const std::string& name,
                                             const std::optional<std::string>& folder) {
    Reader reader(name, folder);
    try {
        return reader.read(toml::parse(text));
    } catch (const toml::parse_error& e) {
        return Failure{reader.at(e.source(), std::string(e.description()))};
    }
}

Result<Scenario, std::string> load_scenario(const std::string& name_or_path) {
    const bool is_path = name_or_path.find('/') != std::string::npos || name_or_path.find(".toml") != std::string::npos;
    if (!is_path) {
        const BuiltInScenario* found = nullptr;
        for (const BuiltInScenario& b : built_in_scenarios()) {
            if (b.name.substr(0, name_or_path.size()) != name_or_path) continue;
            if (found != nullptr && b.name != name_or_path)
                return Failure{fmt::format("'{}' could be {} or {}", name_or_path, found->name, b.name)};
            found = &b;
            if (b.name == name_or_path) break;
        }
        if (found == nullptr)
            return Failure{fmt::format("there is no scenario '{}' (hawser sim --list names them; a file ends in .toml)",
                                       name_or_path)};
        auto scenario = parse_scenario(found->text, std::string(found->name), std::nullopt);
        if (scenario) scenario->name = found->name;
        return scenario;
    }
    const auto text = read_file(name_or_path, scenario_bytes_max);
    if (!text) return Failure{text.error()};
    const std::size_t slash = name_or_path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : name_or_path.substr(0, slash + 1);
    auto scenario = parse_scenario(*text, name_or_path, folder);
    if (scenario) {
        const std::string file = name_or_path.substr(folder.size());
        scenario->name = file.substr(0, file.rfind(".toml"));
    }
    return scenario;
}

}  // namespace hawser::app
