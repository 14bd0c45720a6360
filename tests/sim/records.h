// SPDX-License-Identifier: MIT
// A flight recorder's memory in tests, and what it holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/border/flight_recorder.h"

namespace hawser::test {

class Records {
public:
    explicit Records(FlightRecorder& recorder, std::size_t places = 64 * 1024) : recorder_(recorder), cells_(places) {
        recorder.attach({reinterpret_cast<std::uint8_t*>(cells_.data()), cells_.size() * sizeof(FlightRecord)}, 0);
    }

    ~Records() { recorder_.attach({}, 0); }
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    // From the oldest on.
    [[nodiscard]] std::vector<FlightRecord> all() const {
        std::vector<FlightRecord> out;
        recorder_.each([&](const FlightRecord& r, Bytes) { out.push_back(r); });
        return out;
    }
    template <class Condition>
    [[nodiscard]] std::vector<FlightRecord> all_that(Condition&& condition) const {
        std::vector<FlightRecord> out;
        for (const FlightRecord& r : all())
            if (condition(r)) out.push_back(r);
        return out;
    }
    [[nodiscard]] std::vector<FlightRecord> of(Decision what) const {
        return all_that([what](const FlightRecord& r) { return r.decision == what; });
    }
    [[nodiscard]] std::size_t count(Decision what) const { return of(what).size(); }

private:
    FlightRecorder& recorder_;
    std::vector<FlightRecord> cells_;
};

}  // namespace hawser::test
