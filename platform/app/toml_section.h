// SPDX-License-Identifier: MIT
// A table of a TOML file, read key by key: each value is checked for kind and bounds, keys that nobody asked for are
// refused at the end. The first complaint of a document stands, with file, line and key; reading then goes on with
// defaults, which nobody will see.
#pragma once

#include <toml++/toml.h>

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::app {

struct Complaint {
    std::string file;
    std::string text;  // empty: nothing to complain about

    [[nodiscard]] bool is_made() const { return !text.empty(); }
    void make(const toml::source_region& where, const std::string& key, const std::string& what);
};

// What a number may be, for people: "milliseconds", "a share".
struct Bounds {
    double least;
    double most;
    const char* unit;
};

class Section {
public:
    // `path` is how keys of it are named: "link 2 (train)".
    Section(const toml::table& table, std::string path, Complaint& complaint)
        : table_(table), path_(std::move(path)), complaint_(complaint) {}

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    [[nodiscard]] bool is_text(std::string_view key) const { return table_.get(key) && table_.get(key)->is_string(); }
    // Whatever it is; null: not there.
    [[nodiscard]] const toml::node* node(std::string_view key) { return find(key); }
    [[nodiscard]] std::optional<double> number(std::string_view key, const Bounds& bounds);
    // A number, or a list of at least one.
    [[nodiscard]] std::vector<double> numbers(std::string_view key, const Bounds& bounds);
    [[nodiscard]] std::optional<bool> flag(std::string_view key);
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<std::string> choice(std::string_view key, std::initializer_list<std::string_view> of);
    [[nodiscard]] const toml::table* table(std::string_view key);
    [[nodiscard]] std::vector<const toml::table*> tables(std::string_view key);  // [[key]]

    void complain(std::string_view key, const std::string& what);
    // Every key has been asked for.
    void finish();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Complaint& complaint() { return complaint_; }

private:
    [[nodiscard]] const toml::node* find(std::string_view key);
    [[nodiscard]] std::optional<double> checked(const toml::node& node, std::string_view key, const Bounds& bounds);
    // "; 'NEAREST' is one", or nothing.
    [[nodiscard]] std::string meant(std::string_view key) const;
    [[nodiscard]] std::string named(std::string_view key) const {
        return path_.empty() ? std::string(key) : path_ + ": " + std::string(key);
    }

    const toml::table& table_;
    std::string path_;
    Complaint& complaint_;
    std::set<std::string, std::less<>> asked_;
};

}  // namespace hawser::app
