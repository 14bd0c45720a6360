// SPDX-License-Identifier: MIT
// Both ends under everything at once: processes that restart or stand still in unlucky orders, links that come and go
// in the middle of what they do, networks that double, reorder and lose, names that change, and a stranger who forges
// whatever he likes with any source address. A seed is a history. Whatever it was, neither SRT end may see what does
// not belong there, and when the trouble is over the bond must be whole again and carry a new session.
#include <catch2/catch.hpp>

#include <array>
#include <cerrno>

#include "engine/base/random.h"
#include "tests/few_runs.h"
#include "tests/sim/harness_bond.h"

using namespace hawser;
using namespace hawser::test;
using wire::Seq31;
using wire::SrtlaType;

namespace {

constexpr std::size_t links = 4;

class Mischief {
public:
    Mischief(BondLab& lab, std::uint64_t seed) : lab_(lab), random_(seed) { present_.fill(true); }

    void act() {
        switch (below(17)) {
            case 0: restart_an_end(); break;
            case 1: lab_.server->restart(); break;
            case 2:
            case 3: restart_caller(); break;
            case 4: toggle_dark(below(links)); break;
            case 5: toggle_uplink(below(links)); break;
            case 6: replace_all_uplinks(); break;
            case 7: change_name(); break;
            case 8:
                frozen_sender_ = !frozen_sender_;
                lab_.sender.freeze(frozen_sender_);
                break;
            case 9:
                frozen_receiver_ = !frozen_receiver_;
                lab_.receiver.freeze(frozen_receiver_);
                break;
            case 10: fail_socket(below(links)); break;
            case 11: disturb_path(below(links)); break;
            case 12: forge_registrations(); break;
            case 13: forge_answers(); break;
            case 14: forge_keepalives(); break;
            case 15: forge_towards_receiver(); break;
            default: break;
        }
    }

    // The trouble is over; what it left behind is not.
    void end() {
        lab_.sender.freeze(false);
        lab_.receiver.freeze(false);
        for (std::size_t i = 0; i < links; ++i) {
            lab_.set_dark(i, false);
            calm_path(i);
            lab_.world.fail_open(lab_.uplink(i), 0);
            lab_.world.fail_sends(lab_.uplink(i), 0, {});
            if (!present_[i]) toggle_uplink(i);
        }
        lab_.set_receiver({lab_.receiver_at()});
    }

    void restart_caller() {
        note_blemishes();
        if (below(2) == 0 && lab_.caller->connected()) lab_.caller->say_shutdown();
        // Near the wrap, near the last one's, or anywhere.
        const std::array<std::uint32_t, 3> starts{0x7FFF'FF80u, lab_.caller->next_sequence().raw(), below(0x7FFF'FFFF)};
        lab_.caller->restart(Seq31(starts[below(3)]), 0x1000 + ++callers_);
    }
    void note_blemishes() { blemishes_ += lab_.blemishes(); }
    [[nodiscard]] const std::string& blemishes() const { return blemishes_; }
    [[nodiscard]] std::uint32_t caller_id() const { return 0x1000 + callers_; }

private:
    [[nodiscard]] std::uint32_t below(std::size_t n) { return random_.below(static_cast<std::uint32_t>(n)); }
    [[nodiscard]] Duration up_to_ms(std::size_t n) { return Duration{below(n) * std::int64_t{1'000'000}}; }

    void restart_an_end() {
        if (below(2) == 0) {
            frozen_receiver_ = false;
            lab_.restart_receiver();
        } else {
            frozen_sender_ = false;
            lab_.restart_sender();
            present_.fill(true);
        }
    }
    void toggle_dark(std::size_t i) {
        dark_[i] = !dark_[i];
        lab_.set_dark(i, dark_[i]);
    }
    void toggle_uplink(std::size_t i) {
        if (present_[i])
            lab_.remove_uplink(i);
        else
            lab_.add_uplink(i);
        present_[i] = !present_[i];
    }
    // SIGHUP with a file that has nothing in common with the last one, and back.
    void replace_all_uplinks() {
        for (std::size_t i = 0; i < links; ++i)
            if (present_[i]) toggle_uplink(i);
        if (below(2) == 0) lab_.run(up_to_ms(3'000));
        for (std::size_t i = 0; i < links; ++i) toggle_uplink(i);
    }
    void change_name() {
        Endpoint other = lab_.receiver_at();
        other.port = 5999;  // nobody listens there
        switch (below(4)) {
            case 0: lab_.set_receiver({other}); break;
            case 1: lab_.set_receiver({other, lab_.receiver_at()}); break;
            case 2: lab_.set_receiver({lab_.receiver_at(), other}); break;
            default: lab_.set_receiver({lab_.receiver_at()}); break;
        }
    }
    void fail_socket(std::size_t i) {
        constexpr std::array errors{EAGAIN, ENOBUFS, ENETUNREACH, EPERM, EMSGSIZE, EADDRNOTAVAIL};
        const int error = errors[below(errors.size())];
        if (below(2) == 0)
            lab_.world.fail_open(lab_.uplink(i), below(3) == 0 ? 0 : error);
        else
            lab_.world.fail_sends(lab_.uplink(i), error, lab_.world.now() + 1_s);
    }
    void disturb_path(std::size_t i) {
        for (sim::Path* path : {lab_.world.path(lab_.uplink(i), lab_.receiver_at()),
                                lab_.world.path(lab_.receiver_at(), lab_.uplink(i))}) {
            path->node<sim::Duplicate>().set(below(2) * 500'000);
            path->node<sim::Loss>().set(below(3) * 150'000);
            path->node<sim::Delay>().set({up_to_ms(400), 150_ms, true});
        }
    }
    void calm_path(std::size_t i) {
        for (sim::Path* path : {lab_.world.path(lab_.uplink(i), lab_.receiver_at()),
                                lab_.world.path(lab_.receiver_at(), lab_.uplink(i))}) {
            path->node<sim::Duplicate>().set(0);
            path->node<sim::Loss>().set(0);
            path->node<sim::Delay>().set({20_ms, 2_ms, false});
        }
    }

    void to_uplinks(Bytes packet) {
        for (std::size_t i = 0; i < links; ++i)
            if (const Endpoint local = lab_.snapshot().uplinks[i].local; local.port != 0)
                lab_.forge(lab_.receiver_at(), local, packet);
    }
    void to_receiver(Bytes packet) {
        const std::size_t i = below(links);
        Endpoint from = lab_.snapshot().uplinks[i].local;
        if (from.port == 0 || below(4) == 0) from = lab_.uplink(i);
        if (from.port == 0) from.port = static_cast<std::uint16_t>(1024 + below(60'000));
        lab_.forge(from, lab_.receiver_at(), packet);
    }

    // Word that nobody listens there, then a storm of NGPs, refusals and REG3s, and REG2s of ids that nobody asked for.
    void forge_registrations() {
        for (std::size_t i = 0; i < links; ++i)
            if (const Endpoint local = lab_.snapshot().uplinks[i].local; local.port != 0)
                lab_.forge_refusal(lab_.receiver_at(), local);
        constexpr std::array types{SrtlaType::reg_ngp, SrtlaType::reg_err, SrtlaType::reg_nak, SrtlaType::reg3};
        const SrtlaType type = types[below(types.size())];
        for (int n = 0; n < 50; ++n) to_uplinks(Bytes(wire::build_padded(type)).first(below(2) == 0 ? 2 : 32));
        wire::GroupKey key;
        for (std::uint8_t& b : key) b = static_cast<std::uint8_t>(random_.next());
        to_uplinks(wire::build_registration(SrtlaType::reg2, key));
        to_uplinks(wire::build_registration(SrtlaType::reg1, key));
    }
    // SRT and SRTLA answers that name what was never sent, or everything there is.
    void forge_answers() {
        const sim::SrtStamp stamp{below(1'000'000), caller_id()};
        const std::uint32_t next = lab_.caller->next_sequence().raw();
        const std::uint32_t range = 0x8000'0000;
        to_uplinks(sim::make_nak_of_words({range | 0, 0x7FFF'FFFF}, stamp));
        to_uplinks(sim::make_nak_of_words({range | next, (next + 1'000'000) & 0x7FFF'FFFF}, stamp));
        to_uplinks(sim::make_nak_of_words({range | ((next + 5) & 0x7FFF'FFFF), next}, stamp));
        to_uplinks(sim::make_nak_of_words({range | next}, stamp));
        to_uplinks(sim::make_ack(1, Seq31(next).plus(1'000'000), stamp));
        std::vector<std::uint8_t> ack(4 + 4 * below(300));
        store_be16(ack.data(), 0x9100);
        for (std::size_t at = 4; at < ack.size(); at += 4)
            store_be32(ack.data() + at, static_cast<std::uint32_t>(random_.next()));
        to_uplinks(ack);
    }
    void forge_keepalives() {
        for (const std::size_t size : {2u, 10u, 32u, 38u, 1500u}) {
            std::vector<std::uint8_t> keepalive(size);
            for (std::uint8_t& b : keepalive) b = static_cast<std::uint8_t>(random_.next());
            store_be16(keepalive.data(), 0x9000);
            to_uplinks(keepalive);
            to_receiver(keepalive);
        }
    }
    void forge_towards_receiver() {
        wire::GroupKey key;
        for (std::uint8_t& b : key) b = static_cast<std::uint8_t>(random_.next());
        for (int n = 0; n < 20; ++n) {
            to_receiver(wire::build_registration(below(2) == 0 ? SrtlaType::reg1 : SrtlaType::reg2, key));
            to_receiver(sim::make_data(Seq31(static_cast<std::uint32_t>(random_.next())), false, {0, 1 + below(1000)},
                                       sim::Packet(100)));
            to_receiver(sim::make_control(wire::SrtControl::shutdown, 0, {0, 1 + below(1000)}, 4));
        }
        sim::HandshakeFields f;
        f.version = 4;
        f.extension_field = 2;
        f.socket_id = 0x9999;
        to_receiver(sim::make_handshake(f, {}));
    }

    BondLab& lab_;
    Random random_;
    std::array<bool, links> present_{};
    std::array<bool, links> dark_{};
    bool frozen_sender_ = false;
    bool frozen_receiver_ = false;
    std::uint32_t callers_ = 0;
    std::string blemishes_;
};

}  // namespace

TEST_CASE("a stranger's ICMP and NGPs, each second and on every link, deafen none") {
    BondOptions options;
    options.mode = GENERATE(select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive);
    options.up = std::vector<sim::LinkShape>(links);
    for (sim::LinkShape& s : options.up) s.delay = 20_ms;
    options.caller.packets_per_second = 200;
    BondLab lab(options);
    lab.run(5_s);
    for (int n = 0; n < 200; ++n) {
        for (std::size_t i = 0; i < links; ++i) {
            const Endpoint local = lab.snapshot().uplinks[i].local;
            if (n % 10 == 0) lab.forge_refusal(lab.receiver_at(), local);
            lab.forge(lab.receiver_at(), local, wire::build_padded(SrtlaType::reg_ngp));
        }
        lab.run(100_ms);
        for (std::size_t i = 0; i < links; ++i) REQUIRE(lab.snapshot().uplinks[i].state == UplinkState::connected);
    }
    CHECK(lab.snapshot().counters[Counter::drop_unregistered] == 0);
    CHECK(lab.sender.count(EventKind::uplink_silent) == 0);
    CHECK(lab.sender.count(EventKind::uplink_connected) == links);
    CHECK(lab.receiver.count(EventKind::receiver_group_created) == 1);
    CHECK(lab.on_time_per_mille() >= 990);
    CHECK(lab.blemishes() == "");
}

TEST_CASE("after any trouble the bond is whole again, and nothing foreign ever reached an SRT end") {
    // 107, 200: in adaptive, packets that the kernel refuses to each of the links, or to each that speaks.
    const std::uint64_t seed = GENERATE(range(1u, runs(16u, 4u)), values({107u, 200u}));
    CAPTURE(seed);
    BondOptions options;
    options.seed = seed;
    options.mode = std::array{select::Mode::classic, select::Mode::enhanced, select::Mode::adaptive}[seed % 3];
    options.up = std::vector<sim::LinkShape>(links);
    for (sim::LinkShape& s : options.up) s.delay = 20_ms;
    options.caller.packets_per_second = 200;
    options.server.reorder_tolerance = 40;
    BondLab lab(options);
    lab.run(1_s);
    Mischief mischief(lab, seed);
    Random pauses(seed ^ 0xABCD);
    const Instant until = lab.world.now() + 60_s;
    while (lab.world.now() < until) {
        mischief.act();
        lab.run(Duration{pauses.below(800) * std::int64_t{1'000'000}});
    }
    mischief.end();
    lab.run(15_s);
    for (std::size_t i = 0; i < links; ++i) {
        CAPTURE(i);
        CHECK(lab.snapshot().uplinks[i].state == UplinkState::connected);
    }
    // The sender refuses nobody: the last caller is idle or is this one.
    mischief.restart_caller();
    lab.run(8_s);
    REQUIRE_FALSE(lab.server->sessions().empty());
    CHECK(lab.server->session().caller_id == mischief.caller_id());
    CHECK(lab.on_time_per_mille() >= 985);
    mischief.note_blemishes();
    CHECK(mischief.blemishes() == "");
}
