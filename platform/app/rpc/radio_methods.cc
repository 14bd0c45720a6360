// SPDX-License-Identifier: MIT
#include "platform/app/rpc/radio_methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/radio/frequency.h"
#include "platform/app/log.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/channel_keys.h"
#include "platform/app/radio/command_status.h"
#include "platform/control/rpc/arguments.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::DesiredState;
using control::WantedChannel;
using rpc::Caller;
using rpc::Code;
using rpc::Error;
using rpc::Json;
using rpc::Outcome;
using rpc::Params;
using rpc::Role;

constexpr const char* which_channel = "a channel's number, or its name, as radio.list tells it";

Error refusal(const char* parameter, const std::string& why) {
    return Error{Code::refused, why, Json{{"parameter", parameter}}};
}

// ---- What there is.

Json radio_json(const control::Keeper::RadioRow& r) {
    Json out{{"name", r.wanted->name}, {"radio", r.wanted->text}, {"group", nullptr}, {"heard_ms_ago", nullptr}};
    if (r.group) out["group"] = os::endpoint_text(*r.group);
    if (r.heard) out["heard_ms_ago"] = (os::now() - *r.heard).ms();
    return out;
}

Json channel_json(const std::string& radio, const WantedChannel& c) {
    Json out{{"radio", radio}, {"ssrc", c.ssrc}, {"name", c.name}, {"frequency_hz", c.spec.frequency}};
    if (!c.spec.preset.view().empty()) out["preset"] = printable(std::string(c.spec.preset.view()));
    if (c.spec.samprate) out["samprate_hz"] = *c.spec.samprate;
    return out;
}

Outcome list_radio(KeptChannels& kept, const Params&, const Caller&) {
    Json out = kept.figures();
    Json& radios = out["radios"] = Json::array();
    for (const auto& row : kept.keeper().radios()) radios.push_back(radio_json(row));
    Json& channels = out["channels"] = Json::array();
    for (const auto& row : kept.keeper().channels()) {
        Json one = channel_json(row.radio->name, *row.wanted);
        one["state"] = row.is_active ? "active" : row.is_refused ? "refused" : "waiting";
        channels.push_back(std::move(one));
    }
    return out;
}

// ---- What is to be.

Result<std::size_t, Error> radio_of(const DesiredState& state, const Params& params) {
    const Params* const given = rpc::find_argument(params, "radio");
    if (given == nullptr && state.radios.size() == 1) return std::size_t{0};
    for (std::size_t i = 0; given != nullptr && given->is_string() && i < state.radios.size(); ++i)
        if (state.radios[i].name == given->get<std::string>()) return i;
    return Failure{rpc::bad_argument("radio", "one of the radios' names, as radio.list tells them", given)};
}

// The one that `channel` means; of several radios' `radio` says which.
Result<std::size_t, Error> channel_of(const DesiredState& state, const Params& params) {
    const Params* const given = rpc::find_argument(params, "channel");
    const bool is_number = given != nullptr && given->is_number_unsigned();
    const bool is_name = given != nullptr && given->is_string();
    if (!is_number && !is_name) return Failure{rpc::bad_argument("channel", which_channel, given)};
    const bool any_radio = rpc::find_argument(params, "radio") == nullptr;
    auto radio = any_radio ? Result<std::size_t, Error>(std::size_t{0}) : radio_of(state, params);
    if (!radio) return radio;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < state.channels.size(); ++i) {
        const WantedChannel& c = state.channels[i];
        const bool is_it =
            is_number ? given->get<std::uint64_t>() == c.ssrc : !c.name.empty() && given->get<std::string>() == c.name;
        if (is_it && (any_radio || c.radio == *radio)) found.push_back(i);
    }
    if (found.empty()) return Failure{refusal("channel", "no such channel is kept")};
    if (found.size() > 1) return Failure{refusal("radio", "several channels are called so: say which radio")};
    return found.front();
}

// As a file would have it.
std::string field_text(const Params& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
    if (value.is_number_float()) return radio::format_number(value.get<double>());
    return value.is_number() ? rpc::text_of(value) : std::string();
}

// The spec with the fields that are given, under a channel file's keys; `said` gets them for the log.
Result<radio::ChannelSpec, Error> changed(radio::Command command, const Params& params, std::string& said) {
    for (const auto& [key, value] : params.items()) {
        if (is_own_key(key) || key == "channel") continue;
        const std::string text = field_text(value);
        const auto put = text.empty() ? Result<Unit, radio::FieldFault>(Failure{radio::FieldFault::bad_value})
                                      : command.put_text(path_of_key(key), text);
        if (!put) return Failure{rpc::bad_argument(key, complaint_of_key(key, put.error()), &value)};
        if (!said.empty()) said += ", ";
        said.append(key).append(" ").append(text);
    }
    if (said.empty()) return Failure{rpc::bad_argument("frequency", "or another field of a channel", nullptr)};
    std::string at_fault;
    const auto spec = spec_of(command, at_fault);
    if (!spec) return Failure{rpc::bad_argument(at_fault, "it cannot be kept", nullptr)};
    if (!(spec->frequency > 0)) return Failure{rpc::bad_argument("frequency", "it has to be above 0 Hz", nullptr)};
    if (const char* why = lifetime_complaint(spec->lifetime.value_or(0)))
        return Failure{rpc::bad_argument("lifetime", why, rpc::find_argument(params, "lifetime"))};
    return *spec;
}

Json adopt_channels(KeptChannels& kept, const DesiredState& state, const WantedChannel& channel,
                    const std::string& what, const Caller& caller) {
    const std::string& radio = state.radios[channel.radio].name;
    log(Level::info, "radio {}: {} {} ({})", printable(radio), channel.ssrc, printable(what), caller.who);
    Json out = channel_json(radio, channel);
    kept.apply(state);
    return out;
}

Outcome set_channel(KeptChannels& kept, const Params& params, const Caller& caller) {
    DesiredState state = kept.wanted();
    const auto place = channel_of(state, params);
    if (!place) return Failure{place.error()};
    WantedChannel& channel = state.channels[*place];
    for (const char* key : {"name", "ssrc"})
        if (const auto* value = rpc::find_argument(params, key); value != nullptr)
            return Failure{rpc::bad_argument(key, "a channel keeps it", value)};
    std::string said;
    const auto spec = changed(radio::command_for(channel.spec), params, said);
    if (!spec) return Failure{spec.error()};
    channel.spec = *spec;
    return adopt_channels(kept, state, WantedChannel(channel), "is to have " + said, caller);
}

Outcome add_channel(KeptChannels& kept, const Params& params, const Caller& caller) {
    DesiredState state = kept.wanted();
    const auto radio = radio_of(state, params);
    if (!radio) return Failure{radio.error()};
    std::string said;
    const auto spec = changed({}, params, said);
    if (!spec) return Failure{spec.error()};
    WantedChannel channel;
    channel.radio = *radio;
    channel.spec = *spec;
    if (rpc::find_argument(params, "name") != nullptr) {
        const auto name = rpc::text_argument(params, "name", "text");
        if (!name) return Failure{name.error()};
        channel.name = *name;
    }
    channel.ssrc = number_for(*spec, state.radios[*radio].text);
    if (const Params* const given = rpc::find_argument(params, "ssrc")) {
        const auto number = rpc::count_argument(params, "ssrc", "a number from 1 to 4294967294");
        const bool is_one = number && *number >= 1 && *number < radio::poll_all_ssrc;
        if (!is_one) return Failure{rpc::bad_argument("ssrc", "a number from 1 to 4294967294", given)};
        channel.ssrc = static_cast<std::uint32_t>(*number);
    }
    const bool is_taken = std::any_of(state.channels.begin(), state.channels.end(), [&](const WantedChannel& c) {
        return c.radio == channel.radio && c.ssrc == channel.ssrc;
    });
    if (is_taken) return Failure{refusal("ssrc", fmt::format("a channel of the number {} is kept", channel.ssrc))};
    if (state.channels.size() >= radio::Service::wanted_max)
        return Failure{refusal("frequency", fmt::format("{} channels are the most", radio::Service::wanted_max))};
    state.channels.push_back(channel);
    return adopt_channels(kept, state, channel, "is wanted, with " + said, caller);
}

Outcome remove_channel(KeptChannels& kept, const Params& params, const Caller& caller) {
    DesiredState state = kept.wanted();
    const auto place = channel_of(state, params);
    if (!place) return Failure{place.error()};
    const WantedChannel gone = state.channels[*place];
    state.channels.erase(state.channels.begin() + static_cast<std::ptrdiff_t>(*place));
    return adopt_channels(kept, state, gone, "is wanted no more", caller);
}

}  // namespace

void add_radio_methods(rpc::Methods& methods, KeptChannels& kept) {
    const auto row = [&](const char* name, Role role, auto run, const char* help) {
        methods.add({name, role,
                     [&kept, run, role](const Params& p, const Caller& c) -> Outcome {
                         if (role == Role::operate && kept.is_stopping())
                             return Failure{Error{Code::refused, "the program is ending", nullptr}};
                         return run(kept, p, c);
                     },
                     help});
    };
    row("radio.list", Role::observe, list_radio,
        "the radiods and channels that are kept, how each stands, and the commands that went out");
    row("radio.set", Role::operate, set_channel,
        "channel (number or name; radio where several are kept), and what is to change, under a channel file's keys; "
        "until the next reload");
    row("radio.add", Role::operate, add_channel,
        "frequency and other keys of a channel file, also radio, name, ssrc; until the next reload");
    row("radio.remove", Role::operate, remove_channel, "channel, radio: is kept no more, until the next reload");
}

}  // namespace hawser::app
