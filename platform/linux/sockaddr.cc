// SPDX-License-Identifier: MIT
#include "platform/linux/sockaddr.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <array>
#include <charconv>

namespace hawser::os {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// inet_pton and if_nametoindex want a terminated string.
template <std::size_t N>
bool copy_terminated(std::string_view text, std::array<char, N>& out) {
    if (text.empty() || text.size() >= N || text.find('\0') != std::string_view::npos) return false;
    text.copy(out.data(), text.size());
    out[text.size()] = '\0';
    return true;
}

std::optional<std::uint32_t> parse_scope(std::string_view text) {
    std::array<char, IF_NAMESIZE> name;
    if (!copy_terminated(text, name)) return std::nullopt;
    if (const unsigned index = ::if_nametoindex(name.data()); index != 0) return index;
    const auto index = parse_number<std::uint32_t>(text);
    if (!index || *index == 0) return std::nullopt;
    return index;
}

}  // namespace

std::string address_text(const Endpoint& e) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (e.is_v4()) {
        ::inet_ntop(AF_INET, e.address.data() + 12, text.data(), text.size());
        return text.data();
    }
    ::inet_ntop(AF_INET6, e.address.data(), text.data(), text.size());
    std::string out = text.data();
    if (e.scope != 0) {
        std::array<char, IF_NAMESIZE> name{};
        out += '%';
        out += ::if_indextoname(e.scope, name.data()) != nullptr ? std::string(name.data()) : std::to_string(e.scope);
    }
    return out;
}

std::string endpoint_text(const Endpoint& e) {
    const std::string address = address_text(e);
    return (e.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(e.port);
}

std::optional<Endpoint> parse_address(std::string_view text) {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        if (text.find(':') == std::string_view::npos) return std::nullopt;
    }
    Endpoint e;
    if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
        const auto scope = parse_scope(text.substr(percent + 1));
        if (!scope) return std::nullopt;
        e.scope = *scope;
        text = text.substr(0, percent);
    }
    std::array<char, INET6_ADDRSTRLEN> copy;
    if (!copy_terminated(text, copy)) return std::nullopt;
    if (::inet_pton(AF_INET6, copy.data(), e.address.data()) == 1) {
        if (e.is_v4() && e.scope != 0) return std::nullopt;
        return e;
    }
    if (e.scope != 0 || ::inet_pton(AF_INET, copy.data(), e.address.data() + 12) != 1) return std::nullopt;
    e.address[10] = e.address[11] = 0xFF;
    return e;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    // Without brackets an IPv6 address and its port cannot be told apart.
    if (host.find(':') != std::string_view::npos && (host.front() != '[' || host.back() != ']')) return std::nullopt;
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    auto e = parse_address(host);
    if (!e || !port) return std::nullopt;
    e->port = *port;
    return e;
}

}  // namespace hawser::os
