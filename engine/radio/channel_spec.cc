// SPDX-License-Identifier: MIT
#include "engine/radio/channel_spec.h"

#include <array>
#include <cmath>
#include <string>

namespace hawser::radio {

namespace {

using F = RadioField;

// Specifications hold numbers of the fields' own types, and all of them fit.
void put(Command& command, F field, const FieldValue& value) {
    const auto result = command.put(field, value);
    static_cast<void>(result);
}
template <class T>
void put_number(Command& command, F field, const std::optional<T>& value) {
    if (value) put(command, field, static_cast<double>(*value));
}
// What radiod makes of a value by itself: levels below full scale are negative and times positive, however told.
bool has_own_sign(F field) {
    return field == F::headroom || field == F::agc_threshold || field == F::agc_hangtime ||
           field == F::agc_recovery_rate;
}
std::string_view magnitude(std::string_view number) { return number.substr(number.starts_with('-') ? 1 : 0); }
bool differs(const std::optional<float>& wanted, double actual) {
    return wanted && !(std::abs(*wanted - actual) <= 0.5);
}

}  // namespace

Command command_for(const ChannelSpec& spec) {
    Command command;
    put_number(command, F::lifetime, spec.lifetime);
    if (!spec.preset.empty()) put(command, F::preset, spec.preset.view());
    if (spec.demod) put(command, F::demod_type, static_cast<std::uint64_t>(*spec.demod));
    put_number(command, F::output_samprate, spec.samprate);
    put_number(command, F::output_channels, spec.channels);
    if (spec.encoding) put(command, F::output_encoding, static_cast<std::uint64_t>(*spec.encoding));
    put_number(command, F::kaiser_beta, spec.kaiser_beta);
    put_number(command, F::low_edge, spec.low_edge);
    put_number(command, F::high_edge, spec.high_edge);
    put(command, F::radio_frequency, spec.frequency);
    // In this order: GAIN switches the AGC off.
    put_number(command, F::gain, spec.gain);
    if (spec.agc) put(command, F::agc_enable, *spec.agc);
    if (spec.dest) put(command, F::output_data_dest_socket, *spec.dest);
    put_number(command, F::bin_count, spec.bin_count);
    put_number(command, F::resolution_bw, spec.resolution_bw);
    put_number(command, F::crossover, spec.crossover);
    put_number(command, F::window_type, spec.window);
    command.append(spec.others);
    return command;
}

Command probe_for(const ChannelSpec& spec) {
    Command command;
    put_number(command, F::lifetime, spec.lifetime);
    put(command, F::radio_frequency, spec.frequency);
    return command;
}

Command command_to_remove() {
    Command command;
    put(command, F::radio_frequency, 0.0);
    put(command, F::lifetime, std::uint64_t{removal_lifetime});
    return command;
}

// The two kinds of packet differ in their first byte.
std::optional<Status> wanted_by(const Command& command) {
    std::array<std::uint8_t, command_packet_bytes_max> room;
    const Bytes packet = build_command(room, 0, 1, command.elements());
    room[0] = 0;
    Status status;
    if (decode_status(packet, status)) return std::nullopt;
    return status;
}

std::optional<RadioField> next_difference(const Status& wanted, const Status& actual, RadioField after) {
    for (const auto& row : wire::radio_fields) {
        const F f = row.field;
        if (f <= after || !row.settable || row.type == wire::RadioType::none || f == F::command_tag ||
            f == F::setopts || f == F::clearopts || f == F::lifetime || f == F::output_data_dest_socket)
            continue;
        if (!wanted.has(f) || !actual.has(f)) continue;
        // Where the AGC is on, what was told is where it began.
        if (f == F::gain && actual.agc.enable) continue;
        const std::string told = format_value(f, value_of(wanted, f));
        const std::string is = format_value(f, value_of(actual, f));
        if (told != is && !(has_own_sign(f) && magnitude(told) == magnitude(is))) return f;
    }
    return std::nullopt;
}

std::optional<RadioField> first_difference(const ChannelSpec& spec, const Status& s) {
    // radiod answers with the double that it was given; Doppler and shift are told apart from it.
    if (!(std::abs(s.channel.frequency - spec.frequency) <= 0.5)) return F::radio_frequency;
    const bool spectral = is_spectrum(s.channel.demod_type);
    if (spec.demod && *spec.demod != s.channel.demod_type) return F::demod_type;
    // A spectrum channel has no preset, whatever it was created with.
    if (!spectral && !spec.preset.empty() && !(spec.preset == s.channel.preset)) return F::preset;
    if (!spectral) {
        // radiod rounds rates to whole samples per block, 400 Hz apart in its usual setting.
        if (spec.samprate && std::abs(std::int64_t{s.audio_rate()} - std::int64_t{*spec.samprate}) > 200)
            return F::output_samprate;
        if (spec.encoding && *spec.encoding != s.output.encoding) return F::output_encoding;
        if (spec.channels && *spec.channels != s.output.channels) return F::output_channels;
        if (differs(spec.low_edge, s.filter.low_edge)) return F::low_edge;
        if (differs(spec.high_edge, s.filter.high_edge)) return F::high_edge;
        if (spec.dest && s.has(F::output_data_dest_socket) && spec.dest->address != s.output.dest.address)
            return F::output_data_dest_socket;
        // A demodulator without an AGC does not tell of one.
        if (spec.agc && s.has(F::agc_enable) && *spec.agc != s.agc.enable) return F::agc_enable;
        if (s.has(F::gain) && !s.agc.enable && differs(spec.gain, s.agc.gain)) return F::gain;
    }
    if (spec.bin_count && *spec.bin_count != s.spectrum.bin_count) return F::bin_count;
    if (differs(spec.resolution_bw, s.spectrum.resolution_bw)) return F::resolution_bw;
    if (spec.others.empty()) return std::nullopt;
    const auto others = wanted_by(spec.others);
    return others ? next_difference(*others, s) : std::nullopt;
}

}  // namespace hawser::radio
