// SPDX-License-Identifier: MIT
#include "platform/app/radio/command_status.h"

#include "engine/radio/frequency.h"
#include "engine/radio/ssrc.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::string refused(const radio::Command& command, const radio::Status& got) {
    std::string out;
    const auto wanted = radio::wanted_by(command);
    if (!wanted) return out;
    for (auto field = radio::next_difference(*wanted, got); field; field = radio::next_difference(*wanted, got, *field))
        out += (out.empty() ? "" : ", ") + std::string(wire::row_of(*field).path) + " is " +
               radio::format_value(*field, radio::value_of(got, *field));
    return out;
}

std::vector<std::string> settable_paths() {
    std::vector<std::string> out;
    for (const auto& row : wire::radio_fields)
        if (row.settable && row.field != radio::RadioField::command_tag) out.emplace_back(row.path);
    return out;
}

void tell_lifetime(radio::Command& command) {
    const auto wanted = radio::wanted_by(command);
    if (!wanted || wanted->has(radio::RadioField::lifetime)) return;
    // A command that has no room for it has something other than a whole channel to tell.
    static_cast<void>(command.put(radio::RadioField::lifetime, std::uint64_t{0}));
}

std::optional<radio::ChannelSpec> spec_of(const radio::Command& command, std::string& at_fault) {
    using F = radio::RadioField;
    const auto status = radio::wanted_by(command);
    if (!status) return std::nullopt;
    const radio::Status& s = *status;
    radio::ChannelSpec spec;
    for (const auto& row : wire::radio_fields) {
        if (!s.has(row.field)) continue;
        switch (row.field) {
            case F::command_tag:
            case F::output_ssrc: break;
            case F::radio_frequency: spec.frequency = s.channel.frequency; break;
            case F::preset: spec.preset = s.channel.preset; break;
            case F::demod_type: spec.demod = s.channel.demod_type; break;
            case F::output_samprate: spec.samprate = s.output.samprate; break;
            case F::output_encoding: spec.encoding = s.output.encoding; break;
            case F::output_channels: spec.channels = s.output.channels; break;
            case F::output_data_dest_socket: spec.dest = s.output.dest; break;
            case F::low_edge: spec.low_edge = s.filter.low_edge; break;
            case F::high_edge: spec.high_edge = s.filter.high_edge; break;
            case F::kaiser_beta: spec.kaiser_beta = s.filter.kaiser_beta; break;
            case F::gain: spec.gain = s.agc.gain; break;
            case F::agc_enable: spec.agc = s.agc.enable; break;
            case F::lifetime: spec.lifetime = s.channel.lifetime; break;
            case F::bin_count: spec.bin_count = s.spectrum.bin_count; break;
            case F::resolution_bw: spec.resolution_bw = s.spectrum.resolution_bw; break;
            case F::crossover: spec.crossover = s.spectrum.crossover; break;
            case F::window_type: spec.window = s.spectrum.window_type; break;
            default:
                // Whatever else it is told, which was a value of a command before.
                if (spec.others.put(row.field, radio::value_of(s, row.field))) break;
                at_fault = std::string(row.path);
                return std::nullopt;
        }
    }
    return spec;
}

const char* lifetime_complaint(std::uint32_t lifetime) {
    // A second: what is lost is repeated after 100, 200 and 400 ms, and a check comes in a third of the lifetime.
    constexpr std::uint32_t blocks_min = 50;
    return lifetime != 0 && lifetime < blocks_min
               ? "it takes at least 50 blocks of 20 ms to be kept alive; 0 is for ever"
               : nullptr;
}

std::uint32_t number_for(const radio::ChannelSpec& spec, const std::string& radio_name) {
    // What ka9q-python 3.14.2 takes where it is not told.
    constexpr std::uint32_t samprate_default = 12'000;
    radio::SsrcInputs inputs;
    inputs.frequency_hz = spec.frequency;
    inputs.preset = spec.preset.view();
    inputs.samprate = spec.samprate.value_or(samprate_default);
    inputs.agc = spec.agc.value_or(false);
    inputs.gain_db = double{spec.gain.value_or(0)};
    std::string dest;
    if (spec.dest) {
        dest = os::endpoint_text(*spec.dest);
        dest.resize(dest.rfind(':'));
    }
    inputs.destination = dest;
    inputs.encoding = spec.encoding ? static_cast<std::uint32_t>(*spec.encoding) : 0;
    return number_for(inputs, radio_name);
}

std::uint32_t number_for(radio::SsrcInputs inputs, const std::string& radio_name) {
    // Without the interface and the port, which are this host's affair.
    const std::string host = radio_name.substr(0, radio_name.find_first_of(",:"));
    inputs.radiod_host = host;
    return radio::allocate_ssrc(inputs);
}

}  // namespace hawser::app
