// SPDX-License-Identifier: MIT
// One row per field binds its number to a member; the member's type says how it is read.
#include "engine/radio/status.h"

#include <bit>
#include <type_traits>

#include "engine/wire/radio_tlv.h"

namespace hawser::radio {

namespace {

using F = RadioField;
using wire::radio_field_count;

// A number of at most eight bytes.
template <class T>
bool read_number(T& member, std::size_t length, std::uint64_t bits) {
    if (length > 8) return false;
    if constexpr (std::is_same_v<T, bool>) {
        member = bits != 0;
    } else if constexpr (std::is_same_v<T, float>) {
        member = wire::radio_float_of<float>(bits, length);
    } else if constexpr (std::is_same_v<T, double>) {
        member = std::bit_cast<double>(bits);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        member = wire::radio_signed_of(bits, length);
    } else if constexpr (std::is_enum_v<T>) {
        if (bits > 0xFF) return false;
        member = static_cast<T>(bits);
    } else {
        // Masked to the field's width, as radiod's own tools do.
        member = static_cast<T>(bits);
    }
    return true;
}
template <class T>
bool read_value(T& member, Bytes value, std::uint64_t bits) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        return read_number(member, value.size(), bits);
    } else if constexpr (std::is_same_v<T, Endpoint>) {
        const auto v = wire::radio_socket(value);
        if (v) member = *v;
        return v.has_value();
    } else if constexpr (std::is_same_v<T, Bytes>) {
        member = value;
        return true;
    } else {
        member.assign(wire::radio_text(value));
        return true;
    }
}
template <class T>
FieldValue show_value(const T& member) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
                  std::is_same_v<T, std::int64_t> || std::is_same_v<T, Endpoint> || std::is_same_v<T, Bytes>)
        return FieldValue(member);
    else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
        return FieldValue(static_cast<std::uint64_t>(member));
    else
        return FieldValue(member.view());
}

// Reads into the status; false when the value cannot be the field's. Its arguments are those of RadioElement: by
// themselves they stay in registers.
using ReadField = bool (*)(Status&, Bytes value, std::uint64_t bits);

struct Binding {
    ReadField read = nullptr;
    FieldValue (*show)(const Status&) = nullptr;
};
template <auto Group, auto Member>
constexpr Binding bind() {
    return {
        [](Status& status, Bytes value, std::uint64_t bits) { return read_value(status.*Group.*Member, value, bits); },
        [](const Status& status) { return show_value(status.*Group.*Member); }};
}

constexpr auto bindings = [] {
    std::array<Binding, radio_field_count> all{};
    const auto set = [&all](F field, Binding binding) { all[static_cast<std::size_t>(field)] = binding; };
    set(F::command_tag, bind<&Status::channel, &ChannelGroup::tag>());
    set(F::cmd_cnt, bind<&Status::channel, &ChannelGroup::commands>());
    set(F::gps_time, bind<&Status::channel, &ChannelGroup::gps_time>());
    set(F::description, bind<&Status::frontend, &FrontEndGroup::description>());
    set(F::status_dest_socket, bind<&Status::channel, &ChannelGroup::status_dest>());
    set(F::setopts, bind<&Status::channel, &ChannelGroup::options>());
    set(F::clearopts, bind<&Status::channel, &ChannelGroup::clear_options>());
    set(F::rtp_timesnap, bind<&Status::output, &OutputGroup::timesnap>());
    set(F::bin_byte_data, bind<&Status::spectrum, &SpectrumGroup::byte_bins>());
    set(F::input_samprate, bind<&Status::frontend, &FrontEndGroup::input_samprate>());
    set(F::spectrum_base, bind<&Status::spectrum, &SpectrumGroup::base>());
    set(F::spectrum_avg, bind<&Status::spectrum, &SpectrumGroup::avg>());
    set(F::input_samples, bind<&Status::frontend, &FrontEndGroup::input_samples>());
    set(F::window_type, bind<&Status::spectrum, &SpectrumGroup::window_type>());
    set(F::noise_bw, bind<&Status::spectrum, &SpectrumGroup::noise_bw>());
    set(F::output_data_source_socket, bind<&Status::output, &OutputGroup::source>());
    set(F::output_data_dest_socket, bind<&Status::output, &OutputGroup::dest>());
    set(F::output_ssrc, bind<&Status::channel, &ChannelGroup::ssrc>());
    set(F::output_ttl, bind<&Status::output, &OutputGroup::ttl>());
    set(F::output_samprate, bind<&Status::output, &OutputGroup::samprate>());
    set(F::output_metadata_packets, bind<&Status::channel, &ChannelGroup::status_packets>());
    set(F::output_data_packets, bind<&Status::output, &OutputGroup::packets>());
    set(F::output_errors, bind<&Status::output, &OutputGroup::errors>());
    set(F::calibrate, bind<&Status::frontend, &FrontEndGroup::calibrate>());
    set(F::lna_gain, bind<&Status::frontend, &FrontEndGroup::lna_gain>());
    set(F::mixer_gain, bind<&Status::frontend, &FrontEndGroup::mixer_gain>());
    set(F::if_gain, bind<&Status::frontend, &FrontEndGroup::if_gain>());
    set(F::dc_i_offset, bind<&Status::frontend, &FrontEndGroup::dc_i_offset>());
    set(F::dc_q_offset, bind<&Status::frontend, &FrontEndGroup::dc_q_offset>());
    set(F::iq_imbalance, bind<&Status::frontend, &FrontEndGroup::iq_imbalance>());
    set(F::iq_phase, bind<&Status::frontend, &FrontEndGroup::iq_phase>());
    set(F::direct_conversion, bind<&Status::frontend, &FrontEndGroup::direct_conversion>());
    set(F::radio_frequency, bind<&Status::channel, &ChannelGroup::frequency>());
    set(F::first_lo_frequency, bind<&Status::frontend, &FrontEndGroup::first_lo>());
    set(F::second_lo_frequency, bind<&Status::channel, &ChannelGroup::second_lo>());
    set(F::shift_frequency, bind<&Status::channel, &ChannelGroup::shift>());
    set(F::doppler_frequency, bind<&Status::channel, &ChannelGroup::doppler>());
    set(F::doppler_frequency_rate, bind<&Status::channel, &ChannelGroup::doppler_rate>());
    set(F::low_edge, bind<&Status::filter, &FilterGroup::low_edge>());
    set(F::high_edge, bind<&Status::filter, &FilterGroup::high_edge>());
    set(F::kaiser_beta, bind<&Status::filter, &FilterGroup::kaiser_beta>());
    set(F::filter_blocksize, bind<&Status::filter, &FilterGroup::blocksize>());
    set(F::filter_fir_length, bind<&Status::filter, &FilterGroup::fir_length>());
    set(F::filter2, bind<&Status::filter2, &Filter2Group::blocking>());
    set(F::if_power, bind<&Status::frontend, &FrontEndGroup::if_power>());
    set(F::baseband_power, bind<&Status::channel, &ChannelGroup::baseband_power>());
    set(F::noise_density, bind<&Status::channel, &ChannelGroup::noise_density>());
    set(F::demod_type, bind<&Status::channel, &ChannelGroup::demod_type>());
    set(F::output_channels, bind<&Status::output, &OutputGroup::channels>());
    set(F::independent_sideband, bind<&Status::channel, &ChannelGroup::independent_sideband>());
    set(F::pll_enable, bind<&Status::pll, &PllGroup::enable>());
    set(F::pll_lock, bind<&Status::pll, &PllGroup::lock>());
    set(F::pll_square, bind<&Status::pll, &PllGroup::square>());
    set(F::pll_phase, bind<&Status::pll, &PllGroup::phase>());
    set(F::pll_bw, bind<&Status::pll, &PllGroup::bw>());
    set(F::envelope, bind<&Status::channel, &ChannelGroup::envelope>());
    set(F::snr_squelch, bind<&Status::squelch, &SquelchGroup::snr_enable>());
    set(F::pll_snr, bind<&Status::pll, &PllGroup::snr>());
    set(F::freq_offset, bind<&Status::pll, &PllGroup::freq_offset>());
    set(F::peak_deviation, bind<&Status::fm, &FmGroup::peak_deviation>());
    set(F::pl_tone, bind<&Status::fm, &FmGroup::pl_tone>());
    set(F::agc_enable, bind<&Status::agc, &AgcGroup::enable>());
    set(F::headroom, bind<&Status::agc, &AgcGroup::headroom>());
    set(F::agc_hangtime, bind<&Status::agc, &AgcGroup::hangtime>());
    set(F::agc_recovery_rate, bind<&Status::agc, &AgcGroup::recovery_rate>());
    set(F::fm_snr, bind<&Status::fm, &FmGroup::snr>());
    set(F::agc_threshold, bind<&Status::agc, &AgcGroup::threshold>());
    set(F::gain, bind<&Status::agc, &AgcGroup::gain>());
    set(F::output_level, bind<&Status::output, &OutputGroup::level>());
    set(F::output_samples, bind<&Status::output, &OutputGroup::samples>());
    set(F::opus_bit_rate, bind<&Status::opus, &OpusGroup::bit_rate>());
    set(F::maxdelay, bind<&Status::output, &OutputGroup::maxdelay>());
    set(F::filter2_blocksize, bind<&Status::filter2, &Filter2Group::blocksize>());
    set(F::filter2_fir_length, bind<&Status::filter2, &Filter2Group::fir_length>());
    set(F::filter2_kaiser_beta, bind<&Status::filter2, &Filter2Group::kaiser_beta>());
    set(F::spectrum_fft_n, bind<&Status::spectrum, &SpectrumGroup::fft_n>());
    set(F::filter_drops, bind<&Status::filter, &FilterGroup::drops>());
    set(F::lock, bind<&Status::frontend, &FrontEndGroup::lock>());
    set(F::tp1, bind<&Status::channel, &ChannelGroup::tp1>());
    set(F::tp2, bind<&Status::channel, &ChannelGroup::tp2>());
    set(F::ad_bits_per_sample, bind<&Status::frontend, &FrontEndGroup::ad_bits_per_sample>());
    set(F::squelch_open, bind<&Status::squelch, &SquelchGroup::open>());
    set(F::squelch_close, bind<&Status::squelch, &SquelchGroup::close>());
    set(F::preset, bind<&Status::channel, &ChannelGroup::preset>());
    set(F::deemph_tc, bind<&Status::fm, &FmGroup::deemph_tc>());
    set(F::deemph_gain, bind<&Status::fm, &FmGroup::deemph_gain>());
    set(F::pl_deviation, bind<&Status::fm, &FmGroup::pl_deviation>());
    set(F::thresh_extend, bind<&Status::fm, &FmGroup::threshold_extend>());
    set(F::spectrum_shape, bind<&Status::spectrum, &SpectrumGroup::shape>());
    set(F::resolution_bw, bind<&Status::spectrum, &SpectrumGroup::resolution_bw>());
    set(F::bin_count, bind<&Status::spectrum, &SpectrumGroup::bin_count>());
    set(F::crossover, bind<&Status::spectrum, &SpectrumGroup::crossover>());
    set(F::bin_data, bind<&Status::spectrum, &SpectrumGroup::bins>());
    set(F::rf_atten, bind<&Status::frontend, &FrontEndGroup::atten>());
    set(F::rf_gain, bind<&Status::frontend, &FrontEndGroup::gain>());
    set(F::rf_agc, bind<&Status::frontend, &FrontEndGroup::agc>());
    set(F::fe_low_edge, bind<&Status::frontend, &FrontEndGroup::low_edge>());
    set(F::fe_high_edge, bind<&Status::frontend, &FrontEndGroup::high_edge>());
    set(F::fe_isreal, bind<&Status::frontend, &FrontEndGroup::isreal>());
    set(F::ad_over, bind<&Status::frontend, &FrontEndGroup::ad_over>());
    set(F::rtp_pt, bind<&Status::output, &OutputGroup::payload_type>());
    set(F::status_interval, bind<&Status::channel, &ChannelGroup::status_interval>());
    set(F::output_encoding, bind<&Status::output, &OutputGroup::encoding>());
    set(F::samples_since_over, bind<&Status::frontend, &FrontEndGroup::samples_since_over>());
    set(F::pll_wraps, bind<&Status::pll, &PllGroup::wraps>());
    set(F::rf_level_cal, bind<&Status::frontend, &FrontEndGroup::level_cal>());
    set(F::opus_dtx, bind<&Status::opus, &OpusGroup::dtx>());
    set(F::opus_application, bind<&Status::opus, &OpusGroup::application>());
    set(F::opus_bandwidth, bind<&Status::opus, &OpusGroup::bandwidth>());
    set(F::opus_fec, bind<&Status::opus, &OpusGroup::fec>());
    set(F::spectrum_step, bind<&Status::spectrum, &SpectrumGroup::step>());
    set(F::spectrum_overlap, bind<&Status::spectrum, &SpectrumGroup::overlap>());
    set(F::lifetime, bind<&Status::channel, &ChannelGroup::lifetime>());
    return all;
}();

constexpr bool binds_every_field() {
    for (std::size_t i = 0; i < radio_field_count; ++i)
        if ((bindings[i].read != nullptr) != (wire::radio_fields[i].type != wire::RadioType::none)) return false;
    return true;
}
static_assert(binds_every_field());

bool pass_over(Status&, Bytes, std::uint64_t) { return false; }
// For whatever number an element may have: nothing to check before the call.
constexpr auto readers = [] {
    std::array<ReadField, 256> all{};
    all.fill(pass_over);
    for (std::size_t i = 0; i < bindings.size(); ++i)
        if (bindings[i].read != nullptr) all[i] = bindings[i].read;
    return all;
}();

}  // namespace

std::optional<StatusFault> decode_status(Bytes packet, Status& status) {
    auto reader = wire::RadioReader::over(packet);
    if (!reader || reader->type() != wire::RadioPacketType::status) return StatusFault::not_status;
    status = Status{};
    wire::RadioElement element;
    while (reader->next(element))
        if (readers[element.field](status, element.value, element.bits)) status.present[element.field] = true;
    if (reader->is_damaged()) return StatusFault::damaged;
    if (status.channel.ssrc == 0) return StatusFault::no_ssrc;
    return std::nullopt;
}

FieldValue value_of(const Status& status, RadioField field) {
    const auto i = static_cast<std::size_t>(field);
    if (i >= radio_field_count || bindings[i].show == nullptr || !status.has(field)) return {};
    return bindings[i].show(status);
}

void Status::drop_views() {
    spectrum.bins = {};
    spectrum.byte_bins = {};
    for (const F field : {F::bin_data, F::bin_byte_data}) present[static_cast<std::size_t>(field)] = false;
}

std::optional<double> Status::snr_db() const {
    const double width = std::abs(double{filter.high_edge} - double{filter.low_edge});
    if (!has(F::baseband_power) || !has(F::noise_density) || !(width > 0)) return std::nullopt;
    const double noise = std::pow(10.0, double{channel.noise_density} / 10) * width;
    const double ratio = std::pow(10.0, double{channel.baseband_power} / 10) / noise - 1;
    if (!(ratio > 0) || !std::isfinite(ratio)) return std::nullopt;
    return 10 * std::log10(ratio);
}

std::optional<double> Status::input_dbm() const {
    if (!has(F::rf_level_cal) || !has(F::if_power)) return std::nullopt;
    return double{frontend.if_power} + double{frontend.level_cal} -
           // One by one: as whole numbers, of which anybody may send any, their sum need not be one.
           static_cast<double>(frontend.lna_gain) - static_cast<double>(frontend.mixer_gain) -
           static_cast<double>(frontend.if_gain) + double{frontend.atten} - double{frontend.gain};
}

Duration Status::block_time() const {
    // Within reason only: it becomes timers.
    constexpr Duration usual{20'000'000};
    if (frontend.input_samprate == 0 || filter.blocksize == 0) return usual;
    const double ns = 1e9 * filter.blocksize / frontend.input_samprate;
    return ns >= 1e6 && ns <= 1e9 ? Duration{static_cast<std::int64_t>(ns)} : usual;
}

std::uint32_t Status::audio_rate() const {
    return channel.demod_type == Demod::wfm && output.samprate != 0 ? 48'000 : output.samprate;
}

std::uint32_t Status::tick_rate() const { return is_opus(output.encoding) ? 48'000 : audio_rate(); }

}  // namespace hawser::radio
