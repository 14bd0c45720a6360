// SPDX-License-Identifier: MIT
// The safe rate's law over a bond of fluid: links that carry so much, a queue before them, an encoder.
#include "engine/bond/safe_rate.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace hawser;
using namespace hawser::literals;
using bond::SafeRateInput;
using bond::SafeRateLaw;

namespace {

constexpr double payload_bits = 1316 * 8;

// Packets wait in one queue and arrive one after another; SRT acknowledges them a step after that.
class Bond {
public:
    explicit Bond(double kbps) : links_{kbps} { law.new_session(wire::Seq31(0)); }
    Bond(double one, double other) : links_{one, other} { law.new_session(wire::Seq31(0)); }

    SafeRateLaw law;
    Duration latency = 2_s;
    double offered_kbps = 0;
    bool follows = false;
    double given_up_per_second = 0;

    void set_capacity(std::size_t link, double kbps) { links_[link] = kbps; }
    void set_speaking(std::size_t link, bool speaks) { speaks_[link] = speaks; }
    void set_up(std::size_t link, bool up) { up_[link] = up; }

    void run(Duration time) {
        for (const Instant end = now_ + time; now_ < end;) step();
    }
    [[nodiscard]] double kbps() const { return static_cast<double>(law.figure().bits_per_second) / 1000; }
    [[nodiscard]] bool known() const { return law.figure().is_known; }
    [[nodiscard]] double waiting_ms() const { return (made_ - arrived_) * payload_bits / capacity(); }

private:
    [[nodiscard]] bool carries(std::size_t i) const { return up_[i] && speaks_[i]; }
    [[nodiscard]] double capacity() const { return (carries(0) ? links_[0] : 0) + (carries(1) ? links_[1] : 0) + 1e-9; }
    void step() {
        const double seconds = 0.1;
        if (follows && known()) offered_kbps = kbps();
        made_ += offered_kbps * 1000 * seconds / payload_bits;
        given_up_ += given_up_per_second * seconds;
        const double taken = std::min(made_ - arrived_, capacity() * 1000 * seconds / payload_bits);
        arrived_ += taken;
        for (std::size_t i = 0; i < 2; ++i)
            if (carries(i)) by_link_[i] += taken * links_[i] / capacity();
        now_ = now_ + SafeRateLaw::interval;
        past_[steps_++ % past_.size()] = arrived_;
        // The way back takes a step.
        const double acked = steps_ > 1 ? past_[(steps_ - 2) % past_.size()] : 0;
        law.on_srt_ack(wire::Seq31(static_cast<std::uint32_t>(acked)));
        SafeRateInput in;
        in.latency = latency;
        in.fresh = static_cast<std::uint64_t>(made_);
        in.given_up = static_cast<std::uint64_t>(given_up_);
        in.payload_bytes = 1316;
        in.newest = wire::Seq31(static_cast<std::uint32_t>(made_)).plus(-1);
        for (std::size_t i = 0; i < 2; ++i) {
            if (links_[i] <= 0) continue;
            if (up_[i]) in.up |= LinkMask{1} << i;
            if (carries(i)) in.speaking |= LinkMask{1} << i;
            in.links[i].sent = static_cast<std::uint64_t>(by_link_[i]);
        }
        law.step(in, now_);
    }

    std::array<double, 2> links_{};
    std::array<bool, 2> speaks_{true, true};
    std::array<bool, 2> up_{true, true};
    std::array<double, 2> by_link_{};
    std::array<double, 64> past_{};
    std::size_t steps_ = 0;
    double made_ = 0, arrived_ = 0, given_up_ = 0;
    Instant now_{5'000'000'000};
};

}  // namespace

TEST_CASE("without media nothing is known, and a second of them is needed") {
    Bond b(6000);
    b.run(3_s);
    CHECK_FALSE(b.known());
    b.offered_kbps = 2000;
    b.run(500_ms);
    CHECK_FALSE(b.law.figure().is_known);
    b.run(2_s);
    REQUIRE(b.known());
    CHECK(b.kbps() >= 2000);
}

TEST_CASE("what passes is proven, and at most a bounded share above it is offered") {
    Bond b(20'000);
    b.offered_kbps = 3000;
    b.run(60_s);
    CHECK(b.kbps() > 3000 * 1.2);
    CHECK(b.kbps() < 3000 * 1.26);
    CHECK(b.law.figure().cause == SafeRateCause::offered);
}

TEST_CASE("an encoder that follows uses most of what the links carry, and its packets do not wait long") {
    Bond b(6000);
    b.offered_kbps = 1000;
    b.follows = true;
    b.run(30_s);
    double waited = 0, sum = 0;
    for (int i = 0; i < 600; ++i) {
        b.run(100_ms);
        waited = std::max(waited, b.waiting_ms());
        sum += b.kbps();
    }
    CHECK(waited < 800);
    CHECK(sum / 600 > 6000 * 0.8);
    CHECK(sum / 600 < 6000 * 1.02);
}

TEST_CASE("it falls within 700 ms of a fall of the links, far enough to clear the queue, and comes back") {
    Bond b(6000);
    b.offered_kbps = 5000;
    b.run(10_s);
    REQUIRE(b.kbps() >= 5000);
    b.set_capacity(0, 2000);
    b.run(700_ms);
    CHECK(b.law.figure().cause == SafeRateCause::queue);
    CHECK(b.kbps() < 2000 * 1.5);
    b.follows = true;
    b.run(3_s);
    CHECK(b.kbps() < 2000);
    CHECK(b.kbps() > 1000);
    CHECK(b.waiting_ms() < 150);
    b.set_capacity(0, 6000);
    b.run(20_s);
    CHECK(b.kbps() > 4500);
}

TEST_CASE("what an encoder that does not follow makes worse does not drive the figure to nothing") {
    Bond b(6000);
    b.offered_kbps = 5000;
    b.run(10_s);
    b.set_capacity(0, 2000);
    b.run(20_s);
    // A quarter while the queue is there; what the links carry is still known when it is gone.
    CHECK(b.kbps() >= 2000 * 0.85 * 0.25 * 0.9);
    CHECK(b.kbps() < 2000);
}

TEST_CASE("a link that is silent takes its share along at once, and gives it back when it speaks again soon") {
    Bond b(4000, 2000);
    b.offered_kbps = 3000;
    b.run(20_s);
    const double before = b.kbps();
    b.set_speaking(1, false);
    b.run(100_ms);
    CHECK(b.kbps() < before * 0.72);
    CHECK(b.law.figure().cause == SafeRateCause::uplink_lost);
    b.run(300_ms);
    b.set_speaking(1, true);
    b.run(100_ms);
    CHECK(b.kbps() > before * 0.95);
    // For longer: what the other can do has to be shown, which it is after a second of calm.
    b.set_speaking(1, false);
    b.run(1100_ms);
    CHECK(b.kbps() < before * 0.9);
    b.run(3_s);
    CHECK(b.kbps() >= 3000);
}

TEST_CASE("without a link it is zero") {
    Bond b(4000);
    b.offered_kbps = 3000;
    b.run(10_s);
    b.set_up(0, false);
    b.run(100_ms);
    CHECK(b.law.figure().bits_per_second == 0);
    CHECK(b.law.figure().cause == SafeRateCause::no_uplink);
}

TEST_CASE("it falls when packets could not arrive in time, a few aside") {
    Bond b(6000);
    b.offered_kbps = 5000;
    b.run(10_s);
    const double before = b.kbps();
    b.given_up_per_second = 2;  // of 475
    b.run(3_s);
    CHECK(b.kbps() >= before * 0.95);
    b.given_up_per_second = 20;
    b.run(1_s);
    CHECK(b.kbps() < before * 0.9);
}

TEST_CASE("a pause of the media leaves it as it was") {
    Bond b(6000);
    b.offered_kbps = 5000;
    b.run(10_s);
    const double before = b.kbps();
    b.offered_kbps = 0;
    b.run(60_s);
    CHECK(b.kbps() == Approx(before).epsilon(0.1));
    b.law.new_session(wire::Seq31(0x7FFF'FFFF));
    CHECK(b.kbps() == Approx(before).epsilon(0.1));
}

TEST_CASE("a loss that SRT repairs slowly is no overload") {
    // The oldest packet is missing for most of a second while everything else arrives.
    SafeRateLaw law;
    law.new_session(wire::Seq31(0));
    SafeRateInput in;
    in.latency = 2_s;
    in.payload_bytes = 1316;
    in.up = in.speaking = 1;
    Instant now{};
    const auto step = [&](bool acknowledges) {
        now = now + SafeRateLaw::interval;
        in.fresh += 50;
        in.links[0].sent += 50;
        in.newest = wire::Seq31(static_cast<std::uint32_t>(in.fresh - 1));
        if (acknowledges) law.on_srt_ack(in.newest.plus(-2));
        law.step(in, now);
    };
    for (int i = 0; i < 100; ++i) step(true);
    const std::uint64_t before = law.figure().bits_per_second;
    for (int i = 0; i < 9; ++i) step(false);
    CHECK(law.figure().excess > 700_ms);
    CHECK(law.figure().bits_per_second > before / 10 * 8);
    for (int i = 0; i < 30; ++i) step(true);
    CHECK(law.figure().bits_per_second > before / 10 * 8);
}

TEST_CASE("sequences wrap, and a lag across it is a lag") {
    SafeRateLaw law;
    const wire::Seq31 first(0x7FFF'FFFF - 200);
    law.new_session(first);
    SafeRateInput in;
    in.latency = 2_s;
    in.payload_bytes = 1316;
    in.up = in.speaking = 1;
    Instant now{};
    for (int i = 1; i <= 20; ++i) {
        now = now + SafeRateLaw::interval;
        in.fresh += 50;
        in.links[0].sent += 50;
        in.newest = first.plus(50 * i - 1);
        if (i <= 10) law.on_srt_ack(first.plus(50 * i - 25));
        law.step(in, now);
        if (i == 10) CHECK(law.figure().lag.ms() == Approx(50).margin(3));
    }
    CHECK(law.figure().lag.ms() == Approx(1050).margin(3));
}
