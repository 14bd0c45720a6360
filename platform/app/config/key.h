// SPDX-License-Identifier: MIT
// One key of the configuration file: what it is called, what it takes, what it is for, and where its value lives. A
// section is described once (sender_keys.h, receiver_keys.h); reading a file, printing what would run, the commented
// sample and a reload's differences all go by that description, so none of them can lack a key.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"

namespace hawser::app {

// As TOML has it. monostate: not set.
using KeyValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

// When a changed value counts: when the file is read again, or at the program's next start.
enum class Applies : std::uint8_t { at_once, at_start };

struct Key {
    std::string name;
    Applies applies = Applies::at_once;
    std::string about;  // sentences for the sample
    std::function<KeyValue()> get;
    // Empty when it was taken, else what was expected, which goes after the key's name. What may be unset takes
    // monostate too.
    std::function<std::string(const KeyValue&)> set;
    KeyValue example;  // for the sample, where nothing is set by default
    bool is_needed = false;

    [[nodiscard]] Key at_start() const {
        Key k = *this;
        k.applies = Applies::at_start;
        return k;
    }
    [[nodiscard]] Key like(KeyValue value) const {
        Key k = *this;
        k.example = std::move(value);
        return k;
    }
    [[nodiscard]] Key needed() const {
        Key k = *this;
        k.is_needed = true;
        return k;
    }
};

// [name] and its keys; [[name]] where `add` is there: each call makes one more and answers its keys.
struct KeyTable {
    std::string name;
    std::string about;
    std::vector<Key> keys;  // of a list: of an element that is in none, for the sample
    std::function<std::vector<Key>()> add;
    std::function<std::vector<std::vector<Key>>()> all;  // those that were made
    // What is wrong with them all together, empty when nothing is.
    std::function<std::string()> check;

    [[nodiscard]] bool is_list() const { return bool(add); }
};

// A role's part of the file: [sender] or [receiver], its keys and the tables below it.
struct KeySection {
    std::string name;
    std::string about;
    std::vector<Key> keys;
    std::vector<KeyTable> tables;
};

// Each keeps a reference to `to`.
using TextCheck = std::function<std::string(const std::string&)>;  // empty: good
[[nodiscard]] Key text_key(std::string name, std::string& to, std::string about, TextCheck check = {});
[[nodiscard]] Key words_key(std::string name, std::vector<std::string>& to, std::string about, TextCheck check = {});
[[nodiscard]] Key flag_key(std::string name, std::string about, std::function<bool()> get,
                           std::function<void(bool)> set);
[[nodiscard]] Key flag_key(std::string name, bool& to, std::string about);
[[nodiscard]] Key choice_key(std::string name, std::vector<std::string> of, std::string about,
                             std::function<std::string()> get, std::function<void(const std::string&)> set);
[[nodiscard]] Key number_key(std::string name, double& to, double least, double most, std::string about);
// Not set while it is zero, which stands for a default that is not a number; `least` is above it.
[[nodiscard]] Key span_key(std::string name, Duration& to, Duration unit, std::int64_t least, std::int64_t most,
                           std::string about, bool zero_is_unset = false);
// Any whole number's type.
[[nodiscard]] Key whole_key(std::string name, std::int64_t least, std::int64_t most, std::string about,
                            std::function<std::optional<std::int64_t>()> get, std::function<void(std::int64_t)> set);
template <class Int>
[[nodiscard]] Key whole_key(std::string name, Int& to, std::int64_t least, std::int64_t most, std::string about) {
    return whole_key(
        std::move(name), least, most, std::move(about), [&to] { return std::optional<std::int64_t>(to); },
        [&to](std::int64_t value) { to = static_cast<Int>(value); });
}
// "ADDRESS:PORT" in two variables. `default_address` stands before a port alone.
[[nodiscard]] Key listen_key(std::string name, std::string& address, std::uint16_t& port,
                             const std::string& default_address, std::string about);
// "HOST:PORT" in two variables; the host is a name or an address, an IPv6 address in brackets.
[[nodiscard]] Key peer_key(std::string name, std::string& host, std::uint16_t& port, std::string about);
// "[ADDRESS:]PORT".
[[nodiscard]] Key endpoint_key(std::string name, std::optional<Endpoint>& to, const std::string& default_address,
                               std::string about);

// As TOML would have it; empty for what is not set.
[[nodiscard]] std::string toml_text(const KeyValue& value);

// Takes over the values that apply at once from `from` into `to`, two descriptions of one kind of section with
// different variables. Answers the names of what differed ("sender.selection.mode"), apart by when they apply.
struct Adopted {
    std::vector<std::string> taken;
    std::vector<std::string> waiting;  // for the next start

    // Whether a key whose name begins so was taken.
    [[nodiscard]] bool any_of(std::string_view beginning) const;
};
[[nodiscard]] Adopted adopt(const KeySection& to, const KeySection& from);

}  // namespace hawser::app
