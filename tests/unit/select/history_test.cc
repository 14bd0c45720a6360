// SPDX-License-Identifier: MIT
// Quality and recovery of one link at given ages, against figures worked out by hand; the approximation of exp(-x)
// against the library's; the RTT filter.
#include "engine/select/history.h"

#include <catch2/catch.hpp>

#include <cmath>

#include "engine/select/exp_decay.h"

namespace hawser::select {
namespace {

constexpr Instant t0{5'000'000'000};
constexpr std::int32_t plenty = 20'000;  // window units

History registered() {
    History history;
    history.on_registered(t0);
    return history;
}
void nak_times(History& history, int count, Duration apart, Instant from) {
    for (int i = 0; i < count; ++i) history.on_nak(plenty, from + apart * i);
}

TEST_CASE("exp_decay keeps its stated relative error over its whole range") {
    double worst = 0;
    for (int i = 0; i < 800'000; ++i) {
        const float x = static_cast<float>(i) * 1e-4F;
        const double exact = std::exp(-static_cast<double>(x));
        worst = std::max(worst, std::abs(static_cast<double>(exp_decay(x)) / exact - 1));
    }
    CAPTURE(worst);
    CHECK(worst <= static_cast<double>(exp_decay_relative_error_max));
    CHECK(worst > static_cast<double>(exp_decay_relative_error_max) / 4);  // the statement is not idle
}

TEST_CASE("exp_decay is about 1 at 0 and nothing beyond its reach") {
    CHECK(exp_decay(0.0F) == Approx(1.0).epsilon(exp_decay_relative_error_max));
    CHECK(exp_decay(79.99F) > 0.0F);
    CHECK(exp_decay(80.0F) == 0.0F);
    CHECK(exp_decay(1e30F) == 0.0F);
    CHECK(exp_decay(std::nanf("")) == 0.0F);
}

TEST_CASE("a link in its youth is worth 1.1, or 0.98 once it lost anything") {
    History history = registered();
    history.on_rtt(20_ms);  // no bonus in youth
    CHECK(history.quality(t0) == 1.1F);
    CHECK(history.quality(t0 + 30_s - 1_ns) == 1.1F);
    history.on_nak(plenty, t0 + 1_s);
    CHECK(history.quality(t0 + 1_s) == 0.98F);
    CHECK(history.quality(t0 + 30_s - 1_ns) == 0.98F);
    CHECK(history.quality(t0 + 30_s) > 0.99F);  // that NAK is 29 s old
}

TEST_CASE("a link that is heard but was never registered counts as young") {
    History history;
    CHECK(history.quality(t0 + 3600_s) == 1.1F);
}

TEST_CASE("youth starts at the first registration only") {
    History history = registered();
    history.on_nak(plenty, t0);
    history.on_registered(t0 + 40_s);
    CHECK(history.quality(t0 + 41_s) == Approx(1.0).margin(1e-6));
}

TEST_CASE("an old link is worth 1.1 without a NAK, else 1 - exp(-age / 2 s) / 2") {
    History history = registered();
    CHECK(history.quality(t0 + 30_s) == 1.1F);
    const Instant nak = t0 + 60_s;
    history.on_nak(plenty, nak);
    const auto [age_ms, expected] = GENERATE(table<int, double>({{0, 0.5},
                                                                 {500, 0.610600},
                                                                 {1000, 0.696735},
                                                                 {2000, 0.816060},
                                                                 {4000, 0.932332},
                                                                 {10000, 0.996631},
                                                                 {100000, 1.0}}));
    CHECK(history.quality(nak + 1_ms * age_ms) == Approx(expected).margin(1e-5));
}

TEST_CASE("a burst of five counts another 0.7 until its last NAK is 3 s old") {
    History history = registered();
    const Instant from = t0 + 60_s;
    nak_times(history, 4, 999_ms, from);  // counts 0, 2, 3, 4
    CHECK(history.burst() == 4);
    Instant last = from + 999_ms * 3;
    CHECK(history.quality(last) == Approx(0.5).margin(1e-5));
    last = last + 999_ms;
    history.on_nak(plenty, last);
    CHECK(history.burst() == 5);
    CHECK(history.quality(last) == Approx(0.35).margin(1e-5));
    CHECK(history.quality(last + 3_s - 1_ns) == Approx(0.7 * 0.888435).margin(1e-5));
    CHECK(history.quality(last + 3_s) == Approx(0.888435).margin(1e-5));
}

TEST_CASE("NAKs a second or more apart are no burst, and a recovery tick ends one") {
    History history = registered();
    nak_times(history, 9, 1000_ms, t0);
    CHECK(history.burst() == 0);
    nak_times(history, 6, 1_ms, t0 + 60_s);
    CHECK(history.burst() == 6);
    (void)history.recover(plenty, t0 + 60_s + 5_ms + 999_ms);
    CHECK(history.burst() == 6);
    (void)history.recover(plenty, t0 + 60_s + 5_ms + 1000_ms);
    CHECK(history.burst() == 0);
}

TEST_CASE("a short round trip adds up to three per cent") {
    const auto [rtt_ms, bonus] =
        GENERATE(table<int, double>({{1, 1.03}, {50, 1.03}, {194, 1.03}, {196, 200.0 / 196}, {200, 1.0}, {900, 1.0}}));
    History history = registered();
    history.on_rtt(1_ms * rtt_ms);
    CHECK(history.quality(t0 + 30_s) == Approx(1.1 * bonus).epsilon(1e-6));
}

TEST_CASE("a window recovers by steps that grow with the time since the last NAK") {
    History history = registered();
    const auto [age_ms, amount] = GENERATE(table<int, int>(
        {{0, 0}, {2000, 0}, {2001, 7}, {5000, 7}, {5001, 15}, {7000, 15}, {7001, 30}, {10'000, 30}, {10'001, 60}}));
    CHECK(history.recover(plenty, t0) == 60);  // no NAK ever
    history.on_nak(plenty, t0);
    CHECK(history.recover(plenty, t0 + 1_ms * age_ms) == amount);
}

TEST_CASE("a NAK that leaves 2000 or less starts fast recovery, which ends at 12000") {
    History history = registered();
    history.on_nak(2001, t0);
    CHECK_FALSE(history.recovers_fast());
    history.on_nak(2000, t0);
    CHECK(history.recovers_fast());
    CHECK(history.recover(2000, t0 + 500_ms) == 0);
    CHECK(history.recover(2000, t0 + 501_ms) == 14);
    CHECK(history.recover(11'999, t0 + 11_s) == 120);
    CHECK(history.recover(12'000, t0 + 11_s) == 60);
    CHECK_FALSE(history.recovers_fast());
}

TEST_CASE("a window recovers half as fast while its round trip keeps growing") {
    History history = registered();
    for (int i = 0; i < 20; ++i) history.on_rtt(50_ms + 5_ms * i);
    CHECK(history.rtt().velocity_ms() > 2.0F);
    CHECK(history.recover(plenty, t0) == 30);
}

TEST_CASE("the RTT filter takes its first sample whole, settles on a constant and sees a slope") {
    RttFilter filter;
    CHECK(filter.empty());
    CHECK(filter.value_ms() == 0.0F);
    filter.add(100_ms);
    CHECK(filter.value_ms() == 100.0F);
    CHECK(filter.velocity_ms() == 0.0F);
    // P' = 2+2+0.5 = 4.5 and 2.1, spread 6.5: gains 4.5/6.5 and 2/6.5 of the surprise of 13 ms.
    filter.add(113_ms);
    CHECK(filter.value_ms() == Approx(109.0).epsilon(1e-5));
    CHECK(filter.velocity_ms() == Approx(4.0).epsilon(1e-5));
    for (int i = 0; i < 100; ++i) filter.add(50_ms);
    CHECK(filter.value_ms() == Approx(50.0).margin(0.01));
    CHECK(filter.velocity_ms() == Approx(0.0).margin(0.01));
    for (int i = 0; i < 100; ++i) filter.add(50_ms + 3_ms * i);
    CHECK(filter.velocity_ms() == Approx(3.0).margin(0.01));
    for (int i = 0; i < 3; ++i) filter.add(0_ms);
    CHECK(filter.value_ms() >= 0.0F);
}

}  // namespace
}  // namespace hawser::select
