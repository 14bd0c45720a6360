// SPDX-License-Identifier: MIT
// The classic selector inside a running sender, held against the reference's accounting as its documentation and
// behaviour describe it (tests/property/accounting_model.h), event by event: the link of each packet, every window,
// every in-flight count. The traces have no wrap, no new session and no NAK that comes twice, where both must agree.
#include <catch2/catch.hpp>

#include "tests/few_runs.h"
#include "tests/property/accounting_model.h"
#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using wire::SrtlaType;

namespace {

constexpr std::size_t uplinks = 4;

class Reference {
public:
    explicit Reference(SenderLab& lab) : lab_(lab) {
        lab.sender->after = [this](const Completion* c) { on_call(c); };
    }
    ~Reference() { lab_.sender->after = nullptr; }

    std::uint64_t chosen = 0;  // packets whose link was compared
    std::uint64_t disagreements = 0;
    std::uint64_t failures = 0;

private:
    void on_call(const Completion* c) {
        lab_.sender->sender.fill(now_, lab_.world.now());
        for (unsigned i = 0; i < uplinks; ++i) {
            const bool is_there = now_.uplinks[i].state != UplinkState::absent;
            if (is_there && !known_[i]) model_.add(i);
            if (!is_there && known_[i]) model_.remove(i);
            known_[i] = is_there;
        }
        if (c != nullptr && c->tag == bond::Sender::local_tag)
            on_local(lab_.bytes(*c));
        else if (c != nullptr)
            on_uplink(lab_.bytes(*c), (c->tag & 0xFFFF) - 1);
        for (unsigned i = 0; i < uplinks; ++i) {
            if (before_.uplinks[i].state == UplinkState::connected && now_.uplinks[i].state != UplinkState::connected) {
                model_.fail(i);
                ++failures;
            }
        }
        for (ModelLink& link : model_.links()) {
            const UplinkSnapshot& ours = now_.uplinks[link.id];
            if (ours.window != link.window || ours.in_flight != link.in_flight) ++disagreements;
        }
        before_ = now_;
    }
    void on_local(Bytes packet) {
        const auto srt = wire::SrtPacket::over(packet);
        if (!srt || !srt->is_data()) return;
        const auto expected = model_.pick(alive());
        for (unsigned i = 0; i < uplinks; ++i) {
            if (now_.uplinks[i].packets_out == before_.uplinks[i].packets_out) continue;
            ++chosen;
            if (expected != i) ++disagreements;
            model_.sent(i, srt->sequence().raw());
        }
    }
    void on_uplink(Bytes packet, unsigned link) {
        if (before_.uplinks[link].state != UplinkState::connected) return;
        const auto type = wire::packet_type(packet);
        if (type == static_cast<std::uint16_t>(SrtlaType::ack)) {
            const auto ack = wire::SrtlaAck::over(packet);
            for (std::size_t i = 0; i < ack->count(); ++i) model_.srtla_ack(ack->at(i)->raw(), alive());
        }
        const auto srt = wire::SrtPacket::over(packet);
        if (!srt || srt->is_data()) return;
        if (srt->control_type() == wire::SrtControl::ack) model_.srt_ack(wire::ack_next_expected(*srt)->raw());
        if (srt->control_type() == wire::SrtControl::nak)
            wire::LossList::over(srt->body(), 100'000)->each([&](wire::Seq31 s) { model_.lost(s.raw()); });
    }
    [[nodiscard]] std::uint32_t alive() const {
        std::uint32_t mask = 0;
        for (unsigned i = 0; i < uplinks; ++i)
            if (before_.uplinks[i].state == UplinkState::connected) mask |= 1u << i;
        return mask;
    }

    SenderLab& lab_;
    AccountingModel model_{false};
    SenderSnapshot before_;
    SenderSnapshot now_;
    std::array<bool, uplinks> known_{};
};

}  // namespace

TEST_CASE("classic chooses, counts and scores as the reference does, event by event") {
    const std::uint64_t seed = GENERATE(range(1u, runs(4u, 2u)));
    CAPTURE(seed);
    LabOptions options;
    options.seed = seed;
    options.uplinks = uplinks;
    options.caller.packets_per_second = 800;
    SenderLab lab(options);
    lab.receiver->script.broadcasts_naks = false;
    Reference reference(lab);
    REQUIRE(lab.settle());
    // Four unlike links: quick, slow and long, lossy, and one that falls dark for a while.
    for (std::size_t i = 0; i < uplinks; ++i) {
        sim::Path& up = *lab.world.path(SenderLab::uplink(i), SenderLab::receiver_at());
        up.node<sim::Delay>().set({Duration{static_cast<std::int64_t>(8 + 17 * i) * 1'000'000}, 2_ms, false});
        if (i == 1) up.node<sim::Rate>().set({1'500'000, 64 * 1024});
        if (i == 2) up.node<sim::Loss>().set(30'000);
    }
    lab.run(20_s);
    lab.set_dark(3, true);
    lab.run(10_s);
    lab.set_dark(3, false);
    lab.run(10_s);
    CHECK(reference.disagreements == 0);
    CHECK(reference.chosen > 25'000);
    CHECK(reference.failures == 1);
    CHECK(lab.counter(Counter::srt_naks) > 50);
    CHECK(lab.counter(Counter::srtla_acks_in) > 1'000);
}
