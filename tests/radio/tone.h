// SPDX-License-Identifier: MIT
// What is in samples, as a listener would say: how strong they are, and which tone stands out. A plain Fourier sum at
// each tenth of a bin or so: for some thousands of samples, not for speed.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hawser::radio_tests {

// Mean power against full scale.
inline double level_db(std::span<const float> samples) {
    double sum = 0;
    for (const float x : samples) sum += double{x} * double{x};
    return 10 * std::log10(sum / static_cast<double>(samples.size()));
}

struct Tone {
    double hz = 0;
    double peak_db = 0;   // of its amplitude, against full scale
    double noise_db = 0;  // what is left without it, against all; near 0 when it is no tone
};

// The strongest of the steps of 10 Hz. Two channels are I and Q, whose tones may be below 0 Hz.
inline Tone strongest_tone(std::span<const float> samples, std::uint32_t rate, std::uint32_t channels) {
    using Complex = std::complex<double>;
    std::vector<Complex> z(samples.size() / channels);
    double weights = 0, power = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        // Hann: a real tone's mirror image does not draw its peak aside.
        const double weight =
            0.5 - 0.5 * std::cos(2 * M_PI * (static_cast<double>(i) + 0.5) / static_cast<double>(z.size()));
        z[i] = weight * (channels == 2 ? Complex(samples[2 * i], samples[2 * i + 1]) : Complex(samples[i], 0));
        weights += weight;
        power += std::norm(z[i]) / weight;
    }
    Tone best;
    double highest = 0;
    for (int hz = channels == 2 ? -static_cast<int>(rate) / 2 : 0; hz <= static_cast<int>(rate) / 2; hz += 10) {
        const Complex turn = std::polar(1.0, -2 * M_PI * hz / rate);
        Complex sum, phase = 1;
        for (const Complex& x : z) sum += x * phase, phase *= turn;
        if (std::abs(sum) <= highest) continue;
        highest = std::abs(sum);
        best.hz = hz;
    }
    const double amplitude = highest / weights * (channels == 2 ? 1 : 2);
    best.peak_db = 20 * std::log10(amplitude);
    const double in_tone = amplitude * amplitude / (channels == 2 ? 1 : 2) * weights / power;
    best.noise_db = 10 * std::log10(std::max(1 - in_tone, 1e-9));
    return best;
}

}  // namespace hawser::radio_tests
