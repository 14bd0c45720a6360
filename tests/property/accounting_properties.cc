// SPDX-License-Identifier: MIT
// Accounting against the plain model of the reference, by seed: after every step in-flight counts, windows, the link
// charged with a loss and the classic pick are equal.
#include <catch2/catch.hpp>

#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/link/accounting.h"
#include "engine/select/selector.h"
#include "tests/few_runs.h"
#include "tests/property/accounting_model.h"

namespace hawser::test {
namespace {

using link::Accounting;
using wire::Seq31;

struct Shape {
    std::uint32_t first = 0;  // first sequence of the session
    std::uint32_t links = 4;
    std::uint32_t ack_every = 100;   // packets per SRT ACK, about
    std::uint32_t srtla_share = 90;  // per cent of packets that an SRTLA ACK names
    std::int32_t head_start = 0;     // window units that every new link has more
    bool circular = false;           // the model compares as we do
    bool sessions = false;           // new sessions happen
    bool anywhere = false;           // sequences come from the whole space, in no order
};

class Trace {
public:
    Trace(std::uint64_t seed, const Shape& shape)
        : random_(seed), shape_(shape), next_(shape.first), acked_(shape.first), model_(shape.circular) {
        selector_.set({.mode = select::Mode::classic});
        for (std::uint32_t i = 0; i < shape.links; ++i) add(i);
    }

    void step() {
        now_.ns += 1'000'000;
        selector_.begin_turn(now_);
        const std::uint32_t what = random_.below(1000);
        if (what < 700) {
            send();
        } else if (what < 780) {
            srtla_ack();
        } else if (what < 780 + 20) {
            nak();
        } else if (what < 800 + 20'000 / shape_.ack_every) {
            srt_ack();
        } else if (what < 997) {
            send();
        } else {
            upset();
        }
        compare();
    }

    [[nodiscard]] bool audit() const { return accounting_->is_consistent() && selector_.is_consistent(); }

private:
    static LinkId link(unsigned i) { return LinkId(static_cast<std::uint8_t>(i)); }

    void add(unsigned i) {
        accounting_->add(link(i));
        selector_.add(link(i), now_);
        selector_.set_usable(link(i), true, now_);
        accounting_->grow(link(i), shape_.head_start);
        model_.add(i);
        model_.at(i).window += shape_.head_start;
        known_ |= 1u << i;
    }
    unsigned any_link() {
        unsigned i = random_.below(shape_.links);
        while (((known_ >> i) & 1) == 0) i = (i + 1) % shape_.links;
        return i;
    }
    std::uint32_t any_sequence() {
        if (shape_.anywhere)
            return recent_.empty() ? 0 : recent_[random_.below(static_cast<std::uint32_t>(recent_.size()))];
        // Mostly what is fresh; sometimes what the logs are just about to lose, or have lost.
        const std::uint32_t back = random_.below(random_.below(3) == 0 ? 320 * shape_.links : 200);
        return (next_ - std::min(back, next_ - shape_.first)) & Seq31::mask;
    }

    void send() {
        std::uint32_t sequence = next_;
        if (shape_.anywhere) {
            sequence = static_cast<std::uint32_t>(random_.next()) & Seq31::mask;
            if (recent_.size() < 300) recent_.push_back(sequence);
            recent_[random_.below(static_cast<std::uint32_t>(recent_.size()))] = sequence;
        } else if (random_.below(20) == 0) {
            sequence = any_sequence();  // a retransmission
        } else {
            next_ = (next_ + 1) & Seq31::mask;
        }
        const unsigned to = random_.below(4) == 0 ? any_link() : picked_;
        accounting_->note_sent(link(to), Seq31(sequence), now_);
        model_.sent(to, sequence);
    }
    void srt_ack() {
        const std::uint32_t kind = random_.below(8);
        if (shape_.anywhere) {
            acked_ = random_.below(2) == 0 ? any_sequence() : static_cast<std::uint32_t>(random_.next()) & Seq31::mask;
        } else if (kind == 0) {
            acked_ = any_sequence();  // possibly an old one
        } else if (kind == 1) {
            acked_ = (next_ + random_.below(5000)) & Seq31::mask;  // more than was sent
        } else {
            acked_ = (next_ - std::min(random_.below(150), next_ - shape_.first)) & Seq31::mask;
        }
        for (std::uint32_t copy = 0; copy < 1 + random_.below(shape_.links); ++copy) {
            CHECK(accounting_->on_srt_ack(Seq31(acked_), now_) == 0);
            model_.srt_ack(acked_);
        }
    }
    void nak() {
        const std::uint32_t sequence = any_sequence();
        const Accounting::Loss holder = accounting_->holder(Seq31(sequence));
        const Accounting::Loss loss = accounting_->on_lost(Seq31(sequence), now_);
        const auto charged = model_.lost(sequence);
        CHECK(loss.link == (charged ? link(*charged) : no_link));
        CHECK(holder.link == loss.link);
    }
    void srtla_ack() {
        const std::uint32_t count = random_.below(12) == 0 ? 1 + random_.below(300) : 10;
        const std::uint32_t alive = random_.below(8) == 0 ? static_cast<std::uint32_t>(random_.next()) : ~0u;
        std::vector<std::uint8_t> bytes(4 + 4 * count);
        std::uint32_t proof = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            std::uint32_t sequence = any_sequence();
            if (random_.below(100) >= shape_.srtla_share) sequence = (sequence + 100'000) & Seq31::mask;
            store_be32(bytes.data() + 4 + 4 * i, sequence);
            if (const auto holder = model_.srtla_ack(sequence, alive & known_)) proof |= 1u << *holder;
        }
        const auto ack = wire::SrtlaAck::over(bytes);
        REQUIRE(ack);
        CHECK(accounting_->on_srtla_ack(*ack, link(any_link()), alive & known_, now_) == proof);
    }
    void upset() {
        const unsigned i = any_link();
        if (shape_.sessions && random_.below(3) == 0) {
            accounting_->new_session();
            model_.new_session();
            next_ = acked_ = static_cast<std::uint32_t>(random_.next()) & Seq31::mask;
            shape_.first = next_;
        } else if (random_.below(2) == 0) {
            accounting_->fail(link(i));
            model_.fail(i);
        } else {
            accounting_->remove(link(i));
            selector_.remove(link(i));
            model_.remove(i);
            known_ &= ~(1u << i);
            add(i);
        }
    }
    void compare() {
        for (ModelLink& m : model_.links()) {
            // One comparison, since a test of each would cost more than the machine under test.
            if (accounting_->in_flight(link(m.id)) != m.in_flight || accounting_->window(link(m.id)) != m.window) {
                CAPTURE(m.id, accounting_->in_flight(link(m.id)), m.in_flight, accounting_->window(link(m.id)),
                        m.window);
                FAIL("in flight or window differs from the model");
            }
        }
        const LinkId picked = selector_.pick(now_);
        const auto expected = model_.pick(known_);
        if (picked != (expected ? link(*expected) : no_link)) {
            CAPTURE(unsigned{picked.value});
            FAIL("the classic pick differs from the model");
        }
        picked_ = picked.value;
    }

    Random random_;
    Shape shape_;
    std::uint32_t next_;
    std::uint32_t acked_;
    Instant now_;
    std::uint32_t known_ = 0;
    unsigned picked_ = 0;
    std::vector<std::uint32_t> recent_;
    AccountingModel model_;
    std::unique_ptr<Accounting> accounting_ = std::make_unique<Accounting>();
    select::Selector selector_{*accounting_, Random(1)};
};

void run(std::uint64_t seed, const Shape& shape, int steps) {
    CAPTURE(seed, shape.first, shape.links, shape.ack_every);
    Trace trace(seed, shape);
    for (int i = 0; i < steps; ++i) {
        CAPTURE(i);
        trace.step();
        if (i % 512 == 0) REQUIRE(trace.audit());
    }
    REQUIRE(trace.audit());
}

TEST_CASE("on traces without wrap or new session the accounting equals the reference step by step") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, runs(25u, 9u)));
    Random random(seed);
    const std::uint32_t links[] = {1, 2, 3, 4, 5, 8, 13, 32};
    const std::uint32_t rates[] = {20, 100, 500, 3000, 20'000};
    run(seed,
        {.first = random.below(0x3000'0000),
         .links = links[seed % 8],
         .ack_every = rates[seed % 5],
         .head_start = seed % 3 == 0 ? 39'000 : 0},
        6000);
}

TEST_CASE("a session that starts at sequence 0 equals the reference with an empty log") {
    // Deviation: the reference's new log is filled with zeros, so that sequence 0 matches slots nobody wrote.
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(100, 104));
    run(seed, {.first = 0, .links = 3, .ack_every = 50}, 6000);
}

TEST_CASE("across the wrap the accounting equals the reference with circular compares") {
    // Deviation: the reference compares plainly and takes what follows the wrap for acknowledged.
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(200, runs(212u, 203u)));
    Random random(seed);
    run(seed,
        {.first = Seq31::mask - random.below(4000), .links = 1 + random.below(8), .ack_every = 100, .circular = true},
        8000);
}

TEST_CASE("a new session forgets all sequences and keeps the windows") {
    // Deviation: the reference keeps the old session's sequences in its logs.
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(300, runs(308u, 302u)));
    Random random(seed);
    run(seed, {.first = random.below(Seq31::mask), .links = 4, .ack_every = 200, .circular = true, .sessions = true},
        12'000);
}

TEST_CASE("sequences from all over the space change nothing but the cost") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(400, runs(408u, 402u)));
    run(seed, {.links = 4, .ack_every = 100, .circular = true, .sessions = true, .anywhere = true}, 6000);
}

TEST_CASE("without SRTLA ACKs an SRT ACK counts as one for each logged sequence that it newly covers") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(500, runs(510u, 504u)));
    Random random(seed);
    const unsigned links = 1 + random.below(6);
    auto accounting = std::make_unique<Accounting>();
    AccountingModel model(true);
    std::uint32_t next = (Seq31::mask - 2000 + random.below(4000)) & Seq31::mask;
    std::uint32_t acked = next;
    for (unsigned i = 0; i < links; ++i) {
        accounting->add(LinkId(static_cast<std::uint8_t>(i)));
        model.add(i);
    }
    accounting->set_srtla_acks_absent(true);
    (void)accounting->on_srt_ack(Seq31(next), Instant{});
    std::uint32_t delivering = 0;
    for (int step = 0; step < 5000; ++step) {
        const std::uint32_t what = random.below(100);
        if (what < 80) {
            const unsigned to = random.below(links);
            const std::uint32_t sequence = random.below(15) == 0 ? (acked + random.below(30)) & Seq31::mask : next;
            accounting->note_sent(LinkId(static_cast<std::uint8_t>(to)), Seq31(sequence), Instant{});
            model.sent(to, sequence);
            if (sequence == next) next = (next + 1) & Seq31::mask;
        } else if (what < 90) {
            const std::uint32_t sequence = (next - random.below(60)) & Seq31::mask;
            const auto loss = accounting->on_lost(Seq31(sequence), Instant{});
            const auto charged = model.lost(sequence);
            REQUIRE(loss.link.value == (charged ? *charged : no_link.value));
        } else {
            const std::uint32_t open = (next - acked) & Seq31::mask;
            acked = (acked + random.below(std::min(open, 400u) + 1)) & Seq31::mask;
            std::uint32_t proof = 0;
            for (const std::uint32_t sequence : model.covered(acked)) {
                const auto holder = model.holder(sequence);
                REQUIRE(holder);
                proof |= 1u << *holder;
                delivering |= 1u << *holder;
                model.srtla_ack(sequence, delivering);
            }
            model.srt_ack(acked);
            REQUIRE(accounting->on_srt_ack(Seq31(acked), Instant{}) == proof);
            REQUIRE(accounting->on_srt_ack(Seq31(acked), Instant{}) == 0);  // the next copy proves nothing new
        }
        for (unsigned i = 0; i < links; ++i) {
            CAPTURE(seed, step, i);
            REQUIRE(accounting->in_flight(LinkId(static_cast<std::uint8_t>(i))) == model.at(i).in_flight);
            REQUIRE(accounting->window(LinkId(static_cast<std::uint8_t>(i))) == model.at(i).window);
        }
    }
    REQUIRE(accounting->is_consistent());
}

}  // namespace
}  // namespace hawser::test
