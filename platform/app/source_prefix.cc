// SPDX-License-Identifier: MIT
#include "platform/app/source_prefix.h"

#include <charconv>

#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::optional<bond::SourcePrefix> parse_prefix(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = os::parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    const unsigned width = address->is_v4() ? 32 : 128;
    unsigned bits = width;
    if (slash != std::string_view::npos) {
        const char* begin = text.data() + slash + 1;
        const char* end = text.data() + text.size();
        const auto parsed = std::from_chars(begin, end, bits);
        if (parsed.ec != std::errc() || parsed.ptr != end || bits > width) return std::nullopt;
    }
    bond::SourcePrefix prefix;
    prefix.address = address->address;
    prefix.bits = static_cast<std::uint8_t>(bits + 128 - width);
    return prefix;
}

}  // namespace hawser::app
