// SPDX-License-Identifier: MIT
#include "platform/app/config/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

std::string toml_string(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F)
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out + "\"";
}

struct ToToml {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(const std::string& value) const { return toml_string(value); }
    std::string operator()(const std::vector<std::string>& value) const {
        std::string out = "[";
        for (const std::string& v : value) out += (out.size() > 1 ? ", " : "") + toml_string(v);
        return out + "]";
    }
};

Key key(std::string name, std::string about) {
    Key k;
    k.name = std::move(name);
    k.about = std::move(about);
    return k;
}

// HOST and PORT of "HOST:PORT", "[HOST]:PORT"; no host in "PORT" and ":PORT".
struct HostPort {
    std::string host;
    std::uint16_t port;
};
std::optional<HostPort> split_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    std::string_view host = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
    const std::string_view digits = colon == std::string_view::npos ? text : text.substr(colon + 1);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
        return std::nullopt;  // IPv6 without brackets: where does the port begin?
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65535) return std::nullopt;
    return HostPort{std::string(host), static_cast<std::uint16_t>(port)};
}

// A port alone may be a number.
std::optional<HostPort> split_port(const KeyValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return split_port(std::string_view(*text));
    if (const auto* port = std::get_if<std::int64_t>(&value))
        return split_port(std::string_view(std::to_string(*port)));
    return std::nullopt;
}

constexpr const char* endpoint_wanted = "a port, or ADDRESS:PORT with a literal address, was expected";

std::string joined(const std::string& host, std::uint16_t port) {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace

std::string toml_text(const KeyValue& value) { return std::visit(ToToml{}, value); }

Key text_key(std::string name, std::string& to, std::string about, TextCheck check) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&to]() -> KeyValue { return to.empty() ? KeyValue() : KeyValue(to); };
    k.set = [&to, check = std::move(check)](const KeyValue& value) -> std::string {
        if (std::holds_alternative<std::monostate>(value)) {
            to.clear();
            return {};
        }
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return "a text in quotes was expected";
        if (check)
            if (std::string complaint = check(*text); !complaint.empty()) return complaint;
        to = *text;
        return {};
    };
    return k;
}

Key words_key(std::string name, std::vector<std::string>& to, std::string about, TextCheck check) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&to]() -> KeyValue { return to; };
    k.set = [&to, check = std::move(check)](const KeyValue& value) -> std::string {
        std::vector<std::string> words;
        if (const auto* one = std::get_if<std::string>(&value))
            words = {*one};
        else if (const auto* several = std::get_if<std::vector<std::string>>(&value))
            words = *several;
        else
            return "a text in quotes, or a list of such, was expected";
        for (const std::string& word : words) {
            if (std::string complaint = check ? check(word) : std::string(); !complaint.empty()) return complaint;
            if (std::count(words.begin(), words.end(), word) > 1) return "'" + word + "' is there twice";
        }
        to = words;
        return {};
    };
    return k;
}

Key flag_key(std::string name, std::string about, std::function<bool()> get, std::function<void(bool)> set) {
    Key k = key(std::move(name), std::move(about));
    k.get = [get = std::move(get)]() -> KeyValue { return get(); };
    k.set = [set = std::move(set)](const KeyValue& value) -> std::string {
        const auto* flag = std::get_if<bool>(&value);
        if (flag == nullptr) return "true or false was expected";
        set(*flag);
        return {};
    };
    return k;
}

Key flag_key(std::string name, bool& to, std::string about) {
    return flag_key(
        std::move(name), std::move(about), [&to] { return to; }, [&to](bool value) { to = value; });
}

Key choice_key(std::string name, std::vector<std::string> of, std::string about, std::function<std::string()> get,
               std::function<void(const std::string&)> set) {
    Key k = key(std::move(name), std::move(about));
    k.get = [get = std::move(get)]() -> KeyValue { return get(); };
    k.set = [of = std::move(of), set = std::move(set)](const KeyValue& value) -> std::string {
        const auto* word = std::get_if<std::string>(&value);
        if (word != nullptr && std::find(of.begin(), of.end(), *word) != of.end()) {
            set(*word);
            return {};
        }
        std::string expected;
        for (const std::string& w : of) expected += (expected.empty() ? "" : ", ") + toml_string(w);
        return "one of these was expected: " + expected;
    };
    return k;
}

Key number_key(std::string name, double& to, double least, double most, std::string about) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&to]() -> KeyValue { return to; };
    k.set = [&to, least, most](const KeyValue& value) -> std::string {
        const auto* whole = std::get_if<std::int64_t>(&value);
        const auto* real = std::get_if<double>(&value);
        const double number = whole != nullptr ? static_cast<double>(*whole) : real != nullptr ? *real : std::nan("");
        if (!(number >= least && number <= most))
            return fmt::format("a number between {} and {} was expected", least, most);
        to = number;
        return {};
    };
    return k;
}

Key whole_key(std::string name, std::int64_t least, std::int64_t most, std::string about,
              std::function<std::optional<std::int64_t>()> get, std::function<void(std::int64_t)> set) {
    Key k = key(std::move(name), std::move(about));
    k.get = [get = std::move(get)]() -> KeyValue {
        const auto value = get();
        return value ? KeyValue(*value) : KeyValue();
    };
    k.set = [least, most, set = std::move(set)](const KeyValue& value) -> std::string {
        const auto* whole = std::get_if<std::int64_t>(&value);
        if (whole == nullptr || *whole < least || *whole > most)
            return fmt::format("a whole number between {} and {} was expected", least, most);
        set(*whole);
        return {};
    };
    return k;
}

Key span_key(std::string name, Duration& to, Duration unit, std::int64_t least, std::int64_t most, std::string about,
             bool zero_is_unset) {
    Key k = whole_key(
        std::move(name), least, most, std::move(about),
        [&to, unit, zero_is_unset]() -> std::optional<std::int64_t> {
            if (zero_is_unset && to == Duration{}) return std::nullopt;
            return to.ns / unit.ns;
        },
        [&to, unit](std::int64_t value) { to = Duration{value * unit.ns}; });
    if (zero_is_unset)
        k.set = [&to, set = std::move(k.set)](const KeyValue& value) -> std::string {
            if (!std::holds_alternative<std::monostate>(value)) return set(value);
            to = Duration{};
            return {};
        };
    return k;
}

Key listen_key(std::string name, std::string& address, std::uint16_t& port, const std::string& default_address,
               std::string about) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&address, &port, default_address]() -> KeyValue {
        if (port == 0) return {};
        return joined(address.empty() ? default_address : address, port);
    };
    k.set = [&address, &port](const KeyValue& value) -> std::string {
        const auto parts = split_port(value);
        if (!parts || (!parts->host.empty() && !os::parse_address(parts->host))) return endpoint_wanted;
        if (!parts->host.empty()) address = parts->host;
        port = parts->port;
        return {};
    };
    return k;
}

Key peer_key(std::string name, std::string& host, std::uint16_t& port, std::string about) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&host, &port]() -> KeyValue { return host.empty() ? KeyValue() : KeyValue(joined(host, port)); };
    k.set = [&host, &port](const KeyValue& value) -> std::string {
        const auto parts = split_port(value);
        if (!parts || parts->host.empty()) return "HOST:PORT was expected (an IPv6 address in brackets)";
        host = parts->host;
        port = parts->port;
        return {};
    };
    return k;
}

Key endpoint_key(std::string name, std::optional<Endpoint>& to, const std::string& default_address, std::string about) {
    Key k = key(std::move(name), std::move(about));
    k.get = [&to]() -> KeyValue { return to ? KeyValue(os::endpoint_text(*to)) : KeyValue(); };
    k.set = [&to, default_address](const KeyValue& value) -> std::string {
        if (std::holds_alternative<std::monostate>(value)) {
            to.reset();
            return {};
        }
        const auto parts = split_port(value);
        const auto address =
            parts ? os::parse_address(parts->host.empty() ? default_address : parts->host) : std::nullopt;
        if (!address) return endpoint_wanted;
        to = *address;
        to->port = parts->port;
        return {};
    };
    return k;
}

namespace {

void adopt_keys(const std::string& where, const std::vector<Key>& to, const std::vector<Key>& from, Adopted& out) {
    for (std::size_t i = 0; i < to.size() && i < from.size(); ++i) {
        const KeyValue value = from[i].get();
        if (to[i].get() == value) continue;
        const std::string name = where + "." + to[i].name;
        if (to[i].applies == Applies::at_start) {
            out.waiting.push_back(name);
            continue;
        }
        static_cast<void>(to[i].set(value));
        out.taken.push_back(name);
    }
}

}  // namespace

bool Adopted::any_of(std::string_view beginning) const {
    return std::any_of(taken.begin(), taken.end(), [&](const std::string& key) {
        return std::string_view(key).substr(0, beginning.size()) == beginning;
    });
}

Adopted adopt(const KeySection& to, const KeySection& from) {
    Adopted out;
    adopt_keys(to.name, to.keys, from.keys, out);
    for (std::size_t i = 0; i < to.tables.size() && i < from.tables.size(); ++i)
        adopt_keys(to.name + "." + to.tables[i].name, to.tables[i].keys, from.tables[i].keys, out);
    return out;
}

}  // namespace hawser::app
