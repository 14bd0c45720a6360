// SPDX-License-Identifier: MIT
#include "platform/app/rpc/sender_methods.h"

#include <algorithm>

#include "platform/app/log.h"
#include "platform/app/rpc/limit_methods.h"
#include "platform/control/rpc/arguments.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using rpc::Caller;
using rpc::Code;
using rpc::Outcome;
using rpc::Params;
using rpc::Role;

// Bounds of irlserver/srtla_send 86b90aa (CONN_TIMEOUT_MS_MIN, CONN_TIMEOUT_MS_MAX).
constexpr std::uint64_t silence_ms_min = 1'000;
constexpr std::uint64_t silence_ms_max = 60'000;

bool is_active(const UplinkSnapshot& u) { return u.state == UplinkState::connected; }

// The peer's fields first, then all of ours.
Json link_stats(const UplinkSnapshot& u, std::size_t index, const std::string& name) {
    const std::string local = os::address_text(u.local);
    Json out{{"ip", local},
             {"label", name},
             {"connected", is_active(u)},
             {"timed_out", u.state == UplinkState::silent},
             {"window", u.window},
             {"in_flight", u.in_flight},
             {"rtt_ms", u.rtt.ms()},
             {"nak_count", u.naks},
             {"bitrate_bytes_per_sec", u.bytes_per_second},
             {"rtt_min_ms", static_cast<double>(u.rtt_min.us()) / 1000.0},
             {"base_score", u.window / (std::max(u.in_flight, 0) + 1)},
             {"quality_multiplier", u.quality},
             {"stall_gated", u.gated},
             {"link", index}};
    out.update(uplink_json(u, name));
    return out;
}

Outcome set_mode(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto mode = rpc::text_argument(params, "mode", "classic, enhanced or adaptive");
    if (!mode) return Failure{mode.error()};
    if (std::find(select::mode_names.begin(), select::mode_names.end(), *mode) == select::mode_names.end())
        return Failure{rpc::bad_argument("mode", "classic, enhanced or adaptive", rpc::find_argument(params, "mode"))};
    select::Settings settings = sender.selection();
    settings.mode = select::mode_of(*mode);
    sender.select(settings);
    log(Level::info, "selection: {} ({})", *mode, caller.who);
    return Json{{"mode", *mode}};
}

Outcome set_switch(SenderSteering& sender, bool select::Settings::*member, const char* what, const Params& params,
                   const Caller& caller) {
    const auto enabled = rpc::switch_argument(params, "enabled");
    if (!enabled) return Failure{enabled.error()};
    select::Settings settings = sender.selection();
    settings.*member = *enabled;
    sender.select(settings);
    log(Level::info, "{} {} ({})", what, *enabled ? "on" : "off", caller.who);
    return Json{{"enabled", *enabled}};
}

Outcome set_conn_timeout(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto asked = rpc::count_argument(params, "ms", "milliseconds, a whole number");
    if (!asked) return Failure{asked.error()};
    const std::uint64_t ms = std::clamp(*asked, silence_ms_min, silence_ms_max);
    sender.set_silence(Duration{static_cast<std::int64_t>(ms) * 1'000'000});
    log(Level::info, "an uplink counts as lost after {} ms of silence ({})", ms, caller.who);
    return Json{{"ms", ms}};
}

Json links_json(SenderSteering& sender) {
    const SenderSnapshot& s = sender.figures();
    Json links = Json::array();
    for (std::size_t i = 0; i < links_max; ++i)
        if (s.uplinks[i].state != UplinkState::absent)
            links.push_back(Json{{"link", i},
                                 {"name", sender.link_names()[i]},
                                 {"state", state_text(s.uplinks[i].state)},
                                 {"priority", s.uplinks[i].priority},
                                 {"limit", limit_text(s.uplinks[i])},
                                 {"local", os::endpoint_text(s.uplinks[i].local)}});
    // Those that the pump has not heard of too, and what keeps each.
    for (const WaitingUplink& waiting : sender.waiting_links()) {
        const auto known =
            std::find_if(links.begin(), links.end(), [&](const Json& one) { return one["name"] == waiting.name; });
        if (known != links.end())
            (*known)["waits"] = waiting.why;
        else
            links.push_back(Json{{"name", waiting.name}, {"state", "waiting"}, {"waits", waiting.why}});
    }
    return Json{{"links", std::move(links)}};
}

Outcome add_link(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto entry = rpc::text_argument(params, "uplink", "a line as in the uplinks file");
    if (!entry) return Failure{entry.error()};
    const auto added = sender.add_link(*entry);
    if (!added) return Failure{rpc::Error{Code::invalid_params, added.error(), Json{{"parameter", "uplink"}}}};
    log(Level::info, "uplink {} added by {}", *added, caller.who);
    return Json{{"name", *added}};
}

Outcome remove_link(SenderSteering& sender, const Params& params, const Caller& caller) {
    const auto name = rpc::text_argument(params, "name", "an uplink's name, as links.list tells it");
    if (!name) return Failure{name.error()};
    const auto removed = sender.remove_link(*name);
    if (!removed) return Failure{rpc::Error{Code::refused, removed.error(), Json{{"parameter", "name"}}}};
    log(Level::info, "uplink {} removed by {}", *name, caller.who);
    return Json{{"removed", *name}};
}

}  // namespace

Json sender_status(SenderSteering& sender) {
    const SenderSnapshot& s = sender.figures();
    const select::Settings& settings = sender.selection();
    const auto count = [&](auto is) { return std::count_if(s.uplinks.begin(), s.uplinks.end(), is); };
    return Json{{"mode", select::name_of(settings.mode)},
                {"quality_enabled", settings.quality},
                {"stall_deselect", settings.stall_gate},
                {"stall_min_in_flight", settings.stall_min_in_flight},
                {"stall_ack_stale_ms", settings.stall_ack_stale.ms()},
                {"conn_timeout_ms", sender.silence().ms()},
                {"role", "sender"},
                {"version", HAWSER_VERSION},
                {"receiver", os::endpoint_text(s.receiver)},
                {"group_joined", s.group_joined},
                {"delivery_reports", s.reports},
                {"caller", s.has_caller ? Json(os::endpoint_text(s.caller)) : Json(nullptr)},
                {"active_links", count(is_active)},
                {"total_links", count([](const UplinkSnapshot& u) { return u.state != UplinkState::absent; })},
                {"safe_bitrate", safe_rate_json(s.safe_rate)}};
}

Json sender_stats(SenderSteering& sender) {
    const SenderSnapshot& s = sender.figures();
    const select::Settings& settings = sender.selection();
    Json links = Json::array();
    std::int64_t active = 0;
    std::int64_t window = 0;
    std::int64_t in_flight = 0;
    for (std::size_t i = 0; i < links_max; ++i) {
        const UplinkSnapshot& u = s.uplinks[i];
        if (u.state == UplinkState::absent) continue;
        links.push_back(link_stats(u, i, sender.link_names()[i]));
        if (!is_active(u)) continue;
        ++active;
        window += u.window;
        in_flight += u.in_flight;
    }
    Json out{{"mode", ""},
             {"quality_enabled", settings.quality && settings.mode == select::Mode::enhanced},
             {"active_links", active},
             {"total_links", links.size()},
             {"total_window", window},
             {"total_in_flight", in_flight},
             {"links", nullptr}};
    out.update(figures_of(s, sender.link_names(), sender.waiting_links()));
    out["mode"] = select::name_of(settings.mode);
    out["links"] = std::move(links);
    out["budgets"] = budgets_json(sender.limits().budgets());
    return out;
}

void add_sender_methods(rpc::Methods& methods, SenderSteering& s) {
    const auto row = [&](const char* name, Role role, auto run, const char* help) {
        methods.add(
            {name, role, [&s, run](const Params& p, const Caller& c) -> Outcome { return run(s, p, c); }, help});
    };
    row(
        "get_status", Role::observe, [](auto& e, auto&, auto&) { return sender_status(e); },
        "settings, and whether it runs");
    row(
        "get_stats", Role::observe, [](auto& e, auto&, auto&) { return sender_stats(e); },
        "all figures, those of each link among them");
    row("set_mode", Role::operate, set_mode, "mode: classic, enhanced or adaptive");
    row(
        "set_quality", Role::operate,
        [](auto& e, auto& p, auto& c) { return set_switch(e, &select::Settings::quality, "quality", p, c); },
        "enabled: enhanced weighs links by NAKs and RTT");
    row(
        "set_stall_deselect", Role::operate,
        [](auto& e, auto& p, auto& c) { return set_switch(e, &select::Settings::stall_gate, "stall gate", p, c); },
        "enabled: enhanced keeps data off links that went quiet");
    row("set_conn_timeout", Role::operate, set_conn_timeout,
        "ms: silence after which a link counts as lost, 1000 to 60000; answers what was set");
    row(
        "links.list", Role::observe, [](auto& e, auto&, auto&) { return links_json(e); },
        "each uplink's name, state and local address, and what it waits for");
    row("links.add", Role::operate, add_link, "uplink: as on a line of the uplinks file; kept through reloads");
    row("links.remove", Role::operate, remove_link,
        "name: as links.list tells it, or auto; what the file names, or auto has found, stays away until the next "
        "reload");
    add_limit_methods(methods, s);
}

}  // namespace hawser::app
