// SPDX-License-Identifier: MIT
// Accounting by hand: each rule and each threshold of the reference (BELABOX/srtla 37862da), and each deviation.
#include "engine/link/accounting.h"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <memory>
#include <vector>

namespace hawser::link {
namespace {

using wire::Seq31;

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr LinkId c{2};
constexpr Instant t0{1'000'000'000};

struct Bench {
    std::unique_ptr<Accounting> it = std::make_unique<Accounting>();

    explicit Bench(std::initializer_list<LinkId> links) {
        for (const LinkId link : links) it->add(link);
    }
    void send(LinkId link, std::uint32_t first, std::uint32_t count = 1) {
        for (std::uint32_t i = 0; i < count; ++i) it->note_sent(link, Seq31(first + i), t0 + Duration{first + i});
    }
    LinkMask srtla_ack(std::initializer_list<std::uint32_t> words, LinkMask alive = ~0u, LinkId arrival = a) {
        std::vector<std::uint8_t> bytes(4 + 4 * words.size());
        std::size_t at = 4;
        for (const std::uint32_t word : words) {
            store_be32(bytes.data() + at, word);
            at += 4;
        }
        const auto ack = wire::SrtlaAck::over(bytes);
        REQUIRE(ack);
        return it->on_srtla_ack(*ack, arrival, alive, t0);
    }
    LinkMask srt_ack(std::uint32_t next_expected) { return it->on_srt_ack(Seq31(next_expected), t0); }
    LinkId lost(std::uint32_t sequence) { return it->on_lost(Seq31(sequence), t0).link; }
};

TEST_CASE("a link that comes back as new has the default window, and its old packets are nobody's") {
    Bench bench{a, b};
    bench.send(a, 1, 10);
    bench.it->fail(a);
    bench.it->restart(a);
    CHECK(bench.it->window(a) == 20'000);
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.lost(5) == no_link);
    bench.send(a, 11);
    CHECK(bench.it->in_flight(a) == 1);
    CHECK(bench.it->is_consistent());
}

TEST_CASE("a new link has the default window and nothing in flight, a failed one the smallest") {
    Bench bench{a, b};
    CHECK(bench.it->window(a) == 20'000);
    CHECK(bench.it->in_flight(a) == 0);
    bench.send(a, 1, 10);
    bench.it->fail(a);
    CHECK(bench.it->window(a) == 1000);
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.lost(5) == no_link);
    CHECK(bench.it->window(b) == 20'000);
}

TEST_CASE("a removed link is nowhere and may be added anew") {
    Bench bench{a, b};
    bench.send(a, 1);
    bench.it->remove(a);
    CHECK(bench.it->links() == mask_of(b));
    CHECK(bench.lost(1) == no_link);
    CHECK(bench.it->load().window[0] == 0);
    bench.it->add(a);
    CHECK(bench.it->window(a) == 20'000);
    CHECK(bench.it->is_consistent());
}

TEST_CASE("an SRTLA ACK grows every link heard from, found or not, and no other") {
    Bench bench{a, b, c};
    bench.send(a, 1);
    CHECK(bench.srtla_ack({1, 99}, mask_of(a) | mask_of(b)) == mask_of(a));
    CHECK(bench.it->window(a) == 20'002);
    CHECK(bench.it->window(b) == 20'002);
    CHECK(bench.it->window(c) == 20'000);
    CHECK(bench.it->in_flight(a) == 0);
}

TEST_CASE("the owner grows by 29 more only while what is left in flight exceeds its window") {
    Bench bench{a};
    bench.send(a, 1, 22);
    bench.srtla_ack({1});  // 21 left, 21000 > 20000
    CHECK(bench.it->window(a) == 20'030);
    bench.srtla_ack({2});  // 20 left, 20000 is not more than 20030
    CHECK(bench.it->window(a) == 20'031);
}

TEST_CASE("growth inside one SRTLA ACK is seen by the entries after it") {
    Bench bench{a};
    bench.it->grow(a, 998);
    bench.send(a, 1, 22);
    bench.srtla_ack({99, 98, 1});  // 21 left, and the window is 21000 by then
    CHECK(bench.it->window(a) == 21'001);
    bench.send(a, 23, 2);
    bench.srtla_ack({2, 3});  // 22 left, 22000 > 21001; then 21 left, 21000 is not more than 21031
    CHECK(bench.it->window(a) == 21'032);
}

TEST_CASE("windows stop at 60000, entry by entry") {
    Bench bench{a, b};
    bench.it->grow(a, 39'998);
    bench.it->grow(b, 100'000);
    CHECK(bench.it->window(b) == 60'000);
    bench.send(a, 1, 80);
    bench.srtla_ack({1, 2, 3, 4});
    CHECK(bench.it->window(a) == 60'000);
    CHECK(bench.it->window(b) == 60'000);
}

TEST_CASE("only links heard from are held to 60000, as in the reference") {
    Bench bench{a};
    bench.it->grow(a, 40'000);
    bench.send(a, 1, 80);
    bench.srtla_ack({1}, 0);
    CHECK(bench.it->window(a) == 60'029);
    bench.srtla_ack({2}, mask_of(a));  // 78 left, 78000 > 60029
    CHECK(bench.it->window(a) == 60'000);
}

TEST_CASE("a loss takes 100 from the window, not below 1000, and leaves in flight to the next SRT ACK") {
    Bench bench{a};
    bench.send(a, 1, 3);
    const Accounting::Loss loss = bench.it->on_lost(Seq31(2), t0);
    CHECK(loss.link == a);
    CHECK(loss.sent_at == t0 + Duration{2});
    CHECK(bench.it->window(a) == 19'900);
    CHECK(bench.it->in_flight(a) == 3);
    CHECK(bench.lost(2) == no_link);
    CHECK(bench.it->window(a) == 19'900);
    bench.srt_ack(1);
    CHECK(bench.it->in_flight(a) == 2);
    bench.it->fail(a);
    bench.send(a, 10);
    bench.lost(10);
    CHECK(bench.it->window(a) == 1000);
}

TEST_CASE("who would be charged with a loss can be asked without charging it") {
    Bench bench{a};
    bench.send(a, 7);
    CHECK(bench.it->holder(Seq31(7)).link == a);
    CHECK(bench.it->holder(Seq31(7)).sent_at == t0 + Duration{7});
    CHECK(bench.it->holder(Seq31(8)).link == no_link);
    CHECK(bench.it->window(a) == 20'000);
}

TEST_CASE("a packet is out of sight as soon as the 255th newer one is written") {
    Bench bench{a};
    bench.send(a, 1, 255);
    CHECK(bench.it->holder(Seq31(1)).link == a);
    bench.send(a, 256);
    CHECK(bench.it->holder(Seq31(1)).link == no_link);
    CHECK(bench.it->holder(Seq31(2)).link == a);
    CHECK(bench.it->in_flight(a) == 256);
    bench.send(a, 257, 100);
    CHECK(bench.it->in_flight(a) == 356);  // more than the log holds
    bench.srt_ack(1);
    CHECK(bench.it->in_flight(a) == 255);
}

TEST_CASE("an SRT ACK frees what lies before it on every link, at every copy") {
    Bench bench{a, b};
    bench.send(a, 1, 5);
    bench.send(b, 6, 5);
    CHECK(bench.srt_ack(8) == 0);
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.it->in_flight(b) == 3);
    bench.send(a, 3);  // again, though acknowledged
    bench.srt_ack(8);
    CHECK(bench.it->in_flight(a) == 0);
    bench.send(a, 7);
    bench.srt_ack(5);  // a late copy of an older one
    CHECK(bench.it->in_flight(a) == 1);
    CHECK(bench.it->in_flight(b) == 3);
    CHECK(bench.it->is_consistent());
}

TEST_CASE("of two links that hold a sequence the last added is charged, and its newest entry first") {
    Bench bench{a, b};
    bench.send(a, 5);
    bench.send(b, 5);
    bench.send(a, 5);
    CHECK(bench.lost(5) == b);
    CHECK(bench.lost(5) == a);
    CHECK(bench.lost(5) == a);
    CHECK(bench.lost(5) == no_link);
    bench.it->remove(a);
    bench.it->add(a);  // now a is the last added
    bench.send(a, 6);
    bench.send(b, 6);
    CHECK(bench.srtla_ack({6}) == mask_of(a));
}

TEST_CASE("by time of sending, the first to hold a sequence is charged, whatever the order of links") {
    Bench bench{a, b};
    const auto send_at = [&](LinkId link, std::int64_t at) { bench.it->note_sent(link, Seq31(5), t0 + Duration{at}); };
    send_at(a, 1);
    send_at(b, 2);
    send_at(a, 3);
    bench.it->note_probe(b, Seq31(6), t0);
    for (const LinkId link : {a, b, a}) {
        CHECK(bench.it->first_holder(Seq31(5)).link == link);
        bench.it->charge_first_holder(Seq31(5));
    }
    CHECK(bench.it->window(a) == 20'000 - 2 * window_loss_step);
    CHECK(bench.it->window(b) == 20'000 - window_loss_step);
    CHECK(bench.it->first_holder(Seq31(5)).link == no_link);
    CHECK(bench.it->first_holder(Seq31(6)).link == no_link);
    bench.it->charge_first_holder(Seq31(5));
    CHECK(bench.it->is_consistent());
}

TEST_CASE("a probe's ACK counts, on the link it came by, and a NAK never names it") {
    Bench bench{a, b};
    bench.it->note_sent(b, Seq31(5), t0);
    bench.it->note_probe(a, Seq31(5), t0);
    bench.it->note_probe(a, Seq31(6), t0);
    CHECK(bench.it->in_flight(a) == 2);
    CHECK(bench.lost(6) == no_link);
    bench.it->set_arrival_first(true);
    CHECK(bench.srtla_ack({5}, ~0u, a) == mask_of(a));
    CHECK(bench.srtla_ack({5}, ~0u, a) == mask_of(b));
    bench.srt_ack(7);
    CHECK(bench.it->in_flight(a) == 0);
}

TEST_CASE("an entry with its top bit set in an SRTLA ACK is nobody's and grows nobody") {
    // Deviation: the reference takes 0xFFFFFFFF for the mark of an empty slot.
    Bench bench{a};
    bench.send(a, 1);
    CHECK(bench.srtla_ack({0xFFFF'FFFF, 0x8000'0001}) == 0);
    CHECK(bench.it->window(a) == 20'000);
    CHECK(bench.it->in_flight(a) == 1);
}

TEST_CASE("sequence 0 matches no empty slot") {
    // Deviation: the reference's new log is filled with zeros.
    Bench bench{a};
    CHECK(bench.lost(0) == no_link);
    CHECK(bench.srtla_ack({0}) == 0);
    bench.send(a, 0);
    CHECK(bench.lost(0) == a);
}

TEST_CASE("an SRT ACK compares in a circle") {
    // Deviation: the reference takes what follows the wrap for older than what precedes it.
    Bench bench{a};
    bench.send(a, 0x7FFF'FFFE, 4);  // ...E, ...F, 0, 1
    bench.srt_ack(0x7FFF'FFFF);
    CHECK(bench.it->in_flight(a) == 3);
    CHECK(bench.it->holder(Seq31(0)).link == a);
    bench.srt_ack(1);
    CHECK(bench.it->in_flight(a) == 1);
    CHECK(bench.it->holder(Seq31(0x7FFF'FFFF)).link == no_link);
}

TEST_CASE("a new session forgets sequences and keeps windows") {
    // Deviation: the reference knows no sessions.
    Bench bench{a};
    bench.send(a, 0x1000'0000, 10);
    bench.lost(0x1000'0001);
    bench.it->new_session();
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.it->window(a) == 19'900);
    bench.send(a, 5, 3);
    bench.srt_ack(6);
    CHECK(bench.it->in_flight(a) == 2);
    CHECK(bench.it->is_consistent());
}

TEST_CASE("without SRTLA ACKs windows recover by SRT ACKs") {
    // Deviation: the reference's windows only shrink against such a receiver.
    Bench bench{a, b};
    bench.it->set_srtla_acks_absent(true);
    bench.srt_ack(1);
    bench.it->fail(a);
    bench.send(a, 1, 10);
    CHECK(bench.srt_ack(5) == mask_of(a));
    CHECK(bench.it->window(a) == 1000 + 4 * 30);
    CHECK(bench.it->window(b) == 20'000);  // has carried nothing, so nothing says it is alive
    CHECK(bench.srt_ack(5) == 0);
    CHECK(bench.it->window(a) == 1120);
    CHECK(bench.it->in_flight(a) == 6);
}

TEST_CASE("an SRT ACK far beyond everything frees everything") {
    Bench bench{a, b};
    bench.send(a, 100, 300);
    bench.send(b, 100, 3);
    bench.srt_ack(0x2000'0000);
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.it->in_flight(b) == 0);
    bench.send(a, 400);
    bench.srt_ack(401);
    // 400 lies before 401, and 401 is only an old ACK.
    CHECK(bench.it->in_flight(a) == 0);
    CHECK(bench.it->is_consistent());
}

}  // namespace
}  // namespace hawser::link
