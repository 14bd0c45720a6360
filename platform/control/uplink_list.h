// SPDX-License-Identifier: MIT
// The operator's list of uplinks, one per line, as the peers' IP files have it and a little more:
//
//   192.168.8.100            source address, IPv4 or IPv6
//   192.168.8.100%usb0       the same, bound to a network device: two modems may share an address
//   192.168.8.100 metered    settings after white space: each byte costs, so second copies go by other links
//   # a comment; blank lines and trailing blanks or carriage returns are ignored
//
// Reading it never stops at a bad line: what is wrong is told with its line number, and the caller decides.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/border/command.h"

namespace hawser::control {

struct UplinkList {
    std::vector<UplinkSpec> uplinks;      // in the order of the file, each once, at most links_max
    std::vector<std::string> complaints;  // "line 3: '10.0.0' is no address", one per line that was not understood
};

// `text` is a file's content, at most a megabyte of it.
[[nodiscard]] UplinkList parse_uplinks(std::string_view text);
// One entry, as on a line or a command line; absent with the reason in `complaint` when it is none. A setting that is
// not known is left out, and named in `complaint`.
[[nodiscard]] std::optional<UplinkSpec> parse_uplink(std::string_view entry, std::string& complaint);
// Reads and parses a file; the error is a sentence that names the file and the reason.
[[nodiscard]] Result<UplinkList, std::string> read_uplinks(const std::string& path);

[[nodiscard]] bool same_uplink(const UplinkSpec& a, const UplinkSpec& b);
[[nodiscard]] std::string uplink_text(const UplinkSpec& uplink);

}  // namespace hawser::control
