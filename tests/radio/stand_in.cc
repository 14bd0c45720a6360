// SPDX-License-Identifier: MIT
#include "tests/radio/stand_in.h"

#include <algorithm>
#include <cmath>

#include "engine/radio/command.h"
#include "engine/wire/radio_tlv.h"
#include "engine/wire/rtp.h"
#include "tests/radio/samples.h"

namespace hawser::radio_tests {

using radio::Demod;
using radio::Encoding;
using F = radio::RadioField;

namespace {

struct Preset {
    std::string_view name;
    Demod demod;
    std::uint32_t samprate;
    float low, high;
    std::uint32_t channels;
    bool envelope;
};
// presets.conf, as far as tests name them.
constexpr Preset presets[] = {
    {"am", Demod::linear, 12'000, -5000, 5000, 1, true},  {"usb", Demod::linear, 12'000, 50, 3000, 1, false},
    {"lsb", Demod::linear, 12'000, -3000, -50, 1, false}, {"iq", Demod::linear, 12'000, -5000, 5000, 2, false},
    {"wspr", Demod::linear, 12'000, 50, 3000, 1, false},  {"fm", Demod::fm, 24'000, -8000, 8000, 1, false},
    {"cwu", Demod::linear, 12'000, -200, 200, 1, false},
};
struct KnownType {
    std::uint8_t number;
    Encoding encoding;
    std::uint32_t rate, channels;
};
constexpr KnownType known_types[] = {
    {0, Encoding::mulaw, 8000, 1},     {8, Encoding::alaw, 8000, 1},      {112, Encoding::s16be, 48'000, 1},
    {113, Encoding::s16be, 48'000, 2}, {116, Encoding::s16be, 24'000, 1}, {117, Encoding::s16be, 24'000, 2},
    {119, Encoding::s16be, 16'000, 1}, {120, Encoding::s16be, 16'000, 2}, {122, Encoding::s16be, 12'000, 1},
    {123, Encoding::s16be, 12'000, 2}, {125, Encoding::s16be, 8000, 1},   {126, Encoding::s16be, 8000, 2},
};
constexpr std::uint32_t input_samprate = 2'048'000;
constexpr std::size_t payload_bytes_max = 1440;
// A 20 ms frame that the real one sent.
constexpr std::uint8_t opus_frame[] = {0x98, 0x9d, 0x27, 0x19, 0x88, 0xc2, 0xcc, 0x3d, 0x91, 0x6a, 0xa0, 0xef};
constexpr float silence_db = -INFINITY;

std::uint32_t clamp_u32(std::uint64_t v) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(v, 0xFFFF'FFFF)); }

}  // namespace

StandIn::StandIn(const StandInOptions& options, Instant start)
    : options_(options), start_(start), next_block_(start + options.block) {}

const StandIn::Channel* StandIn::find(std::uint32_t ssrc) const {
    const auto found = channels_.find(ssrc);
    return found == channels_.end() ? nullptr : &found->second;
}

std::uint32_t StandIn::block_frames(const Channel& c) const {
    return static_cast<std::uint32_t>(std::int64_t{c.samprate} * options_.block.ns / 1'000'000'000);
}

std::uint64_t StandIn::block_samples() const {
    return static_cast<std::uint64_t>(std::int64_t{input_samprate} * options_.block.ns / 1'000'000'000);
}

std::vector<StandIn::Datagram> StandIn::take_sent() { return std::exchange(sent_, {}); }

StandIn::Channel* StandIn::create(std::uint32_t ssrc) {
    if (channels_.size() >= options_.channels_max) return nullptr;
    std::vector<bool> taken(channels_.size() + 1);
    for (const auto& [other, channel] : channels_)
        if (channel.index < taken.size()) taken[channel.index] = true;
    Channel& c = channels_[ssrc];
    c.ssrc = ssrc;
    c.index = static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
    c.dest = options_.data_group;
    c.lifetime_start = c.lifetime = options_.lifetime;
    apply_preset(c, options_.preset);
    c.payload_type = payload_type_of(c);
    restart(c);
    return &c;
}

// One block before 0, whatever the rate.
void StandIn::restart(Channel& c) {
    c.timestamp = 0u - block_frames(c);
    c.held_frames = 0;
}

std::uint8_t StandIn::payload_type_of(const Channel& c) {
    if (c.encoding == Encoding::opus) return 111;
    for (const KnownType& type : known_types)
        if (type.encoding == c.encoding && type.rate == c.samprate && type.channels == c.channels) return type.number;
    const std::array<std::uint32_t, 3> wanted{static_cast<std::uint32_t>(c.encoding), c.samprate, c.channels};
    const auto found = std::find(dynamic_types_.begin(), dynamic_types_.end(), wanted);
    const auto number = 77 + (found - dynamic_types_.begin());
    if (found == dynamic_types_.end()) dynamic_types_.push_back(wanted);
    return static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(number, 127));
}

void StandIn::on_command(Bytes packet, Instant now) {
    run(now);
    auto reader = wire::RadioReader::over(packet);
    if (!reader || reader->type() != wire::RadioPacketType::command || packet.size() < 3) return;
    std::uint32_t ssrc = 0;
    wire::RadioElement element;
    while (reader->next(element)) {
        // An element that ends with the packet is not taken: the end mark is missing.
        if (element.value.data() + element.value.size() == packet.data() + packet.size()) break;
        if (element.field == static_cast<std::uint8_t>(F::output_ssrc))
            ssrc = static_cast<std::uint32_t>(wire::radio_integer(element.value).value_or(0));
    }
    if (ssrc == 0) return;
    if (ssrc == radio::poll_all_ssrc) {
        for (auto& [number, channel] : channels_)
            channel.blocks_to_poll = static_cast<std::uint32_t>(channel.index / 4 + 1);
        return;
    }
    if (!has(ssrc)) {
        // Its thread takes the first command at once.
        if (Channel* channel = create(ssrc)) execute_and_restart(*channel, packet, now);
        return;
    }
    for (auto& place : channels_.at(ssrc).queue) {
        if (place) continue;
        place.emplace(packet.begin(), packet.end());
        return;
    }
    ++dropped_commands_;
}

void StandIn::execute_and_restart(Channel& channel, Bytes packet, Instant now) {
    channel.reply_pending = true;
    if (!execute(channel, packet)) return;
    // The reply still tells of the old clock; the new demodulator's loop has its first turn at once.
    reply(channel, now);
    channel.blocks_to_status = std::max(channel.status_interval, 2u) - 2;
    channel.reply_pending = false;
    restart(channel);
}

bool StandIn::execute(Channel& c, Bytes packet) {
    ++c.commands;
    const auto demod = c.demod;
    const auto samprate = c.samprate, channels = c.channels;
    const auto encoding = c.encoding;
    const auto each = [&](const auto& take) {
        auto reader = wire::RadioReader::over(packet);
        wire::RadioElement element;
        while (reader->next(element)) {
            if (element.value.data() + element.value.size() == packet.data() + packet.size()) break;
            take(element);
        }
    };
    each([&](const wire::RadioElement& e) {
        if (e.field == static_cast<std::uint8_t>(F::preset)) apply_preset(c, wire::radio_text(e.value));
    });
    if (c.channels != channels) c.payload_type = payload_type_of(c);
    const auto preset_channels = c.channels;
    each([&](const wire::RadioElement& e) {
        if (e.field != static_cast<std::uint8_t>(F::preset)) apply(c, e.field, e.value);
    });
    c.lifetime = c.lifetime_start;
    if (c.demod != demod || c.samprate != samprate) return true;
    if (c.encoding != encoding || c.channels != preset_channels) c.payload_type = payload_type_of(c);
    return false;
}

void StandIn::apply_preset(Channel& c, std::string_view name) {
    c.preset = name;
    for (const Preset& p : presets) {
        if (p.name != name) continue;
        c.demod = p.demod;
        c.samprate = p.samprate;
        c.low = p.low;
        c.high = p.high;
        c.channels = p.channels;
        c.envelope = p.envelope;
        c.agc = name != "wspr";
        if (!c.agc) c.gain = 60;
        if (name == "am") c.hang = 0, c.recovery = 50;
        if (name == "iq") c.hang = 1.1F, c.recovery = 20;
    }
}

void StandIn::apply(Channel& c, std::uint8_t field, Bytes value) {
    const auto whole = clamp_u32(wire::radio_integer(value).value_or(0));
    const auto real = static_cast<float>(wire::radio_float(value).value_or(NAN));
    const auto precise = wire::radio_double(value).value_or(NAN);
    const auto finite = [&](float& to) {
        if (std::isfinite(real)) to = real;
    };
    switch (static_cast<F>(field)) {
        case F::command_tag: c.tag = whole; break;
        case F::setopts: c.options |= whole; break;
        case F::clearopts: c.options &= ~std::uint64_t{whole}; break;
        case F::lifetime: c.lifetime_start = whole; break;
        case F::radio_frequency:
            if (std::isfinite(precise)) c.frequency = std::abs(precise);
            break;
        case F::shift_frequency:
            if (std::isfinite(precise)) c.shift = precise;
            break;
        case F::output_samprate:
            // Whole samples per block at both ends of the overlap: multiples of 400 Hz.
            if (whole != 0) c.samprate = std::max(400u, (whole + 200) / 400 * 400);
            break;
        case F::demod_type:
            if (whole > 5) break;
            c.demod = static_cast<Demod>(whole);
            if (radio::is_spectrum(c.demod)) c.preset.clear(), c.status_interval = 0;
            break;
        case F::output_encoding:
            if (whole > 11 || whole == 5) break;
            c.encoding = static_cast<Encoding>(whole);
            if (radio::is_opus(c.encoding) && c.samprate != 8000 && c.samprate != 12'000 && c.samprate != 16'000 &&
                c.samprate != 24'000)
                c.samprate = 48'000;
            break;
        case F::output_channels:
            if (whole == 1 || whole == 2) c.channels = whole;
            break;
        case F::low_edge: {
            const float edge = std::max(real, -static_cast<float>(c.samprate) / 2);
            if (edge <= c.high) c.low = edge;
            break;
        }
        case F::high_edge: {
            const float edge = std::min(real, static_cast<float>(c.samprate) / 2);
            if (edge >= c.low) c.high = edge;
            break;
        }
        case F::kaiser_beta: finite(c.kaiser); break;
        case F::gain:
            finite(c.gain);
            c.agc = false;
            break;
        case F::agc_enable: c.agc = whole != 0; break;
        case F::headroom:
            if (std::isfinite(real)) c.headroom = -std::abs(real);
            break;
        case F::agc_hangtime: c.hang = std::abs(real); break;
        case F::agc_recovery_rate: c.recovery = std::abs(real); break;
        case F::agc_threshold: c.threshold = -std::abs(real); break;
        case F::envelope: c.envelope = whole != 0; break;
        case F::independent_sideband: c.isb = whole != 0; break;
        case F::pll_enable: c.pll = whole != 0; break;
        case F::snr_squelch: c.snr_squelch = whole != 0; break;
        case F::thresh_extend: c.thresh_extend = whole != 0; break;
        case F::squelch_open: finite(c.squelch_open); break;
        case F::squelch_close: finite(c.squelch_close); break;
        case F::output_data_dest_socket:
            if (const auto dest = wire::radio_socket(value)) c.dest = *dest, c.dest.port = 5004;
            break;
        case F::status_interval: c.status_interval = whole; break;
        case F::maxdelay: c.maxdelay = std::min(whole, 5u); break;
        case F::opus_bit_rate: c.opus_bit_rate = whole; break;
        case F::opus_application: c.opus_application = whole; break;
        case F::opus_dtx: c.opus_dtx = whole != 0; break;
        case F::bin_count: c.bin_count = std::min(whole, 4096u); break;
        case F::resolution_bw: finite(c.resolution_bw); break;
        case F::crossover: finite(c.crossover); break;
        case F::spectrum_avg: c.average = std::max(whole, 1u); break;
        case F::spectrum_shape: finite(c.shape); break;
        case F::spectrum_overlap: finite(c.overlap); break;
        case F::window_type:
            if (whole <= 8) c.window = whole;
            break;
        default: break;
    }
}

void StandIn::run(Instant now) {
    while (next_block_ <= now) {
        const Instant at = next_block_;
        next_block_ = at + options_.block;
        ++blocks_;
        for (auto& [ssrc, channel] : channels_) run_block(channel, at);
        std::erase_if(channels_,
                      [](const auto& entry) { return entry.second.lifetime_start != 0 && entry.second.lifetime == 0; });
    }
}

// In the order of radiod's loop: the end of its life, the block's data, then the reply to the command before, then the
// next command.
void StandIn::run_block(Channel& c, Instant now) {
    const bool was_silent = c.silent;
    if (c.lifetime_start != 0 && --c.lifetime == 0) return;
    send_media(c);
    // It is the periodic one, too.
    const bool has_told = std::exchange(c.reply_pending, false);
    if (has_told) reply(c, now);
    if (c.blocks_to_poll != 0 && --c.blocks_to_poll == 0) send_status(c, options_.status_group, now);
    const bool is_due = c.status_interval != 0 && c.blocks_to_status-- == 0;
    const bool has_changed = was_silent != c.silent && !has_told;
    if (options_.media && c.status_interval != 0 && (has_changed || (is_due && !c.silent))) {
        Endpoint to = c.dest;
        to.port = 5006;
        send_status(c, to, now);
    }
    if (is_due || has_changed) c.blocks_to_status = c.status_interval == 0 ? 0 : c.status_interval - 1;
    for (auto& place : c.queue) {
        if (!place) continue;
        const auto packet = *std::exchange(place, std::nullopt);
        execute_and_restart(c, packet, now);
        break;
    }
}

void StandIn::reply(Channel& c, Instant now) {
    send_status(c, options_.status_group, now);
    c.blocks_to_status = c.status_interval;
    if (radio::is_spectrum(c.demod)) {
        c.has_bins = true;
        return;
    }
    Endpoint to = c.dest;
    to.port = 5006;
    send_status(c, to, now);
}

void StandIn::send_media(Channel& c) {
    const std::uint32_t frames = block_frames(c);
    if (radio::is_spectrum(c.demod)) return;
    const bool was_silent = c.silent;
    c.silent = muted_ || c.frequency == 0 || c.encoding == Encoding::none;
    const std::uint32_t ticks = c.encoding == Encoding::opus ? 960 : frames;
    if (!options_.media || c.silent) {
        c.timestamp += ticks;
        return;
    }
    if (c.encoding == Encoding::opus_voip) {
        // It knows no size of packet for it, and keeps the samples until another encoding is chosen: up to 0.8 s were
        // seen to come at once then, unmarked.
        c.held_frames = std::min(c.held_frames + frames, c.samprate);
        return;
    }
    bool marker = was_silent;
    const auto emit = [&](std::vector<std::uint8_t> payload, std::uint32_t advance) {
        const auto header =
            wire::build_rtp_header({std::exchange(marker, false), c.payload_type, wire::RtpSequence(c.sequence++),
                                    wire::RtpTime(c.timestamp), c.ssrc});
        payload.insert(payload.begin(), header.begin(), header.end());
        sent_.push_back({c.dest, std::move(payload)});
        c.timestamp += advance;
        ++c.data_packets;
    };
    c.samples += frames;
    if (radio::is_opus(c.encoding)) {
        if (options_.encode_opus)
            emit(options_.encode_opus(c.ssrc, c.channels, tone(c, ticks, 48'000)), ticks);
        else
            emit({std::begin(opus_frame), std::end(opus_frame)}, ticks);
        return;
    }
    const std::size_t due = frames + std::exchange(c.held_frames, 0);
    const std::size_t fit = payload_bytes_max / (sample_bytes(c.encoding) * c.channels);
    for (std::size_t done = 0; done < due;) {
        const std::size_t now = std::min(fit, due - done);
        std::vector<std::uint8_t> payload;
        for (const float sample : tone(c, now, c.samprate)) append_sample(c.encoding, sample, payload);
        emit(std::move(payload), static_cast<std::uint32_t>(now));
        done += now;
    }
}

// The carrier where a product detector puts it, where the filter lets it through: 12 dB below full scale.
std::vector<float> StandIn::tone(Channel& c, std::size_t frames, std::uint32_t rate) const {
    const double offset = options_.carrier_hz - c.frequency;
    const float level = offset >= c.low && offset <= c.high ? 0.25F : 0.0F;
    std::vector<float> samples;
    for (std::size_t i = 0; i < frames; ++i) {
        samples.push_back(level * static_cast<float>(std::cos(c.phase)));
        if (c.channels == 2) samples.push_back(level * static_cast<float>(std::sin(c.phase)));
        c.phase = std::fmod(c.phase + 2 * M_PI * offset / rate, 2 * M_PI);
    }
    return samples;
}

void StandIn::send_status(Channel& c, const Endpoint& to, Instant now) {
    std::vector<std::uint8_t> room(32'768);
    wire::RadioBuilder b(room, wire::RadioPacketType::status);
    const bool spectral = radio::is_spectrum(c.demod);
    const bool heard = c.frequency != 0;
    // A spectrum is of the front end's samples, or of a downconverter's, once there is a first sweep.
    const bool is_swept = spectral && c.has_bins;
    const bool is_narrow = is_swept && c.resolution_bw <= c.crossover;
    const float narrow_width = std::ceil(static_cast<float>(c.bin_count) * c.resolution_bw / 400) * 400;
    const auto narrow_rate = static_cast<std::uint32_t>(narrow_width) + 400;  // as was seen with 512 bins of 20 Hz
    ++c.status_packets;
    b.integer(F::output_ssrc, c.ssrc);
    b.integer(F::command_tag, c.tag);
    b.integer(F::cmd_cnt, c.commands);
    b.text(F::description, options_.description);
    b.integer(F::lifetime, c.lifetime);
    b.socket(F::status_dest_socket, options_.status_group);
    b.integer(F::gps_time, options_.gps_time_at_zero + static_cast<std::uint64_t>(now.ns));
    b.integer(F::input_samples, blocks_ * block_samples());
    b.integer(F::input_samprate, input_samprate);
    b.boolean(F::fe_isreal, true);
    b.float64(F::calibrate, 0);
    b.boolean(F::rf_agc, false);
    b.float32(F::fe_low_edge, 0);
    b.float32(F::fe_high_edge, 1.024e6F);
    b.integer(F::ad_bits_per_sample, 1);
    b.float64(F::radio_frequency, c.frequency);
    b.float64(F::first_lo_frequency, 0);
    b.float64(F::second_lo_frequency, spectral && !is_swept ? 0 : -c.frequency);
    b.integer(F::filter_blocksize, block_samples());
    b.integer(F::filter_fir_length, 10'241);
    b.integer(F::filter_drops, 0);
    b.float32(F::if_power, -20);
    b.integer(F::ad_over, 0);
    if (!spectral || is_narrow) b.float32(F::noise_density, -120);
    b.integer(F::demod_type, static_cast<std::uint64_t>(c.demod));
    if (!c.preset.empty()) b.text(F::preset, c.preset);
    b.float32(F::kaiser_beta, c.kaiser);
    b.float32(F::low_edge, is_narrow ? -narrow_width / 2 : c.low);
    b.float32(F::high_edge, is_narrow ? narrow_width / 2 : c.high);
    b.integer(F::output_samprate, is_narrow ? narrow_rate : is_swept ? 0 : c.samprate);
    b.float32(F::baseband_power, heard && (!spectral || is_narrow) ? -20 : silence_db);
    b.integer(F::output_channels, is_narrow ? 2 : is_swept ? 0 : c.channels);
    if (spectral) {
        b.integer(F::window_type, c.window);
        b.float32(F::resolution_bw, c.resolution_bw);
        b.integer(F::bin_count, c.bin_count);
        b.float32(F::crossover, c.crossover);
        b.float32(F::spectrum_shape, c.shape);
        const std::uint32_t rate = is_narrow ? narrow_rate : input_samprate;
        b.integer(F::spectrum_fft_n,
                  is_swept ? static_cast<std::uint64_t>(static_cast<float>(rate) / c.resolution_bw) : 0);
        b.float32(F::noise_bw, is_swept ? c.resolution_bw * 1.569004F : 0);
        b.integer(F::spectrum_avg, c.average);
        b.float32(F::spectrum_overlap, c.overlap);
        if (c.has_bins && c.demod == Demod::spectrum) {
            std::vector<std::uint8_t> bins(4 * c.bin_count);
            const double place = std::round((options_.carrier_hz - c.frequency) / c.resolution_bw);
            for (std::uint32_t i = 0; i < c.bin_count; ++i) {
                const double here = i < c.bin_count / 2 ? i : double(i) - c.bin_count;
                store_be32(bins.data() + 4 * i, std::bit_cast<std::uint32_t>(here == place ? 1e-2F : 1e-9F));
            }
            b.bytes(F::bin_data, bins);
        }
        if (c.has_bins && c.demod == Demod::byte_spectrum) {
            // Its scale is another in each sweep, the levels are not.
            const float step = c.status_packets % 2 != 0 ? 1 : 0.5F;
            const float base = -122 - static_cast<float>(c.status_packets % 8);
            const auto byte_of = [&](float db) { return static_cast<std::uint8_t>(std::lround((db - base) / step)); };
            b.float32(F::spectrum_base, base);
            b.float32(F::spectrum_step, step);
            std::vector<std::uint8_t> bins(c.bin_count, byte_of(-120));
            const std::uint32_t middle = c.bin_count / 2;
            const double place = std::round((options_.carrier_hz - c.frequency) / c.resolution_bw) + middle;
            if (place >= 0 && place < c.bin_count) bins[static_cast<std::size_t>(place)] = byte_of(-20);
            b.bytes(F::bin_byte_data, bins);
        }
    } else {
        if (c.demod == Demod::fm) {
            b.float32(F::freq_offset, 0.5F);
            b.boolean(F::thresh_extend, c.thresh_extend);
            b.float32(F::peak_deviation, 12'000);
            b.float32(F::deemph_gain, 0);
            b.float32(F::fm_snr, silence_db);
            b.boolean(F::pll_enable, c.pll);
        } else {
            b.boolean(F::pll_enable, c.pll);
            b.boolean(F::envelope, c.envelope);
            b.float64(F::shift_frequency, c.shift);
            b.boolean(F::agc_enable, c.agc);
            if (c.agc) {
                b.float32(F::agc_hangtime, c.hang);
                b.float32(F::agc_threshold, c.threshold);
                b.float32(F::agc_recovery_rate, c.recovery);
            }
            b.boolean(F::independent_sideband, c.isb);
            b.float32(F::gain, c.gain);
        }
        b.boolean(F::snr_squelch, c.snr_squelch);
        b.float32(F::squelch_open, c.squelch_open);
        b.float32(F::squelch_close, c.squelch_close);
        b.integer(F::rtp_timesnap, c.timestamp);
        b.integer(F::output_data_packets, c.data_packets);
        b.integer(F::filter2, 0);
        b.float32(F::output_level, heard ? -15 : silence_db);
        b.integer(F::output_samples, c.samples);
        if (radio::is_opus(c.encoding)) {
            b.integer(F::opus_bit_rate, c.opus_bit_rate);
            b.integer(F::opus_bandwidth, 1101);
            b.integer(F::opus_application, c.opus_application);
            b.integer(F::opus_fec, 0);
            b.boolean(F::opus_dtx, c.opus_dtx);
        }
        b.float32(F::headroom, c.headroom);
        b.float64(F::doppler_frequency, 0);
        b.float64(F::doppler_frequency_rate, 0);
        b.socket(F::output_data_source_socket, Endpoint::from_v4(0, options_.source_port));
        b.socket(F::output_data_dest_socket, c.dest);
        b.integer(F::output_ttl, options_.ttl);
        b.integer(F::rtp_pt, c.payload_type);
        b.integer(F::status_interval, c.status_interval);
        b.integer(F::output_encoding, static_cast<std::uint64_t>(c.encoding));
        b.integer(F::maxdelay, c.maxdelay);
    }
    b.integer(F::output_metadata_packets, c.status_packets);
    b.integer(F::setopts, c.options);
    b.integer(F::output_errors, 0);
    const auto bytes = b.finish();
    HAWSER_CHECK(bytes.has_value());
    sent_.push_back({to, {bytes->begin(), bytes->end()}});
}

}  // namespace hawser::radio_tests
