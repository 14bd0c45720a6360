// SPDX-License-Identifier: MIT
// What one STATUS packet says of a channel and of the front end it rides on, typed and in groups. The groups and their
// members are the dotted paths of engine/wire/radio_fields.h (`frontend.gain`).
// Filled by decode_status() from untrusted bytes, without the heap. Each packet is self-contained: what it does not
// hold is absent (has()), and its member is zero. Bins are views of the packet: they end with it (drop_views()).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/radio/enums.h"
#include "engine/radio/text.h"
#include "engine/wire/radio_fields.h"

namespace hawser::radio {

using wire::RadioField;

struct ChannelGroup {
    std::uint32_t ssrc = 0;
    std::uint32_t tag = 0;
    std::uint64_t commands = 0;  // executed by this channel
    std::uint64_t gps_time = 0;  // ns since 1980-01-06, without leap seconds
    Endpoint status_dest;
    std::uint64_t options = 0;
    std::uint64_t clear_options = 0;
    std::uint64_t status_packets = 0;
    double frequency = 0;
    double second_lo = 0;
    double shift = 0;
    double doppler = 0;
    double doppler_rate = 0;
    float baseband_power = 0;  // may be -inf
    float noise_density = 0;
    Demod demod_type = Demod::linear;
    bool independent_sideband = false;
    bool envelope = false;
    float tp1 = 0;
    float tp2 = 0;
    Text<31> preset;
    std::uint32_t status_interval = 0;  // blocks
    std::uint32_t lifetime = 0;         // blocks left; 0: for ever
};
struct FrontEndGroup {
    Text<127> description;
    std::uint32_t input_samprate = 0;
    std::uint64_t input_samples = 0;
    double calibrate = 0;
    std::int64_t lna_gain = 0;
    std::int64_t mixer_gain = 0;
    std::int64_t if_gain = 0;
    float dc_i_offset = 0;
    float dc_q_offset = 0;
    float iq_imbalance = 0;
    float iq_phase = 0;
    bool direct_conversion = false;
    double first_lo = 0;
    float if_power = 0;
    bool lock = false;
    std::uint32_t ad_bits_per_sample = 0;
    float atten = 0;
    float gain = 0;
    bool agc = false;
    float low_edge = 0;
    float high_edge = 0;
    bool isreal = false;
    std::uint64_t ad_over = 0;
    std::uint64_t samples_since_over = 0;
    float level_cal = 0;
};
struct OutputGroup {
    std::uint32_t timesnap = 0;
    Endpoint source;
    Endpoint dest;
    std::uint8_t ttl = 0;
    std::uint32_t samprate = 0;
    std::uint64_t packets = 0;
    std::uint64_t errors = 0;
    std::uint32_t channels = 0;
    float level = 0;  // may be -inf
    std::uint64_t samples = 0;
    std::uint32_t maxdelay = 0;
    std::uint8_t payload_type = 0;  // may be stale
    Encoding encoding = Encoding::none;
};
struct FilterGroup {
    float low_edge = 0;
    float high_edge = 0;
    float kaiser_beta = 0;
    std::uint32_t blocksize = 0;
    std::uint32_t fir_length = 0;
    std::uint32_t drops = 0;
};
struct Filter2Group {
    std::uint32_t blocking = 0;
    std::uint32_t blocksize = 0;
    std::uint32_t fir_length = 0;
    float kaiser_beta = 0;
};
struct AgcGroup {
    bool enable = false;
    float headroom = 0;
    float hangtime = 0;
    float recovery_rate = 0;
    float threshold = 0;
    float gain = 0;
};
struct SquelchGroup {
    bool snr_enable = false;
    float open = 0;
    float close = 0;
};
struct PllGroup {
    bool enable = false;
    bool lock = false;
    bool square = false;
    float phase = 0;
    float bw = 0;
    float snr = 0;
    float freq_offset = 0;
    std::int64_t wraps = 0;
};
struct FmGroup {
    float peak_deviation = 0;
    float pl_tone = 0;
    float snr = 0;  // may be -inf
    float deemph_tc = 0;
    float deemph_gain = 0;
    float pl_deviation = 0;
    bool threshold_extend = false;
};
struct OpusGroup {
    std::uint32_t bit_rate = 0;
    bool dtx = false;
    std::uint16_t application = 0;
    std::uint16_t bandwidth = 0;
    std::uint32_t fec = 0;
};
struct SpectrumGroup {
    Bytes byte_bins;  // a view of the packet: lowest frequency first, dB = base + byte * step
    Bytes bins;       // a view of the packet: floats in FFT order (wire::radio_bin)
    float base = 0;
    float step = 0;
    std::uint32_t avg = 0;
    std::uint32_t window_type = 0;
    float noise_bw = 0;
    std::uint32_t fft_n = 0;
    float shape = 0;
    float resolution_bw = 0;
    std::uint32_t bin_count = 0;
    float crossover = 0;
    float overlap = 0;
};

// A field's value, whatever its type; monostate: the packet did not hold it.
using FieldValue =
    std::variant<std::monostate, std::uint64_t, std::int64_t, bool, float, double, std::string_view, Endpoint, Bytes>;

struct Status {
    ChannelGroup channel;
    FrontEndGroup frontend;
    OutputGroup output;
    FilterGroup filter;
    Filter2Group filter2;
    AgcGroup agc;
    SquelchGroup squelch;
    PllGroup pll;
    FmGroup fm;
    OpusGroup opus;
    SpectrumGroup spectrum;

    [[nodiscard]] bool has(RadioField field) const {
        const auto i = static_cast<std::size_t>(field);
        return i < present.size() && present[i];
    }
    // Before the packet's bytes go away.
    void drop_views();

    // 10^(power/10) over the noise in the filter, less one; absent without the three fields, or at no signal.
    [[nodiscard]] std::optional<double> snr_db() const;
    // At the antenna; absent where the front end's calibration is not told.
    [[nodiscard]] std::optional<double> input_dbm() const;
    // The length of radiod's processing block; 20 ms unless it is told otherwise.
    [[nodiscard]] Duration block_time() const;
    // Of what is sent. In WFM radiod's audio has 48 kHz (wfm.c, Audio_samprate) from the restart on that a command to
    // another rate makes, but the reply to that command still tells the other: 384000 of the preset.
    [[nodiscard]] std::uint32_t audio_rate() const;
    // Of the RTP timestamp: 48000 for Opus, whatever the encoder's rate; 0 when unknown.
    [[nodiscard]] std::uint32_t tick_rate() const;

    // By field number. A byte each: a decoder that sets bits waits for each one's predecessor.
    std::array<bool, wire::radio_field_count> present{};
};

enum class StatusFault : std::uint8_t {
    not_status,  // a command, or no radiod packet at all
    damaged,     // an element runs past the end
    no_ssrc,     // nobody's: absent, or the template's 0
};

// Fills `status` anew. Fields that are not known and values too long for their type are passed over. On a fault the
// content is unspecified.
[[nodiscard]] std::optional<StatusFault> decode_status(Bytes packet, Status& status);

// Of any field; its text is a view of `status`.
[[nodiscard]] FieldValue value_of(const Status& status, RadioField field);

}  // namespace hawser::radio
