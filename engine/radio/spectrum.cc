// SPDX-License-Identifier: MIT
#include "engine/radio/spectrum.h"

#include <algorithm>
#include <cmath>

#include "engine/wire/radio_tlv.h"

namespace hawser::radio {

namespace {

// Bytes count from the lowest frequency up already.
std::vector<double> of_bytes(const SpectrumGroup& s) {
    std::vector<double> out;
    if (!std::isfinite(s.base) || !std::isfinite(s.step)) return out;
    out.reserve(s.byte_bins.size());
    for (const std::uint8_t bin : s.byte_bins) out.push_back(double{s.base} + bin * double{s.step});
    return out;
}

// Powers in the order of an FFT: from the middle up, then from the lowest up.
std::vector<double> of_powers(const SpectrumGroup& s) {
    const std::size_t count = wire::radio_bin_count(s.bins);
    std::vector<double> out;
    out.reserve(count);
    double lowest = INFINITY;
    for (std::size_t i = 0; i < count; ++i) {
        const double power = double{wire::radio_bin(s.bins, (i + count / 2) % count)};
        if (!(power >= 0) || std::isinf(power)) return {};  // no power
        out.push_back(power);
        if (power > 0) lowest = std::min(lowest, power);
    }
    // Nothing at all is told as the least that was something.
    if (!std::isfinite(lowest)) lowest = 1;
    for (double& power : out) power = 10 * std::log10(std::max(power, lowest));
    return out;
}

}  // namespace

std::optional<Spectrum> spectrum_of(const Status& status, std::int64_t leap_seconds) {
    Spectrum out;
    out.db = status.spectrum.byte_bins.empty() ? of_powers(status.spectrum) : of_bytes(status.spectrum);
    out.unix_ns = unix_ns_of_gps(status.channel.gps_time, leap_seconds);
    out.bin_hz = double{status.spectrum.resolution_bw};
    out.first_hz = status.channel.frequency - out.bin_hz * std::floor(static_cast<double>(out.db.size()) / 2);
    if (out.db.empty() || !std::isfinite(out.first_hz)) return std::nullopt;
    return out;
}

}  // namespace hawser::radio
