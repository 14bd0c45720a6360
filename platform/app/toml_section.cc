// SPDX-License-Identifier: MIT
#include "platform/app/toml_section.h"

#include <fmt/format.h>

#include "platform/app/nearest_word.h"

namespace hawser::app {

namespace {

// Of the file's own words, for a message: nothing in it that moves a cursor.
std::string clean(std::string text) {
    if (text.size() > 200) text.resize(200);
    for (char& c : text)
        if (c < ' ' || c == 0x7F) c = '?';
    return text;
}

}  // namespace

void Complaint::make(const toml::source_region& where, const std::string& key, const std::string& what) {
    if (is_made()) return;
    text = clean(fmt::format("{}:{}: {}{}{}", file, where.begin.line, key, key.empty() ? "" : ": ", what));
}

const toml::node* Section::find(std::string_view key) {
    asked_.emplace(key);
    return table_.get(key);
}

void Section::complain(std::string_view key, const std::string& what) {
    const toml::node* node = table_.get(key);
    complaint_.make(node != nullptr ? node->source() : table_.source(), named(key), what);
}

std::optional<double> Section::checked(const toml::node& node, std::string_view key, const Bounds& bounds) {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (value && *value >= bounds.least && *value <= bounds.most) return value;
    complaint_.make(
        node.source(), named(key),
        fmt::format("a number of {} between {} and {} was expected", bounds.unit, bounds.least, bounds.most));
    return std::nullopt;
}

std::optional<double> Section::number(std::string_view key, const Bounds& bounds) {
    const toml::node* node = find(key);
    return node != nullptr ? checked(*node, key, bounds) : std::nullopt;
}

std::vector<double> Section::numbers(std::string_view key, const Bounds& bounds) {
    std::vector<double> out;
    const toml::node* node = find(key);
    if (node == nullptr) return out;
    const auto add = [&](const toml::node& n) {
        if (const auto value = checked(n, key, bounds)) out.push_back(*value);
    };
    if (const toml::array* list = node->as_array())
        for (const toml::node& n : *list) add(n);
    else
        add(*node);
    if (out.empty()) complain(key, "the list is empty");
    return out;
}

std::optional<bool> Section::flag(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_boolean()) complain(key, "true or false was expected");
    return node->value<bool>();
}

std::optional<std::string> Section::text(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string()) complain(key, "a text in quotes was expected");
    return node->value<std::string>();
}

std::optional<std::string> Section::choice(std::string_view key, std::initializer_list<std::string_view> of) {
    auto word = text(key);
    if (!word) return std::nullopt;
    std::string expected;
    for (const std::string_view w : of) {
        if (*word == w) return word;
        expected += (expected.empty() ? "" : ", ") + std::string(w);
    }
    complain(key, fmt::format("'{}' is none of: {}", *word, expected));
    return std::nullopt;
}

const toml::table* Section::table(std::string_view key) {
    const toml::node* node = find(key);
    if (node != nullptr && !node->is_table()) complain(key, "a table was expected");
    return node != nullptr ? node->as_table() : nullptr;
}

std::vector<const toml::table*> Section::tables(std::string_view key) {
    std::vector<const toml::table*> out;
    const toml::node* node = find(key);
    if (node == nullptr) return out;
    if (const toml::array* list = node->as_array())
        for (const toml::node& n : *list) out.push_back(n.as_table());
    for (const toml::table* t : out)
        if (t == nullptr) out.clear();
    if (out.empty()) complain(key, fmt::format("[[{}]] was expected: a list of tables", key));
    return out;
}

std::string Section::meant(std::string_view key) const {
    const std::string nearest = nearest_word(key, {asked_.begin(), asked_.end()});
    return nearest.empty() ? std::string() : fmt::format("; '{}' is one", nearest);
}

void Section::finish() {
    for (const auto& [key, node] : table_)
        if (asked_.find(key.str()) == asked_.end())
            complaint_.make(key.source(), named(key.str()), "there is no such key here" + meant(key.str()));
}

}  // namespace hawser::app
