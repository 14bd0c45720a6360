// SPDX-License-Identifier: MIT
// Dispatch over random histories, by seed: links come and go, lose, overtake, fall silent and answer late; packets come
// in order, with gaps and again, due sooner or later; receivers report or not, and give up what they wait for; the
// latency may be a guess. Its books agree with themselves after each step, it sends on open links
// only, no packet is dropped in silence, copies keep to their budget and off metered links, no link goes beyond its
// cap, the reserve waits for as long as another link is up, or none of them speaks and it is lent; every buffer is
// given back.
#include <catch2/catch.hpp>

#include <bit>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/bond/dispatch.h"
#include "engine/border/command.h"

namespace hawser::test {
namespace {

using namespace hawser::literals;
using bond::Dispatch;
using wire::Seq31;

constexpr std::uint32_t links = 4;
constexpr std::uint32_t first = 0x7FFF'FF00;  // it wraps

LinkId link_of(std::uint32_t i) { return LinkId(static_cast<std::uint8_t>(i)); }

class Run {
public:
    // `is_limited`: links in classes and with caps, which change too; then none is metered.
    Run(std::uint64_t seed, bool is_limited) : random_(seed), is_limited_(is_limited) {
        reports_ = random_.below(3) != 0;
        dispatch_.set_reports(reports_);
        dispatch_.set_latency(latency, false);
        for (std::uint32_t i = 0; i < links && is_limited; ++i) dispatch_.set_limits(link_of(i), priority_first, 0, 28);
    }
    void step() {
        const std::uint32_t i = random_.below(links);
        switch (random_.below(16)) {
            case 0:
                if (random_.below(4) == 0) toggle(i);
                break;
            case 1:
            case 2:
            case 3: offer(1 + random_.below(12)); break;
            case 4:
                if (next_ == 0) break;
                if (random_.below(2) == 0)
                    static_cast<void>(dispatch_.on_asked(recent()));
                else
                    offer_again(recent());
                break;
            case 5:
                if (is_up(i)) dispatch_.on_echo(link_of(i), 1_ms * (5 + random_.below(300)), now_);
                break;
            case 6:
            case 7: pass(); break;
            case 8:
                if (is_up(i) && !carried_[i].empty()) lose(i);
                break;
            case 9:
                if (!carried_[i].empty()) dispatch_.on_unsent(link_of(i), Seq31(carried_[i].back()));
                break;
            case 10:
                // SRT's word covers what has come, and at times what has not.
                if (next_ > 200 && random_.below(4) == 0)
                    dispatch_.on_srt_ack(sequence(next_ - 1 - random_.below(200)), now_);
                if (random_.below(20) == 0) dispatch_.set_latency(latency, random_.below(2) == 0);
                break;
            case 11:
                if (is_limited_ && random_.below(5) == 0) limit(i);
                if (random_.below(10) == 0) dispatch_.lend_reserve(is_lent_ = !is_lent_);
                if (!is_limited_ && random_.below(20) == 0) {
                    metered_ = static_cast<LinkMask>(random_.below(1 << links));
                    for (std::uint32_t k = 0; k < links; ++k)
                        dispatch_.set_metered(link_of(k), (metered_ >> k & 1) != 0);
                }
                if (random_.below(200) == 0) {
                    dispatch_.set_reports(reports_ = !reports_);
                }
                break;
            default: answer(i); break;
        }
        run(static_cast<LinkMask>(random_.below(16) == 0 ? random_.below(1 << links) : (1 << links) - 1));
        REQUIRE(dispatch_.is_consistent());
    }
    void end() {
        now_ = now_ + 10_s;
        for (std::uint32_t i = 0; i < links; ++i)
            if (!is_up(i)) toggle(i);
        run((1 << links) - 1);
        CHECK(dispatch_.queued() == 0);
        CHECK(numbers_.size() - sent_.size() <= counters_[Counter::packets_given_up]);
        CHECK(counters_[Counter::hedges_sent] <= 6 + offered_ * 6 / 100);
        CHECK(counters_[Counter::sent_ahead] <= 1024 + offered_ * 3 / 100);
        dispatch_.new_session(now_);
        CHECK(pool_.free_slots() == pool_.slots());
    }
    [[nodiscard]] std::uint64_t sent_ahead() const { return counters_[Counter::sent_ahead]; }

private:
    static constexpr Duration latency{700'000'000};

    [[nodiscard]] static Seq31 sequence(std::uint32_t number) {
        return Seq31(first).plus(static_cast<std::int32_t>(number));
    }
    [[nodiscard]] Seq31 recent() { return sequence(next_ - 1 - random_.below(std::min(next_, 100u))); }
    [[nodiscard]] bool is_up(std::uint32_t i) const { return (dispatch_.links() >> i & 1) != 0; }
    void toggle(std::uint32_t i) {
        if (is_up(i)) {
            dispatch_.link_down(link_of(i), now_);
        } else {
            dispatch_.link_up(link_of(i), now_);
        }
        carried_[i].clear();
    }
    void offer(std::uint32_t count) {
        for (; count > 0; --count) {
            // What SRT drops before it has sent it leaves a gap, at times a long one.
            if (random_.below(30) == 0) next_ += 1 + random_.below(random_.below(20) == 0 ? 1500 : 4);
            const BufferId id = pool_.take();
            REQUIRE(id != no_buffer);
            // Deadlines grow with sequences, whatever held a packet up on its way here.
            due_ = std::max(due_, now_ + latency - 1_ms * random_.below(80));
            REQUIRE(dispatch_.on_data(sequence(next_), PacketRef{id, 0, 1332}, due_, now_) == Dispatch::Taken::queued);
            note_queued(id, next_++);
        }
    }
    // SRT sends one again: it is known, new where a gap was or where it was given up by guess, or too old.
    void offer_again(Seq31 s) {
        const BufferId id = pool_.take();
        REQUIRE(id != no_buffer);
        const auto number = static_cast<std::uint32_t>(wire::distance(Seq31(first), s));
        const auto taken = dispatch_.on_data(s, PacketRef{id, 0, 1332}, now_ + latency / 2, now_);
        if (taken != Dispatch::Taken::queued) return pool_.release(id);
        note_queued(id, number);
    }
    void note_queued(BufferId id, std::uint32_t number) {
        number_of_[id.value] = number;
        numbers_.insert(number);
        ++offered_;
    }
    [[nodiscard]] bool is_any_speaking(LinkMask open) const {
        for (std::uint32_t k = 0; k < links; ++k)
            if ((open >> k & 1) != 0 && is_up(k) && !dispatch_.view(link_of(k)).silent) return true;
        return false;
    }
    [[nodiscard]] bool is_only_one_speaking(LinkId link, LinkMask open) const {
        if (is_any_speaking(open & ~mask_of(link))) return false;
        return !dispatch_.view(link).silent || std::popcount(open & dispatch_.links()) == 1;
    }
    void limit(std::uint32_t i) {
        const auto priority = static_cast<std::uint8_t>(priority_first + random_.below(priority_reserve));
        dispatch_.set_limits(link_of(i), priority, random_.below(2) == 0 ? 0 : 200'000 + random_.below(4'000'000), 28);
        reserve_ = priority == priority_reserve ? reserve_ | mask_of(link_of(i)) : reserve_ & ~mask_of(link_of(i));
    }
    // A link at its cap gets nothing, and the reserve what nobody else could carry who is up, busy or not.
    void check_limits(LinkId link, LinkMask closed) {
        REQUIRE((closed & mask_of(link)) == 0);
        if ((reserve_ & mask_of(link)) == 0) return;
        for (std::uint32_t k = 0; k < links; ++k)
            if ((reserve_ >> k & 1) == 0 && is_up(k)) REQUIRE((is_lent_ && dispatch_.view(link_of(k)).silent));
    }
    void run(LinkMask open) {
        LinkMask closed = dispatch_.caps().closed(now_);
        std::uint64_t copies = counters_[Counter::hedges_sent];
        std::uint64_t ahead = counters_[Counter::sent_ahead];
        dispatch_.run(
            now_, open,
            [&](LinkId link, const PacketRef& packet, const Fate& fate) {
                REQUIRE((open & dispatch_.links() & mask_of(link)) != 0);
                const bool is_ahead = std::exchange(ahead, counters_[Counter::sent_ahead]) != ahead;
                REQUIRE(is_ahead == (fate.decision == Decision::sent_ahead));
                if (is_ahead) {
                    REQUIRE((dispatch_.view(link).silent && (metered_ & mask_of(link)) == 0 && dispatch_.queued() > 0));
                    REQUIRE(is_any_speaking(open));
                } else if (dispatch_.view(link).silent) {
                    REQUIRE_FALSE((is_any_speaking(open) && reserve_ == 0));
                }
                check_limits(link, std::exchange(closed, dispatch_.caps().closed(now_)));
                if (std::exchange(copies, counters_[Counter::hedges_sent]) != copies)
                    REQUIRE(((metered_ & mask_of(link)) == 0 || is_only_one_speaking(link, open)));
                const std::uint32_t number = number_of_[packet.buffer.value];
                sent_.insert(number);
                carried_[link.index()].push_back(sequence(number).raw());
            },
            [](std::size_t) { return LinkMask{0}; });
    }
    // Some of what a link carries arrives, mostly the oldest; one at times overtakes or is never heard of.
    void answer(std::uint32_t i) {
        auto& carried = carried_[i];
        if (!is_up(i) || carried.empty()) return;
        std::vector<std::uint32_t> came;
        for (std::uint32_t n = 1 + random_.below(10); n > 0 && !carried.empty(); --n) {
            const std::size_t at =
                random_.below(8) == 0 ? random_.below(static_cast<std::uint32_t>(carried.size())) : 0;
            if (random_.below(20) != 0) came.push_back(carried[at]);
            carried.erase(carried.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (reports_) {
            arrived_[i] += static_cast<std::uint32_t>(came.size());
            const auto next = random_.below(6) == 0 && next_ > 0 ? std::optional(recent()) : std::nullopt;
            wire::ReportBuilder report({0, static_cast<std::uint32_t>(now_.ns / 1000), next, arrived_[i]});
            for (const std::uint32_t s : came) report.add(Seq31(s), random_.below(20'000));
            dispatch_.on_report(link_of(i), *wire::DeliveryReport::over(report.bytes()), now_);
        } else if (!came.empty()) {
            wire::SrtlaAckBuilder ack;
            for (const std::uint32_t s : came) ack.add(Seq31(s));
            dispatch_.on_srtla_ack(link_of(i), *wire::SrtlaAck::over(ack.bytes()), now_);
        }
    }
    void lose(std::uint32_t i) { carried_[i].erase(carried_[i].begin()); }
    void pass() {
        now_ = now_ + 1_ms * (1 + random_.below(random_.below(10) == 0 ? 400 : 20));
        dispatch_.tick(now_);
        static_cast<void>(dispatch_.take_probes(now_));
    }

    Random random_;
    std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(2048 * 64);
    Pool pool_{bytes_, 64};
    Counters counters_;
    FlightRecorder recorder_;
    Dispatch dispatch_{pool_, 1024, counters_, recorder_};
    Instant now_{5'000'000'000};
    bool reports_ = true;
    bool is_limited_ = false;
    LinkMask reserve_ = 0;
    bool is_lent_ = false;
    LinkMask metered_ = 0;
    std::uint32_t next_ = 0;     // sequence, after `first`
    std::uint32_t offered_ = 0;  // packets that were queued, one that was given up by guess again
    std::set<std::uint32_t> numbers_;
    Instant due_;
    std::set<std::uint32_t> sent_;
    std::array<std::uint32_t, 2048> number_of_{};
    std::array<std::vector<std::uint32_t>, links> carried_;
    std::array<std::uint32_t, links> arrived_{};
};

}  // namespace

TEST_CASE("over random histories adaptive's books agree, and no packet is dropped in silence") {
    const bool is_limited = GENERATE(false, true);
    std::uint64_t sent_ahead = 0;
    for (std::uint64_t seed = 1; seed < 13; ++seed) {
        CAPTURE(seed, is_limited);
        Run run(seed, is_limited);
        for (int i = 0; i < 600; ++i) run.step();
        run.end();
        sent_ahead += run.sent_ahead();
    }
    CHECK(sent_ahead > 0);
}

}  // namespace hawser::test
