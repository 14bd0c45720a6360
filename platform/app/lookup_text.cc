// SPDX-License-Identifier: MIT
#include "platform/app/lookup_text.h"

#include <fmt/format.h>

#include <array>

#include "platform/control/links/name_servers.h"

namespace hawser::app {

using By = control::NameLookup::By;

std::string_view name_of(By by) {
    switch (by) {
        case By::system_then_links: return "auto";
        case By::system: return "system";
        case By::links: return "links";
    }
    return "";
}

std::optional<By> parse_lookups(std::string_view word) {
    for (const By by : std::array{By::system_then_links, By::system, By::links})
        if (word == name_of(by)) return by;
    return std::nullopt;
}

std::string found_text(const control::Resolution& r) {
    return fmt::format("{} was found by uplink {}: {} answered in {} ms", r.host, r.by->link,
                       control::name_server_text(r.by->server), r.by->took.ms());
}

}  // namespace hawser::app
