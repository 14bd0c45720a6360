// SPDX-License-Identifier: MIT
#include "platform/app/radio/transition_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/app/plain_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::Transition;
using control::TransitionKind;

const char* name_of(TransitionKind kind) {
    switch (kind) {
        case TransitionKind::radio_joined: return "joined";
        case TransitionKind::radio_failed: return "failed";
        case TransitionKind::radio_restarted: return "restarted";
        case TransitionKind::number_clash: return "clash";
        case TransitionKind::channel_active: return "active";
        case TransitionKind::channel_lost: return "lost";
        case TransitionKind::channel_refused: return "refused";
        case TransitionKind::channel_silent: return "silent";
        case TransitionKind::channel_dropped: return "dropped";
        case TransitionKind::channel_removed: return "removed";
        case TransitionKind::channel_stays: return "not removed";
        case TransitionKind::channel_too_many: return "too many";
    }
    return "";
}

std::string path_of(radio::RadioField field) { return std::string(wire::row_of(field).path); }

std::string sentence(const Transition& t) {
    switch (t.kind) {
        case TransitionKind::radio_joined: return "listening to " + t.text;
        case TransitionKind::radio_failed: return t.text + "; trying again";
        case TransitionKind::radio_restarted: return "radiod at " + os::endpoint_text(t.source) + " has restarted";
        case TransitionKind::number_clash:
            return "two radiods use this number, one of them at " + os::endpoint_text(t.source);
        case TransitionKind::channel_active:
            return fmt::format("active, {} in {:.0f} ms{}", t.reused ? "found" : "made",
                               static_cast<double>(t.took.ns) / 1e6,
                               t.packets > 1 ? fmt::format(" and {} packets", t.packets) : "");
        case TransitionKind::channel_lost:
            if (t.field == radio::RadioField::eol) return "lost: it had gone; made anew";
            return fmt::format("lost: {} is {}; making it anew", path_of(t.field), t.value);
        case TransitionKind::channel_refused:
            return fmt::format("refused: {} stays {}; trying again", path_of(t.field), t.value);
        case TransitionKind::channel_silent: return "no answer; trying again";
        case TransitionKind::channel_dropped: return "no longer wanted, left as it is";
        case TransitionKind::channel_removed: return "no longer wanted, removed";
        case TransitionKind::channel_stays: return "no longer wanted, not removed: " + t.text;
        case TransitionKind::channel_too_many: return "not kept: too many channels";
    }
    return "";
}

Level level_of(TransitionKind kind) {
    switch (kind) {
        case TransitionKind::radio_failed:
        case TransitionKind::radio_restarted:
        case TransitionKind::number_clash:
        case TransitionKind::channel_lost:
        case TransitionKind::channel_refused:
        case TransitionKind::channel_silent:
        case TransitionKind::channel_stays:
        case TransitionKind::channel_too_many: return Level::warn;
        case TransitionKind::radio_joined:
        case TransitionKind::channel_active:
        case TransitionKind::channel_dropped:
        case TransitionKind::channel_removed: return Level::info;
    }
    return Level::info;
}

void add_details(nlohmann::ordered_json& out, const Transition& t) {
    if (t.field != radio::RadioField::eol) {
        out["field"] = path_of(t.field);
        out["value"] = t.value;
    }
    if (t.kind == TransitionKind::channel_active) out["reused"] = t.reused;
    if (t.packets != 0) {
        out["packets"] = t.packets;
        out["ms"] = static_cast<double>(t.took.us()) / 1e3;
    }
}

}  // namespace

TransitionLine describe(const Transition& t) {
    std::string who = t.radio + ": ";
    if (t.ssrc != 0) who += std::to_string(t.ssrc) + " ";
    if (!t.channel.empty()) who += "(" + t.channel + ") ";
    return {level_of(t.kind), printable(who + sentence(t))};
}

nlohmann::ordered_json transition_json(const Transition& t) {
    nlohmann::ordered_json out;
    out["time"] = utc_text();
    out["event"] = name_of(t.kind);
    out["radio"] = t.radio;
    if (t.ssrc != 0) out["ssrc"] = t.ssrc;
    if (!t.channel.empty()) out["name"] = t.channel;
    if (!t.text.empty()) out["text"] = t.text;
    if (t.source.port != 0) out["from"] = os::endpoint_text(t.source);
    add_details(out, t);
    return out;
}

std::string event_name(const Transition& t) {
    std::string name = std::string("radio_") + name_of(t.kind);
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
}

// `name` is an uplink's in events.
nlohmann::ordered_json transition_fields(const Transition& t) {
    nlohmann::ordered_json out{{"radio", t.radio}};
    if (t.ssrc != 0) out["ssrc"] = t.ssrc;
    if (!t.channel.empty()) out["channel"] = t.channel;
    if (t.source.port != 0) out["endpoint"] = os::endpoint_text(t.source);
    add_details(out, t);
    return out;
}

}  // namespace hawser::app
