// SPDX-License-Identifier: MIT
#include "platform/app/metrics/exposition.h"

#include <fmt/format.h>

namespace hawser::app {

namespace {

std::string_view text_of(Exposition::Type type) {
    switch (type) {
        case Exposition::Type::gauge: return "gauge";
        case Exposition::Type::counter: return "counter";
        case Exposition::Type::histogram: return "histogram";
    }
    return "untyped";
}

// Quotes are escaped in label values only.
std::string escaped(std::string_view text, bool is_label) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && is_label)
            out += "\\\"";
        else
            out += c;
    }
    return out;
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(help, false), name, text_of(type));
}

void Exposition::sample(Labels labels, double value) { line("", labels, "", fmt::format("{}", value)); }
void Exposition::sample(Labels labels, std::uint64_t value) { line("", labels, "", std::to_string(value)); }

void Exposition::bucket(Labels labels, const std::string& bound, std::uint64_t count) {
    line("_bucket", labels, bound, std::to_string(count));
}

void Exposition::line(std::string_view suffix, Labels labels, std::string_view bound, const std::string& value) {
    text_ += name_;
    text_ += suffix;
    char before = '{';
    const auto put = [&](std::string_view label, std::string_view text) {
        text_ += before;
        before = ',';
        text_ += fmt::format("{}=\"{}\"", label, escaped(text, true));
    };
    for (const auto& [label, text] : labels) put(label, text);
    if (!bound.empty()) put("le", bound);
    if (before == ',') text_ += '}';
    text_ += fmt::format(" {}\n", value);
}

std::string Exposition::seconds_text(Duration time) { return fmt::format("{}", static_cast<double>(time.ns) / 1e9); }

}  // namespace hawser::app
