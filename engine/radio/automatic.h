// SPDX-License-Identifier: MIT
// Settings that radiod moves by itself. What looks for changes, or keeps what was set, passes over them.
#pragma once

#include "engine/radio/status.h"

namespace hawser::radio {

// As this status has it: a gain is somebody's setting where no AGC is on, and moves by itself where one is.
[[nodiscard]] inline bool moves_by_itself(RadioField field, const Status& s) {
    if (field == RadioField::lifetime) return true;  // it counts down
    // The scale of byte bins, anew for each sweep.
    if (field == RadioField::spectrum_base || field == RadioField::spectrum_step) return true;
    if (field == RadioField::gain) return s.agc.enable;
    return (field == RadioField::rf_gain || field == RadioField::rf_atten) && s.frontend.agc;
}

}  // namespace hawser::radio
