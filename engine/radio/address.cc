// SPDX-License-Identifier: MIT
#include "engine/radio/address.h"

#include "engine/radio/frequency.h"

namespace hawser::radio {

namespace {

constexpr std::string_view local = ".local";

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_integer(text);
    if (!port || *port == 0 || *port > 0xFFFF) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
    std::uint32_t address = 0;
    for (int i = 0; i < 4; ++i) {
        const std::size_t dot = i < 3 ? text.find('.') : text.size();
        if (dot > 3) return std::nullopt;
        const auto part = parse_integer(text.substr(0, dot));
        if (!part || *part > 255) return std::nullopt;
        address = (address << 8) | static_cast<std::uint32_t>(*part);
        text.remove_prefix(i < 3 ? dot + 1 : dot);
    }
    return address;
}

}  // namespace

std::uint32_t group_of_name(std::string_view name) {
    if (name.empty()) return 0;
    std::uint32_t hash = 0x811C'9DC5;
    for (const char c : name) hash = (hash * 0x0100'0193u) ^ static_cast<std::uint8_t>(c);
    std::uint32_t group = (239u << 24) | (hash & 0x00FF'FFFF);
    // 239.0.0/24 and 239.128.0/24 share Ethernet addresses with the groups of routing protocols.
    if ((group & 0x007F'FF00) == 0) group |= (group & 0xFF) << 8;
    if ((group & 0x007F'FF00) == 0) group |= 0x0010'0000;
    return group;
}

std::uint32_t status_group_of_name(std::string_view name) {
    if (name.empty() || name.ends_with(local)) return group_of_name(name);
    return group_of_name(std::string(name).append(local));
}

std::optional<Endpoint> parse_group(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto address = parse_v4(text.substr(0, colon));
    if (!address) return std::nullopt;
    if (colon == text.npos) return Endpoint::from_v4(*address, 0);
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    return Endpoint::from_v4(*address, *port);
}

std::optional<RadioName> parse_radio_name(std::string_view text) {
    RadioName name;
    const std::size_t comma = text.find(',');
    if (comma != text.npos) {
        name.interface = text.substr(comma + 1);
        text = text.substr(0, comma);
    }
    const std::size_t colon = text.find(':');
    if (colon != text.npos) {
        const auto port = parse_port(text.substr(colon + 1));
        if (!port) return std::nullopt;
        name.port = *port;
        text = text.substr(0, colon);
    }
    if (text.empty()) return std::nullopt;
    name.host = text;
    if (const auto address = parse_v4(text))
        name.literal = Endpoint::from_v4(*address, name.port);
    else if (text.find('.') == text.npos)
        name.host += local;
    return name;
}

}  // namespace hawser::radio
