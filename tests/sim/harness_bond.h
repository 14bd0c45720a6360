// SPDX-License-Identifier: MIT
// Both ends of a bond, each on its real pump, with an SRT caller before the one and an SRT server behind the other,
// and uplinks of any shape between them. Everything by one seed. Both ends are audited every 50 ms of simulated time,
// and the end of the lab checks that each buffer came back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/bond/receiver.h"
#include "engine/bond/sender.h"
#include "engine/border/border.h"
#include "engine/pump/pump.h"
#include "engine/sim/sim_io.h"
#include "engine/sim/srt_caller.h"
#include "engine/sim/srt_server.h"

namespace hawser::test {

using namespace hawser::literals;

// One end: a bond, its Io, its pump, its buffers, as a program of the world.
template <class Bond>
class End {
public:
    End(sim::World& world, sim::HostId host, Duration coalesce)
        : world_(world),
          slab_(std::size_t{4096} * pool_slot_bytes),
          pool_(slab_, pool_slot_bytes),
          io_(std::make_unique<sim::SimIo>(world, host, pool_)),
          coalesce_(coalesce) {}
    ~End() {
        end();
        io_.reset();
        HAWSER_CHECK(pool_.free_slots() == pool_.slots());
    }
    void begin(std::unique_ptr<Bond> bond) {
        bond_ = std::move(bond);
        pump_ = std::make_unique<Pump<sim::SimIo, Bond>>(*io_, pool_, *bond_, border, coalesce_);
        stepper_ = std::make_unique<sim::Stepper<Pump<sim::SimIo, Bond>>>(*io_, *pump_);
        world_.add_program(sim::Program::of(*stepper_));
        pump_->start();
    }
    // A process that ends in order and comes up again, on the same host and with the same settings.
    void restart(std::unique_ptr<Bond> bond) {
        end();
        begin(std::move(bond));
    }
    // A stopped process or a sleeping machine: what comes waits in the sockets, and the clock goes on.
    void freeze(bool frozen) {
        if (frozen == frozen_) return;
        frozen_ = frozen;
        if (frozen)
            world_.remove_program(stepper_.get());
        else
            world_.add_program(sim::Program::of(*stepper_));
    }
    void command(const Command& c) {
        HAWSER_CHECK(border.commands.push(c));
        io_->wake();
    }
    [[nodiscard]] Pool& pool() { return pool_; }
    [[nodiscard]] Bond& bond() { return *bond_; }
    [[nodiscard]] bool is_consistent() const { return bond_ == nullptr || bond_->is_consistent(); }
    [[nodiscard]] std::size_t count(EventKind kind) {
        Event e;
        while (border.events.pop(e)) events.push_back(e);
        std::size_t n = 0;
        for (const Event& seen : events) n += seen.kind == kind ? 1u : 0u;
        return n;
    }

    Border<typename Bond::Snapshot> border;
    std::vector<Event> events;

private:
    void end() {
        freeze(false);
        Command c;
        c.kind = CommandKind::hand_over;  // a restart is one; a stop is tested by itself
        command(c);
        for (int i = 0; i < 500 && !bond_->finished(); ++i) world_.run_for(10_ms);
        HAWSER_CHECK(bond_->finished());
        HAWSER_CHECK(bond_->is_consistent());
        world_.remove_program(stepper_.get());
        stepper_.reset();
        pump_.reset();
        bond_.reset();
    }

    sim::World& world_;
    std::vector<std::uint8_t> slab_;
    Pool pool_;
    std::unique_ptr<sim::SimIo> io_;
    Duration coalesce_;
    bool frozen_ = false;
    std::unique_ptr<Bond> bond_;
    std::unique_ptr<Pump<sim::SimIo, Bond>> pump_;
    std::unique_ptr<sim::Stepper<Pump<sim::SimIo, Bond>>> stepper_;
};

struct BondOptions {
    std::vector<sim::LinkShape> up;    // one for each uplink
    std::vector<sim::LinkShape> down;  // may be shorter: the rest is as `up`, without its rate limit
    select::Mode mode = select::Mode::enhanced;
    sim::SrtCallerOptions caller;
    sim::SrtServerOptions server;
    Duration coalesce{};
    bool v6 = false;
    bool mixed = false;  // links by turns of IPv4 and IPv6, and a receiver with an address of each
    std::uint64_t seed = 1;
};

class BondLab {
public:
    explicit BondLab(const BondOptions& options);
    BondLab(const BondLab&) = delete;
    BondLab& operator=(const BondLab&) = delete;
    ~BondLab();

    [[nodiscard]] Endpoint uplink(std::size_t i) const;
    [[nodiscard]] Endpoint receiver_at(std::size_t i = 0) const;  // as link i sees it
    void set_dark(std::size_t i, bool dark);
    // Processes that end and come up again, knowing nothing, or what an earlier run of the sender left.
    void restart_receiver();
    void restart_sender(const bond::EarlierRun& earlier = {});
    // The sender's orders.
    void set_receiver(const std::vector<Endpoint>& addresses);
    void add_uplink(std::size_t i);
    void remove_uplink(std::size_t i);
    // A datagram of a stranger who writes any source address; it takes the path of that address.
    void forge(const Endpoint& from, const Endpoint& to, Bytes bytes);
    // His ICMP message to `to`: that nobody listens at `from`.
    void forge_refusal(const Endpoint& from, const Endpoint& to);
    void run(Duration span) { world.run_for(span); }

    [[nodiscard]] const SenderSnapshot& snapshot() {
        sender.bond().fill(snapshot_, world.now());
        return snapshot_;
    }
    // Of what the caller sent so far: the share that the server has had in time, in thousandths.
    [[nodiscard]] std::uint64_t on_time_per_mille() const;
    // What was invented, and what reached either SRT end that does not belong there. Empty: nothing.
    [[nodiscard]] std::string blemishes() const;

    // The auditor: a program of the world.
    [[nodiscard]] Instant due() const { return audit_at_; }
    void run(Instant now);

    sim::World world;
    sim::HostId near;
    sim::HostId far;
    std::unique_ptr<sim::SrtServer> server;
    std::unique_ptr<sim::SrtCaller> caller;
    End<bond::Receiver> receiver;
    End<bond::Sender> sender;

private:
    [[nodiscard]] bool is_v6(std::size_t i) const { return options_.mixed ? i % 2 == 1 : options_.v6; }
    [[nodiscard]] std::unique_ptr<bond::Receiver> new_receiver();
    [[nodiscard]] std::unique_ptr<bond::Sender> new_sender(const bond::EarlierRun& earlier = {});
    void order_receiver();
    void order_sender();

    BondOptions options_;
    std::size_t uplinks_;
    Random random_;
    SenderSnapshot snapshot_;
    Instant audit_at_;
};

}  // namespace hawser::test
