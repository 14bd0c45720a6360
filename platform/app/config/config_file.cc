// SPDX-License-Identifier: MIT
#include "platform/app/config/config_file.h"

#include <fmt/format.h>

#include "platform/app/config/receiver_keys.h"
#include "platform/app/config/sender_keys.h"
#include "platform/app/text_file.h"
#include "platform/app/toml_section.h"

namespace hawser::app {

namespace {

std::optional<KeyValue> value_of(const toml::node& node) {
    if (const auto v = node.value_exact<bool>()) return *v;
    if (const auto v = node.value_exact<std::int64_t>()) return *v;
    if (const auto v = node.value_exact<double>()) return *v;
    if (const auto v = node.value_exact<std::string>()) return *v;
    const toml::array* list = node.as_array();
    if (list == nullptr) return std::nullopt;
    std::vector<std::string> words;
    for (const toml::node& n : *list) {
        const auto word = n.value_exact<std::string>();
        if (!word) return std::nullopt;
        words.push_back(*word);
    }
    return words;
}

class SectionReader {
public:
    explicit SectionReader(std::string file) { complaint_.file = std::move(file); }

    Result<Config, std::string> read(const toml::table& root) {
        Config config;
        Section top(root, "", complaint_);
        if (const toml::table* t = top.table("sender")) read_section(*t, sender_section(config.sender.emplace()));
        if (const toml::table* t = top.table("receiver")) read_section(*t, receiver_section(config.receiver.emplace()));
        top.finish();
        if (!config.sender && !config.receiver)
            complaint_.make(root.source(), "", "neither [sender] nor [receiver] is there");
        if (complaint_.is_made()) return Failure{complaint_.text};
        return config;
    }
    std::string at(const toml::source_region& where, const std::string& what) {
        complaint_.make(where, "", what);
        return complaint_.text;
    }

private:
    void read_keys(Section& s, const std::vector<Key>& keys) {
        for (const Key& k : keys) {
            const toml::node* node = s.node(k.name);
            if (node == nullptr) continue;
            const auto value = value_of(*node);
            // A table, a date, or a list of other things than texts is no key's value.
            const std::string complaint = value ? k.set(*value) : std::string("a plain value was expected");
            if (!complaint.empty()) s.complain(k.name, complaint);
        }
    }

    void read_list(Section& parent, const KeyTable& table, const std::string& path) {
        for (const toml::table* t : parent.tables(table.name)) {
            const std::vector<Key> keys = table.add();
            Section s(*t, fmt::format("{} {}", path, table.all().size()), complaint_);
            read_keys(s, keys);
            for (const Key& k : keys)
                if (k.is_needed && !s.has(k.name)) s.complain(k.name, "it is missing");
            s.finish();
        }
    }

    void read_section(const toml::table& root, const KeySection& section) {
        Section top(root, section.name, complaint_);
        read_keys(top, section.keys);
        for (const KeyTable& table : section.tables) {
            const std::string path = section.name + "." + table.name;
            if (table.is_list()) {
                read_list(top, table, path);
            } else if (const toml::table* t = top.table(table.name)) {
                Section s(*t, path, complaint_);
                read_keys(s, table.keys);
                s.finish();
            }
            const std::string complaint = table.check ? table.check() : std::string();
            if (!complaint.empty()) top.complain(table.name, complaint);
        }
        top.finish();
    }

    Complaint complaint_;
};

// Words in lines of a comment.
std::string comment(std::string_view text) {
    constexpr std::size_t width = 100;
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (column == 0 || column + 1 + word.size() > width) {
            out += column == 0 ? "#" : "\n#";
            column = 1;
        }
        out += fmt::format(" {}", word);
        column += 1 + word.size();
    }
    return out + "\n";
}

std::string sample_key(const Key& k) {
    const KeyValue value = k.get();
    const bool is_set = !std::holds_alternative<std::monostate>(value) && value != KeyValue(std::vector<std::string>{});
    return comment(k.about) +
           fmt::format("{}{} = {}\n\n", k.is_needed ? "" : "#", k.name, toml_text(is_set ? value : k.example));
}

std::string sample_section(const KeySection& section) {
    std::string out = comment(section.about) + fmt::format("[{}]\n\n", section.name);
    for (const Key& k : section.keys) out += sample_key(k);
    for (const KeyTable& t : section.tables) {
        // A list's element is whole or not there.
        out += comment(t.about) + (t.is_list() ? fmt::format("#[[{}.{}]]\n\n", section.name, t.name)
                                               : fmt::format("[{}.{}]\n\n", section.name, t.name));
        for (Key k : t.keys) {
            k.is_needed = k.is_needed && !t.is_list();
            out += sample_key(k);
        }
    }
    return out;
}

std::string set_keys(const std::vector<Key>& keys) {
    std::string out;
    for (const Key& k : keys)
        if (const std::string value = toml_text(k.get()); !value.empty())
            out += fmt::format("{} = {}\n", k.name, value);
    return out;
}

}  // namespace

Result<Config, std::string> parse_config(std::string_view text, const std::string& file) {
    SectionReader reader(file);
    try {
        return reader.read(toml::parse(text));
    } catch (const toml::parse_error& e) {
        return Failure{reader.at(e.source(), std::string(e.description()))};
    }
}

Result<Config, std::string> read_config(const std::string& path) {
    const auto text = read_text_file(path);
    if (!text) return Failure{text.error()};
    return parse_config(*text, path);
}

std::string sample_config() {
    SenderRequest sender;
    ReceiverRequest receiver;
    return "# hawser's configuration. hawser send reads [sender], hawser recv [receiver]; a file may have both. "
           "hawser\n"
           "# check tells what is wrong with it and what would run. What stands behind # is the default, or an "
           "example\n"
           "# where there is none. SIGHUP, or hawser ctl reload, reads the file again.\n\n" +
           sample_section(sender_section(sender)) + sample_section(receiver_section(receiver));
}

std::string config_text(const KeySection& section) {
    std::string out = fmt::format("[{}]\n", section.name) + set_keys(section.keys);
    for (const KeyTable& t : section.tables) {
        if (t.is_list()) {
            for (const auto& keys : t.all()) out += fmt::format("\n[[{}.{}]]\n", section.name, t.name) + set_keys(keys);
            continue;
        }
        if (const std::string keys = set_keys(t.keys); !keys.empty())
            out += fmt::format("\n[{}.{}]\n", section.name, t.name) + keys;
    }
    return out;
}

}  // namespace hawser::app
