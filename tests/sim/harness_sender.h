// SPDX-License-Identifier: MIT
// A laboratory for the sender: a near host with an SRT caller, the sender on its real pump and some uplink addresses;
// a far host with a scripted receiver and an SRT server; a path each way for each uplink. Everything by one seed.
// The sender is audited every 50 ms of simulated time, and the end of the lab checks that each buffer came back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "engine/bond/sender.h"
#include "engine/border/border.h"
#include "engine/pump/pump.h"
#include "engine/sim/sim_io.h"
#include "engine/sim/srt_caller.h"
#include "engine/sim/srt_server.h"
#include "tests/sim/harness_receiver.h"

namespace hawser::test {

using namespace hawser::literals;

struct LabOptions {
    std::size_t uplinks = 2;
    sim::LinkShape shape;  // of each path, each way; delay 10 ms unless said otherwise
    bond::SenderOptions sender;
    sim::SrtCallerOptions caller;
    sim::SrtServerOptions server;
    select::Mode mode = select::Mode::classic;
    bool receiver_listens = true;
    bool connect_caller = true;
    Duration coalesce{};
    std::uint64_t seed = 1;

    LabOptions() { shape.delay = 10_ms; }
};

// The sender as the pump sees it, with a witness that is told after each call.
class WatchedSender {
public:
    using Snapshot = SenderSnapshot;

    WatchedSender(const bond::SenderOptions& options, Pool& pool, std::uint64_t seed);

    // `completion`: a packet that was received; null for every other call.
    std::function<void(const Completion* completion)> after;

    void start(Instant now, bond::Actions& out) noexcept { sender.start(now, out); }
    void begin_turn(Instant now) noexcept { sender.begin_turn(now); }
    void on_opened(std::uint32_t tag, const Result<SocketId, Errno>& socket, const Endpoint& local,
                   std::uint32_t payload_bytes_max, Instant now, bond::Actions& out) noexcept {
        sender.on_opened(tag, socket, local, payload_bytes_max, now, out);
        if (after) after(nullptr);
    }
    template <class Outlet>
    bool on_received(const Completion& c, Instant now, Outlet& out) noexcept {
        const bool is_kept = sender.on_received(c, now, out);
        if (after) after(&c);
        return is_kept;
    }
    void on_send_failed(const Completion& c, Instant now, bond::Actions& out) noexcept {
        sender.on_send_failed(c, now, out);
        if (after) after(nullptr);
    }
    void on_broken(const Completion& c, Instant now, bond::Actions& out) noexcept {
        sender.on_broken(c, now, out);
        if (after) after(nullptr);
    }
    void on_command(const Command& command, Instant now, bond::Actions& out) noexcept {
        sender.on_command(command, now, out);
        if (after) after(nullptr);
    }
    void on_deadline(Instant now, bond::Actions& out) noexcept {
        sender.on_deadline(now, out);
        if (after) after(nullptr);
    }
    template <class Outlet>
    void end_turn(Instant now, Outlet& out) noexcept {
        sender.end_turn(now, out);
        if (after) after(nullptr);
    }
    [[nodiscard]] Instant next_deadline() const noexcept { return sender.next_deadline(); }
    void fill(SenderSnapshot& snapshot, Instant now) const noexcept { sender.fill(snapshot, now); }
    [[nodiscard]] bool finished() const noexcept { return sender.finished(); }

    bond::Sender sender;
};

class SenderLab {
public:
    explicit SenderLab(const LabOptions& options = LabOptions());
    ~SenderLab();

    // Addresses.
    [[nodiscard]] static Endpoint uplink(std::size_t i) {
        return Endpoint::from_v4(0x0A000001 + static_cast<std::uint32_t>(i + 1) * 0x100, 0);  // 10.0.i+1.1
    }
    [[nodiscard]] static Endpoint receiver_at(std::size_t i = 0) {
        return Endpoint::from_v4(0x0A090001 + static_cast<std::uint32_t>(i), 5000);  // 10.9.0.1+i
    }
    [[nodiscard]] static Endpoint listen_at() { return Endpoint::from_v4(0x7F000001, 5600); }
    [[nodiscard]] static Endpoint server_at() { return Endpoint::from_v4(0x7F000001, 4001); }
    [[nodiscard]] static LinkId id(std::size_t i) { return LinkId(static_cast<std::uint8_t>(i)); }

    // Orders.
    void add_uplink(std::size_t i);
    void remove_uplink(std::size_t i);
    void suspend_uplink(std::size_t i);
    void renew_uplink(std::size_t i, const Endpoint& source);
    void set_receiver(const std::vector<Endpoint>& addresses);
    void command(const Command& command);
    void set_dark(std::size_t i, bool dark);

    // Time. True when the condition held before the time was over. Throws when time stands still: an endless exchange.
    template <class Condition>
    bool reach(Condition&& condition, Duration within) {
        const Instant end = world.now() + within;
        Instant before = world.now();
        for (int standing = 0; !condition(); standing = world.now() == before ? standing + 1 : 0) {
            if (world.now() >= end) return false;
            if (standing > standing_max) throw std::runtime_error("time stands still");
            before = world.now();
            world.step(end);
            drain();
        }
        return true;
    }
    void run(Duration span) {
        reach([] { return false; }, span);
    }
    // The usual start: every uplink registered and, when there is a caller, SRT connected.
    bool settle();

    // Facts.
    [[nodiscard]] const SenderSnapshot& snapshot();
    [[nodiscard]] const UplinkSnapshot& link(std::size_t i) { return snapshot().uplinks[i]; }
    [[nodiscard]] std::uint64_t carried(std::size_t i) { return link(i).packets_out; }
    [[nodiscard]] bool connected(std::size_t i) { return link(i).state == UplinkState::connected; }
    [[nodiscard]] std::uint64_t counter(Counter id) const { return sender->sender.counters()[id]; }
    [[nodiscard]] std::size_t count(EventKind kind) const;
    [[nodiscard]] const Event* last(EventKind kind) const;
    [[nodiscard]] std::uint64_t delivered() const { return server->sessions().empty() ? 0 : server->session().unique; }
    // Nothing reached the caller that libsrt would not want.
    [[nodiscard]] bool caller_is_unharmed() const;

    [[nodiscard]] Bytes bytes(const Completion& c) const { return pool_.bytes(c.packet); }

    // The auditor: a program of the world.
    [[nodiscard]] Instant due() const { return audit_at_; }
    void run(Instant now);

    sim::World world;
    sim::HostId near;
    sim::HostId far;
    std::vector<Event> events;
    std::unique_ptr<sim::SrtCaller> caller;
    std::unique_ptr<ScriptedReceiver> receiver;
    std::unique_ptr<sim::SrtServer> server;
    std::unique_ptr<WatchedSender> sender;

private:
    static constexpr int standing_max = 20'000;  // steps at one instant
    using RealPump = Pump<sim::SimIo, WatchedSender>;

    void drain();

    std::size_t uplinks_;
    std::vector<std::uint8_t> slab_;
    Pool pool_;
    std::unique_ptr<sim::SimIo> io_;
    Border<SenderSnapshot> border_;
    std::unique_ptr<RealPump> pump_;
    std::unique_ptr<sim::Stepper<RealPump>> stepper_;
    SenderSnapshot snapshot_;
    Instant audit_at_;
};

[[nodiscard]] LabOptions lab_with(select::Mode mode, std::size_t uplinks);
// What an operator says of an uplink, and the time for it to be done.
void say(SenderLab& lab, std::size_t i, const UplinkSettings& settings);
// 256 bytes that look random.
[[nodiscard]] wire::GroupKey group_key(std::uint64_t seed);

}  // namespace hawser::test
