// SPDX-License-Identifier: MIT
// Every field of radiod's status and command packets, as one table: number, name, dotted path, wire type, unit, and
// whether radiod heeds it in a command. Source: ka9q-radio 4e0033b4 (status.h, radio_status.c). Numbers are stable
// between versions; the meaning of some was not before 2026 (retired ones have no type).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hawser::wire {

enum class RadioField : std::uint8_t {
    eol = 0,
    command_tag = 1,
    cmd_cnt = 2,
    gps_time = 3,
    description = 4,
    status_dest_socket = 5,
    setopts = 6,
    clearopts = 7,
    rtp_timesnap = 8,
    bin_byte_data = 9,
    input_samprate = 10,
    spectrum_base = 11,
    spectrum_avg = 12,
    input_samples = 13,
    window_type = 14,
    noise_bw = 15,
    output_data_source_socket = 16,
    output_data_dest_socket = 17,
    output_ssrc = 18,
    output_ttl = 19,
    output_samprate = 20,
    output_metadata_packets = 21,
    output_data_packets = 22,
    output_errors = 23,
    calibrate = 24,
    lna_gain = 25,
    mixer_gain = 26,
    if_gain = 27,
    dc_i_offset = 28,
    dc_q_offset = 29,
    iq_imbalance = 30,
    iq_phase = 31,
    direct_conversion = 32,
    radio_frequency = 33,
    first_lo_frequency = 34,
    second_lo_frequency = 35,
    shift_frequency = 36,
    doppler_frequency = 37,
    doppler_frequency_rate = 38,
    low_edge = 39,
    high_edge = 40,
    kaiser_beta = 41,
    filter_blocksize = 42,
    filter_fir_length = 43,
    filter2 = 44,
    if_power = 45,
    baseband_power = 46,
    noise_density = 47,
    demod_type = 48,
    output_channels = 49,
    independent_sideband = 50,
    pll_enable = 51,
    pll_lock = 52,
    pll_square = 53,
    pll_phase = 54,
    pll_bw = 55,
    envelope = 56,
    snr_squelch = 57,
    pll_snr = 58,
    freq_offset = 59,
    peak_deviation = 60,
    pl_tone = 61,
    agc_enable = 62,
    headroom = 63,
    agc_hangtime = 64,
    agc_recovery_rate = 65,
    fm_snr = 66,
    agc_threshold = 67,
    gain = 68,
    output_level = 69,
    output_samples = 70,
    opus_bit_rate = 71,
    maxdelay = 72,
    filter2_blocksize = 73,
    filter2_fir_length = 74,
    filter2_kaiser_beta = 75,
    spectrum_fft_n = 76,
    filter_drops = 77,
    lock = 78,
    tp1 = 79,
    tp2 = 80,
    unused4 = 81,
    ad_bits_per_sample = 82,
    squelch_open = 83,
    squelch_close = 84,
    preset = 85,
    deemph_tc = 86,
    deemph_gain = 87,
    unused3 = 88,
    pl_deviation = 89,
    thresh_extend = 90,
    spectrum_shape = 91,
    unused2 = 92,
    resolution_bw = 93,
    bin_count = 94,
    crossover = 95,
    bin_data = 96,
    rf_atten = 97,
    rf_gain = 98,
    rf_agc = 99,
    fe_low_edge = 100,
    fe_high_edge = 101,
    fe_isreal = 102,
    unused = 103,
    ad_over = 104,
    rtp_pt = 105,
    status_interval = 106,
    output_encoding = 107,
    samples_since_over = 108,
    pll_wraps = 109,
    rf_level_cal = 110,
    opus_dtx = 111,
    opus_application = 112,
    opus_bandwidth = 113,
    opus_fec = 114,
    spectrum_step = 115,
    spectrum_overlap = 116,
    lifetime = 117,
};
inline constexpr std::size_t radio_field_count = 118;

// How the value is coded (engine/wire/radio_tlv.h).
enum class RadioType : std::uint8_t {
    none,  // retired, or the end mark
    integer,
    signed_integer,
    boolean,
    float32,
    float64,
    text,
    socket,
    vector,  // floats of 4 bytes
    bytes,   // one byte a bin
};

struct RadioFieldRow {
    RadioField field;
    std::string_view name;  // radiod's
    std::string_view path;  // ours, by group; empty: none
    RadioType type;
    std::string_view unit;
    bool settable;
};

namespace field_table {
using F = RadioField;
using T = RadioType;
// clang-format off
inline constexpr auto rows = std::to_array<RadioFieldRow>({
    {F::eol, "EOL", "", T::none, "", false},
    {F::command_tag, "COMMAND_TAG", "channel.tag", T::integer, "", true},
    {F::cmd_cnt, "CMD_CNT", "channel.commands", T::integer, "", false},
    {F::gps_time, "GPS_TIME", "channel.gps_time", T::integer, "ns since 1980-01-06", false},
    {F::description, "DESCRIPTION", "frontend.description", T::text, "", false},
    {F::status_dest_socket, "STATUS_DEST_SOCKET", "channel.status_dest", T::socket, "", false},
    {F::setopts, "SETOPTS", "channel.options", T::integer, "", true},
    {F::clearopts, "CLEAROPTS", "channel.clear_options", T::integer, "", true},
    {F::rtp_timesnap, "RTP_TIMESNAP", "output.timesnap", T::integer, "RTP ticks", false},
    {F::bin_byte_data, "BIN_BYTE_DATA", "spectrum.byte_bins", T::bytes, "spectrum.step dB", false},
    {F::input_samprate, "INPUT_SAMPRATE", "frontend.input_samprate", T::integer, "Hz", false},
    {F::spectrum_base, "SPECTRUM_BASE", "spectrum.base", T::float32, "dB", true},
    {F::spectrum_avg, "SPECTRUM_AVG", "spectrum.avg", T::integer, "FFTs", true},
    {F::input_samples, "INPUT_SAMPLES", "frontend.input_samples", T::integer, "samples", false},
    {F::window_type, "WINDOW_TYPE", "spectrum.window_type", T::integer, "", true},
    {F::noise_bw, "NOISE_BW", "spectrum.noise_bw", T::float32, "Hz", false},
    {F::output_data_source_socket, "OUTPUT_DATA_SOURCE_SOCKET", "output.source", T::socket, "", false},
    {F::output_data_dest_socket, "OUTPUT_DATA_DEST_SOCKET", "output.dest", T::socket, "", true},
    {F::output_ssrc, "OUTPUT_SSRC", "channel.ssrc", T::integer, "", false},
    {F::output_ttl, "OUTPUT_TTL", "output.ttl", T::integer, "", false},
    {F::output_samprate, "OUTPUT_SAMPRATE", "output.samprate", T::integer, "Hz", true},
    {F::output_metadata_packets, "OUTPUT_METADATA_PACKETS", "channel.status_packets", T::integer, "", false},
    {F::output_data_packets, "OUTPUT_DATA_PACKETS", "output.packets", T::integer, "", false},
    {F::output_errors, "OUTPUT_ERRORS", "output.errors", T::integer, "", false},
    {F::calibrate, "CALIBRATE", "frontend.calibrate", T::float64, "", false},
    {F::lna_gain, "LNA_GAIN", "frontend.lna_gain", T::signed_integer, "dB", false},
    {F::mixer_gain, "MIXER_GAIN", "frontend.mixer_gain", T::signed_integer, "dB", false},
    {F::if_gain, "IF_GAIN", "frontend.if_gain", T::signed_integer, "dB", false},
    {F::dc_i_offset, "DC_I_OFFSET", "frontend.dc_i_offset", T::float32, "", false},
    {F::dc_q_offset, "DC_Q_OFFSET", "frontend.dc_q_offset", T::float32, "", false},
    {F::iq_imbalance, "IQ_IMBALANCE", "frontend.iq_imbalance", T::float32, "dB", false},
    {F::iq_phase, "IQ_PHASE", "frontend.iq_phase", T::float32, "", false},
    {F::direct_conversion, "DIRECT_CONVERSION", "frontend.direct_conversion", T::boolean, "", false},
    {F::radio_frequency, "RADIO_FREQUENCY", "channel.frequency", T::float64, "Hz", true},
    {F::first_lo_frequency, "FIRST_LO_FREQUENCY", "frontend.first_lo", T::float64, "Hz", true},
    {F::second_lo_frequency, "SECOND_LO_FREQUENCY", "channel.second_lo", T::float64, "Hz", false},
    {F::shift_frequency, "SHIFT_FREQUENCY", "channel.shift", T::float64, "Hz", true},
    {F::doppler_frequency, "DOPPLER_FREQUENCY", "channel.doppler", T::float64, "Hz", true},
    {F::doppler_frequency_rate, "DOPPLER_FREQUENCY_RATE", "channel.doppler_rate", T::float64, "Hz/s", true},
    {F::low_edge, "LOW_EDGE", "filter.low_edge", T::float32, "Hz", true},
    {F::high_edge, "HIGH_EDGE", "filter.high_edge", T::float32, "Hz", true},
    {F::kaiser_beta, "KAISER_BETA", "filter.kaiser_beta", T::float32, "", true},
    {F::filter_blocksize, "FILTER_BLOCKSIZE", "filter.blocksize", T::integer, "samples", false},
    {F::filter_fir_length, "FILTER_FIR_LENGTH", "filter.fir_length", T::integer, "samples", false},
    {F::filter2, "FILTER2", "filter2.blocking", T::integer, "blocks", true},
    {F::if_power, "IF_POWER", "frontend.if_power", T::float32, "dBFS", false},
    {F::baseband_power, "BASEBAND_POWER", "channel.baseband_power", T::float32, "dB", false},
    {F::noise_density, "NOISE_DENSITY", "channel.noise_density", T::float32, "dB/Hz", false},
    {F::demod_type, "DEMOD_TYPE", "channel.demod_type", T::integer, "", true},
    {F::output_channels, "OUTPUT_CHANNELS", "output.channels", T::integer, "", true},
    {F::independent_sideband, "INDEPENDENT_SIDEBAND", "channel.independent_sideband", T::boolean, "", true},
    {F::pll_enable, "PLL_ENABLE", "pll.enable", T::boolean, "", true},
    {F::pll_lock, "PLL_LOCK", "pll.lock", T::boolean, "", false},
    {F::pll_square, "PLL_SQUARE", "pll.square", T::boolean, "", true},
    {F::pll_phase, "PLL_PHASE", "pll.phase", T::float32, "rad", false},
    {F::pll_bw, "PLL_BW", "pll.bw", T::float32, "Hz", true},
    {F::envelope, "ENVELOPE", "channel.envelope", T::boolean, "", true},
    {F::snr_squelch, "SNR_SQUELCH", "squelch.snr_enable", T::boolean, "", true},
    {F::pll_snr, "PLL_SNR", "pll.snr", T::float32, "dB", false},
    {F::freq_offset, "FREQ_OFFSET", "pll.freq_offset", T::float32, "Hz", false},
    {F::peak_deviation, "PEAK_DEVIATION", "fm.peak_deviation", T::float32, "Hz", false},
    {F::pl_tone, "PL_TONE", "fm.pl_tone", T::float32, "Hz", false},
    {F::agc_enable, "AGC_ENABLE", "agc.enable", T::boolean, "", true},
    {F::headroom, "HEADROOM", "agc.headroom", T::float32, "dB", true},
    {F::agc_hangtime, "AGC_HANGTIME", "agc.hangtime", T::float32, "s", true},
    {F::agc_recovery_rate, "AGC_RECOVERY_RATE", "agc.recovery_rate", T::float32, "dB/s", true},
    {F::fm_snr, "FM_SNR", "fm.snr", T::float32, "dB", false},
    {F::agc_threshold, "AGC_THRESHOLD", "agc.threshold", T::float32, "dB", true},
    {F::gain, "GAIN", "agc.gain", T::float32, "dB", true},
    {F::output_level, "OUTPUT_LEVEL", "output.level", T::float32, "dBFS", false},
    {F::output_samples, "OUTPUT_SAMPLES", "output.samples", T::integer, "frames", false},
    {F::opus_bit_rate, "OPUS_BIT_RATE", "opus.bit_rate", T::integer, "bit/s", true},
    {F::maxdelay, "MAXDELAY", "output.maxdelay", T::integer, "blocks", true},
    {F::filter2_blocksize, "FILTER2_BLOCKSIZE", "filter2.blocksize", T::integer, "samples", false},
    {F::filter2_fir_length, "FILTER2_FIR_LENGTH", "filter2.fir_length", T::integer, "samples", false},
    {F::filter2_kaiser_beta, "FILTER2_KAISER_BETA", "filter2.kaiser_beta", T::float32, "", true},
    {F::spectrum_fft_n, "SPECTRUM_FFT_N", "spectrum.fft_n", T::integer, "points", false},
    {F::filter_drops, "FILTER_DROPS", "filter.drops", T::integer, "blocks", false},
    {F::lock, "LOCK", "frontend.lock", T::boolean, "", false},
    {F::tp1, "TP1", "channel.tp1", T::float32, "", false},
    {F::tp2, "TP2", "channel.tp2", T::float32, "", false},
    {F::unused4, "UNUSED4", "", T::none, "", false},
    {F::ad_bits_per_sample, "AD_BITS_PER_SAMPLE", "frontend.ad_bits_per_sample", T::integer, "bits", false},
    {F::squelch_open, "SQUELCH_OPEN", "squelch.open", T::float32, "dB", true},
    {F::squelch_close, "SQUELCH_CLOSE", "squelch.close", T::float32, "dB", true},
    {F::preset, "PRESET", "channel.preset", T::text, "", true},
    {F::deemph_tc, "DEEMPH_TC", "fm.deemph_tc", T::float32, "s", false},
    {F::deemph_gain, "DEEMPH_GAIN", "fm.deemph_gain", T::float32, "dB", false},
    {F::unused3, "UNUSED3", "", T::none, "", false},
    {F::pl_deviation, "PL_DEVIATION", "fm.pl_deviation", T::float32, "Hz", false},
    {F::thresh_extend, "THRESH_EXTEND", "fm.threshold_extend", T::boolean, "", true},
    {F::spectrum_shape, "SPECTRUM_SHAPE", "spectrum.shape", T::float32, "", true},
    {F::unused2, "UNUSED2", "", T::none, "", false},
    {F::resolution_bw, "RESOLUTION_BW", "spectrum.resolution_bw", T::float32, "Hz", true},
    {F::bin_count, "BIN_COUNT", "spectrum.bin_count", T::integer, "", true},
    {F::crossover, "CROSSOVER", "spectrum.crossover", T::float32, "Hz", true},
    {F::bin_data, "BIN_DATA", "spectrum.bins", T::vector, "linear power", false},
    {F::rf_atten, "RF_ATTEN", "frontend.atten", T::float32, "dB", true},
    {F::rf_gain, "RF_GAIN", "frontend.gain", T::float32, "dB", true},
    {F::rf_agc, "RF_AGC", "frontend.agc", T::boolean, "", false},
    {F::fe_low_edge, "FE_LOW_EDGE", "frontend.low_edge", T::float32, "Hz", false},
    {F::fe_high_edge, "FE_HIGH_EDGE", "frontend.high_edge", T::float32, "Hz", false},
    {F::fe_isreal, "FE_ISREAL", "frontend.isreal", T::boolean, "", false},
    {F::unused, "UNUSED", "", T::none, "", false},
    {F::ad_over, "AD_OVER", "frontend.ad_over", T::integer, "", false},
    {F::rtp_pt, "RTP_PT", "output.payload_type", T::integer, "", false},
    {F::status_interval, "STATUS_INTERVAL", "channel.status_interval", T::integer, "blocks", true},
    {F::output_encoding, "OUTPUT_ENCODING", "output.encoding", T::integer, "", true},
    {F::samples_since_over, "SAMPLES_SINCE_OVER", "frontend.samples_since_over", T::integer, "samples", false},
    {F::pll_wraps, "PLL_WRAPS", "pll.wraps", T::signed_integer, "turns", false},
    {F::rf_level_cal, "RF_LEVEL_CAL", "frontend.level_cal", T::float32, "dB", false},
    {F::opus_dtx, "OPUS_DTX", "opus.dtx", T::boolean, "", true},
    {F::opus_application, "OPUS_APPLICATION", "opus.application", T::integer, "", true},
    {F::opus_bandwidth, "OPUS_BANDWIDTH", "opus.bandwidth", T::integer, "", false},
    {F::opus_fec, "OPUS_FEC", "opus.fec", T::integer, "%", false},
    {F::spectrum_step, "SPECTRUM_STEP", "spectrum.step", T::float32, "dB", true},
    {F::spectrum_overlap, "SPECTRUM_OVERLAP", "spectrum.overlap", T::float32, "", true},
    {F::lifetime, "LIFETIME", "channel.lifetime", T::integer, "blocks", true},
});
// clang-format on
constexpr bool is_in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].field) != i) return false;
    return true;
}
static_assert(rows.size() == radio_field_count && is_in_order());
}  // namespace field_table

inline constexpr const auto& radio_fields = field_table::rows;

[[nodiscard]] constexpr const RadioFieldRow& row_of(RadioField field) {
    return radio_fields[static_cast<std::size_t>(field)];
}
// By dotted path or by radiod's name in any case; absent for neither, and for retired numbers.
[[nodiscard]] constexpr std::optional<RadioField> find_radio_field(std::string_view text) {
    const auto same = [](std::string_view a, std::string_view b) {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
            if (upper(a[i]) != upper(b[i])) return false;
        }
        return true;
    };
    for (const RadioFieldRow& row : radio_fields)
        if (row.type != RadioType::none && (same(row.path, text) || same(row.name, text))) return row.field;
    return std::nullopt;
}

}  // namespace hawser::wire
