// SPDX-License-Identifier: MIT
#include "platform/app/radio/channel_keys.h"

#include <algorithm>
#include <array>
#include <vector>

#include "platform/app/nearest_word.h"
#include "platform/app/radio/command_status.h"

namespace hawser::app {

namespace {

using radio::FieldFault;

constexpr auto own_keys = std::to_array<std::string_view>({"radio", "name", "ssrc"});

struct Alias {
    std::string_view key;
    std::string_view path;
};
constexpr auto aliases = std::to_array<Alias>({{"frequency", "channel.frequency"},
                                               {"preset", "channel.preset"},
                                               {"mode", "channel.preset"},
                                               {"demod", "channel.demod_type"},
                                               {"samprate", "output.samprate"},
                                               {"encoding", "output.encoding"},
                                               {"channels", "output.channels"},
                                               {"data", "output.dest"},
                                               {"low", "filter.low_edge"},
                                               {"high", "filter.high_edge"},
                                               {"gain", "agc.gain"},
                                               {"agc", "agc.enable"},
                                               {"lifetime", "channel.lifetime"}});

std::string reason(FieldFault fault) {
    switch (fault) {
        case FieldFault::unknown: return "there is no such field";
        case FieldFault::not_settable: return "radiod lets nobody set it";
        case FieldFault::bad_value: return "that is no value of it";
        case FieldFault::too_much: return "too much for one command";
    }
    return "";
}

std::string nearest_key(std::string_view key) {
    std::vector<std::string> known(own_keys.begin(), own_keys.end());
    for (const Alias& a : aliases) known.emplace_back(a.key);
    const std::vector<std::string> paths = settable_paths();
    known.insert(known.end(), paths.begin(), paths.end());
    return nearest_word(std::string(key), known);
}

}  // namespace

bool is_own_key(std::string_view key) { return std::find(own_keys.begin(), own_keys.end(), key) != own_keys.end(); }

std::string path_of_key(std::string_view key) {
    const auto found = std::find_if(aliases.begin(), aliases.end(), [&](const Alias& a) { return a.key == key; });
    return std::string(found != aliases.end() ? found->path : key);
}

std::string complaint_of_key(std::string_view key, FieldFault fault) {
    const std::string nearest = fault == FieldFault::unknown ? nearest_key(key) : std::string();
    return reason(fault) + (nearest.empty() ? "" : "; '" + nearest + "' is one");
}

}  // namespace hawser::app
