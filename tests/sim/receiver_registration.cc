// SPDX-License-Identifier: MIT
// Who gets into a receiver, who does not, and who makes room.
#include <catch2/catch.hpp>

#include "engine/base/random.h"
#include "tests/few_runs.h"
#include "tests/sim/receiver_rig.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;
using wire::SrtlaType;

TEST_CASE("the C sender's start: REG2 of its own id meets NGP, then REG1, REG2, and REG3 per link") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    wire::GroupKey own{};
    own.fill(0x55);
    for (unsigned n = 0; n < 4; ++n) {
        rig.from(phone(n), reg2(own));
        const auto answer = rig.take();
        REQUIRE(answer.size() == 1);
        CHECK(answer[0].is(SrtlaType::reg_ngp));
        CHECK(answer[0].to == phone(n));
        CHECK(answer[0].bytes.size() == wire::padded_bytes);
    }
    rig.from(phone(0), reg1(9));
    const auto answer = rig.take();
    REQUIRE(answer.size() == 1);
    REQUIRE(answer[0].is(SrtlaType::reg2));
    const wire::GroupKey key = key_in(answer[0]);
    const Packet asked = reg1(9);
    CHECK(std::equal(key.begin(), key.begin() + wire::group_id_sender_bytes, asked.begin() + 2));
    CHECK_FALSE(std::equal(key.begin() + 128, key.end(), asked.begin() + 2 + 128));
    for (unsigned n = 0; n < 4; ++n) {
        rig.from(phone(n), reg2(key));
        const auto joined = rig.take();
        REQUIRE(joined.size() == 1);
        CHECK(joined[0].is(SrtlaType::reg3));
        CHECK(joined[0].bytes.size() == wire::padded_bytes);
    }
    CHECK(rig.events(EventKind::receiver_group_created).size() == 1);
    CHECK(rig.events(EventKind::receiver_link_added).size() == 4);
}

TEST_CASE("Moblin's start: a probe of one id, a REG1 of another, on the same address") {
    ReceiverRig rig;
    wire::GroupKey probe{};
    probe.fill(0x11);
    rig.from(phone(1), reg2(probe));
    CHECK(rig.take().at(0).is(SrtlaType::reg_ngp));
    rig.join({phone(1), phone(2)}, 77);
}

TEST_CASE("the Rust sender's start: REG2 comes again seconds after REG3 and gets REG3 again") {
    ReceiverRig rig;
    const auto key = rig.join({phone(1)});
    for (int i = 0; i < 5; ++i) {
        rig.pass(5_s);
        rig.join_more(key, phone(1));
    }
    CHECK(rig.events(EventKind::receiver_link_added).size() == 1);
    CHECK(rig.events(EventKind::receiver_link_removed).empty());  // each REG2 counts as a sign of life
}

TEST_CASE("group ids of equal REG1s differ in the half that the receiver makes") {
    ReceiverRig rig;
    const auto a = rig.join({phone(1)}, 5);
    const auto b = rig.join({phone(2)}, 5);
    CHECK(std::equal(a.begin(), a.begin() + 128, b.begin()));
    CHECK_FALSE(std::equal(a.begin() + 128, a.end(), b.begin() + 128));
    // And the id of one is no key to the other.
    auto forged = a;
    forged[200] ^= 1;
    rig.from(phone(3), reg2(forged));
    CHECK(rig.take().at(0).is(SrtlaType::reg_ngp));
}

TEST_CASE("a repeated REG1 gets the same REG2 again, and makes no second group") {
    ReceiverRig rig;
    rig.from(phone(1), reg1(1));
    const Packet first = rig.take().at(0).bytes;
    for (int i = 0; i < 5; ++i) {
        rig.pass(1_s);
        rig.from(phone(1), reg1(1));
        CHECK(rig.take().at(0).bytes == first);
    }
    // Late copies after joining are answered alike: a refusal would take a healthy link from some senders.
    rig.from(phone(1), reg2(key_in({{}, {}, 0, {}, first})));
    rig.take();
    rig.from(phone(1), reg1(1));
    CHECK(rig.take().at(0).bytes == first);
    rig.pass(14_s);
    rig.from(phone(1), reg1(1));
    CHECK(rig.take().at(0).bytes == first);
    CHECK(rig.events(EventKind::receiver_group_created).size() == 1);
}

TEST_CASE("a REG1 leaves no trace, and of two answers the one that comes back makes the group") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.from(phone(1), reg1(1));
    const auto first = key_in(rig.take().at(0));
    rig.from(phone(1), reg1(2));
    const auto second = key_in(rig.take().at(0));
    CHECK(first != second);
    CHECK(rig.receiver.next_deadline() == never);
    CHECK(rig.events(EventKind::receiver_group_created).empty());
    rig.join_more(second, phone(2));  // another link's REG2 may be the first
    const auto created = rig.events(EventKind::receiver_group_created);
    REQUIRE(created.size() == 1);
    CHECK(created[0].endpoint == phone(1));
    rig.join_more(second, phone(1));
    CHECK(rig.events(EventKind::receiver_group_created).size() == 1);
}

TEST_CASE("an id is good for a minute, and no longer than two") {
    ReceiverRig rig;
    rig.from(phone(1), reg1(1));
    const auto key = key_in(rig.take().at(0));
    const bool is_late = GENERATE(false, true);
    rig.pass(is_late ? 120_s : 60_s);
    rig.from(phone(1), reg2(key));
    CHECK(rig.take().at(0).is(is_late ? SrtlaType::reg_ngp : SrtlaType::reg3));
}

TEST_CASE("a forged id, or another receiver's, is no group's") {
    ReceiverRig rig;
    bond::ReceiverOptions o;
    ReceiverRig other(o);
    rig.from(phone(1), reg1(1));
    auto key = key_in(rig.take().at(0));
    for (const std::size_t byte : {0u, 127u, 128u, 143u, 144u, 167u, 255u}) {
        auto forged = key;
        forged[byte] ^= 1;
        rig.from(phone(1), reg2(forged));
        CHECK(rig.take().at(0).is(SrtlaType::reg_ngp));
    }
    CHECK(rig.events(EventKind::receiver_group_created).empty());
    rig.join_more(key, phone(1));
}

TEST_CASE("ten thousand REG1s a second from everywhere keep nobody out and evict nobody") {
    bond::ReceiverOptions o;
    o.groups_max = 20;
    ReceiverRig rig(o);
    rig.audits = false;
    rig.set_server({srt_server});
    rig.join({phone(1), phone(2)}, 1);
    rig.establish(phone(1), 100, 200, 1000);
    const SocketId server = rig.server_socket();
    hawser::Random random(1);
    std::uint32_t sequence = 1000;
    std::uint64_t answers = 0;
    const auto flood = [&](int milliseconds) {
        for (int i = 0; i < milliseconds * 10; ++i) {
            rig.pass(100_us);
            // Most from anywhere, some from the network of the sender that is to come.
            const std::uint32_t address = i % 10 == 0 ? 0x0A00'0A00u + random.below(256)
                                                      : static_cast<std::uint32_t>(random.next()) | 0x8000'0000u;
            const Endpoint from = Endpoint::from_v4(address, static_cast<std::uint16_t>(1024 + random.below(60000)));
            rig.from(from, reg1(static_cast<std::uint8_t>(random.below(256))));
            for (const Sent& s : rig.take()) answers += s.is(SrtlaType::reg2) && s.to == from ? 1 : 0;
            if (i % 1000 != 0) continue;
            rig.data(phone(1), sequence++, 200);
            rig.from(phone(2), Packet{0x90, 0x00});
            rig.from_server(server, sim::make_ack(1, wire::Seq31(sequence), {0, 100}));
            rig.take();
        }
    };
    flood(3000);
    CHECK(answers == 30'000);
    // The C sender's way: a link each, a packet a second.
    wire::GroupKey own{};
    rig.from(phone(10), reg2(own));
    REQUIRE(rig.take_to(phone(10)).at(0).is(SrtlaType::reg_ngp));
    flood(200);
    rig.from(phone(10), reg1(9));
    const auto answer = rig.take_to(phone(10));
    REQUIRE(answer.size() == 1);
    REQUIRE(answer[0].is(SrtlaType::reg2));
    flood(1000);
    for (const unsigned n : {10u, 11u}) {
        rig.from(phone(n), reg2(key_in(answer[0])));
        REQUIRE(rig.take_to(phone(n)).at(0).is(SrtlaType::reg3));
    }
    flood(1000);
    rig.data(phone(10), 5, 1);
    CHECK(rig.take_to(srt_server).size() == 1);
    rig.data(phone(1), sequence, 200);
    CHECK(rig.take_to(srt_server).size() == 1);
    CHECK(rig.events(EventKind::receiver_group_evicted).empty());
    CHECK(rig.events(EventKind::receiver_group_created).size() == 2);
    CHECK(rig.receiver.counters()[Counter::registrations_refused] == 0);
    CHECK(rig.receiver.is_consistent());
}

TEST_CASE("a REG2 that is forged with a good id cannot take a live link's address, nor make a group there") {
    ReceiverRig rig;
    rig.join({phone(1)}, 1);
    rig.from(phone(9), reg1(9));
    const auto key = key_in(rig.take().at(0));
    rig.from(phone(1), reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));
    CHECK(rig.events(EventKind::receiver_group_created).size() == 1);
    CHECK(rig.events(EventKind::receiver_link_removed).empty());
}

TEST_CASE("an address that another group is heard on is refused, and free once it has been silent") {
    ReceiverRig rig;
    rig.join({phone(1)}, 1);
    const auto other = rig.join({phone(2)}, 2);
    SECTION("for REG2") {
        rig.from(phone(1), reg2(other));
        CHECK(rig.take().at(0).is(SrtlaType::reg_err));
        rig.pass(5_s);
        rig.from(phone(1), reg2(other));
        CHECK(rig.take().at(0).is(SrtlaType::reg3));
    }
    SECTION("for REG1") {
        rig.from(phone(1), reg1(3));
        CHECK(rig.take().at(0).is(SrtlaType::reg_err));
        rig.pass(5_s);
        rig.from(phone(1), reg1(3));
        const auto answer = rig.take();
        REQUIRE(answer.at(0).is(SrtlaType::reg2));
        CHECK(rig.events(EventKind::receiver_link_removed).empty());  // anybody may have said that
        rig.join_more(key_in(answer[0]), phone(1));
        CHECK(rig.events(EventKind::receiver_link_removed).size() == 1);
    }
}

TEST_CASE("the link after the last is refused while all are live, and takes a silent one's place after") {
    bond::ReceiverOptions o;
    o.links_per_group_max = GENERATE(8u, 16u, 32u);
    ReceiverRig rig(o);
    std::vector<Endpoint> links;
    for (unsigned n = 0; n < o.links_per_group_max; ++n) links.push_back(phone(n));
    const auto key = rig.join(links);
    const Endpoint late = phone(100);
    rig.from(late, reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));
    // All but number 3 stay live.
    for (int second = 0; second < 4; ++second) {
        rig.pass(1_s);
        for (unsigned n = 0; n < links.size(); ++n)
            if (n != 3) rig.from(links[n], Packet{0x90, 0x00});
    }
    rig.take();
    rig.from(late, reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg3));
    const auto evicted = rig.events(EventKind::receiver_link_evicted);
    REQUIRE(evicted.size() == 1);
    CHECK(evicted[0].endpoint == links[3]);
}

TEST_CASE("a sender that opens new ports every five seconds for a minute never runs out of slots") {
    const unsigned count = GENERATE(4u, 8u);
    ReceiverRig rig;
    rig.set_server({srt_server});
    std::vector<Endpoint> links;
    for (unsigned n = 0; n < count; ++n) links.push_back(phone(n, 10000));
    const auto key = rig.join(links);
    for (std::uint16_t round = 1; round <= 12; ++round) {
        rig.pass(5_s);
        for (unsigned n = 0; n < count; ++n) {
            const auto port = static_cast<std::uint16_t>(10000 + round);
            rig.join_more(key, phone(n, port));  // insists on REG3
            rig.data(phone(n, port), round * 100u + n, 1);
        }
    }
    CHECK(rig.receiver.counters()[Counter::registrations_refused] == 0);
    CHECK(rig.receiver.counters()[Counter::srt_data] == 12 * count);
}

TEST_CASE("IPv4 and IPv6 links share a group") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(1), phone6(1), phone6(2)});
    rig.data(phone6(2), 5, 1);
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("groups of one network are capped, unanswered, and told once a second") {
    ReceiverRig rig;
    std::size_t answers = 0;
    for (unsigned i = 0; i < 1000; ++i) {
        // Addresses of one /24, with many ports, that read their answers.
        const Endpoint from = Endpoint::from_v4(0xC0000200u + (i & 0xFF), static_cast<std::uint16_t>(1000 + i / 256));
        rig.from(from, reg1(static_cast<std::uint8_t>(i)));
        rig.from(from, reg2(key_in(rig.take().at(0))));
        for (const Sent& s : rig.take()) {
            CHECK(s.is(SrtlaType::reg3));
            ++answers;
        }
    }
    CHECK(answers == rig.options.prefix_burst);
    // Somebody else is served meanwhile.
    rig.join({phone(1)});
    rig.pass(3_s);
    const auto told = rig.events(EventKind::receiver_refusing);
    REQUIRE(told.size() == 1);
    CHECK(told[0].a == static_cast<std::uint32_t>(RefusalReason::rate));
    CHECK(told[0].b == 1000 - rig.options.prefix_burst);
    // The bucket fills again.
    rig.join({Endpoint::from_v4(0xC0000201u, 9)});
}

TEST_CASE("REG1s that name one network are answered at its senders' pace, whoever sends them") {
    ReceiverRig rig;
    rig.audits = false;
    const Endpoint link = Endpoint::from_v4(0xC000'0201u, 9);
    const auto key = rig.join({link}, 1);
    rig.take();
    std::uint64_t answers = 0;
    constexpr int questions = 40'000;
    for (int i = 0; i < questions; ++i) {  // 20,000 a second: twice the rate that the other flood has
        rig.pass(50_us);
        rig.from(Endpoint::from_v4(0xC000'0200u + static_cast<std::uint32_t>(i & 0xFF), 7), reg1(2));
        answers += rig.take().size();
        if (i % 1000 != 0) continue;
        // A link of that very network is answered all the same.
        rig.from(link, reg1(1));
        const auto again = rig.take();
        REQUIRE(again.size() == 1);
        CHECK(key_in(again[0]) == key);
    }
    const std::uint64_t most = rig.options.answers_burst + 2 * rig.options.answers_per_second;
    CHECK(answers <= most + 1);
    CHECK(answers >= most - 1);
    CHECK(rig.receiver.counters()[Counter::registrations_refused] == questions - answers);
    rig.join({phone(1)}, 3);
    rig.pass(2_s);
    const auto told = rig.events(EventKind::receiver_refusing);
    REQUIRE_FALSE(told.empty());
    CHECK(told.size() <= 3);
    for (const Event& e : told) CHECK(e.a == static_cast<std::uint32_t>(RefusalReason::answer_rate));
    rig.join({Endpoint::from_v4(0xC000'0203u, 9)}, 4);
}

TEST_CASE("links that ask in vain to join a full table take nothing from their network's limit") {
    bond::ReceiverOptions o;
    o.groups_max = 4;
    o.global_burst = 100;
    ReceiverRig rig(o);
    for (unsigned n = 0; n < 4; ++n) rig.join({phone(10 + n)}, static_cast<std::uint8_t>(n));
    const auto in_one_network = [](unsigned i) { return Endpoint::from_v4(0xC000'0200u + i, 7000); };
    rig.from(in_one_network(1), reg1(100));
    const auto key = key_in(rig.take().at(0));
    rig.from(in_one_network(100), reg1(101));
    const auto other = key_in(rig.take().at(0));
    // Sixteen links, each once a second, while all groups are young.
    for (int second = 0; second < 4; ++second) {
        for (unsigned i = 1; i <= 16; ++i) {
            rig.from(in_one_network(i), reg2(key));
            CHECK(rig.take().at(0).is(SrtlaType::reg_err));
        }
        rig.pass(1_s);
    }
    // Just before they are expendable he is told so once more, and the look at all of them has a pace of its own.
    rig.pass(950_ms);
    rig.from(in_one_network(1), reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));
    rig.pass(60_ms);
    rig.from(in_one_network(1), reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));
    rig.pass(50_ms);
    rig.from(in_one_network(1), reg2(key));
    CHECK(rig.take().at(0).is(SrtlaType::reg3));
    rig.from(in_one_network(100), reg2(other));
    CHECK(rig.take().at(0).is(SrtlaType::reg3));
    CHECK(rig.events(EventKind::receiver_group_evicted).size() == 2);
}

TEST_CASE("groups from everywhere leave established ones alone, and newcomers get in when they end") {
    bond::ReceiverOptions o;
    o.groups_max = 20;
    ReceiverRig rig(o);
    rig.set_server({srt_server});
    rig.join({phone(1)}, 1);
    rig.establish(phone(1), 100, 200, 1000);
    const SocketId server = rig.server_socket();
    hawser::Random random(1);
    std::uint32_t sequence = 1000;
    for (int ms = 0; ms < 10000; ms += 5) {
        rig.pass(5_ms);
        const Endpoint stranger = Endpoint::from_v4(static_cast<std::uint32_t>(random.next()) | 0x80000000u, 1);
        rig.from(stranger, reg1(1));
        rig.from(stranger, reg2(key_in(rig.take_to(stranger).at(0))));
        if (ms % 100 == 0) {
            rig.data(phone(1), sequence++, 200);
            rig.from_server(server, sim::make_ack(1, wire::Seq31(sequence), {0, 100}));
        }
        rig.take();
    }
    rig.data(phone(1), sequence, 200);
    CHECK(rig.take_to(srt_server).size() == 1);
    CHECK(rig.receiver.counters()[Counter::registrations_refused] > 1500);
    rig.pass(5_s);
    rig.data(phone(1), ++sequence, 200);
    rig.join({phone(2)}, 2);  // the table is still full of strangers without an SRT ACK
}

TEST_CASE("a full table gives way in order: no link, no SRT ACK, idle; a live group never") {
    bond::ReceiverOptions o;
    o.groups_max = 3;
    o.global_burst = 100;
    o.link_silence = 2_s;
    ReceiverRig rig(o);
    rig.set_server({srt_server});
    const auto live = [&] {
        rig.data(phone(1), 5, 1);
        rig.from_server(SocketId(1), sim::make_ack(1, wire::Seq31(6), {0, 1}));
    };
    const auto alive = [&](unsigned n) { rig.from(phone(n), Packet{0x90, 0x00}); };
    rig.join({phone(1)}, 1);
    live();
    rig.join({phone(2)}, 2);
    rig.join({phone(3)}, 3);
    rig.data(phone(3), 5, 1);
    // All are young: the newcomer is told so, when he asks to join.
    rig.take();
    rig.from(phone(4), reg1(4));
    const auto fourth = key_in(rig.take().at(0));
    rig.from(phone(4), reg2(fourth));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));
    // Phone 3 falls silent: its group keeps its place for later, but not before others.
    for (int i = 0; i < 4; ++i) {
        rig.pass(1_s);
        live();
        alive(2);
    }
    rig.join_more(fourth, phone(4));
    auto gone = rig.events(EventKind::receiver_group_evicted);
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].group == GroupId(2));
    for (int i = 0; i < 2; ++i) {
        rig.pass(1_s);
        live();
        alive(2);
        alive(4);
    }
    rig.join({phone(5)}, 5);
    gone = rig.events(EventKind::receiver_group_evicted);
    REQUIRE(gone.size() == 2);
    CHECK(gone[1].group == GroupId(1));  // phone 2: a link, but never an SRT ACK
    rig.take();
    rig.from(phone(6), reg1(6));
    rig.from(phone(6), reg2(key_in(rig.take().at(0))));
    CHECK(rig.take().at(0).is(SrtlaType::reg_err));  // phones 4 and 5 are young, phone 1 is live
    // And it is idle sooner than it is silent.
    for (int i = 0; i < 6; ++i) {
        rig.pass(1_s);
        for (const unsigned n : {1u, 4u, 5u}) alive(n);
        for (const std::uint16_t socket : {std::uint16_t{4}, std::uint16_t{5}})
            if (i == 0) rig.from_server(SocketId(socket), sim::make_ack(1, wire::Seq31(6), {0, 1}));
        rig.data(phone(4), 5, 1);
        rig.data(phone(5), 5, 1);
    }
    rig.join({phone(6)}, 6);
    gone = rig.events(EventKind::receiver_group_evicted);
    REQUIRE(gone.size() == 3);
    CHECK(gone[2].group == GroupId(0));
}

TEST_CASE("a group without data goes with its last link, one with data thirty seconds after its last packet") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    rig.join({phone(9)}, 9);
    rig.join({phone(1)}, 1);
    rig.data(phone(1), 5, 1);
    rig.pass(14_s);
    CHECK(rig.events(EventKind::receiver_link_removed).empty());
    rig.pass(3_s);
    CHECK(rig.events(EventKind::receiver_link_removed).size() == 2);
    CHECK(rig.events(EventKind::receiver_group_removed).size() == 1);
    rig.pass(15_s);
    CHECK(rig.events(EventKind::receiver_group_removed).size() == 2);
    CHECK(rig.receiver.next_deadline() == never);  // an idle receiver never wakes
}

TEST_CASE("a link that only sends keepalives stays") {
    ReceiverRig rig;
    rig.join({phone(1)});
    for (int i = 0; i < 120; ++i) {
        rig.pass(1_s);
        rig.from(phone(1), Packet{0x90, 0x00});
    }
    CHECK(rig.events(EventKind::receiver_link_removed).empty());
}

TEST_CASE("a link that only repeats its REG2 stays") {
    ReceiverRig rig;
    const auto key = rig.join({phone(1)});
    for (int i = 0; i < 12; ++i) {
        rig.pass(10_s);
        rig.from(phone(1), reg2(key));
        CHECK(rig.take_to(phone(1)).at(0).is(SrtlaType::reg3));
    }
    CHECK(rig.events(EventKind::receiver_link_removed).empty());
}

TEST_CASE("a flood of REG2s of ids that are nobody's costs an answer shorter than each, and leaves no trace") {
    ReceiverRig rig;
    rig.audits = false;
    rig.set_server({srt_server});
    const auto key = rig.join({phone(1)});
    hawser::Random random(3);
    std::uint64_t answers = 0;
    for (int i = 0; i < 20'000; ++i) {
        wire::GroupKey id = key;  // the sender's half may be known; ours may not be guessed
        store_be64(id.data() + wire::group_id_sender_bytes, random.next());
        const Endpoint from = Endpoint::from_v4(static_cast<std::uint32_t>(random.next()) | 0x8000'0000u, 7000);
        rig.from(from, reg2(id));
        for (const Sent& s : rig.take()) {
            answers += s.is(SrtlaType::reg_ngp) ? 1 : 0;
            REQUIRE(s.bytes.size() <= wire::padded_bytes);
        }
    }
    CHECK(answers == 20'000);
    CHECK(rig.events(EventKind::receiver_group_created).size() == 1);
    CHECK(rig.events(EventKind::receiver_link_added).size() == 1);
    rig.from(phone(2), reg2(key));
    CHECK(rig.take_to(phone(2)).at(0).is(SrtlaType::reg3));
}

TEST_CASE("with an allow-list, whoever is not on it is not answered") {
    bond::ReceiverOptions o;
    o.allowed[0].address = Endpoint::from_v4(0x0A000000, 0).address;
    o.allowed[0].bits = 96 + 23;
    o.allowed[1].address = phone6(0).address;
    o.allowed[1].bits = 56;
    o.allowed_count = 2;
    ReceiverRig rig(o);
    rig.join({phone(0), phone(1), phone6(1)});
    for (const Endpoint& stranger : {phone(2), phone6(0x100)}) {
        rig.from(stranger, reg1(1));
        wire::GroupKey key{};
        rig.from(stranger, reg2(key));
    }
    CHECK(rig.take().empty());
    rig.pass(2_s);
    const auto told = rig.events(EventKind::receiver_refusing);
    REQUIRE(told.size() == 1);
    CHECK(told[0].a == static_cast<std::uint32_t>(RefusalReason::not_allowed));
    CHECK(told[0].b == 4);
}

TEST_CASE("a thousand groups of sixteen links live and age out in slices") {
    constexpr std::uint32_t groups = runs(1024u, 128u);
    bond::ReceiverOptions o;
    o.groups_max = groups;
    o.prefix_burst = 100000;
    ReceiverRig rig(o);
    rig.audits = false;
    rig.set_server({srt_server});
    for (unsigned g = 0; g < groups; ++g) {
        const auto at = [&](unsigned l) {
            return Endpoint::from_v4(0x0A000000u + g, static_cast<std::uint16_t>(1000 + l));
        };
        rig.from(at(0), reg1(static_cast<std::uint8_t>(g)));
        const auto key = key_in(rig.take().at(0));
        for (unsigned l = 0; l < 16; ++l) rig.from(at(l), reg2(key));
        rig.take();
        if (g % 64 == 0) rig.data(at(0), 1, 1);
        rig.take();
    }
    CHECK(rig.open_sockets() == groups + 1);
    CHECK(rig.receiver.is_consistent());
    ReceiverSnapshot s;
    s.reserve(groups, groups * 16);
    rig.receiver.fill(s, rig.now);
    CHECK(s.groups().size() == groups);
    CHECK(s.links().size() == groups * 16);
    CHECK(s.links_of(s.groups()[groups / 8]).size() == 16);
    rig.pass(16_s);
    CHECK(rig.receiver.is_consistent());
    rig.pass(44_s);
    CHECK(rig.receiver.is_consistent());
    CHECK(rig.open_sockets() == 1);
    CHECK(rig.events(EventKind::receiver_link_removed).size() == groups * 16);
    CHECK(rig.events(EventKind::receiver_group_removed).size() == groups);
    CHECK(rig.receiver.next_deadline() == never);
}
