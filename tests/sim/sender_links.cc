// SPDX-License-Identifier: MIT
// The sender against a scripted receiver: sockets that fail, addresses that come and go, uplinks added and removed.
#include <cerrno>

#include <catch2/catch.hpp>

#include "tests/sim/harness_sender.h"

using namespace hawser;
using namespace hawser::test;
using wire::SrtlaType;

TEST_CASE("a full socket buffer sends the packet elsewhere and leaves the uplink its window") {
    const int error = GENERATE(EAGAIN, ENOBUFS);
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(2_s);
    const std::int32_t window = lab.link(0).window;
    const std::uint64_t dropped = lab.counter(Counter::drop_no_uplink);
    lab.world.fail_sends(SenderLab::uplink(0), error, lab.world.now() + 1_s);
    lab.run(1_s);
    CHECK(lab.link(0).window >= window - 2000);
    CHECK(lab.connected(0));
    CHECK(lab.counter(Counter::sends_deferred) > 0);
    CHECK(lab.counter(Counter::sends_rerouted) > 0);
    CHECK(lab.link(0).deferred > 0);
    lab.run(1_s);
    CHECK(lab.server->session().unique + 30 >= lab.caller->counts().sent);
    CHECK(lab.caller->counts().sent_again == 0);
    CHECK(lab.counter(Counter::drop_no_uplink) == dropped);
    const std::uint64_t carried = lab.link(0).packets_out;
    lab.run(1_s);
    CHECK(lab.link(0).packets_out > carried + 50);
}

TEST_CASE("when every uplink is full, packets are dropped and counted, and the next ones flow") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    for (std::size_t i = 0; i < 2; ++i) lab.world.fail_sends(SenderLab::uplink(i), EAGAIN, lab.world.now() + 200_ms);
    lab.run(200_ms);
    CHECK(lab.counter(Counter::drop_no_uplink) > 0);
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
    CHECK(lab.count(EventKind::no_uplink_for_data) >= 1);
    CHECK(lab.count(EventKind::no_uplink_for_data) <= 3);
    lab.run(2_s);
    // SRT asked again for what was dropped.
    CHECK(lab.server->session().unique + 30 >= lab.caller->counts().sent);
    CHECK(lab.server->session().given_up == 0);
}

TEST_CASE("the silence that loses an uplink can be changed while it runs") {
    SenderLab lab;
    REQUIRE(lab.settle());
    Command c;
    c.kind = CommandKind::set_silence;
    c.span = 15_s;
    lab.command(c);
    lab.set_dark(0, true);
    lab.run(10_s);
    CHECK(lab.connected(0));
    c.span = 1_s;
    lab.command(c);
    CHECK(lab.reach([&] { return !lab.connected(0); }, 2_s));
    CHECK(lab.connected(1));
}

TEST_CASE("an uplink whose network is gone is down at once, and comes back by itself") {
    const int error = GENERATE(ENETUNREACH, EADDRNOTAVAIL, ENODEV, EPERM);
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.run(1_s);
    const Instant gone = lab.world.now();
    lab.world.fail_sends(SenderLab::uplink(0), error, gone + 5_s);
    REQUIRE(lab.reach([&] { return !lab.connected(0); }, 100_ms));
    lab.run(5_s);
    CHECK(lab.count(EventKind::uplink_error) >= 1);
    CHECK(lab.count(EventKind::uplink_error) <= 6);    // at most once a second
    CHECK(lab.last(EventKind::uplink_error)->b == 1);  // its socket is lost
    CHECK(lab.connected(1));
    REQUIRE(lab.reach([&] { return lab.connected(0); }, 2_s));
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.server->session().unique + 60 >= lab.caller->counts().sent);
    CHECK(lab.caller_is_unharmed());
}

TEST_CASE("an uplink that cannot carry a packet is named, and the packet goes by another") {
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    SenderLab lab(options);
    const bool is_known = GENERATE(false, true);  // the kernel knew the path's limit at open, or only says so at send
    lab.world.path(SenderLab::uplink(0), SenderLab::receiver_at())->payload_bytes_max = 1200;
    if (!is_known) {
        lab.world.path(SenderLab::uplink(0), SenderLab::receiver_at())->payload_bytes_max = 0;
        REQUIRE(lab.settle());
        lab.world.path(SenderLab::uplink(0), SenderLab::receiver_at())->payload_bytes_max = 1200;
    }
    REQUIRE(lab.settle());
    lab.run(3_s);
    CHECK(lab.connected(0));
    CHECK(lab.server->session().unique + 30 >= lab.caller->counts().sent);
    CHECK(lab.caller->counts().sent_again == 0);
    if (!is_known) {
        CHECK(lab.count(EventKind::uplink_too_large) == 1);
        CHECK(lab.last(EventKind::uplink_too_large)->link == SenderLab::id(0));
        CHECK(lab.last(EventKind::uplink_too_large)->a == 1332);
        CHECK(lab.link(0).too_large >= 1);
        CHECK(lab.counter(Counter::sends_too_large) >= 1);
    }
}

TEST_CASE("when no uplink can carry a packet, that is said and counted") {
    LabOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    SenderLab lab(options);
    REQUIRE(lab.settle());
    for (std::size_t i = 0; i < 2; ++i)
        lab.world.path(SenderLab::uplink(i), SenderLab::receiver_at())->payload_bytes_max = 1200;
    lab.run(3_s);
    CHECK(lab.count(EventKind::uplink_too_large) == 2);
    CHECK(lab.counter(options.mode == select::Mode::adaptive ? Counter::packets_given_up : Counter::drop_no_uplink) >
          0);
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
}

TEST_CASE("a router that names a smaller MTU costs an uplink nothing but a line and a count") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const Endpoint before = lab.link(0).local;
    std::vector<std::uint8_t> slab(4 * pool_slot_bytes);
    Pool pool(slab, pool_slot_bytes);
    bond::Actions out(pool);
    Completion c;
    c.kind = Completion::Kind::broken;
    c.tag = bond::Sender::uplink_tag(SenderLab::id(0), 0);
    c.error = EMSGSIZE;
    for (int times = 0; times < 2; ++times) {
        for (std::uint16_t socket = 0; socket < 8; ++socket) {  // one of them is the uplink's
            c.socket = SocketId(socket);
            lab.sender->on_broken(c, lab.world.now(), out);
        }
    }
    CHECK(lab.link(0).too_large == 2);
    REQUIRE(out.events().size() == 1);
    CHECK(out.events()[0].kind == EventKind::uplink_too_large);
    CHECK(out.closes().empty());
    CHECK(lab.connected(0));
    lab.run(3_s);
    CHECK(lab.connected(0));
    CHECK(lab.link(0).local == before);
    CHECK(lab.count(EventKind::uplink_error) == 0);
}

TEST_CASE("an uplink whose address is not there yet is tried each second and joins when it appears") {
    LabOptions options;
    SenderLab lab(options);
    const bool is_fault = GENERATE(false, true);
    if (is_fault)
        lab.world.fail_open(SenderLab::uplink(0), EACCES);
    else
        lab.world.remove_address(lab.near, SenderLab::uplink(0));
    REQUIRE(lab.reach([&] { return lab.connected(1); }, 1_s));
    lab.run(10_s);
    CHECK(lab.link(0).state == UplinkState::closed);
    CHECK(lab.count(EventKind::uplink_open_failed) == 1);
    CHECK(lab.last(EventKind::uplink_open_failed)->a == static_cast<std::uint32_t>(is_fault ? EACCES : EADDRNOTAVAIL));
    if (is_fault)
        lab.world.fail_open(SenderLab::uplink(0), 0);
    else
        lab.world.add_address(lab.near, SenderLab::uplink(0));
    REQUIRE(lab.reach([&] { return lab.connected(0); }, 1500_ms));
    CHECK(lab.receiver->groups_made() == 1);
}

TEST_CASE("removing and adding uplinks leaves the others' sockets, windows and membership alone") {
    LabOptions options;
    options.uplinks = 4;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(5_s);
    const Endpoint before = lab.receiver->link(SenderLab::uplink(1))->address;
    const std::size_t joins = lab.receiver->count(SrtlaType::reg2, SenderLab::uplink(1));
    const std::int32_t window = lab.link(1).window;
    REQUIRE(window > link::window_default);
    lab.remove_uplink(0);
    lab.remove_uplink(3);
    lab.run(3_s);
    CHECK(lab.link(0).state == UplinkState::absent);
    CHECK(lab.count(EventKind::uplink_removed) == 2);
    lab.add_uplink(0);
    REQUIRE(lab.reach([&] { return lab.connected(0); }, 1_s));
    CHECK(lab.receiver->link(SenderLab::uplink(1))->address == before);
    CHECK(lab.receiver->count(SrtlaType::reg2, SenderLab::uplink(1)) == joins);
    CHECK(lab.link(1).window >= window - 1000);
    CHECK(lab.receiver->groups_made() == 1);
    lab.run(1_s);
    CHECK(lab.server->session().unique + 60 >= lab.caller->counts().sent);
}

TEST_CASE("a sender whose uplinks are all removed waits, and starts again with new ones") {
    SenderLab lab;
    REQUIRE(lab.settle());
    lab.remove_uplink(0);
    lab.remove_uplink(1);
    lab.run(20_s);
    CHECK_FALSE(lab.sender->sender.finished());
    CHECK(lab.counter(Counter::drop_no_uplink) > 0);
    lab.add_uplink(1);
    REQUIRE(lab.reach([&] { return lab.connected(1); }, 3_s));
}

TEST_CASE(
    "an uplink that is suspended is left at once, keeps its place, and is back a round trip after it is renewed") {
    LabOptions options;
    options.uplinks = 3;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(5_s);
    const std::uint64_t before = lab.link(1).packets_out, dropped = lab.counter(Counter::drop_no_uplink);
    REQUIRE(before > 0);
    lab.suspend_uplink(1);
    lab.run(10_ms);
    CHECK(lab.link(1).state == UplinkState::closed);
    const std::uint64_t given_up = lab.server->session().given_up;
    lab.run(10_s);
    CHECK(lab.link(1).state == UplinkState::closed);
    CHECK(lab.counter(Counter::drop_no_uplink) == dropped);
    CHECK(lab.server->session().given_up == given_up);
    // Nothing is tried while there is nothing: no error, and no wake-up for it.
    CHECK(lab.count(EventKind::uplink_open_failed) == 0);
    lab.renew_uplink(1, SenderLab::uplink(1));
    REQUIRE(lab.reach([&] { return lab.connected(1); }, 200_ms));
    lab.run(3_s);
    CHECK(lab.link(1).packets_out > before);
    CHECK(lab.link(1).failures == 1);
    CHECK(lab.count(EventKind::uplink_removed) == 0);
    CHECK(lab.receiver->groups_made() == 1);
}

TEST_CASE("an uplink that is renewed with another address moves to it and is one link all the while") {
    LabOptions options;
    options.uplinks = 3;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(3_s);
    lab.remove_uplink(2);
    lab.run(1_s);
    const UplinkSnapshot before = lab.link(1);
    REQUIRE(before.packets_out > 0);
    REQUIRE(before.packets_in > 0);
    lab.renew_uplink(1, SenderLab::uplink(2));
    REQUIRE(
        lab.reach([&] { return lab.connected(1) && lab.link(1).local.address == SenderLab::uplink(2).address; }, 1_s));
    // In its place, and with what it has carried: nothing that counts by the link sees another one.
    const auto goes_on = [&](auto figure) { return lab.link(1).*figure >= before.*figure; };
    CHECK(lab.link(1).tenancy == before.tenancy);
    CHECK(lab.link(2).state == UplinkState::absent);
    CHECK(lab.link(1).failures == before.failures + 1);
    CHECK(goes_on(&UplinkSnapshot::packets_out));
    CHECK(goes_on(&UplinkSnapshot::bytes_out));
    CHECK(goes_on(&UplinkSnapshot::packets_in));
    CHECK(goes_on(&UplinkSnapshot::bytes_in));
    CHECK(goes_on(&UplinkSnapshot::wire_bytes_out));
    CHECK(goes_on(&UplinkSnapshot::wire_bytes_in));
    CHECK(goes_on(&UplinkSnapshot::naks));
    lab.run(3_s);
    CHECK(lab.link(1).packets_out > before.packets_out);
    CHECK(lab.link(1).bytes_out > before.bytes_out);
    CHECK(lab.link(1).packets_in > before.packets_in);
    CHECK(lab.receiver->groups_made() == 1);
    CHECK(lab.receiver->link(SenderLab::uplink(2)) != nullptr);
    CHECK(lab.count(EventKind::uplink_removed) == 1);
    CHECK(lab.server->session().given_up == 0);
}

TEST_CASE("an uplink behind a translator that forgot it is a member again within four seconds") {
    SenderLab lab;
    lab.world.set_nat(SenderLab::uplink(0), Endpoint::from_v4(0xC6336401, 0));
    REQUIRE(lab.reach([&] { return lab.connected(0) && lab.connected(1) && lab.caller->connected(); }, 1_s));
    lab.run(3_s);
    lab.world.renumber(SenderLab::uplink(0));
    const Endpoint outside = lab.receiver->link(Endpoint::from_v4(0xC6336401, 0))->address;
    REQUIRE(lab.reach([&] { return lab.receiver->link(Endpoint::from_v4(0xC6336401, 0))->address != outside; }, 4_s));
    lab.run(3_s);
    CHECK(lab.connected(0));
    CHECK(lab.connected(1));
    CHECK(lab.server->session().given_up == 0);
}

TEST_CASE("nothing leaves on an uplink before its REG3, whatever the caller sends") {
    LabOptions options;
    options.uplinks = 4;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    SenderLab lab(options);
    // One uplink's replies are slow: it hears its REG3 long after the others.
    lab.world.path(SenderLab::receiver_at(), SenderLab::uplink(3))->node<sim::Delay>().set({900_ms, {}, false});
    REQUIRE(lab.reach([&] { return lab.delivered() > 100; }, 3_s));
    CHECK_FALSE(lab.connected(3));
    CHECK(lab.link(3).packets_out == 0);
    CHECK(lab.receiver->unregistered_srt() == 0);
    REQUIRE(lab.reach([&] { return lab.connected(3); }, 5_s));
    CHECK(lab.receiver->unregistered_srt() == 0);
}

TEST_CASE("a sender at rest wakes once a second") {
    LabOptions options;
    options.connect_caller = false;
    options.uplinks = 4;
    SenderLab lab(options);
    REQUIRE(lab.settle());
    lab.run(2_s);
    const std::uint64_t keepalives = lab.counter(Counter::keepalives_out);
    const std::uint64_t in = lab.counter(Counter::uplink_packets_in);
    lab.run(10_s);
    CHECK(lab.counter(Counter::keepalives_out) == keepalives + 40);
    CHECK(lab.counter(Counter::uplink_packets_in) == in + 40);
    CHECK(lab.counter(Counter::registrations_out) <= 9);
}

TEST_CASE("what the operator says of an uplink changes while it stays, and goes with it") {
    SenderLab lab;
    REQUIRE(lab.settle());
    const auto say = [&](bool metered) {
        Command c;
        c.kind = CommandKind::set_uplink;
        c.link = LinkId(1);
        c.uplink.settings.metered = metered;
        lab.command(c);
        lab.run(100_ms);
    };
    CHECK_FALSE(lab.link(1).metered);
    say(true);
    CHECK(lab.link(1).metered);
    CHECK_FALSE(lab.link(0).metered);
    CHECK(lab.link(1).state == UplinkState::connected);
    say(false);
    CHECK_FALSE(lab.link(1).metered);
    say(true);
    lab.remove_uplink(1);
    lab.run(100_ms);
    lab.add_uplink(1);
    lab.run(100_ms);
    CHECK_FALSE(lab.link(1).metered);
}
