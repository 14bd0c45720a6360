// SPDX-License-Identifier: MIT
#include "engine/radio/channel_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "engine/radio/automatic.h"

namespace hawser::radio {

namespace {

using F = RadioField;

// A minute: no question goes on that long.
constexpr std::int64_t blocks_max = 3000;

// Specifications hold numbers of the fields' own types, and all of them fit.
void put(Command& command, F field, const FieldValue& value) {
    const auto result = command.put(field, value);
    static_cast<void>(result);
}
template <class T>
void put_number(Command& command, F field, const std::optional<T>& value) {
    if (value) put(command, field, static_cast<double>(*value));
}
// What a removal has left is told away, too.
void put_lifetime(Command& command, const ChannelSpec& spec) {
    put(command, F::lifetime, std::uint64_t{spec.lifetime.value_or(0)});
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
// Of what may be smaller than 1: radiod echoes the float that it was given.
bool differs_in_part(const std::optional<float>& wanted, double actual) {
    constexpr double part = 1e-4;  // above a float's own error, below what anybody sets; untuned
    return wanted && !(std::abs(*wanted - actual) <= part * std::abs(double{*wanted}));
}

// Of the front end, which all channels share: any of them moves it, as does the hardware.
bool is_shared(F field) { return field == F::rf_gain || field == F::rf_atten || field == F::first_lo_frequency; }

// Calls use(field) for each field whose value is another than wanted, in the order of their weight, until it answers
// false.
template <class Use>
void for_each_difference(const ChannelSpec& spec, const Status& s, Use use) {
    bool goes_on = true;
    const auto judge = [&](F field, bool is_other) {
        if (goes_on && is_other) goes_on = use(field);
    };
    // radiod answers with the double that it was given; Doppler and shift are told apart from it.
    judge(F::radio_frequency, !(std::abs(s.channel.frequency - spec.frequency) <= 0.5));
    const bool is_spectral = is_spectrum(s.channel.demod_type);
    judge(F::demod_type, spec.demod && *spec.demod != s.channel.demod_type);
    judge(F::kaiser_beta, s.has(F::kaiser_beta) && differs_in_part(spec.kaiser_beta, s.filter.kaiser_beta));
    // A spectrum channel has no preset, whatever it was created with.
    if (!is_spectral) {
        judge(F::preset, !spec.preset.empty() && !(spec.preset == s.channel.preset));
        // radiod rounds rates to whole samples per block, 400 Hz apart in its usual setting.
        judge(F::output_samprate,
              spec.samprate && std::abs(std::int64_t{s.audio_rate()} - std::int64_t{*spec.samprate}) > 200);
        const bool is_voip = spec.encoding == Encoding::opus_voip;  // Command::put
        judge(F::output_encoding, spec.encoding && (is_voip ? Encoding::opus : *spec.encoding) != s.output.encoding);
        judge(F::opus_application, is_voip && s.has(F::opus_application) &&
                                       s.opus.application != static_cast<std::uint16_t>(OpusApplication::voip));
        judge(F::output_channels, spec.channels && *spec.channels != s.output.channels);
        judge(F::low_edge, differs(spec.low_edge, s.filter.low_edge));
        judge(F::high_edge, differs(spec.high_edge, s.filter.high_edge));
        judge(F::output_data_dest_socket,
              spec.dest && s.has(F::output_data_dest_socket) && spec.dest->address != s.output.dest.address);
        // A demodulator without an AGC does not tell of one.
        judge(F::agc_enable, spec.agc && s.has(F::agc_enable) && *spec.agc != s.agc.enable);
        judge(F::gain, s.has(F::gain) && !s.agc.enable && differs(spec.gain, s.agc.gain));
    }
    judge(F::bin_count, spec.bin_count && *spec.bin_count != s.spectrum.bin_count);
    judge(F::resolution_bw, differs_in_part(spec.resolution_bw, s.spectrum.resolution_bw));
    // Only spectrum channels tell these.
    judge(F::crossover, s.has(F::crossover) && differs_in_part(spec.crossover, s.spectrum.crossover));
    judge(F::window_type, s.has(F::window_type) && spec.window && *spec.window != s.spectrum.window_type);
    if (!goes_on || spec.others.empty()) return;
    const auto others = wanted_by(spec.others);
    if (!others) return;
    for (auto f = next_difference(*others, s); f && goes_on; f = next_difference(*others, s, *f)) goes_on = use(*f);
}

}  // namespace

Command command_for(const ChannelSpec& spec) {
    Command command;
    put_lifetime(command, spec);
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
    put_lifetime(command, spec);
    put(command, F::radio_frequency, spec.frequency);
    return command;
}

// A channel of radiod's configuration has executed no command either, but its clock runs from its beginning on, and it
// has told of itself.
bool is_newborn(const Status& s, std::uint32_t packets, Duration since) {
    // The first packet may have been executed and its answer lost. One that was not repeated leaves no time for that.
    const std::int64_t age_ns = packets > 1 ? since.ns : 0;
    const std::uint32_t block = s.tick_rate() / 50;  // of 20 ms
    const auto blocks = static_cast<std::uint32_t>(std::clamp<std::int64_t>(age_ns / 20'000'000, 0, blocks_max) + 3);
    // Each answer is two packets at most, and by itself it tells once in so many blocks.
    const std::uint32_t own_packets = s.channel.status_interval == 0 ? 0 : (blocks - 3) / s.channel.status_interval;
    return s.has(RadioField::cmd_cnt) && s.channel.commands <= packets &&
           s.channel.status_packets <= 2 * std::uint64_t{packets} + own_packets &&
           s.output.timesnap + 3 * block <= (blocks + 3) * block;  // modulo 2^32: it begins a block before 0
}

Command command_to_remove() {
    Command command;
    put(command, F::radio_frequency, 0.0);
    put(command, F::lifetime, std::uint64_t{removal_lifetime});
    return command;
}

bool is_ending(const Status& s) {
    return s.has(F::lifetime) && s.channel.lifetime != 0 && s.channel.lifetime <= removal_lifetime &&
           s.channel.frequency == 0;
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
            f == F::setopts || f == F::clearopts || f == F::output_data_dest_socket)
            continue;
        if (!wanted.has(f) || !actual.has(f)) continue;
        // What was told is where it began.
        if (moves_by_itself(f, actual)) continue;
        const std::string told = format_value(f, value_of(wanted, f));
        const std::string is = format_value(f, value_of(actual, f));
        if (told != is && !(has_own_sign(f) && magnitude(told) == magnitude(is))) return f;
    }
    return std::nullopt;
}

std::optional<RadioField> first_difference(const ChannelSpec& spec, const Status& status) {
    std::optional<RadioField> first;
    for_each_difference(spec, status, [&](F field) {
        first = field;
        return false;
    });
    return first;
}

// FNV-1a, 64 bits, over the fields' numbers and values as text.
Differences differences(const ChannelSpec& spec, const Status& status) {
    Differences out;
    const auto mix = [&out](std::uint8_t byte) { out.mark = (out.mark ^ byte) * 0x100'0000'01B3; };
    for_each_difference(spec, status, [&](F field) {
        if (!out.first) out = {field, 0xCBF2'9CE4'8422'2325};
        mix(static_cast<std::uint8_t>(field));
        // The same refusal, though it has another value each time.
        if (is_shared(field)) return true;
        for (const char c : format_value(field, value_of(status, field))) mix(static_cast<std::uint8_t>(c));
        mix(0);
        return true;
    });
    return out;
}

}  // namespace hawser::radio
