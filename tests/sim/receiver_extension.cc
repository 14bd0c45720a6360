// SPDX-License-Identifier: MIT
// What a receiver does beyond SRTLA for senders that ask for it, and only for them.
#include <catch2/catch.hpp>

#include <malloc.h>

#include <utility>

#include "engine/wire/extension.h"
#include "engine/wire/report.h"
#include "tests/sim/receiver_rig.h"
#include "tests/sim/records.h"
#include "tests/vectors/extension.h"
#include "tests/vectors/hex.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;
using wire::DeliveryReport;
using wire::Extension;
using wire::SrtlaType;

namespace {

constexpr Extension reports_wanted{true, false, 10'000};

Packet reg1_offering(std::uint8_t seed, const Extension& offer) {
    Packet packet = reg1(seed);
    wire::write_offer(wire::extension_half(MutableBytes(packet).subspan(2)), offer);
    return packet;
}
wire::GroupKey join_offering(ReceiverRig& rig, const std::vector<Endpoint>& links, const Extension& offer) {
    rig.take();
    rig.from(links.at(0), reg1_offering(1, offer));
    const auto answers = rig.take_to(links[0]);
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].is(SrtlaType::reg2));
    const wire::GroupKey key = key_in(answers[0]);
    for (const Endpoint& link : links) rig.join_more(key, link);
    return key;
}
std::optional<Extension> answer_of(const wire::GroupKey& key) {
    return wire::answer_in(wire::extension_half(Bytes(key)));
}
bool is_report(const Sent& sent) { return sent.type() == wire::report_type; }
std::vector<Sent> reports_in(const std::vector<Sent>& sent) {
    std::vector<Sent> found;
    for (const Sent& s : sent)
        if (is_report(s)) found.push_back(s);
    return found;
}

}  // namespace

TEST_CASE("an offer is answered in the REG2, within the receiver's bounds; no offer, no answer") {
    ReceiverRig rig;
    CHECK(answer_of(join_offering(rig, {phone(1)}, {true, false, 10'000})) == Extension{true, false, 10'000});
    CHECK(answer_of(join_offering(rig, {phone(2)}, {true, false, 0})) == Extension{true, false, 5'000});
    CHECK(answer_of(join_offering(rig, {phone(3)}, {true, false, 0xFFFFFFFF})) == Extension{true, false, 1'000'000});
    CHECK_FALSE(answer_of(join_offering(rig, {phone(4)}, {false, false, 10'000})));
    CHECK_FALSE(answer_of(rig.join({phone(5)}, 5)));
    // Damaged: as if there were none.
    Packet damaged = reg1_offering(6, reports_wanted);
    damaged[2 + 128 + 9] = 200;
    rig.from(phone(6), damaged);
    CHECK_FALSE(answer_of(key_in(rig.take().at(0))));
}

TEST_CASE("an offer of a later program is answered for the part that is known") {
    ReceiverRig rig;
    Packet packet = reg1(1);
    const auto offer = vectors::from_hex(vectors::extension::offer_of_the_future);
    std::copy(offer.begin(), offer.end(), packet.begin() + 2 + 128);
    packet[2 + 128 + 20] = 3;  // delivery reports too
    rig.from(phone(1), packet);
    const auto answer = answer_of(key_in(rig.take().at(0)));
    REQUIRE(answer);
    CHECK(answer->delivery_reports);
    CHECK(answer->report_interval_us == 5'000);
}

TEST_CASE("the answer is part of the id: repeated REG1s get it again, and an id with another answer is not ours") {
    ReceiverRig rig;
    const Packet ask = reg1_offering(1, reports_wanted);
    rig.from(phone(1), ask);
    const wire::GroupKey key = key_in(rig.take().at(0));
    rig.pass(1_s);
    rig.from(phone(1), ask);
    CHECK(key_in(rig.take().at(0)) == key);
    for (const std::size_t at : {128u, 136u, 143u, 147u, 160u, 191u, 192u, 255u}) {
        wire::GroupKey forged = key;
        forged[at] ^= 1;
        rig.from(phone(2), reg2(forged));
        CHECK(rig.take().at(0).is(SrtlaType::reg_ngp));
    }
    rig.join_more(key, phone(1));
    rig.from(phone(1), ask);
    CHECK(key_in(rig.take().at(0)) == key);
    // The offer is no answer: who gives back what it asked gets nothing.
    wire::GroupKey echoed = key;
    std::copy(ask.begin() + 2 + 128, ask.end(), echoed.begin() + 128);
    rig.from(phone(3), reg2(echoed));
    CHECK(rig.take().at(0).is(SrtlaType::reg_ngp));
}

TEST_CASE("what is granted to nobody takes no memory, and is missed by none") {
    bond::ReceiverOptions o;
    std::vector<std::uint8_t> slab(64 * pool_slot_bytes);
    Pool pool(slab, pool_slot_bytes);
    const auto taken_by = [&](bool reports, bool hold) {
        o.delivery_reports = reports;
        o.reorder_hold = hold;
        const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
        const std::size_t before = in_use();
        const auto receiver = std::make_unique<bond::Receiver>(o, pool, Entropy{});
        return in_use() - before;
    };
    // A sanitizer's allocator is not asked.
    if (const std::size_t all = taken_by(true, true); all != 0) {
        const std::size_t holds = o.groups_max * sizeof(bond::ReorderHold);
        const std::size_t entries = sizeof(Instant) * wire::report_entries_max;
        const std::size_t reports = o.groups_max * o.links_per_group_max * entries;
        CHECK(taken_by(true, false) >= reports + holds);  // a report says what the hold expects
        CHECK(taken_by(false, true) + reports <= all);
        CHECK(taken_by(false, false) + reports + holds <= all);
    }
    o.delivery_reports = o.reorder_hold = false;
    o.groups_max = 2;
    ReceiverRig rig(o);
    rig.set_server({srt_server});
    const auto key = join_offering(rig, {phone(1), phone(2)}, reports_wanted);
    CHECK_FALSE(answer_of(key));
    rig.establish(phone(1), 100, 200, 1000);
    rig.data(phone(1), 1000, 200);
    rig.data(phone(2), 1002, 200);
    rig.from_server(rig.server_socket(), sim::make_ack(1, wire::Seq31(1001), {0, 100}));
    rig.from_server(rig.server_socket(), sim::make_nak_of_words({1001}, {0, 100}));
    rig.from(phone(1), Packet{0x90, 0x00});
    rig.from(phone(1), control(wire::SrtControl::shutdown, 200));
    rig.take();
    rig.pass(60_s);
    CHECK(rig.events(EventKind::receiver_link_removed).size() == 2);
    CHECK(rig.events(EventKind::receiver_group_removed).size() == 1);
}

TEST_CASE("groups whose ids begin their half alike are all found") {
    bond::ReceiverOptions o;
    o.groups_max = 100;
    o.prefix_burst = 100;
    ReceiverRig rig(o);
    std::vector<wire::GroupKey> keys;
    for (unsigned n = 0; n < 100; ++n) keys.push_back(join_offering(rig, {phone(n)}, reports_wanted));
    CHECK(rig.events(EventKind::receiver_group_created).size() == 100);
    for (unsigned n = 0; n < 100; ++n) rig.join_more(keys[n], phone(n));
    CHECK(rig.events(EventKind::receiver_link_added).size() == 100);
}

TEST_CASE("a link's packets are reported on that link, at once, then each interval, and once more after the last") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1), phone(2)}, reports_wanted);
    rig.data(phone(1), 100, 7);
    rig.pass(0_ms);
    auto sent = reports_in(rig.take());
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to == phone(1));
    const Instant first = rig.now;
    rig.pass(3_ms);
    rig.data(phone(1), 101, 7);
    rig.data(phone(2), 55, 7);
    rig.pass(100_ms);
    sent = reports_in(rig.take());
    REQUIRE(sent.size() == 4);
    CHECK(sent[0].to == phone(2));
    CHECK(sent[1].to == phone(1));
    CHECK(sent[1].at == first + 10_ms);
    const auto report = DeliveryReport::over(sent[1].bytes);
    REQUIRE(report);
    REQUIRE(report->count() == 2);
    CHECK(report->number() == 2);
    CHECK(report->at(0)->sequence == wire::Seq31(100));
    CHECK(report->at(0)->age_us() == 10'000);
    CHECK(report->at(1)->age_us() == 7'000);
    CHECK(report->clock_us() == static_cast<std::uint32_t>(sent[1].at.ns / 1000));
    CHECK(sent[2].at == first + 23_ms);  // number 2's, repeated
    CHECK(sent[3].at == first + 30_ms);
    CHECK(rig.receiver.counters()[Counter::reports_out] == 5);
    ReceiverSnapshot s;
    s.reserve(1, 2);
    rig.receiver.fill(s, rig.now);
    CHECK(s.groups()[0].wants_reports);
    CHECK(s.links()[0].reports_out == 3);
    CHECK(s.links()[1].reports_out == 2);
}

TEST_CASE("parity of SRT's packet filter is not reported, and data of a stream that numbers no messages are") {
    for (const bool numbers : {false, true}) {
        ReceiverRig rig;
        rig.set_server({srt_server});
        join_offering(rig, {phone(1)}, reports_wanted);
        for (std::uint32_t i = 0; i < 6; ++i) {
            Packet packet = sim::make_data(wire::Seq31(100 + i), false, {0, 7}, Packet(100));
            if (!numbers || i % 2 == 1) store_be32(packet.data() + 4, 0xC0000000);
            rig.from(phone(1), packet);
        }
        rig.pass(100_ms);
        const auto sent = reports_in(rig.take());
        REQUIRE(!sent.empty());
        CHECK(DeliveryReport::over(sent.back().bytes)->arrived() == (numbers ? 3 : 6));
    }
}

TEST_CASE("a burst of one turn is reported whole, sixteen packets at a time") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1)}, reports_wanted);
    for (std::uint32_t i = 0; i < 50; ++i) rig.data(phone(1), i, 7);
    const auto sent = reports_in(rig.take());
    REQUIRE(sent.size() == 3);
    CHECK(DeliveryReport::over(sent[2].bytes)->arrived() == 48);
    CHECK(DeliveryReport::over(sent[2].bytes)->count() == 32);
}

TEST_CASE("a link that asks is reported by another one too, for a while, where that was agreed") {
    for (const bool agreed : {true, false}) {
        Extension wanted = reports_wanted;
        wanted.reports_by_others = agreed;
        ReceiverRig rig;
        rig.set_server({srt_server});
        const wire::GroupKey key = join_offering(rig, {phone(1), phone(2), phone(3)}, wanted);
        CHECK(answer_of(key)->reports_by_others == agreed);
        for (std::uint32_t i = 0; i < 40; ++i) rig.data(phone(2), 100 + i, 7);
        rig.pass(100_ms);
        rig.data(phone(1), 140, 7);
        rig.data(phone(3), 141, 7);
        rig.take();
        const auto keepalive = [&](std::uint32_t connection) {
            const auto bytes = wire::build_keepalive(5, wire::Telemetry{.connection = connection});
            rig.from(phone(2), Packet(bytes.begin(), bytes.end()));
        };
        keepalive(6);
        for (const Sent& s : reports_in(rig.take())) CHECK_FALSE(DeliveryReport::over(s.bytes)->link());
        keepalive(6 | wire::report_ask_bit);
        auto copies = reports_in(rig.take());
        if (!agreed) {
            CHECK(copies.empty());
            continue;
        }
        // What the link brought last is said again, though its own way has had it twice.
        REQUIRE(copies.size() == 1);
        CHECK(copies[0].to != phone(2));
        const auto report = DeliveryReport::over(copies[0].bytes);
        REQUIRE(report);
        CHECK(report->link() == 6u);
        CHECK(report->arrived() == 40);
        CHECK(report->count() == 40);
        CHECK(copies[0].bytes.size() <= wire::report_bytes_max);
        // And what it brings from now on, until nobody has asked for a fifth of a second.
        rig.pass(50_ms);
        rig.take();
        rig.data(phone(2), 142, 7);
        rig.pass(0_ms);
        copies = reports_in(rig.take());
        REQUIRE(copies.size() == 2);
        CHECK(copies[0].to == phone(2));
        CHECK_FALSE(DeliveryReport::over(copies[0].bytes)->link());
        CHECK(DeliveryReport::over(copies[1].bytes)->link() == 6u);
        CHECK(rig.receiver.counters()[Counter::reports_by_others_out] == 2);
        rig.pass(300_ms);
        rig.take();
        rig.data(phone(2), 143, 7);
        rig.pass(0_ms);
        CHECK(reports_in(rig.take()).size() == 1);
    }
}

TEST_CASE("a link that is alone in its group is reported by itself only") {
    Extension wanted = reports_wanted;
    wanted.reports_by_others = true;
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1)}, wanted);
    for (std::uint32_t i = 0; i < 20; ++i) rig.data(phone(1), 100 + i, 7);
    rig.pass(100_ms);
    rig.take();
    const auto bytes = wire::build_keepalive(5, wire::Telemetry{.connection = wire::report_ask_bit});
    rig.from(phone(1), Packet(bytes.begin(), bytes.end()));
    CHECK(reports_in(rig.take()).empty());
    CHECK(rig.receiver.counters()[Counter::reports_by_others_out] == 0);
}

TEST_CASE("the echo of a keepalive follows the report of all that came before it") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1)}, reports_wanted);
    rig.data(phone(1), 100, 7);
    rig.pass(0_ms);
    rig.data(phone(1), 101, 7);
    rig.take();
    rig.from(phone(1), Packet{0x90, 0x00});
    auto sent = rig.take();
    REQUIRE(sent.size() == 2);
    CHECK(is_report(sent[0]));
    CHECK(DeliveryReport::over(sent[0].bytes)->arrived() == 2);
    CHECK(sent[1].is(SrtlaType::keepalive));
    // Once more for what was said once; then there is nothing left to say.
    rig.from(phone(1), Packet{0x90, 0x00});
    CHECK(rig.take().size() == 2);
    rig.from(phone(1), Packet{0x90, 0x00});
    CHECK(rig.take().size() == 1);
}

TEST_CASE("reports name the sequence before which all have come, on whichever link, or are given up by the server") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1), phone(2)}, reports_wanted);
    const auto said = [&] {
        rig.pass(100_ms);
        const auto reports = reports_in(rig.take());
        REQUIRE_FALSE(reports.empty());
        return DeliveryReport::over(reports.back().bytes)->next_expected();
    };
    rig.data(phone(1), 100, 7);
    CHECK(said() == wire::Seq31(101));
    rig.data(phone(1), 102, 7);
    CHECK(said() == wire::Seq31(101));
    rig.data(phone(2), 101, 7);
    CHECK(said() == wire::Seq31(103));
    rig.data(phone(2), 110, 7);
    rig.from_server(rig.server_socket(), sim::make_ack(1, wire::Seq31(105), {0, 5}));
    CHECK(said() == wire::Seq31(105));
    // One of another session says nothing of this one.
    rig.data(phone(2), 111, 7);
    rig.from_server(rig.server_socket(), sim::make_ack(2, wire::Seq31(1'000'105), {0, 5}));
    CHECK(said() == wire::Seq31(105));
}

TEST_CASE("who offered nothing gets byte for byte what a receiver without extensions sends") {
    const auto play = [](bool extensions) {
        bond::ReceiverOptions o;
        o.delivery_reports = o.reorder_hold = extensions;
        ReceiverRig rig(o);
        rig.set_server({srt_server});
        rig.join({phone(1), phone(2)}, 9);
        rig.establish(phone(1), 5, 6, 1000);
        std::vector<Sent> all;
        for (std::uint32_t i = 0; i < 200; ++i) {
            rig.data(phone(1 + i % 2), 1000 + (i ^ 3), 6);
            if (i % 20 == 0) rig.from(phone(1), Packet{0x90, 0x00});
            if (i % 30 == 0) rig.from_server(rig.server_socket(), sim::make_ack(i, wire::Seq31(1000 + i), {0, 5}));
            rig.pass(3_ms);
            for (const Sent& s : rig.take()) all.push_back(s);
        }
        return all;
    };
    const auto with = play(true);
    const auto without = play(false);
    REQUIRE(with.size() == without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
        REQUIRE(with[i].bytes == without[i].bytes);
        REQUIRE(with[i].to == without[i].to);
        REQUIRE(with[i].at == without[i].at);
        REQUIRE_FALSE(is_report(with[i]));
    }
}

TEST_CASE("a receiver that was told not to report answers no offer, and a sender that asked gets plain SRTLA") {
    bond::ReceiverOptions o;
    o.delivery_reports = false;
    ReceiverRig rig(o);
    rig.set_server({srt_server});
    CHECK_FALSE(answer_of(join_offering(rig, {phone(1)}, reports_wanted)));
    for (std::uint32_t i = 0; i < 20; ++i) rig.data(phone(1), i, 7);
    rig.pass(100_ms);
    CHECK(reports_in(rig.take()).empty());
}

// ---- The reorder hold

namespace {

constexpr Extension all_wanted{true, true, 10'000};

// HSREQ or HSRSP.
Packet with_latency(Packet handshake, bool is_request) {
    store_be16(handshake.data() + 22, 1);
    return sim::with_latency(std::move(handshake), {is_request, 0xBF, 1000, 0});
}

// Two links, a session of 1000 ms that begins with sequence 1000, timestamp 0 at `begun`.
struct Held {
    static constexpr std::uint32_t caller = 5, server = 6;
    ReceiverRig rig;
    Instant begun;

    explicit Held(const bond::ReceiverOptions& o = {}, const Extension& offer = all_wanted) : rig(o) {
        rig.set_server({srt_server});
        join_offering(rig, {phone(1), phone(2)}, offer);
        begin_session(caller, server, 1000);
    }
    void begin_session(std::uint32_t c, std::uint32_t s, std::uint32_t isn) {
        rig.from(phone(1), induction(c));
        rig.from_server(rig.server_socket(), conclusion_answer(c, c, wire::handshake_induction));
        rig.from(phone(1), with_latency(conclusion(c, isn), true));
        rig.from_server(rig.server_socket(), with_latency(conclusion_answer(c, s), false));
        begun = rig.now;
        rig.take();
    }
    // Stamped with the time it is sent.
    void data(unsigned n, std::uint32_t sequence, std::uint32_t to = server) {
        rig.from(phone(n), sim::make_data(wire::Seq31(sequence), false,
                                          {static_cast<std::uint32_t>((rig.now - begun).us()), to}, Packet(100)));
    }
    std::vector<std::uint32_t> at_server() {
        std::vector<std::uint32_t> sequences;
        for (const Sent& s : rig.take_to(srt_server))
            if ((s.bytes.at(0) & 0x80) == 0) sequences.push_back(load_be32(s.bytes.data()));
        return sequences;
    }
    HoldFigures figures() {
        ReceiverSnapshot s;
        s.reserve(1, 2);
        rig.receiver.fill(s, rig.now);
        return s.groups()[0].hold;
    }
};
using Sequences = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("who asked for it has its packets handed over in order, each once") {
    Held t;
    CHECK(t.rig.events(EventKind::receiver_group_created).at(0).b == 1);
    t.data(1, 1000);
    t.data(2, 1002);
    t.data(2, 1003);
    t.data(2, 1002);
    t.rig.pass(50_ms);
    CHECK(t.at_server() == Sequences{1000});
    CHECK(t.figures().depth == 2);
    t.data(1, 1001);
    t.data(1, 1000);
    CHECK(t.at_server() == Sequences{1001, 1002, 1003});
    t.rig.pass(2_s);
    CHECK(t.at_server().empty());
    CHECK(t.figures().duplicates == 2);
    CHECK(t.rig.receiver.counters()[Counter::hold_waits] == 2);
    CHECK(t.rig.receiver.counters()[Counter::hold_duplicates] == 2);
    CHECK(t.figures().wait_max == 50_ms);
}

TEST_CASE("a packet waits until 60 ms before the server is to hand it over, and the gap is given up then") {
    Held t;
    t.rig.pass(5_s);
    t.data(1, 1000);
    t.data(2, 1002);
    CHECK(t.at_server() == Sequences{1000});
    t.rig.pass(939_ms);
    CHECK(t.at_server().empty());
    t.rig.pass(1_ms);
    CHECK(t.at_server() == Sequences{1002});
    CHECK(t.rig.receiver.counters()[Counter::hold_given_up] == 1);
    // It comes after all.
    t.data(1, 1001);
    CHECK(t.at_server() == Sequences{1001});
    CHECK(t.rig.receiver.counters()[Counter::hold_late] == 1);
}

TEST_CASE("where the handshake went past unseen a packet waits 200 ms") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1)}, all_wanted);
    rig.data(phone(1), 10, 7);
    rig.data(phone(1), 12, 7);
    CHECK(rig.take_to(srt_server).size() == 1);
    rig.pass(199_ms);
    CHECK(rig.take_to(srt_server).empty());
    rig.pass(1_ms);
    CHECK(rig.take_to(srt_server).size() == 1);
}

TEST_CASE("timestamps of any value hold no packet longer than the session's latency") {
    Held t;
    t.data(1, 1000);
    for (const std::uint32_t stamp : {0u, 0x7FFFFFFFu, 0xFFFFFFFFu, 3'000'000'000u})
        t.rig.from(phone(1), sim::make_data(wire::Seq31(1002 + stamp % 7), false, {stamp, Held::server}, Packet(100)));
    t.rig.pass(1_s);
    CHECK(t.figures().depth == 0);
}

TEST_CASE("SRT's control packets do not wait behind data, but a shutdown lets the data go first") {
    Held t;
    t.data(1, 1000);
    t.data(1, 1002);
    t.rig.take();
    t.rig.from(phone(1), control(wire::SrtControl::ackack, Held::server));
    auto sent = t.rig.take_to(srt_server);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].is(wire::SrtControl::ackack));
    t.rig.from(phone(1), control(wire::SrtControl::shutdown, Held::server));
    sent = t.rig.take_to(srt_server);
    REQUIRE(sent.size() == 2);
    CHECK(load_be32(sent[0].bytes.data()) == 1002);
    CHECK(sent[1].is(wire::SrtControl::shutdown));
}

TEST_CASE("parity of SRT's packet filter, which bears the sequence of a data packet, passes beside it") {
    Held t;
    t.data(1, 1000);
    Packet parity = sim::make_data(wire::Seq31(1000), false, {0, Held::server}, Packet(100));
    store_be32(parity.data() + 4, 0xC0000000);
    t.rig.from(phone(1), parity);
    t.rig.from(phone(2), parity);
    CHECK(t.at_server() == Sequences{1000, 1000, 1000});
    CHECK(t.figures().duplicates == 0);
}

TEST_CASE("what the server gave up is not waited for, and what it asks for again is no duplicate") {
    Held t;
    t.data(1, 1000);
    t.data(1, 1005);
    t.rig.from_server(t.rig.server_socket(), sim::make_ack(1, wire::Seq31(1005), {0, Held::caller}));
    CHECK(t.at_server() == Sequences{1000, 1005});
    t.rig.from_server(t.rig.server_socket(),
                      sim::make_nak({{wire::Seq31(1000), wire::Seq31(1000)}}, {0, Held::caller}));
    t.data(2, 1000);
    t.data(2, 1005);
    CHECK(t.at_server() == Sequences{1000});
}

TEST_CASE("a new session lets go of the old one's packets and begins with its own sequence") {
    Held t;
    const Records records(t.rig.receiver.recorder());
    t.data(1, 1000);
    t.data(1, 1002);
    t.rig.pass(500_ms);
    t.begin_session(77, 88, 500'000);
    CHECK(t.rig.events(EventKind::receiver_session_replaced).size() == 1);
    CHECK(t.figures().depth == 0);
    // The one that waited is told of, with why.
    const auto dropped = records.of(Decision::local_dropped);
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0].detail == static_cast<std::uint32_t>(Counter::drop_session_over));
    t.data(1, 500'001, 88);
    CHECK(t.at_server().empty());
    t.data(1, 500'000, 88);
    CHECK(t.at_server() == Sequences{500'000, 500'001});
    // And its own time.
    t.data(1, 500'003, 88);
    t.rig.pass(939_ms);
    CHECK(t.at_server().empty());
    t.rig.pass(1_ms);
    CHECK(t.at_server() == Sequences{500'003});
}

TEST_CASE("a long gap that closes lets go of all that waited, over as many turns as it takes, in order") {
    Held t;
    t.rig.audits = false;
    Sequences expected{1000};
    for (std::uint32_t s = 1000; s < 1400; ++s) {
        if (s == 1000) continue;
        t.data(1 + s % 2, s);
        expected.push_back(s);
    }
    CHECK(t.figures().depth == 399);
    t.at_server();
    t.data(1, 1000);
    t.rig.pass(0_ms);
    CHECK(t.at_server() == expected);
    CHECK(t.rig.receiver.is_consistent());
}

TEST_CASE("the hold never takes what the pool needs to receive with: the oldest gaps are given up, and it is told") {
    Held t;
    t.rig.audits = false;
    const std::uint32_t all = t.rig.pool.slots() / bond::HeldPackets::share_held;
    const std::uint32_t most = (all * bond::HeldPackets::times_left_max + 4) / (bond::HeldPackets::times_left_max + 1);
    for (std::uint32_t s = 1001; s < 1001 + 4 * most; s += 2) {
        t.data(1, s);
        REQUIRE(t.rig.pool.free_slots() >= t.rig.pool.slots() / 2);
    }
    CHECK(t.figures().depth == most);
    CHECK(t.figures().depth_max == most);
    CHECK(t.figures().bounded > 0);
    t.rig.pass(5_s);
    CHECK(t.figures().depth == 0);
    CHECK(t.at_server().size() == 2 * most);
    CHECK(t.rig.events(EventKind::receiver_hold_bounded).size() == 1);
}

TEST_CASE("a group that goes, and a receiver that stops, give back what they held, to the server while it hears") {
    Held t;
    t.data(1, 1000);
    t.data(1, 1002);
    t.rig.take();
    t.rig.stop();
    const auto sent = t.rig.take_to(srt_server);
    REQUIRE(sent.size() == 2);
    CHECK(load_be32(sent[0].bytes.data()) == 1002);
    CHECK(sent[1].is(wire::SrtControl::shutdown));
    CHECK(t.rig.pool.free_slots() == t.rig.pool.slots());
}

TEST_CASE("a receiver that was told not to hold passes packets as they come, and says so in its answer") {
    bond::ReceiverOptions o;
    o.reorder_hold = false;
    Held t(o);
    t.data(1, 1000);
    t.data(1, 1002);
    t.data(1, 1002);
    t.data(1, 1001);
    CHECK(t.at_server() == Sequences{1000, 1002, 1002, 1001});
    CHECK(t.figures().held == 0);
    CHECK(t.rig.receiver.counters()[Counter::hold_duplicates] == 0);
}

TEST_CASE("hold and reports are granted each by itself") {
    Held hold_only({}, {false, true, 10'000});
    hold_only.data(1, 1001);
    hold_only.rig.pass(100_ms);
    CHECK(hold_only.at_server().empty());
    CHECK(hold_only.rig.receiver.counters()[Counter::reports_out] == 0);
    Held reports_only({}, {true, false, 10'000});
    reports_only.data(1, 1001);
    CHECK(reports_only.at_server() == Sequences{1001});
}
