// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "engine/bond/ledger.h"

using namespace hawser;
using namespace hawser::literals;
using bond::Ledger;
using wire::Seq31;
using State = Ledger::State;

namespace {

constexpr Instant t0{1'000'000'000};
constexpr LinkId a{0};
constexpr LinkId b{1};

struct Book {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(256 * 2048);
    Pool pool{bytes, 2048};
    Ledger ledger{pool, 64};

    Ledger::Entry& add(std::uint32_t sequence) {
        const BufferId id = pool.take();
        REQUIRE(id != no_buffer);
        ledger.add(Seq31(sequence), PacketRef{id, 0, 1332}, t0,
                   [this](const Ledger::Entry& e) { displaced.push_back(e.sequence.raw()); });
        return *ledger.find(Seq31(sequence));
    }
    std::vector<std::uint32_t> displaced;  // unsent
    [[nodiscard]] std::uint32_t held() const { return pool.slots() - pool.free_slots(); }
};

}  // namespace

TEST_CASE("the earliest sequence is wanted first, whatever order they became wanted in, and across the wrap") {
    Book book;
    const std::uint32_t first = 0x7FFF'FFF0;
    for (std::uint32_t i = 0; i < 40; ++i) book.add(Seq31(first + i).raw());
    CHECK(book.ledger.wanted() == 40);
    for (std::uint32_t i = 0; i < 40; ++i) {
        Ledger::Entry& e = book.ledger.first_wanted();
        REQUIRE(e.sequence == Seq31(first + i));
        book.ledger.note_sent(e, a, i);
    }
    CHECK_FALSE(book.ledger.any_wanted());
    for (const std::uint32_t i : {30u, 3u, 17u}) book.ledger.want(*book.ledger.find(Seq31(first + i)));
    for (const std::uint32_t i : {3u, 17u, 30u}) {
        CHECK(book.ledger.first_wanted().sequence == Seq31(first + i));
        book.ledger.note_delivered(book.ledger.first_wanted());
    }
    CHECK(book.ledger.is_consistent());
}

TEST_CASE("a place that is taken again gives back what was in it, and what is older is out of reach") {
    Book book;
    for (std::uint32_t i = 0; i < 200; ++i) {
        book.add(1000 + i);
        REQUIRE(book.ledger.is_consistent());
        REQUIRE(book.held() <= 64);
    }
    CHECK(book.ledger.wanted() == 64);
    CHECK(book.ledger.first_wanted().sequence == Seq31(1136));
    CHECK(book.ledger.find(Seq31(1135)) == nullptr);
    CHECK_FALSE(book.ledger.in_reach(Seq31(1135)));
    CHECK(book.ledger.in_reach(Seq31(1136)));
    book.ledger.clear();
    CHECK(book.held() == 0);
    CHECK_FALSE(book.ledger.any_wanted());
}

TEST_CASE("what is taken out of the ledger is its taker's to give back, and is wanted no more") {
    Book book;
    for (std::uint32_t i = 0; i < 10; ++i) book.add(100 + i);
    std::vector<BufferId> taken;
    while (book.ledger.any_wanted()) {
        Ledger::Entry& e = book.ledger.first_wanted();
        CHECK(e.sequence == Seq31(100 + static_cast<std::uint32_t>(taken.size())));
        taken.push_back(book.ledger.take(e).buffer);
    }
    CHECK(taken.size() == 10);
    CHECK_FALSE(book.ledger.any_wanted());
    CHECK(book.ledger.is_consistent());
    book.ledger.clear();
    CHECK(book.held() == 10);
    for (const BufferId id : taken) book.pool.release(id);
    CHECK(book.held() == 0);
}

TEST_CASE("sequences that never came leave no packet of an earlier lap in their places") {
    Book book;
    for (std::uint32_t i = 0; i < 64; ++i) book.add(i);
    book.add(100);
    CHECK(book.ledger.is_consistent());
    CHECK(book.displaced.size() == 37);  // 0 to 36, none of which was sent
    CHECK(book.ledger.find(Seq31(36)) == nullptr);
    CHECK(book.ledger.find(Seq31(37)) != nullptr);
    book.add(100'000);
    CHECK(book.held() == 1);
    book.add(99'990);  // late, and new
    CHECK(book.ledger.first_wanted().sequence == Seq31(99'990));
    CHECK(book.ledger.is_consistent());
}

TEST_CASE("what has come is kept until nobody can ask for it, and is not sent meanwhile") {
    Book book;
    for (std::uint32_t i = 0; i < 10; ++i) book.add(i);
    book.ledger.give_up(*book.ledger.find(Seq31(2)));
    for (const std::uint32_t i : {0u, 1u, 4u}) book.ledger.note_sent(*book.ledger.find(Seq31(i)), a, i);
    CHECK(book.held() == 9);
    std::uint32_t open = 0;
    book.ledger.note_delivered_before(Seq31(5), [&](const Ledger::Entry&) { ++open; });
    CHECK(open == 3);
    CHECK(book.held() == 9);
    CHECK(book.ledger.wanted() == 6);
    CHECK(book.ledger.find(Seq31(3))->state == State::wanted);  // it never left
    CHECK(book.ledger.find(Seq31(4))->state == State::delivered);
    CHECK(book.ledger.find(Seq31(2))->state == State::given_up);
    const auto count = [&](const Ledger::Entry&) { ++open; };
    book.ledger.release_before(Seq31(5), count);
    CHECK(open == 4);  // nobody waits for it any more
    CHECK(book.held() == 5);
    CHECK(book.ledger.wanted() == 5);
    CHECK(book.ledger.find(Seq31(3))->state == State::given_up);
    CHECK(book.ledger.find(Seq31(4))->packet.buffer == no_buffer);
    book.ledger.release_before(Seq31(3), count);   // an older word
    book.ledger.release_before(Seq31(50), count);  // of what was never sent
    CHECK(book.held() == 5);
    CHECK(open == 4);
    book.ledger.note_sent(*book.ledger.find(Seq31(5)), a, 5);
    book.ledger.release_before(Seq31(7), count);  // both in one
    CHECK(open == 6);
    CHECK(book.held() == 3);
    CHECK(book.ledger.wanted() == 3);
    CHECK(book.ledger.floor() == Seq31(7));
    CHECK(book.ledger.find(Seq31(5))->state == State::delivered);
    CHECK(book.ledger.find(Seq31(6))->state == State::given_up);
    CHECK(book.ledger.is_consistent());
}

TEST_CASE("what is sent again after it had come is wanted no more when nobody can ask for it") {
    Book book;
    for (std::uint32_t i = 0; i < 3; ++i) book.ledger.note_sent(book.add(i), a, i);
    book.add(3);
    book.ledger.note_delivered_before(Seq31(3), [](const Ledger::Entry&) {});
    book.ledger.want(*book.ledger.find(Seq31(1)));
    book.ledger.want(*book.ledger.find(Seq31(2)));
    book.ledger.note_sent(*book.ledger.find(Seq31(2)), a, 5);
    book.ledger.release_before(Seq31(3), [](const Ledger::Entry&) {});
    CHECK(book.ledger.is_consistent());
    CHECK(book.ledger.wanted() == 1);
    CHECK(book.held() == 1);
}

TEST_CASE("two copies are remembered, and a lost one's place is taken first") {
    Book book;
    Ledger::Entry& e = book.add(7);
    book.ledger.note_sent(e, a, 10);
    CHECK(e.copy_on(a) == 0);
    CHECK(e.copy_on(b) == -1);
    e.lost = 1;
    CHECK_FALSE(e.has_open_copy());
    book.ledger.want(e);
    book.ledger.note_sent(e, b, 20);
    CHECK(e.has_open_copy());
    CHECK(e.copy_on(b) >= 0);
    CHECK(e.is_lost(e.copy_on(a)));
    CHECK(e.position[static_cast<std::size_t>(e.copy_on(a))] == 10);
    book.ledger.note_sent(e, b, 21);
    CHECK(e.copy_on(a) == -1);
    CHECK(e.sends == 3);
}

TEST_CASE("the next wanted one comes after it, past those that are due too early, across empty places and the wrap") {
    Book book;
    const Seq31 first(0x7FFF'FFFA);
    for (std::int32_t i = 0; i < 30; ++i) {
        if (i == 12) continue;  // it never came
        const BufferId id = book.pool.take();
        REQUIRE(id != no_buffer);
        book.ledger.add(first.plus(i), PacketRef{id, 0, 1332}, t0 + Duration{i * 1'000'000},
                        [](const Ledger::Entry&) {});
    }
    Ledger::Entry& head = book.ledger.first_wanted();
    const auto place = [&](const Ledger::Entry* e) { return e == nullptr ? -1 : wire::distance(first, e->sequence); };
    CHECK(place(book.ledger.next_wanted(head)) == 1);
    book.ledger.note_sent(*book.ledger.find(first.plus(1)), a, 0);
    CHECK(place(book.ledger.next_wanted(head)) == 2);
    CHECK(place(book.ledger.next_wanted(*book.ledger.find(first.plus(11)))) == 13);
    CHECK(place(book.ledger.next_wanted(*book.ledger.find(first.plus(29)))) == -1);
    CHECK(place(book.ledger.next_wanted(head, t0 + 20_ms)) == 20);
    CHECK(place(book.ledger.next_wanted(head, t0 + 29_ms)) == 29);
    CHECK(place(book.ledger.next_wanted(head, t0 + 30_ms)) == -1);
    CHECK(place(book.ledger.next_wanted(head, t0)) == 2);
}
