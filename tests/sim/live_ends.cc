// SPDX-License-Identifier: MIT
// The models of libsrt's two ends, joined by a wire that the test commands: what libsrt 1.5.1 does, by its source
// (core.cpp, buffer.cpp), told as properties.
#include <catch2/catch.hpp>

#include <deque>

#include "engine/sim/live_receiver.h"
#include "engine/sim/live_sender.h"

using namespace hawser;
using namespace hawser::sim;

namespace {

constexpr Duration way{20'000'000};

Instant at_ms(std::int64_t t) { return Instant{t * 1'000'000}; }

class Wire {
public:
    explicit Wire(const SrtSettings& settings)
        : sender(settings, wire::Seq31(1000), SrtOutlet::of<Wire, &Wire::from_sender>(*this)),
          receiver(settings, SrtOutlet::of<Wire, &Wire::from_receiver>(*this)) {
        sender.connect(now);
        run_to(200);
        REQUIRE(sender.connected());
    }
    void run_to(std::int64_t ms) {
        for (;;) {
            Instant t = std::min(sender.due(), receiver.due());
            if (!up.empty()) t = std::min(t, up.front().at);
            if (!down.empty()) t = std::min(t, down.front().at);
            if (t > at_ms(ms)) break;
            now = std::max(now, t);
            for (; !up.empty() && up.front().at <= now; up.pop_front()) receiver.on_packet(up.front().bytes, now);
            for (; !down.empty() && down.front().at <= now; down.pop_front()) sender.on_packet(down.front().bytes, now);
            if (receiver.due() <= now) receiver.run(now);
            if (sender.due() <= now) sender.run(now);
        }
        now = at_ms(ms);
    }
    // Payloads every 10 ms from 1000 ms on.
    void begin(std::uint64_t count) { sender.begin(at_ms(1000), 10e6, count); }

    struct Flying {
        Instant at;
        std::vector<std::uint8_t> bytes;
    };
    Instant now{};
    LiveSender sender;
    LiveReceiver receiver;
    std::deque<Flying> up, down;
    // Decided for each packet; nothing is lost unless told.
    bool (*loses_up)(Wire&, const wire::SrtPacket&) = nullptr;
    bool (*loses_down)(Wire&, const wire::SrtPacket&) = nullptr;
    Duration (*late_up)(const wire::SrtPacket&) = nullptr;
    std::vector<Instant> naks;
    int repairs = 0;

private:
    void from_sender(Bytes head, std::uint16_t) {
        const auto p = wire::SrtPacket::over(head);
        if (p->is_data() && p->is_retransmission()) ++repairs;
        if (loses_up != nullptr && loses_up(*this, *p)) return;
        const Instant at = now + way + (late_up != nullptr ? late_up(*p) : Duration{});
        auto place = up.end();
        while (place != up.begin() && std::prev(place)->at > at) --place;
        up.insert(place, {at, {head.begin(), head.end()}});
    }
    void from_receiver(Bytes head, std::uint16_t) {
        const auto p = wire::SrtPacket::over(head);
        if (!p->is_data() && p->control_type() == wire::SrtControl::nak) naks.push_back(now);
        if (loses_down == nullptr || !loses_down(*this, *p)) down.push_back({now + way, {head.begin(), head.end()}});
    }
};

bool is_first_sending_of(const wire::SrtPacket& p, int index) {
    return p.is_data() && !p.is_retransmission() && p.sequence() == wire::Seq31(1000).plus(index);
}
bool loses_the_twentieth(Wire&, const wire::SrtPacket& p) { return is_first_sending_of(p, 20); }
bool is_nak(const wire::SrtPacket& p) { return !p.is_data() && p.control_type() == wire::SrtControl::nak; }

SrtSettings settings(std::int32_t ttl, bool patched = false) {
    SrtSettings s;
    s.latency = Duration{1'000'000'000};
    s.loss_max_ttl = ttl;
    s.patched_receiver = patched;
    return s;
}

}  // namespace

TEST_CASE("a payload is read at its own time plus latency plus the handshake's way") {
    Wire w(settings(0));
    w.begin(50);
    w.run_to(4000);
    REQUIRE(w.receiver.reads().size() == 50);
    for (std::size_t i = 0; i < 50; ++i) {
        CHECK(w.receiver.reads()[i].number == i);
        CHECK((w.receiver.reads()[i].at - at_ms(1000 + 10 * static_cast<std::int64_t>(i) + 1020)).us() ==
              Approx(0).margin(1000));
    }
    CHECK(w.naks.empty());
}

TEST_CASE("without reorder tolerance a gap is reported by the next packet, and repaired once") {
    Wire w(settings(0));
    w.loses_up = loses_the_twentieth;
    w.begin(100);
    w.run_to(4000);
    REQUIRE_FALSE(w.naks.empty());
    CHECK(w.naks[0] == at_ms(1000 + 210) + way);
    CHECK(w.receiver.reads().size() == 100);
    CHECK(w.receiver.counts().given_up == 0);
    // Reports repeat until it is there; the sender holds back what is younger than a round trip.
    CHECK(w.repairs == 1);
}

TEST_CASE("with reorder tolerance a gap is reported after as many packets") {
    Wire w(settings(10, true));
    w.loses_up = loses_the_twentieth;
    w.begin(100);
    w.run_to(4000);
    REQUIRE(w.naks.size() == 1);
    CHECK(w.naks[0] == at_ms(1000 + 200 + 10 * (10 + 1)) + way);
    CHECK(w.receiver.reads().size() == 100);
}

TEST_CASE("a lost report is made up for by the periodic ones, which BELABOX's receiver lacks") {
    for (const bool patched : {false, true}) {
        Wire w(settings(10, patched));
        w.loses_up = loses_the_twentieth;
        w.loses_down = [](Wire& wire, const wire::SrtPacket& p) { return is_nak(p) && wire.naks.size() == 1; };
        w.begin(100);
        w.run_to(4000);
        CHECK(w.receiver.reads().size() == (patched ? 99u : 100u));
        CHECK(w.receiver.counts().given_up == (patched ? 1u : 0u));
    }
}

TEST_CASE("a packet that was only overtaken within the tolerance is no loss") {
    Wire w(settings(10));
    // Behind three others.
    w.late_up = [](const wire::SrtPacket& p) { return Duration{is_first_sending_of(p, 20) ? 35'000'000 : 0}; };
    w.begin(100);
    w.run_to(4000);
    CHECK(w.receiver.reads().size() == 100);
    CHECK(w.receiver.counts().reorder_distance_max == 3);
    // A periodic report asks for it all the same: libsrt's knows no tolerance.
    CHECK(w.naks.size() <= 2);
    Wire patched(settings(10, true));
    patched.late_up = w.late_up;
    patched.begin(100);
    patched.run_to(4000);
    CHECK(patched.naks.empty());
    CHECK(patched.repairs == 0);
}

TEST_CASE("what cannot come in time is skipped, and playing goes on") {
    Wire w(settings(0));
    w.loses_up = [](Wire& wire, const wire::SrtPacket&) { return wire.now >= at_ms(2000) && wire.now < at_ms(4200); };
    w.begin(600);
    w.run_to(9500);
    const auto& reads = w.receiver.reads();
    CHECK(reads.size() < 500);
    CHECK(reads.size() > 400);
    CHECK(reads.back().number == 599);
    CHECK(w.sender.counts().dropped > 0);
    CHECK(w.sender.counts().broken == 0);
}

TEST_CASE("five seconds of silence end a connection, and the caller dials again") {
    Wire w(settings(0));
    w.loses_up = w.loses_down = [](Wire& wire, const wire::SrtPacket&) {
        return wire.now >= at_ms(2000) && wire.now < at_ms(8500);
    };
    w.begin(1500);
    w.run_to(20'000);
    CHECK(w.sender.counts().broken == 1);
    CHECK(w.sender.connected());
    CHECK(w.receiver.reads().back().number == 1499);
}
