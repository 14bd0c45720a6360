// SPDX-License-Identifier: MIT
// One sweep of a spectrum channel, of either kind, as figures: what a status with bins says, from the lowest frequency
// up. Pure; takes memory for each sweep.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/radio/rtp_clock.h"
#include "engine/radio/status.h"

namespace hawser::radio {

struct Spectrum {
    std::int64_t unix_ns = 0;  // when radiod sent it
    double first_hz = 0;       // the middle of the first bin, as ka9q-radio's `powers` counts it
    double bin_hz = 0;         // from bin to bin
    std::vector<double> db;    // of each bin; a power of 0 as the least that the sweep has

    [[nodiscard]] double last_hz() const { return first_hz + bin_hz * (static_cast<double>(db.size()) - 1); }
};

// Absent where the status holds no bins, or a figure that is none: no power, or no number. Its views have to be good
// still. `leap_seconds`: by which UTC is behind GPS time.
[[nodiscard]] std::optional<Spectrum> spectrum_of(const Status& status,
                                                  std::int64_t leap_seconds = leap_seconds_default);

}  // namespace hawser::radio
