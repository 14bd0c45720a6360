// SPDX-License-Identifier: MIT
// A receiver in front of libsrt's behaviour: what the hold spares an SRT server, and that it lets nothing come too late
// for it. The caller's packets take two ways of differing delay by turns.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <map>

#include "engine/sim/live_receiver.h"
#include "engine/sim/live_sender.h"
#include "engine/wire/extension.h"
#include "tests/sim/receiver_rig.h"

using namespace hawser;
using namespace hawser::literals;
using namespace hawser::test;

namespace {

struct Way {
    Duration delay;
    std::uint32_t loses_each = 0;  // of the packets sent for the first time; 0: none
};

class Session {
public:
    Session(bool hold, Duration latency, Way first, Way second) : settings_(with(latency)), ways_{first, second} {
        rig_.audits = false;
        rig_.set_server({srt_server});
        Packet ask = reg1(1);
        if (hold) wire::write_offer(wire::extension_half(MutableBytes(ask).subspan(2)), {false, true, 10'000});
        rig_.from(phone(0), ask);
        const auto answers = rig_.take_to(phone(0));
        REQUIRE(answers.size() == 1);
        for (const unsigned n : {0u, 1u}) rig_.join_more(key_in(answers[0]), phone(n));
    }
    void run(std::uint32_t packets) {
        caller.connect(rig_.now);
        const Instant begin = rig_.now + 1_s;
        caller.begin(begin, 2'000'000, packets);
        const Instant end = begin + 2_ms * packets + settings_.latency + 1_s;
        while (rig_.now < end) {
            Instant next = std::min({caller.due(), server.due(), rig_.receiver.next_deadline(), end});
            if (!under_way_.empty()) next = std::min(next, under_way_.begin()->first);
            rig_.pass(std::max(next, rig_.now) - rig_.now);
            hand_out();
            while (!under_way_.empty() && under_way_.begin()->first <= rig_.now) {
                const auto arrive = std::move(under_way_.begin()->second);
                under_way_.erase(under_way_.begin());
                arrive();
                hand_out();
            }
            if (caller.due() <= rig_.now) caller.run(rig_.now);
            if (server.due() <= rig_.now) server.run(rig_.now);
            hand_out();
        }
    }
    [[nodiscard]] std::uint64_t count(Counter c) const { return rig_.receiver.counters()[c]; }

    std::uint32_t lost = 0;

private:
    static sim::SrtSettings with(Duration latency) {
        sim::SrtSettings s;
        s.latency = latency;
        return s;
    }
    // What the receiver sent since: to the server at once, to the caller over the first way.
    void hand_out() {
        for (auto sent = rig_.take(); !sent.empty(); sent = rig_.take()) {
            for (Sent& s : sent) {
                if (s.to == srt_server) {
                    server.on_packet(s.bytes, rig_.now);
                } else if (s.to == phone(0) && !wire::is_srtla_space(s.type())) {
                    under_way_.emplace(rig_.now + ways_[0].delay,
                                       [this, bytes = std::move(s.bytes)] { caller.on_packet(bytes, rig_.now); });
                }
            }
        }
    }
    void from_caller(Bytes head, std::uint16_t) {
        const bool is_data = (head[0] & 0x80) == 0;
        const unsigned n = is_data ? ++data_ % 2 : 0;
        const bool again = is_data && (head[4] & 0x04) != 0;
        if (is_data && !again && ways_[n].loses_each != 0 && data_ / 2 % ways_[n].loses_each == 1) {
            ++lost;
            return;
        }
        under_way_.emplace(rig_.now + ways_[n].delay,
                           [this, n, bytes = Packet(head.begin(), head.end())] { rig_.from(phone(n), bytes); });
    }
    void from_server(Bytes head, std::uint16_t) {
        if (rig_.server_socket() == no_socket) return;
        rig_.from_server(rig_.server_socket(), Packet(head.begin(), head.end()));
    }

    ReceiverRig rig_;
    sim::SrtSettings settings_;
    Way ways_[2];
    std::uint32_t data_ = 0;
    std::multimap<Instant, std::function<void()>> under_way_;

public:
    sim::LiveSender caller{settings_, wire::Seq31(0x7FFF'FF00),
                           sim::SrtOutlet::of<Session, &Session::from_caller>(*this)};
    sim::LiveReceiver server{settings_, sim::SrtOutlet::of<Session, &Session::from_server>(*this)};
};

constexpr std::uint32_t packets = 2500;  // 5 s

}  // namespace

TEST_CASE("ways that differ by 150 ms make a stock SRT server ask for what is under way; behind the hold it does not") {
    Session plain(false, 1_s, {20_ms}, {170_ms});
    plain.run(packets);
    REQUIRE(plain.server.counts().unique == packets);
    CHECK(plain.server.counts().naks > 100);
    CHECK(plain.caller.counts().again > packets / 10);

    Session held(true, 1_s, {20_ms}, {170_ms});
    held.run(packets);
    CHECK(held.server.counts().naks == 0);
    CHECK(held.caller.counts().again == 0);
    CHECK(held.server.counts().packets == packets);
    CHECK(held.server.reads().size() == packets);
    CHECK(held.count(Counter::hold_given_up) == 0);
}

TEST_CASE("what never comes costs its own packets only: all others reach the server in time for it") {
    const Duration latency = GENERATE(300_ms, 1_s, 2_s);
    Session held(true, latency, {20_ms, 40}, {170_ms, 15});
    held.run(packets);
    REQUIRE(held.lost > 80);
    CHECK(held.count(Counter::hold_given_up) >= held.lost);
    // Some are asked for in the last 60 ms, and come.
    CHECK(held.server.reads().size() >= packets - held.lost);
    CHECK(held.server.counts().given_up <= held.lost);
    // Each at its hour: its timestamp plus the latency, on a clock that began a way before the caller's conclusion
    // came.
    for (const auto& read : held.server.reads()) {
        const Duration age = read.at - held.caller.made_at(read.number);
        REQUIRE(age >= latency);
        REQUIRE(age <= latency + 40_ms);
    }
}

TEST_CASE("with less latency than the ways differ by, the hold asks no more of the server's time than there is") {
    Session held(true, 120_ms, {20_ms}, {170_ms});
    held.run(packets);
    // Half of the packets come too late for anybody; the others are there in time.
    CHECK(held.server.reads().size() >= packets / 2 - 1);
    CHECK(held.server.counts().given_up <= packets / 2 + 1);
}
