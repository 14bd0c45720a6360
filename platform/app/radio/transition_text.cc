// SPDX-License-Identifier: MIT
#include "platform/app/radio/transition_text.h"

#include <fmt/format.h>

#include "platform/app/plain_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::Transition;
using Kind = control::TransitionKind;

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::radio_joined: return "joined";
        case Kind::radio_failed: return "failed";
        case Kind::radio_restarted: return "restarted";
        case Kind::number_clash: return "clash";
        case Kind::channel_active: return "active";
        case Kind::channel_lost: return "lost";
        case Kind::channel_refused: return "refused";
        case Kind::channel_silent: return "silent";
        case Kind::channel_dropped: return "dropped";
        case Kind::channel_removed: return "removed";
        case Kind::channel_too_many: return "too many";
    }
    return "";
}

std::string path_of(radio::RadioField field) { return std::string(wire::row_of(field).path); }

std::string sentence(const Transition& t) {
    switch (t.kind) {
        case Kind::radio_joined: return "listening to " + t.text;
        case Kind::radio_failed: return t.text + "; trying again";
        case Kind::radio_restarted: return "radiod at " + os::endpoint_text(t.source) + " has restarted";
        case Kind::number_clash: return "two radiods use this number, one of them at " + os::endpoint_text(t.source);
        case Kind::channel_active:
            return fmt::format("active, {} in {:.0f} ms{}", t.reused ? "found" : "made",
                               static_cast<double>(t.took.ns) / 1e6,
                               t.packets > 1 ? fmt::format(" and {} packets", t.packets) : "");
        case Kind::channel_lost:
            if (t.field == radio::RadioField::eol) return "lost: it had gone; made anew";
            return fmt::format("lost: {} is {}; making it anew", path_of(t.field), t.value);
        case Kind::channel_refused: return fmt::format("refused: {} stays {}; trying again", path_of(t.field), t.value);
        case Kind::channel_silent: return "no answer; trying again";
        case Kind::channel_dropped: return "no longer wanted, left as it is";
        case Kind::channel_removed: return "no longer wanted, removed";
        case Kind::channel_too_many: return "not kept: too many channels";
    }
    return "";
}

Level level_of(Kind kind) {
    switch (kind) {
        case Kind::radio_failed:
        case Kind::radio_restarted:
        case Kind::number_clash:
        case Kind::channel_lost:
        case Kind::channel_refused:
        case Kind::channel_silent:
        case Kind::channel_too_many: return Level::warn;
        case Kind::radio_joined:
        case Kind::channel_active:
        case Kind::channel_dropped:
        case Kind::channel_removed: return Level::info;
    }
    return Level::info;
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
    if (t.field != radio::RadioField::eol) {
        out["field"] = path_of(t.field);
        out["value"] = t.value;
    }
    if (t.source.port != 0) out["from"] = os::endpoint_text(t.source);
    if (t.kind == Kind::channel_active) out["reused"] = t.reused;
    if (t.packets != 0) {
        out["packets"] = t.packets;
        out["ms"] = static_cast<double>(t.took.us()) / 1e3;
    }
    return out;
}

}  // namespace hawser::app
