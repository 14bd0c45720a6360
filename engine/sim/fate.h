// SPDX-License-Identifier: MIT
// Random loss after a bottleneck: uniform, and the two states of Gilbert and Elliott. One draw per packet, in order, so
// the n-th packet of a line meets the same fate in every run with the same seed.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/random.h"
#include "engine/sim/line.h"

namespace hawser::sim {

class Fate {
public:
    Fate(const LineShape& shape, std::uint64_t seed) : loss_(shape.loss), bursts_(shape.bursts), random_(seed) {
        static_cast<void>(random_.next());
    }

    [[nodiscard]] bool draw_lost() {
        double p = loss_;
        if (bursts_) {
            const double u = uniform();
            if (is_bad_ ? u < bursts_->bad_to_good : u < bursts_->good_to_bad) is_bad_ = !is_bad_;
            p = 1 - (1 - p) * (1 - (is_bad_ ? bursts_->loss_bad : bursts_->loss_good));
        }
        return p > 0 && uniform() < p;
    }

private:
    [[nodiscard]] double uniform() { return static_cast<double>(random_.next() >> 11) * 0x1.0p-53; }

    double loss_;
    std::optional<GilbertElliott> bursts_;
    Random random_;
    bool is_bad_ = false;
};

}  // namespace hawser::sim
