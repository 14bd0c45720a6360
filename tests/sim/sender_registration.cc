// SPDX-License-Identifier: MIT
// The sender against a scripted receiver: how uplinks join, and how they find their way back.
#include <catch2/catch.hpp>

#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using wire::SrtlaType;

namespace {

// Whether all uplinks are members at the receiver and know it.
auto all_joined(SenderLab& lab, std::size_t links) {
    return [&lab, links] {
        for (std::size_t i = 0; i < links; ++i)
            if (!lab.connected(i) || lab.receiver->link(SenderLab::uplink(i)) == nullptr) return false;
        return true;
    };
}

}  // namespace

TEST_CASE("uplinks join by REG2, NGP, REG1, REG2, REG2 on all, REG3, replies short or padded") {
    const bool pads = GENERATE(false, true);
    LabOptions options;
    options.uplinks = 4;
    SenderLab lab(options);
    lab.receiver->script.pads = pads;
    REQUIRE(lab.reach(all_joined(lab, 4), 200_ms));

    std::vector<SrtlaType> order;
    for (const auto& h : lab.receiver->heard()) order.push_back(static_cast<SrtlaType>(h.type));
    const std::vector<SrtlaType> expected{SrtlaType::reg2, SrtlaType::reg2, SrtlaType::reg2,
                                          SrtlaType::reg2, SrtlaType::reg1, SrtlaType::reg2,
                                          SrtlaType::reg2, SrtlaType::reg2, SrtlaType::reg2};
    REQUIRE(order.size() >= expected.size());
    CHECK(std::equal(expected.begin(), expected.end(), order.begin()));
    // The joining REG2s carry the group's id, of which the receiver made the second half.
    const auto& group = *lab.receiver->groups().back();
    for (std::size_t i = 5; i < 9; ++i) {
        const auto& bytes = lab.receiver->heard()[i].bytes;
        CHECK(std::equal(group.key.begin(), group.key.end(), bytes.begin() + 2, bytes.end()));
    }
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.receiver->unregistered_srt() == 0);
    CHECK(lab.count(EventKind::uplink_connected) == 4);
}

TEST_CASE("the group is asked for on the uplink whose answer comes first") {
    SenderLab lab;
    lab.world.path(SenderLab::uplink(0), SenderLab::receiver_at())->node<sim::Delay>().set({80_ms, {}, false});
    REQUIRE(lab.reach(all_joined(lab, 2), 500_ms));
    CHECK(lab.receiver->count(SrtlaType::reg1, SenderLab::uplink(0)) == 0);
    CHECK(lab.receiver->count(SrtlaType::reg1, SenderLab::uplink(1)) == 1);
}

TEST_CASE("an NGP that answers the probe on a slow uplink after the group was made does not unseat the group") {
    const Duration slow = GENERATE(15_ms, 40_ms, 100_ms, 400_ms);
    LabOptions options;
    options.uplinks = 4;
    SenderLab lab(options);
    lab.world.path(SenderLab::receiver_at(), SenderLab::uplink(3))->node<sim::Delay>().set({slow, {}, false});
    REQUIRE(lab.reach(all_joined(lab, 4), 3_s));
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.count(EventKind::group_lost) == 0);
}

TEST_CASE("a lost REG2 reply and the REG_ERR to the retry delay the start by seconds, not for ever") {
    const std::size_t links = GENERATE(1u, 2u, 4u);
    LabOptions options;
    options.uplinks = links;
    SenderLab lab(options);
    lab.receiver->script.reg2_lost = 1;
    REQUIRE(lab.reach(all_joined(lab, links), 6_s));
    CHECK(lab.receiver->unregistered_srt() == 0);
}

TEST_CASE("a receiver that refuses everybody is asked about once a second, and joined soon after it takes us") {
    const std::size_t links = GENERATE(1u, 2u, 4u);
    const SrtlaType answer = GENERATE(SrtlaType::reg_err, SrtlaType::reg_nak);
    LabOptions options;
    options.uplinks = links;
    SenderLab lab(options);
    lab.receiver->script.reg1_answer = answer;
    lab.run(20_s);
    CHECK(lab.receiver->count(SrtlaType::reg1) >= 10);
    // One each second, and a round at once for each new port.
    CHECK(lab.receiver->count(SrtlaType::reg1) <= 20 + 20);
    CHECK(lab.caller->counts().srtla == 0);
    lab.receiver->script.reg1_answer.reset();
    REQUIRE(lab.reach(all_joined(lab, links), 3_s));
    CHECK(lab.receiver->unregistered_srt() == 0);
}

TEST_CASE("uplinks whose answers take more than three seconds still find their group") {
    const std::size_t links = GENERATE(1u, 2u, 4u);
    const bool repeats = GENERATE(false, true);
    CAPTURE(links, repeats);
    LabOptions options;
    options.uplinks = links;
    options.shape.delay = 1600_ms;
    options.connect_caller = false;
    SenderLab lab(options);
    lab.receiver->script.repeats_reg2 = repeats;
    const auto any_joined = [&] {
        for (std::size_t i = 0; i < links; ++i)
            if (lab.connected(i)) return true;
        return false;
    };
    REQUIRE(lab.reach(any_joined, 13_s));  // three round trips, and what the questions on the way cost
    REQUIRE(lab.reach(all_joined(lab, links), 30_s));
}

TEST_CASE("when the uplink that was asked is lost, another asks at once") {
    SenderLab lab;
    lab.receiver->script.reg2_lost = 1;
    REQUIRE(lab.reach([&] { return lab.receiver->count(SrtlaType::reg1) == 1; }, 100_ms));
    const bool first = lab.receiver->count(SrtlaType::reg1, SenderLab::uplink(0)) == 1;
    lab.run(30_ms);  // the other has its NGP by now
    lab.remove_uplink(first ? 0 : 1);
    REQUIRE(lab.reach([&] { return lab.connected(first ? 1 : 0); }, 150_ms));
}

TEST_CASE("a receiver that repeats its REG2 costs one retry") {
    LabOptions options;
    options.uplinks = 1;
    SenderLab lab(options);
    lab.receiver->script.reg2_lost = 1;
    lab.receiver->script.repeats_reg2 = true;
    REQUIRE(lab.reach(all_joined(lab, 1), 1500_ms));
    CHECK(lab.receiver->groups_made() == 1);
}

TEST_CASE("a REG2 reply with a foreign half id or of another length is not taken") {
    const bool is_short = GENERATE(false, true);
    SenderLab lab;
    (is_short ? lab.receiver->script.reg2_short : lab.receiver->script.reg2_foreign) = 1;
    REQUIRE(lab.reach(all_joined(lab, 2), 6_s));
    // Every id that was asked for began with our half.
    const wire::GroupKey ours = group_key(1);
    for (const auto& h : lab.receiver->heard()) {
        if (h.type != static_cast<std::uint16_t>(SrtlaType::reg2)) continue;
        CHECK(std::equal(ours.begin(), ours.begin() + wire::group_id_sender_bytes, h.bytes.begin() + 2));
    }
    CHECK(lab.counter(Counter::drop_bad_registration) >= 1);
}

TEST_CASE("a restarted receiver is found again within four seconds, on the same sockets") {
    LabOptions options;
    options.uplinks = 4;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(3_s);
    std::vector<Endpoint> before;
    for (std::size_t i = 0; i < 4; ++i) before.push_back(lab.receiver->link(SenderLab::uplink(i))->address);
    lab.receiver->restart();
    REQUIRE(lab.reach(all_joined(lab, 4), 4_s));
    for (std::size_t i = 0; i < 4; ++i) CHECK(lab.receiver->link(SenderLab::uplink(i))->address == before[i]);
    CHECK(lab.receiver->groups_made() == 2);
    CHECK(lab.count(EventKind::group_lost) == 1);
    // And a new SRT connection flows.
    lab.caller->restart(wire::Seq31(77), 0x77);
    REQUIRE(lab.reach([&] { return lab.delivered() > 500; }, 5_s));
}

TEST_CASE("one uplink that the receiver silently forgot joins again, and the others never stop") {
    LabOptions options;
    options.uplinks = 3;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(3_s);
    const Endpoint before = lab.receiver->link(SenderLab::uplink(0))->address;
    lab.receiver->forget(SenderLab::uplink(0));
    REQUIRE(lab.reach([&] { return lab.receiver->link(SenderLab::uplink(0)) != nullptr; }, 4_s));
    CHECK(lab.receiver->link(SenderLab::uplink(0))->address == before);
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.connected(1));
    CHECK(lab.connected(2));
    CHECK(lab.count(EventKind::group_lost) == 0);
    CHECK(lab.count(EventKind::uplink_silent) == 0);
    REQUIRE(lab.reach(all_joined(lab, 3), 1_s));
}

TEST_CASE("an uplink that comes back from the dark joins the same group with the same id") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.set_dark(0, true);
    REQUIRE(lab.reach([&] { return lab.link(0).state == UplinkState::silent; }, 6_s));
    CHECK(lab.connected(1));
    lab.set_dark(0, false);
    REQUIRE(lab.reach(all_joined(lab, 2), 2_s));
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.receiver->count(SrtlaType::reg1) == 1);
}

TEST_CASE("after the dark on all uplinks the group is joined again, or made anew when it is gone") {
    const bool is_long = GENERATE(false, true);
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.set_dark(0, true);
    lab.set_dark(1, true);
    lab.run(is_long ? 40_s : 7_s);
    CHECK_FALSE(lab.connected(0));
    CHECK_FALSE(lab.connected(1));
    lab.set_dark(0, false);
    lab.set_dark(1, false);
    REQUIRE(lab.reach(all_joined(lab, 2), 3_s));
    CHECK(lab.receiver->groups_made() == (is_long ? 2 : 1));
}

TEST_CASE("a stray REG_ERR, NGP, REG2 or REG3 leaves healthy uplinks as they are") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    const std::size_t asked = lab.receiver->count(SrtlaType::reg1);
    const std::uint64_t delivered = lab.delivered();
    wire::GroupKey foreign{};
    for (int round = 0; round < 20; ++round) {
        for (const SrtlaType type : {SrtlaType::reg_err, SrtlaType::reg_ngp, SrtlaType::reg_nak, SrtlaType::reg3})
            lab.receiver->send_to_all(wire::build_padded(type));
        lab.receiver->send_to_all(wire::build_registration(SrtlaType::reg2, foreign));
        lab.receiver->send_to_all(wire::build_registration(SrtlaType::reg1, foreign));
        lab.run(100_ms);
        REQUIRE(lab.connected(0));
        REQUIRE(lab.connected(1));
    }
    CHECK(lab.receiver->count(SrtlaType::reg1) == asked);
    CHECK(lab.count(EventKind::group_lost) == 0);
    CHECK(lab.delivered() >= delivered + 900);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("when the first address of the receiver does not answer, all uplinks go to the next one together") {
    LabOptions options;
    options.receiver_listens = false;
    SenderLab lab(options);
    const bool refuses = GENERATE(false, true);  // a closed port, or nothing at all
    if (!refuses) lab.world.remove_address(lab.far, SenderLab::receiver_at(0));
    lab.receiver =
        std::make_unique<ScriptedReceiver>(lab.world, lab.far, SenderLab::receiver_at(1), SenderLab::server_at());
    lab.set_receiver({SenderLab::receiver_at(0), SenderLab::receiver_at(1)});
    REQUIRE(lab.reach(all_joined(lab, 2), 12_s));
    CHECK(lab.receiver->members() == 2);
    CHECK(lab.count(EventKind::receiver_changed) == 1);
    CHECK(lab.snapshot().receiver == SenderLab::receiver_at(1));
}

TEST_CASE("a name that changes moves nobody who is connected, and everybody when all are lost") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    ScriptedReceiver elsewhere(lab.world, lab.far, SenderLab::receiver_at(1), SenderLab::server_at());
    lab.set_receiver({SenderLab::receiver_at(1)});
    lab.run(5_s);
    CHECK(elsewhere.heard().empty());
    // A link that comes new, or back, goes to the group that lives.
    lab.remove_uplink(0);
    lab.run(100_ms);
    lab.add_uplink(0);
    REQUIRE(lab.reach(all_joined(lab, 2), 1_s));
    lab.receiver->set_deaf(true);
    REQUIRE(lab.reach([&] { return lab.connected(0) && lab.connected(1) && elsewhere.members() == 2; }, 20_s));
    CHECK(lab.count(EventKind::resolve_wanted) == 1);
    CHECK(lab.snapshot().receiver == SenderLab::receiver_at(1));
}

TEST_CASE("what a lookup says while no uplink is connected is tried at once") {
    SenderLab lab;
    lab.receiver->set_deaf(true);
    REQUIRE(lab.reach([&] { return lab.count(EventKind::resolve_wanted) == 1; }, 11_s));
    ScriptedReceiver elsewhere(lab.world, lab.far, SenderLab::receiver_at(1), SenderLab::server_at());
    lab.set_receiver({SenderLab::receiver_at(1)});
    REQUIRE(lab.reach([&] { return lab.connected(0) && lab.connected(1); }, 200_ms));
    CHECK(elsewhere.members() == 2);
}

TEST_CASE("an uplink keeps its port until it was refused three times") {
    LabOptions options;
    options.uplinks = 1;
    SenderLab lab(options);
    lab.receiver->script.reg1_answer = SrtlaType::reg_err;
    REQUIRE(lab.reach([&] { return lab.receiver->count(SrtlaType::reg1) == 3; }, 3_s));
    const Endpoint first = lab.link(0).local;
    for (const auto& h : lab.receiver->heard()) CHECK(h.from == first);
    lab.run(100_ms);
    CHECK_FALSE(lab.link(0).local == first);
}

TEST_CASE("an uplink that stays unanswered for half a minute tries another port, and leaves the others theirs") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const Endpoint dark = lab.link(0).local, light = lab.link(1).local;
    lab.set_dark(0, true);
    lab.run(28_s);
    CHECK(lab.link(0).local == dark);
    lab.run(5_s);
    CHECK_FALSE(lab.link(0).local == dark);
    CHECK(lab.link(1).local == light);
    lab.set_dark(0, false);
    REQUIRE(lab.reach(all_joined(lab, 2), 3_s));
    CHECK(lab.receiver->groups_made() == 1);
}

TEST_CASE("a receiver whose port is closed for a while is joined again, on the same sockets") {
    const Duration away = GENERATE(1_s, 3_s, 8_s);
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(2_s);
    const Endpoint before = lab.link(0).local;
    lab.receiver.reset();  // every send is answered by ICMP now
    lab.run(away);
    CHECK(lab.count(EventKind::uplink_error) >= 1);
    CHECK(lab.count(EventKind::uplink_error) <= 2 * (1 + static_cast<std::size_t>(away.ms()) / 1000));
    CHECK(lab.last(EventKind::uplink_error)->b == 0);  // not its socket
    lab.receiver =
        std::make_unique<ScriptedReceiver>(lab.world, lab.far, SenderLab::receiver_at(), SenderLab::server_at());
    REQUIRE(lab.reach(all_joined(lab, 2), 4_s));
    CHECK(lab.link(0).local == before);
}

TEST_CASE("a sender told to give up ends after ten seconds without a link, and one that is not never does") {
    const bool gives_up = GENERATE(true, false);
    const bool had_one = GENERATE(true, false);
    LabOptions options;
    options.sender.give_up = gives_up;
    options.receiver_listens = had_one;
    SenderLab lab(options);
    if (had_one) {
        REQUIRE(lab.settle());
        lab.receiver->set_deaf(true);
    }
    lab.run(9_s);
    CHECK_FALSE(lab.sender->sender.finished());
    lab.run(8_s);
    CHECK(lab.sender->sender.finished() == gives_up);
    CHECK(lab.sender->sender.failed() == gives_up);
    CHECK(lab.count(EventKind::no_connection) >= 1);
    if (gives_up) {
        REQUIRE(lab.last(EventKind::gave_up) != nullptr);
        CHECK(lab.last(EventKind::gave_up)->a == (had_one ? 1u : 0u));
    }
}

TEST_CASE("the receiver's own keepalives are a sign of life and are never echoed") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const Instant from = lab.world.now();
    for (int i = 0; i < 50; ++i) {
        lab.receiver->send_to_all(wire::build_padded(SrtlaType::keepalive));
        const std::array<std::uint8_t, 2> bare{0x90, 0x00};
        lab.receiver->send_to_all(bare);
        lab.run(100_ms);
    }
    // One a second and link.
    CHECK(lab.receiver->count(SrtlaType::keepalive, from) <= 12);
    CHECK(lab.receiver->count(SrtlaType::keepalive, from) >= 8);
}
