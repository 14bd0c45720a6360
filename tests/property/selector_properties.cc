// SPDX-License-Identifier: MIT
// The selector against a plain search, by seed, over random histories of links: it picks what the search picks, never
// a link that may not carry data, and always one while any may.
#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/link/accounting.h"
#include "engine/select/selector.h"
#include "tests/few_runs.h"

namespace hawser::test {
namespace {

using namespace hawser::literals;
using link::Accounting;
using select::Mode;
using wire::Seq31;

LinkId link_at(std::uint32_t i) { return LinkId(static_cast<std::uint8_t>(i)); }

class Run {
public:
    Run(std::uint64_t seed, select::Settings settings) : random_(seed), settings_(settings) {
        links_ = 1 + random_.below(static_cast<std::uint32_t>(links_max));
        selector_.set(settings);
        for (std::uint32_t i = 0; i < links_; ++i) add(i);
        selector_.begin_turn(now_);
    }

    void step() {
        const std::uint32_t i = random_.below(links_);
        const LinkId link = link_at(i);
        const bool known = (accounting_->links() & mask_of(link)) != 0;
        switch (random_.below(24)) {
            case 0:
                if (known) selector_.set_usable(link, random_.below(4) != 0, now_);
                break;
            case 1:
                if (random_.below(10) != 0) break;
                if (known)
                    remove(i);
                else
                    add(i);
                break;
            case 2:
                if (known) lose(link);
                break;
            case 3:
                if (known) selector_.note_rtt(link, 1_ms * (1 + random_.below(600)), now_);
                break;
            case 4: selector_.note_proof(static_cast<LinkMask>(random_.next()), now_); break;
            case 5:
                if (known) selector_.note_heard(link, now_);
                break;
            case 6:
                if (known) selector_.note_registered(link, now_);
                break;
            case 7:
                now_ = now_ + 1_ms * random_.below(random_.below(20) == 0 ? 20'000 : 80);
                selector_.begin_turn(now_);
                break;
            case 8:
                if (random_.below(4) == 0) accounting_->on_srt_ack(Seq31(sequence_ - random_.below(100)), now_);
                break;
            default: break;
        }
        check_pick();
        REQUIRE(selector_.is_consistent());
    }

    [[nodiscard]] int gated_picks() const { return gated_seen_; }

private:
    void add(std::uint32_t i) {
        accounting_->add(link_at(i));
        selector_.add(link_at(i), now_);
        selector_.set_usable(link_at(i), random_.below(3) != 0, now_);
        order_.insert(order_.begin(), i);
    }
    void remove(std::uint32_t i) {
        if (previous_ == link_at(i)) previous_ = no_link;
        accounting_->remove(link_at(i));
        selector_.remove(link_at(i));
        std::erase(order_, i);
    }
    void lose(LinkId link) {
        accounting_->note_sent(link, Seq31(sequence_), now_);
        const auto loss = accounting_->on_lost(Seq31(sequence_), now_);
        if (loss.link != no_link) selector_.note_nak(loss.link, now_);
        ++sequence_;
    }
    // Parts of a window unit per packet: what the header says a score is.
    [[nodiscard]] std::int64_t score(std::uint32_t i) const {
        const std::int64_t whole = accounting_->window(link_at(i)) / (accounting_->in_flight(link_at(i)) + 1);
        if (settings_.mode == Mode::classic) return whole;
        // In single precision, as the sweep: a product that rounds up to a whole part is one part more.
        return static_cast<std::int64_t>(static_cast<float>(whole) *
                                         (selector_.quality(link_at(i)) * static_cast<float>(select::score_parts)));
    }
    [[nodiscard]] bool may(std::uint32_t i) const {
        return (selector_.usable() & mask_of(link_at(i))) != 0 && !selector_.gated(link_at(i));
    }
    void check_pick() {
        LinkId expected = no_link;
        std::int64_t best = -1;
        LinkMask gated = 0;
        for (const std::uint32_t i : order_) {
            if (selector_.gated(link_at(i))) gated |= mask_of(link_at(i));
            if (!may(i) || score(i) <= best) continue;
            best = score(i);
            expected = link_at(i);
        }
        REQUIRE((gated & ~selector_.usable()) == 0);
        if (gated != 0) ++gated_seen_;
        if (settings_.mode == Mode::enhanced && previous_ != no_link && may(previous_.value) &&
            best * 10 < score(previous_.value) * 11)
            expected = previous_;
        const LinkId picked = selector_.pick(now_);
        CAPTURE(unsigned{picked.value}, unsigned{expected.value});
        REQUIRE(picked == expected);
        REQUIRE((picked == no_link) == (selector_.usable() == 0));
        previous_ = picked;

        const LinkMask tried = picked == no_link ? 0 : mask_of(picked);
        const LinkId next = selector_.pick_except(tried, now_);
        REQUIRE((next == no_link) == ((selector_.usable() & ~tried) == 0));
        if (next != no_link) REQUIRE((selector_.usable() & ~tried & mask_of(next)) != 0);

        const LinkId probed = selector_.probe_for_gated(now_);
        if (probed != no_link) REQUIRE(selector_.gated(probed));
        if (picked != no_link) {
            const std::uint32_t packets = random_.below(8) == 0 ? 40 : 1;
            for (std::uint32_t n = 0; n < packets; ++n) accounting_->note_sent(picked, Seq31(sequence_++), now_);
        }
    }

    Random random_;
    select::Settings settings_;
    std::uint32_t links_ = 0;
    Instant now_{1'000'000'000'000};
    std::uint32_t sequence_ = 1000;
    LinkId previous_ = no_link;
    std::vector<std::uint32_t> order_;  // last added first
    int gated_seen_ = 0;
    std::unique_ptr<Accounting> accounting_ = std::make_unique<Accounting>();
    select::Selector selector_{*accounting_, Random(3)};
};

int run(std::uint64_t seed, const select::Settings& settings, int steps) {
    CAPTURE(seed);
    Run it(seed, settings);
    for (int i = 0; i < steps; ++i) {
        CAPTURE(i);
        it.step();
    }
    return it.gated_picks();
}

TEST_CASE("classic picks what a plain search in list order picks, and only usable links") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, runs(13u, 4u)));
    run(seed, {.mode = Mode::classic}, 6000);
}

TEST_CASE("enhanced picks what a plain search with hysteresis picks, and never starves a usable link's bond") {
    int gated = 0;
    for (std::uint64_t seed = 1; seed <= runs(12u, 3u); ++seed) gated += run(seed, {.mode = Mode::enhanced}, 6000);
    CHECK(gated > runs(1000, 100));  // the traces do close gates
}

TEST_CASE("without quality and gate, enhanced is classic with hysteresis") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, runs(5u, 3u)));
    CHECK(run(seed, {.mode = Mode::enhanced, .quality = false, .stall_gate = false}, 6000) == 0);
}

}  // namespace
}  // namespace hawser::test
