// SPDX-License-Identifier: MIT
// The operator's list of uplinks, one per line, as the peers' IP files have it and a little more:
//
//   192.168.8.100            source address, IPv4 or IPv6
//   192.168.8.100%usb0       the same, bound to a network device: two modems may share an address
//   wwan0                    an interface, with whatever address it has; it may come and go
//   auto                     every interface with a default route
//   192.168.8.100 metered    settings after white space: each byte costs, so second copies go by other links
//   # a comment; blank lines and trailing blanks or carriage returns are ignored
//
// Reading it never stops at a bad line: what is wrong is told with its line number, and the caller decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/border/command.h"

namespace hawser::control {

// Every interface with a default route is an uplink, but for those of these patterns (fnmatch(3)).
struct AutomaticUplinks {
    bool wanted = false;
    std::vector<std::string> include;  // empty: all
    std::vector<std::string> exclude;
};

// A program that is called by a peer's name takes addresses alone, as the peer does: a line that is none is a mistake.
enum class UplinkForms : std::uint8_t { all, addresses };

struct UplinkList {
    std::vector<UplinkSpec> uplinks;      // in the order of the file, each once, at most links_max
    bool automatic = false;               // `auto` is among them
    std::vector<std::string> complaints;  // "line 3: '10.0.0' is no address", one per line that was not understood
};

// `text` is a file's content, at most a megabyte of it.
[[nodiscard]] UplinkList parse_uplinks(std::string_view text, UplinkForms forms);
// One entry, as on a line or a command line; absent with the reason in `complaint` when it is none. A setting that is
// not known is left out, and named in `complaint`.
[[nodiscard]] std::optional<UplinkSpec> parse_uplink(std::string_view entry, UplinkForms forms, std::string& complaint);
// Adds an entry to the list, `auto` too. What is wrong with it, if anything, is in `complaint`.
enum class Added : std::uint8_t { yes, known, no };
Added add_uplink(UplinkList& list, std::string_view entry, UplinkForms forms, std::string& complaint);
// Reads and parses a file; the error is a sentence that names the file and the reason.
[[nodiscard]] Result<UplinkList, std::string> read_uplinks(const std::string& path, UplinkForms forms);

// An interface, whichever address it has: its source is the any address, of the family that is used.
[[nodiscard]] bool is_by_device(const UplinkSpec& uplink);
// Settings aside.
[[nodiscard]] bool same_uplink(const UplinkSpec& a, const UplinkSpec& b);
[[nodiscard]] std::string uplink_text(const UplinkSpec& uplink);

}  // namespace hawser::control
