// SPDX-License-Identifier: MIT
// What a receiver does beyond SRTLA for senders that ask for it, and only for them.
#include <catch2/catch.hpp>

#include "engine/wire/extension.h"
#include "engine/wire/report.h"
#include "tests/sim/receiver_rig.h"
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

TEST_CASE("reports name the sequence that the SRT server expects next") {
    ReceiverRig rig;
    rig.set_server({srt_server});
    join_offering(rig, {phone(1)}, reports_wanted);
    rig.data(phone(1), 100, 7);
    rig.pass(0_ms);
    CHECK_FALSE(DeliveryReport::over(reports_in(rig.take()).at(0).bytes)->next_expected());
    rig.from_server(rig.server_socket(), sim::make_ack(1, wire::Seq31(101), {0, 5}));
    rig.pass(20_ms);
    CHECK(DeliveryReport::over(reports_in(rig.take()).at(0).bytes)->next_expected() == wire::Seq31(101));
}

TEST_CASE("who offered nothing gets byte for byte what a receiver without extensions sends") {
    const auto play = [](bool extensions) {
        bond::ReceiverOptions o;
        o.delivery_reports = extensions;
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
