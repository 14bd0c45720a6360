// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>

#include "engine/link/registration.h"

using namespace hawser;
using namespace hawser::literals;
using link::Registration;
using Outcome = Registration::Outcome;
using Send = Registration::Send;

namespace {

constexpr Instant t0{1'000'000'000};
constexpr LinkId a{0}, b{1};

wire::GroupKey probe_key() {
    wire::GroupKey key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return key;
}

// What a receiver answers to REG1 with `key`: its first half kept, the second replaced.
std::array<std::uint8_t, wire::registration_bytes> answer_to(const wire::GroupKey& key) {
    wire::GroupKey full = key;
    std::fill(full.begin() + wire::group_id_sender_bytes, full.end(), std::uint8_t{0xEE});
    return wire::build_registration(wire::SrtlaType::reg2, full);
}

// Both links are open and have asked with REG2 whether anybody knows them.
Registration probing(Instant now) {
    Registration r(probe_key());
    r.on_open(a, now);
    r.on_open(b, now);
    static_cast<void>(r.on_due(a, now));
    static_cast<void>(r.on_due(b, now));
    return r;
}

// A registration with both links members of a group.
Registration joined(Instant now) {
    Registration r = probing(now);
    REQUIRE(r.on_no_group(a, false, now) == Outcome::noted);
    REQUIRE(r.on_due(a, now) == Send::reg1);
    REQUIRE(r.on_reg2(a, answer_to(probe_key()), now) == Outcome::group_created);
    REQUIRE(r.on_due(a, now) == Send::reg2);
    REQUIRE(r.on_due(b, now) == Send::reg2);
    REQUIRE(r.on_reg3(a, now) == Outcome::link_joined);
    REQUIRE(r.on_reg3(b, now) == Outcome::link_joined);
    return r;
}

}  // namespace

TEST_CASE("a group of an earlier run is joined again by REG2 alone, and made anew where it is gone") {
    Registration r(probe_key(), true);
    r.on_open(a, t0);
    r.on_open(b, t0);
    CHECK_FALSE(r.has_group());
    REQUIRE(r.on_due(a, t0) == Send::reg2);
    REQUIRE(r.on_due(b, t0) == Send::reg2);
    SECTION("the receiver has it still") {
        CHECK(r.on_reg3(a, t0 + 20_ms) == Outcome::link_joined);
        CHECK(r.has_group());
        CHECK(r.on_reg3(b, t0 + 30_ms) == Outcome::link_joined);
    }
    SECTION("the receiver knows nothing of it") {
        CHECK(r.on_no_group(a, false, t0 + 20_ms) == Outcome::noted);
        CHECK(r.on_due(a, t0 + 20_ms) == Send::reg1);
        CHECK(r.on_reg2(a, answer_to(probe_key()), t0 + 40_ms) == Outcome::group_created);
    }
}

TEST_CASE("the first link that hears NGP asks for the group, and REG2 goes out on all at once") {
    Registration r(probe_key());
    r.on_open(a, t0);
    r.on_open(b, t0);
    CHECK(r.on_due(a, t0) == Send::reg2);
    CHECK(r.on_due(b, t0) == Send::reg2);
    CHECK(r.on_no_group(b, false, t0 + 20_ms) == Outcome::noted);
    CHECK(r.due(b) == t0 + 20_ms);
    CHECK(r.on_due(b, t0 + 20_ms) == Send::reg1);
    CHECK(r.on_no_group(a, false, t0 + 21_ms) == Outcome::noted);
    CHECK(r.on_due(a, r.due(a)) == Send::nothing);
    CHECK(r.on_reg2(b, answer_to(probe_key()), t0 + 40_ms) == Outcome::group_created);
    CHECK(r.due(a) == t0 + 40_ms);
    CHECK(r.due(b) == t0 + 40_ms);
    CHECK(r.key()[200] == 0xEE);
    CHECK(r.is_consistent());
}

TEST_CASE("REG2 counts only from a link that was asked, whole, and with our half of the id") {
    Registration r(probe_key());
    r.on_open(a, t0);
    r.on_open(b, t0);
    static_cast<void>(r.on_due(a, t0));
    const auto good = answer_to(probe_key());
    CHECK(r.on_reg2(a, good, t0) == Outcome::ignored);  // nobody asked
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_due(a, t0));
    CHECK(r.on_reg2(b, good, t0) == Outcome::ignored);
    CHECK(r.on_reg2(a, Bytes(good).first(257), t0) == Outcome::ignored);
    auto longer = std::vector<std::uint8_t>(good.begin(), good.end());
    longer.push_back(0);
    CHECK(r.on_reg2(a, longer, t0) == Outcome::ignored);
    auto foreign = good;
    foreign[2 + 127] ^= 1;
    CHECK(r.on_reg2(a, foreign, t0) == Outcome::ignored);
    CHECK_FALSE(r.has_group());
    CHECK(r.on_reg2(a, good, t0) == Outcome::group_created);
    CHECK(r.on_reg2(a, good, t0) == Outcome::ignored);  // once
}

TEST_CASE("REG3 without our REG2 makes no member") {
    Registration r(probe_key());
    r.on_open(a, t0);
    CHECK(r.on_reg3(a, t0) == Outcome::ignored);
    static_cast<void>(r.on_due(a, t0));
    CHECK(r.on_reg3(a, t0) == Outcome::ignored);  // there is no group yet
    CHECK_FALSE(r.is_member(a));
}

TEST_CASE("REG1 is repeated each second, and on another link after three silences") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_no_group(b, false, t0));
    Instant now = t0;
    for (int i = 0; i < 3; ++i) {
        CHECK(r.on_due(a, now) == Send::reg1);
        CHECK(r.due(a) == now + 1_s);
        now = r.due(a);
    }
    CHECK(r.on_due(a, now) == Send::nothing);
    CHECK(r.due(b) == now);
    CHECK(r.on_due(b, now) == Send::reg1);
    CHECK(r.is_consistent());
}

TEST_CASE("REG_ERR to REG1 moves the question to another link that knows of a receiver") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_no_group(b, false, t0));
    CHECK(r.on_refused(a, t0) == Outcome::ignored);  // nothing was asked yet
    REQUIRE(r.on_due(a, t0) == Send::reg1);
    CHECK(r.on_refused(a, t0 + 5_ms) == Outcome::link_refused);
    CHECK(r.on_due(b, t0 + 5_ms) == Send::reg1);
    CHECK(r.on_reg2(a, answer_to(probe_key()), t0 + 6_ms) == Outcome::ignored);
    CHECK(r.on_reg2(b, answer_to(probe_key()), t0 + 7_ms) == Outcome::group_created);
}

TEST_CASE("when every link that knows of a receiver is refused, the question waits a second between them") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_no_group(b, false, t0));
    REQUIRE(r.on_due(a, t0) == Send::reg1);
    CHECK(r.on_refused(a, t0) == Outcome::link_refused);
    REQUIRE(r.on_due(b, t0) == Send::reg1);
    CHECK(r.on_refused(b, t0) == Outcome::link_refused);
    CHECK(r.due(a) == t0 + 1_s);
    REQUIRE(r.on_due(a, t0 + 1_s) == Send::reg1);
    CHECK(r.on_refused(a, t0 + 1_s) == Outcome::link_refused);
    CHECK(r.due(b) == t0 + 2_s);
    CHECK(r.next_due() <= r.due(b));
    CHECK(r.is_consistent());
}

TEST_CASE("an answer to REG1 counts however late it is, though another link has been asked since") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_no_group(b, false, t0));
    for (int asks = 0; asks < 3; ++asks) REQUIRE(r.on_due(a, t0 + 1_s * asks) == Send::reg1);
    const Instant now = t0 + 3_s;
    REQUIRE(r.on_due(a, now) == Send::nothing);
    REQUIRE(r.on_due(b, now) == Send::reg1);
    CHECK(r.on_reg2(a, answer_to(probe_key()), now + 100_ms) == Outcome::group_created);
    CHECK(r.on_reg2(b, answer_to(probe_key()), now + 200_ms) == Outcome::ignored);
    CHECK(r.on_due(a, now + 100_ms) == Send::reg2);
    CHECK(r.on_due(b, now + 100_ms) == Send::reg2);
    CHECK(r.is_consistent());
}

TEST_CASE("a link alone that is refused asks again after a second and counts its refusals") {
    Registration r(probe_key());
    r.on_open(a, t0);
    static_cast<void>(r.on_due(a, t0));
    static_cast<void>(r.on_no_group(a, false, t0));
    Instant now = t0;
    for (std::uint32_t i = 1; i <= 3; ++i) {
        REQUIRE(r.on_due(a, now) == Send::reg1);
        CHECK(r.on_refused(a, now) == Outcome::link_refused);
        CHECK(r.refusals(a) == i);
        CHECK(r.due(a) == now + 1_s);
        now = r.due(a);
    }
}

TEST_CASE("REG_ERR to a healthy member changes nothing") {
    Registration r = joined(t0);
    CHECK(r.on_refused(a, t0 + 1_s) == Outcome::ignored);
    CHECK(r.is_member(a));
}

TEST_CASE("NGP to a healthy member that asked nothing changes nothing") {
    Registration r = joined(t0);
    CHECK(r.on_no_group(a, false, t0 + 5_s) == Outcome::ignored);
    CHECK(r.is_member(a));
    CHECK(r.has_group());
}

TEST_CASE("NGP to one member while others are heard leaves it a member that goes on asking with the same id") {
    Registration r = joined(t0);
    const wire::GroupKey key = r.key();
    r.probe(a, t0 + 5_s);
    CHECK(r.on_due(a, t0 + 5_s) == Send::reg2);
    CHECK(r.is_member(a));  // data goes on while it asks
    CHECK(r.on_no_group(a, true, t0 + 5_s + 30_ms) == Outcome::noted);
    CHECK(r.is_member(a));
    CHECK(r.is_member(b));
    CHECK(r.key() == key);
    SECTION("the REG3 that answers its REG2 counts") {
        CHECK(r.on_reg3(a, t0 + 5_s + 50_ms) == Outcome::link_refreshed);
        CHECK(r.due(a) == never);
    }
    SECTION("it asks on, at the slow pace") {
        Instant now = r.due(a);
        CHECK(now <= t0 + 6_s + 30_ms);
        for (int i = 0; i < 3; ++i) {
            CHECK(r.on_due(a, now) == Send::reg2);
            CHECK(r.due(a) == now + 1_s);
            now = r.due(a);
        }
    }
    SECTION("whatever is said meanwhile does not put off its next question") {
        const Instant due = r.due(a);
        for (int ms = 40; ms < 200; ms += 10) static_cast<void>(r.on_no_group(a, true, t0 + 5_s + 1_ms * ms));
        CHECK(r.due(a) == due);
    }
    SECTION("silence ends it, and then it joins again") {
        r.on_silent(a, t0 + 9_s);
        CHECK_FALSE(r.is_member(a));
        CHECK(r.on_no_group(a, true, t0 + 9_s) == Outcome::noted);
        CHECK(r.on_reg3(a, t0 + 9_s) == Outcome::ignored);  // before a REG2 of its own
        CHECK(r.on_due(a, t0 + 9_s) == Send::reg2);
        CHECK(r.on_reg3(a, t0 + 9_s + 30_ms) == Outcome::link_joined);
    }
    CHECK(r.is_consistent());
}

TEST_CASE("a link that was opened anew knows of a receiver only by an answer of its own") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_no_group(b, false, t0));
    REQUIRE(r.on_due(a, t0) == Send::reg1);
    REQUIRE(r.on_due(b, r.due(b)) == Send::nothing);  // it has heard one, and waits for the id
    r.on_close(b, t0 + 1_s);
    r.on_open(b, t0 + 1_s);
    CHECK(r.on_due(b, t0 + 1_s) == Send::reg2);
    CHECK(r.is_consistent());
}

TEST_CASE("NGP when no member is heard any more asks for a new group at once") {
    Registration r = joined(t0);
    r.probe(a, t0 + 5_s);
    CHECK(r.on_due(a, t0 + 5_s) == Send::reg2);
    CHECK(r.on_no_group(a, false, t0 + 5_s) == Outcome::group_lost);
    CHECK_FALSE(r.is_member(a));
    CHECK_FALSE(r.is_member(b));
    CHECK(r.on_due(a, t0 + 5_s) == Send::reg1);
    CHECK(r.is_consistent());
}

TEST_CASE("an NGP that answers the question of before the group was made does not unseat the group") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    static_cast<void>(r.on_due(a, t0));
    REQUIRE(r.on_reg2(a, answer_to(probe_key()), t0 + 10_ms) == Outcome::group_created);
    static_cast<void>(r.on_due(b, t0 + 10_ms));
    CHECK(r.on_no_group(b, false, t0 + 300_ms) == Outcome::noted);  // b's answer took its time
    CHECK(r.has_group());
    CHECK(r.on_reg3(b, t0 + 320_ms) == Outcome::link_joined);
    // Long after, it is meant.
    r.on_silent(b, t0 + 10_s);
    static_cast<void>(r.on_due(b, t0 + 10_s));
    CHECK(r.on_no_group(b, false, t0 + 10_s) == Outcome::group_lost);
}

TEST_CASE("a receiver that is asked anew and has kept the group is joined by REG3 alone") {
    Registration r = joined(t0);
    const wire::GroupKey key = r.key();
    r.restart(t0 + 20_s);
    CHECK(r.on_reg3(a, t0 + 20_s) == Outcome::ignored);  // before our REG2
    REQUIRE(r.on_due(a, t0 + 20_s) == Send::reg2);
    REQUIRE(r.on_due(b, t0 + 20_s) == Send::reg2);
    CHECK(r.on_reg3(a, t0 + 20_s) == Outcome::link_joined);
    CHECK(r.on_reg3(b, t0 + 20_s) == Outcome::link_joined);
    CHECK(r.key() == key);
    CHECK(r.is_consistent());
    // The probe is nobody's id: a REG3 to it is no answer.
    Registration fresh = probing(t0);
    CHECK(fresh.on_reg3(a, t0) == Outcome::ignored);
    CHECK_FALSE(fresh.is_member(a));
}

TEST_CASE("a REG_ERR to a REG1 that was repeated is no refusal once the group is there") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    for (int asks = 0; asks < 3; ++asks) REQUIRE(r.on_due(a, t0 + 1_s * asks) == Send::reg1);
    REQUIRE(r.on_reg2(a, answer_to(probe_key()), t0 + 2500_ms) == Outcome::group_created);
    REQUIRE(r.on_due(a, t0 + 2500_ms) == Send::reg2);
    for (int late = 0; late < 3; ++late) CHECK(r.on_refused(a, t0 + 3500_ms) == Outcome::noted);
    CHECK(r.refusals(a) == 0);
    CHECK(r.due(a) <= t0 + 3500_ms);  // REG2 goes on at its pace
    CHECK(r.on_reg3(a, t0 + 5700_ms) == Outcome::link_joined);
    // Long after, it is meant.
    r.on_silent(a, t0 + 20_s);
    REQUIRE(r.on_due(a, t0 + 20_s) == Send::reg2);
    CHECK(r.on_refused(a, t0 + 20_s) == Outcome::link_refused);
}

TEST_CASE("a member that is asked about and answers stays one, and asks no more") {
    Registration r = joined(t0);
    r.probe(a, t0 + 3_s);
    CHECK(r.on_due(a, t0 + 3_s) == Send::reg2);
    CHECK(r.on_reg3(a, t0 + 3_s + 50_ms) == Outcome::link_refreshed);
    CHECK(r.due(a) == never);
}

TEST_CASE("a member that is asked about and does not answer is asked at the quick pace for two seconds") {
    Registration r = joined(t0);
    Instant now = t0 + 5_s;
    r.probe(a, now);
    for (std::uint32_t i = 0; i < Registration::quick_checks; ++i) {
        CHECK(r.on_due(a, now) == Send::reg2);
        CHECK(r.due(a) == now + 250_ms);
        now = r.due(a);
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(r.on_due(a, now) == Send::reg2);
        CHECK(r.due(a) == now + 1_s);
        now = r.due(a);
    }
    CHECK(r.is_member(a));
}

TEST_CASE("joining is retried quickly first and then at the reference's pace") {
    Registration r(probe_key());
    r.on_open(a, t0);
    Instant now = t0;
    const std::array<Duration, 4> gaps{250_ms, 500_ms, 1000_ms, 1000_ms};
    for (const Duration gap : gaps) {
        CHECK(r.on_due(a, now) == Send::reg2);
        CHECK(r.due(a) == now + gap);
        now = r.due(a);
    }
}

TEST_CASE("a member that has fallen silent is asked at the quick pace for half a minute, a link that was none is not") {
    Registration r = joined(t0);
    r.on_silent(a, t0 + 10_s);
    Instant now = t0 + 10_s;
    for (; now < t0 + 40_s; now = r.due(a)) {
        CHECK(r.on_due(a, now) == Send::reg2);
        REQUIRE(r.due(a) == now + 250_ms);
    }
    CHECK(r.on_due(a, now) == Send::reg2);
    CHECK(r.due(a) == now + 1_s);
    r.on_silent(a, now);
    CHECK(r.on_due(a, now) == Send::reg2);
    CHECK(r.on_due(a, now + 250_ms) == Send::reg2);
    CHECK(r.due(a) == now + 750_ms);
}

TEST_CASE("closing the link that was asked hands the question on or begins anew") {
    Registration r = probing(t0);
    static_cast<void>(r.on_no_group(a, false, t0));
    SECTION("another link has heard of the receiver") {
        static_cast<void>(r.on_no_group(b, false, t0));
        r.on_close(a, t0);
        CHECK(r.on_due(b, t0) == Send::reg1);
    }
    SECTION("no other has") {
        r.on_close(a, t0);
        CHECK(r.on_due(b, t0) == Send::reg2);
    }
    CHECK(r.is_consistent());
}

TEST_CASE("every order of six events on two links leaves registration consistent and able to join") {
    // Operations by number; each sequence of six of them is one path through the machine.
    constexpr int operations = 10;
    const auto good = answer_to(probe_key());
    const auto apply = [&](Registration& r, int op, Instant now) {
        switch (op) {
            case 0: r.on_open(a, now); break;
            case 1: r.on_close(a, now); break;
            case 2: static_cast<void>(r.on_no_group(a, false, now)); break;
            case 3: static_cast<void>(r.on_reg2(a, good, now)); break;
            case 4: static_cast<void>(r.on_reg3(a, now)); break;
            case 5: static_cast<void>(r.on_refused(a, now)); break;
            case 6: r.on_silent(a, now); break;
            case 7:
                r.probe(a, now);
                static_cast<void>(r.on_due(a, now));
                break;
            case 8: static_cast<void>(r.on_no_group(b, true, now)); break;
            default: static_cast<void>(r.on_due(b, now)); break;
        }
    };
    int total = 1;
    for (int i = 0; i < 6; ++i) total *= operations;
    int inconsistent = 0;
    int stuck = 0;
    for (int path = 0; path < total; ++path) {
        Registration r(probe_key());
        r.on_open(b, t0);
        Instant now = t0;
        for (int rest = path, i = 0; i < 6; ++i, rest /= operations) {
            now = now + 100_ms;
            apply(r, rest % operations, now);
            if (!r.is_consistent()) ++inconsistent;
        }
        // From wherever it is, link b must reach membership with a receiver that answers properly.
        for (int i = 0; i < 40 && !r.is_member(b); ++i) {
            now = r.due(b) == never ? now + 1_s : std::max(now, r.due(b));
            for (const LinkId id : {a, b}) {
                if (r.due(id) > now) continue;
                const Send sent = r.on_due(id, now);
                if (sent == Send::nothing) continue;
                if (sent == Send::reg1)
                    static_cast<void>(r.on_reg2(id, answer_to(r.key()), now));
                else if (r.has_group())
                    static_cast<void>(r.on_reg3(id, now));
                else
                    static_cast<void>(r.on_no_group(id, false, now));
            }
        }
        if (!r.is_member(b)) ++stuck;
    }
    CHECK(inconsistent == 0);
    CHECK(stuck == 0);
}
