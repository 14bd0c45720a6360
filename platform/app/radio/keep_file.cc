// SPDX-License-Identifier: MIT
#include "platform/app/radio/keep_file.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "engine/radio/address.h"
#include "engine/radio/frequency.h"
#include "platform/app/radio/channel_keys.h"
#include "platform/app/radio/command_status.h"
#include "platform/app/text_file.h"
#include "platform/app/toml_section.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using radio::FieldFault;
using F = radio::RadioField;

std::string value_text(const toml::node& node) {
    if (const auto v = node.value_exact<std::string>()) return *v;
    if (const auto v = node.value_exact<std::int64_t>()) return std::to_string(*v);
    if (const auto v = node.value_exact<bool>()) return *v ? "on" : "off";
    if (const auto v = node.value_exact<double>(); v && std::isfinite(*v)) return radio::format_number(*v);
    return {};
}

// However it is written: with its port or without, by `interface` or in the name.
bool is_same_place(const control::WantedRadio& a, const control::WantedRadio& b) {
    const auto port_of = [](const control::WantedRadio& r) {
        return r.address.port == 0 ? radio::status_port : r.address.port;
    };
    const bool is_same_host = a.address.literal && b.address.literal
                                  ? a.address.literal->address == b.address.literal->address
                                  : a.address.host == b.address.host;
    return is_same_host && port_of(a) == port_of(b) && a.address.interface == b.address.interface &&
           a.source == b.source;
}

bool command_has_frequency(const radio::Command& command) {
    const auto wanted = radio::wanted_by(command);
    return wanted && wanted->has(F::radio_frequency);
}

class ChannelReader {
public:
    explicit ChannelReader(std::string file) { complaint_.file = std::move(file); }

    Result<control::DesiredState, std::string> read(const toml::table& root, const std::string& default_radio) {
        Section top(root, "", complaint_);
        for (const toml::table* t : top.tables("radio")) read_radio(*t);
        if (state_.radios.empty() && !default_radio.empty()) {
            if (!add_radio(default_radio, default_radio)) return Failure{"'" + default_radio + "' names no radiod"};
        }
        const auto channels = top.tables("channel");
        if (state_.radios.empty()) complaint_.make(root.source(), "radio", "no radiod is named, here or with -r");
        for (const toml::table* t : channels)
            if (!complaint_.is_made()) read_channel(*t);
        top.finish();
        if (complaint_.is_made()) return Failure{complaint_.text};
        return std::move(state_);
    }
    std::string at(const toml::source_region& where, const std::string& what) {
        complaint_.make(where, "", what);
        return complaint_.text;
    }

private:
    bool add_radio(const std::string& name, const std::string& text) {
        const auto address = radio::parse_radio_name(text);
        if (!address) return false;
        control::WantedRadio r;
        r.name = name;
        r.address = *address;
        r.text = text;
        state_.radios.push_back(std::move(r));
        return true;
    }

    void read_radio(const toml::table& table) {
        Section s(table, fmt::format("radio {}", state_.radios.size() + 1), complaint_);
        const std::string text = s.text("radio").value_or("");
        const std::string name = s.text("name").value_or(text);
        for (const auto& r : state_.radios)
            if (r.name == name) s.complain("name", "another radio has the name '" + name + "'");
        if (!add_radio(name, text)) {
            s.complain("radio", text.empty() ? "radio = \"NAME\" is missing" : "'" + text + "' names no radiod");
            return;
        }
        auto& r = state_.radios.back();
        if (const auto interface = s.text("interface")) r.address.interface = *interface;
        if (const auto source = s.text("source")) {
            r.source = os::parse_address(*source);
            if (!r.source) s.complain("source", "'" + *source + "' is no address");
        }
        for (const auto& other : state_.radios)
            if (&other != &r && is_same_place(other, r))
                s.complain("radio", fmt::format("'{}' is radio {} ({}) already: one radiod is named once", text,
                                                (&other - state_.radios.data()) + 1, other.name));
        s.finish();
    }

    std::size_t radio_of(Section& s) {
        const auto name = s.text("radio");
        if (!name) {
            if (state_.radios.size() != 1) s.complain("radio", "which of the radios is it?");
            return 0;
        }
        for (std::size_t i = 0; i < state_.radios.size(); ++i)
            if (state_.radios[i].name == *name) return i;
        s.complain("radio", "no [[radio]] has the name '" + *name + "'");
        return 0;
    }

    void put(radio::Command& command, const std::string& path, const std::string& key, const toml::node& node) {
        const std::string text = value_text(node);
        const auto field = wire::find_radio_field(path);
        if (field == F::radio_frequency) frequency_ = {node.source(), key};
        if (field == F::lifetime) lifetime_ = {node.source(), key};
        const auto done =
            text.empty() ? Result<Unit, FieldFault>(Failure{FieldFault::bad_value}) : command.put_text(path, text);
        if (done) return;
        complaint_.make(node.source(), path_ + ": " + key, complaint_of_key(key, done.error()));
    }

    // At the key that says so.
    void complain_of(const radio::ChannelSpec& spec) {
        const auto complain = [this](const Said& said, const char* what) {
            complaint_.make(said.where, path_ + ": " + said.key, what);
        };
        if (!(spec.frequency > 0)) complain(frequency_, "it has to be above 0 Hz");
        if (const char* why = lifetime_complaint(spec.lifetime.value_or(0))) complain(lifetime_, why);
    }

    void read_fields(const toml::table& table, radio::Command& command) {
        for (const auto& [k, node] : table) {
            const std::string key(k.str());
            if (is_own_key(key)) continue;
            if (const toml::table* group = node.as_table()) {
                for (const auto& [inner, value] : *group) {
                    const std::string path = key + "." + std::string(inner.str());
                    put(command, path, path, value);
                }
                continue;
            }
            put(command, path_of_key(key), key, node);
        }
    }

    void read_channel(const toml::table& table) {
        path_ = fmt::format("channel {}", state_.channels.size() + 1);
        Section s(table, path_, complaint_);
        control::WantedChannel channel;
        channel.radio = radio_of(s);
        if (const auto name = s.text("name")) {
            channel.name = *name;
            path_ += " (" + *name + ")";
        }
        radio::Command command;
        read_fields(table, command);
        if (complaint_.is_made()) return;
        std::string at_fault;
        const auto spec = spec_of(command, at_fault);
        if (!spec || !command_has_frequency(command)) {
            complaint_.make(table.source(), path_, spec ? "frequency = ... is missing" : at_fault + " cannot be kept");
            return;
        }
        complain_of(*spec);
        channel.spec = *spec;
        channel.ssrc = number_of(s, channel);
        for (const auto& other : state_.channels)
            if (other.radio == channel.radio && other.ssrc == channel.ssrc)
                s.complain("ssrc", fmt::format("channel {} has the number {} too",
                                               (&other - state_.channels.data()) + 1, channel.ssrc));
        state_.channels.push_back(std::move(channel));
    }

    std::uint32_t number_of(Section& s, const control::WantedChannel& c) {
        if (s.has("ssrc"))
            return static_cast<std::uint32_t>(s.number("ssrc", {1, 4'294'967'294.0, "an SSRC"}).value_or(0));
        return number_for(c.spec, state_.radios[c.radio].text);
    }

    struct Said {
        toml::source_region where;
        std::string key;
    };
    Complaint complaint_;
    control::DesiredState state_;
    std::string path_;  // of the channel being read, as the next two
    Said frequency_;
    Said lifetime_;
};

}  // namespace

Result<control::DesiredState, std::string> parse_keep_file(std::string_view text, const std::string& file,
                                                           const std::string& default_radio) {
    ChannelReader reader(file);
    try {
        return reader.read(toml::parse(text), default_radio);
    } catch (const toml::parse_error& e) {
        return Failure{reader.at(e.source(), std::string(e.description()))};
    }
}

Result<control::DesiredState, std::string> read_keep_file(const std::string& path, const std::string& default_radio) {
    const auto text = read_text_file(path);
    if (!text) return Failure{text.error()};
    return parse_keep_file(*text, path, default_radio);
}

}  // namespace hawser::app
